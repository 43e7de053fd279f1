import errno
import json
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytempo.core import files
from polytempo.core.errors import InputError, ResourceError
from polytempo.core.files import atomic_path, digest, file_digest, require_disk_space, write_bytes, write_json

Usage = namedtuple("Usage", "total used free")


class Boom(Exception):
    pass


def put_folder(path: Path, text: str) -> None:
    with atomic_path(path) as partial:
        partial.mkdir()
        (partial / "deep").mkdir()
        (partial / "deep" / "a").write_text(text)


def _put_half(path: Path, kind: str) -> None:
    with atomic_path(path) as partial:
        if kind == "folder":
            partial.mkdir()
            partial /= "half"
        partial.write_text("half")
        raise Boom


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_file_appears_whole_with_its_parents(tmp_path: Path) -> None:
    target = tmp_path / "x" / "y" / "clip.mp4"
    with atomic_path(target) as partial:
        assert partial.suffix == ".mp4"
        partial.write_bytes(b"new")
        assert not target.exists()
    assert target.read_bytes() == b"new"
    assert names(target.parent) == ["clip.mp4"]


def test_file_is_replaced(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"old")
    write_bytes(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"


@pytest.mark.parametrize("exchange", [True, False])
def test_folder_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool) -> None:
    if not exchange:
        monkeypatch.setattr(files, "_exchange", lambda a, b: False)
    put_folder(tmp_path / "s.zarr", "old")
    (tmp_path / "s.zarr" / "stale").write_text("gone after the replacement")
    put_folder(tmp_path / "s.zarr", "new")
    assert (tmp_path / "s.zarr" / "deep" / "a").read_text() == "new"
    assert names(tmp_path / "s.zarr") == ["deep"]
    assert names(tmp_path) == ["s.zarr"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_failure_keeps_the_old(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "a"
    if kind == "file":
        write_bytes(target, b"old")
    else:
        put_folder(target, "old")
    with pytest.raises(Boom):
        _put_half(target, kind)
    assert names(tmp_path) == ["a"]
    assert (target.read_bytes() if kind == "file" else (target / "deep" / "a").read_bytes()) == b"old"


def test_failing_second_rename_puts_the_old_folder_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a"
    put_folder(target, "old")
    rename = Path.rename

    def failing(self: Path, to: Path) -> Path:
        if to == target and not self.name.endswith(".old.partial"):
            raise OSError(errno.EIO, "I/O error")
        return rename(self, to)

    monkeypatch.setattr(files, "_exchange", lambda a, b: False)
    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(InputError):
        put_folder(target, "new")
    assert (target / "deep" / "a").read_text() == "old"
    assert names(tmp_path) == ["a"]


def test_kill_leaves_old_and_a_partial_that_the_next_write_outlives(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    write_bytes(target, b"old")
    script = f"""
import os
from pathlib import Path
from polytempo.core.files import atomic_path
with atomic_path(Path({str(target)!r})) as partial:
    partial.write_bytes(b"half")
    os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 9
    assert target.read_bytes() == b"old"
    left = [name for name in names(tmp_path) if name != "a.json"]
    assert len(left) == 1
    assert files.PARTIAL in left[0]


@pytest.mark.refusal
def test_full_disk_in_the_block(tmp_path: Path) -> None:
    with (
        pytest.raises(ResourceError, match="the disk must have room for the file") as caught,
        atomic_path(tmp_path / "a"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert str(caught.value).endswith(f"File: {tmp_path / 'a'}")


@pytest.mark.refusal
def test_parent_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("a file")
    with pytest.raises(
        InputError, match=r"core\.files: the place must be writable; got .*Choose another folder or name"
    ):
        write_bytes(tmp_path / "f" / "a", b"")


@pytest.mark.refusal
def test_file_over_a_folder(tmp_path: Path) -> None:
    put_folder(tmp_path / "a", "old")
    with pytest.raises(InputError, match="the place must be writable"):
        write_bytes(tmp_path / "a", b"")
    assert names(tmp_path) == ["a"]


def test_a_readers_trouble_in_the_block_keeps_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a"):
        (tmp_path / "input").read_bytes()


def test_json_is_text(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"name": "Jürgen", "n": [1, 2]})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert "Jürgen" in text
    assert text.endswith("}\n")
    assert json.loads(text) == {"name": "Jürgen", "n": [1, 2]}


@pytest.mark.refusal
def test_disk_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 0, 1_100_000))
    require_disk_space(tmp_path / "not" / "there" / "yet", 1_000_000, where="t")
    with pytest.raises(ResourceError, match=r"^t: the disk must have room .*; got 0\.00 GB free, 0\.00 GB needed\."):
        require_disk_space(tmp_path, 1_000_001, where="t")


@given(st.lists(st.one_of(st.binary(max_size=4), st.text(max_size=4), st.integers(), st.none()), max_size=4))
def test_digest_tells_parts_apart(parts: list[bytes | str | int | None]) -> None:
    assert digest(*parts) == digest(*parts)
    assert digest(*parts) != digest(*parts, None)
    assert len({digest(b"1"), digest("1"), digest(1), digest(1.0), digest("1", ""), digest("", "1")}) == 6


def test_file_digest_follows_content(tmp_path: Path) -> None:
    for name, data in (("a", b"x"), ("b", b"x"), ("c", b"y")):
        (tmp_path / name).write_bytes(data)
    assert file_digest(tmp_path / "a") == file_digest(tmp_path / "b") != file_digest(tmp_path / "c")
