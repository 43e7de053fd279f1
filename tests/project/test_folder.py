from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from polytempo.core.errors import InputError, ResourceError, VersionError
from polytempo.project.folder import KEPT_RESULTS, RECORD, DamagedProjectError, Project, open_project


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "beach.mp4"
    path.write_bytes(b"not looked into here")
    return path


@pytest.fixture
def root(tmp_path: Path, clip: Path) -> Path:
    root = tmp_path / "beach.polytempo"
    with open_project(root, clip=clip):
        pass
    return root


def put(project: Project, stage: str, key: str, text: str = "x") -> None:
    with project.new_result(stage, key) as folder:
        (folder / "data.txt").write_text(text)
        (folder / RECORD).write_text("{}")


def half_done(folder: Path) -> None:
    (folder / "half.txt").write_text("half")
    raise RuntimeError("broken")


def test_a_project_is_found_again(root: Path, clip: Path) -> None:
    with open_project(root) as project:
        assert project.clip.path == clip
        put(project, "camera", "abc1", "hello")
    with open_project(root, writing=False) as project:
        assert (project.current_result("camera") / "data.txt").read_text() == "hello"
        assert project.result("camera", "other") is None


def test_a_result_that_fails_leaves_nothing(root: Path) -> None:
    with open_project(root) as project:
        with pytest.raises(RuntimeError, match="broken"), project.new_result("camera", "abc1") as folder:
            half_done(folder)
        assert project.result("camera", "abc1") is None
        assert list((root / "stages" / "camera").iterdir()) == []


def test_leftovers_of_a_killed_process_are_swept(root: Path) -> None:
    folder = root / "stages" / "camera" / ".abc1.4711.partial"
    folder.mkdir(parents=True)
    (folder / "half.txt").write_text("half")
    (root / ".project.4711.partial.json").write_text("{")
    with open_project(root, writing=False):
        assert folder.exists()
    with open_project(root):
        assert not folder.exists()
        assert not list(root.glob(".*partial*"))


def test_old_results_go(root: Path) -> None:
    with open_project(root) as project:
        for n in range(KEPT_RESULTS + 2):
            put(project, "render", f"key{n}")
            os.utime(root / "stages" / "render" / f"key{n}", (n, n))
        project.use_result("render", "key2")
        assert project.current["render"] == "key2"
        kept = {one.name for one in (root / "stages" / "render").iterdir()}
        assert "key2" in kept
        assert len(kept) == KEPT_RESULTS


def test_a_changed_clip_changes_the_digest(root: Path, clip: Path) -> None:
    with open_project(root) as project:
        before = project.clip.digest
    clip.write_bytes(b"another clip")
    with open_project(root) as project:
        assert project.clip.digest != before


def test_a_moved_clip_is_named_again(root: Path, clip: Path, tmp_path: Path) -> None:
    moved = clip.rename(tmp_path / "elsewhere.mp4")
    with open_project(root, clip=moved) as project:
        assert project.clip.path == moved


@pytest.mark.refusal
def test_two_writers_are_refused(root: Path) -> None:
    with (
        open_project(root),
        pytest.raises(ResourceError, match=f"only one process at a time may write.*process {os.getpid()}"),
        open_project(root),
    ):
        pass


@pytest.mark.refusal
def test_a_killed_writer_leaves_no_lock(root: Path) -> None:
    code = f"""
        import time
        from pathlib import Path
        from polytempo.project.folder import open_project
        with open_project(Path({str(root)!r})):
            print("held", flush=True)
            time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(ResourceError, match=f"process {process.pid}"), open_project(root):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
    with open_project(root) as project:
        put(project, "probe", "k")


@pytest.mark.refusal
@pytest.mark.parametrize("version", [2, 0, "1", None, True])
def test_other_versions_are_refused(root: Path, version: object) -> None:
    path = root / "project.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": version}))
    with (
        pytest.raises(VersionError, match="version must be 1, the one that this program knows; got "),
        open_project(root),
    ):
        pass


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "no JSON"),
        ('{"schema": "polytempo.project", "ver', "no JSON"),
        ("[1]", "no JSON object"),
        ("[" * 100_000, "no JSON"),
        ('{"schema": "other"}', "schema 'other'"),
        ('{"schema": "polytempo.project", "version": 1}', "missing or wrong entry"),
        ('{"schema": "polytempo.project", "version": 1, "clip": 3, "current": {}}', "missing or wrong entry"),
        (
            '{"schema": "polytempo.project", "version": 1, "current": {"probe": "../../.."},'
            ' "clip": {"path": "a", "digest": "b", "n_bytes": 1, "modified_ns": 1}}',
            "no name of a stage or a result",
        ),
    ],
)
def test_a_damaged_project_is_named(root: Path, text: str, named: str) -> None:
    (root / "project.json").write_text(text)
    with pytest.raises(DamagedProjectError, match=named), open_project(root):
        pass


@pytest.mark.refusal
def test_what_is_no_project_is_refused(tmp_path: Path, clip: Path) -> None:
    with pytest.raises(InputError, match=r"must be a project; got no project\.json"), open_project(tmp_path / "none"):
        pass
    with pytest.raises(InputError, match="needs a folder of its own"), open_project(tmp_path, clip=clip):
        pass
    with (
        pytest.raises(InputError, match="clip must be a file that can be read; got No such file"),
        open_project(tmp_path / "new.polytempo", clip=tmp_path / "missing.mp4"),
    ):
        pass
    assert not (tmp_path / "new.polytempo").exists()


@pytest.mark.refusal
def test_a_stage_not_yet_run_is_named(root: Path) -> None:
    with (
        open_project(root, writing=False) as project,
        pytest.raises(InputError, match=r"'layers' must have been run.*Run `polytempo decompose beach\.polytempo`"),
    ):
        project.current_result("layers")
