import json
import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from polytempo.core.errors import CancelledError, InputError, ResourceError, VersionError
from polytempo.core.progress import Progress
from polytempo.video.frames import META, RAW, FrameStore
from polytempo.video.probe import probe
from polytempo.video.reader import read_pictures

DrawClip = Callable[..., Path]
Usage = namedtuple("Usage", "total used free")


def test_store_holds_what_the_reader_gives(draw_clip: DrawClip, tmp_path: Path) -> None:
    clip = probe(draw_clip())
    reports: list[Progress] = []
    store = FrameStore.build(clip, tmp_path / "store", report=reports.append)
    assert len(store) == 12
    assert store.size == (64, 48)
    for n, picture in enumerate(read_pictures(clip)):
        np.testing.assert_array_equal(store[n], picture)
    assert [report.done for report in reports] == list(range(1, 13))
    assert {report.total for report in reports} == {12}
    assert isinstance(store.pictures, np.memmap)
    assert not store[0].flags.writeable
    again = FrameStore.open(tmp_path / "store")
    np.testing.assert_array_equal(again.pictures, store.pictures)


def test_smaller_store(draw_clip: DrawClip, tmp_path: Path) -> None:
    store = FrameStore.build(probe(draw_clip()), tmp_path / "store", size=(32, 16))
    assert store[0].shape == (16, 32, 3)
    assert (tmp_path / "store" / RAW).stat().st_size == 12 * 16 * 32 * 3


def test_cancelling_leaves_nothing(draw_clip: DrawClip, tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.done == 5:
            raise CancelledError("t", "stopped")

    clip = probe(draw_clip())
    before = sorted(tmp_path.iterdir())
    with pytest.raises(CancelledError):
        FrameStore.build(clip, tmp_path / "store", report=stop)
    assert sorted(tmp_path.iterdir()) == before


def test_building_again_replaces(draw_clip: DrawClip, tmp_path: Path) -> None:
    clip = probe(draw_clip())
    FrameStore.build(clip, tmp_path / "store")
    assert FrameStore.build(clip, tmp_path / "store", size=(32, 24)).size == (32, 24)


@pytest.mark.refusal
def test_disk_space_is_checked_before_the_start(
    draw_clip: DrawClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = probe(draw_clip())
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 0, 12 * 64 * 48 * 3))
    with pytest.raises(ResourceError, match=r"^video\.frames: the disk must have room for what is about to be written"):
        FrameStore.build(clip, tmp_path / "store", report=lambda progress: pytest.fail("it started"))
    assert not (tmp_path / "store").exists()


@pytest.mark.refusal
def test_place_that_cannot_be_written(draw_clip: DrawClip, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    with pytest.raises(InputError, match="must be writable"):
        FrameStore.build(probe(draw_clip()), tmp_path / "file" / "store")


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("meta", "message"),
    [
        (None, "a frame store must be readable"),
        ("{", "a frame store must be readable"),
        ("[]", f"{META} must describe a frame store"),
        ('{"schema": "other"}', f"{META} must describe a frame store"),
        ({"shape": [12, 48, 64]}, f"{META} must describe a frame store"),
        ({"shape": [12, 48, 64, 4]}, f"{META} must describe a frame store"),
        ({"shape": [12, 48, -64, 3]}, f"{META} must describe a frame store"),
        ({"shape": [12, 48, True, 3]}, f"{META} must describe a frame store"),
        ({"shape": [10**9, 10**9, 10**9, 3]}, f"{RAW} must hold 3{'0' * 27} bytes; got 110592"),
        ({"shape": [11, 48, 64, 3]}, f"{RAW} must hold 101376 bytes; got 110592"),
        ({"version": "1"}, f"{META} must describe a frame store"),
        ({"version": 2}, "the frame store must be of version 1; got 2"),
    ],
)
def test_damaged_store(draw_clip: DrawClip, tmp_path: Path, meta: str | dict[str, object] | None, message: str) -> None:
    folder = tmp_path / "store"
    FrameStore.build(probe(draw_clip()), folder)
    if meta is None:
        (folder / META).unlink()
    elif isinstance(meta, str):
        (folder / META).write_text(meta)
    else:
        (folder / META).write_text(json.dumps(json.loads((folder / META).read_text()) | meta))
    with pytest.raises(VersionError if "version 1" in message else InputError, match=f"^video.frames: {message}"):
        FrameStore.open(folder)
