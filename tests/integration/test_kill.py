"""A run killed at any moment leaves a project that opens, and goes on to the result it would have had."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.integration.tiny import retime_words, write_tiny_clip

from polytempo.project.folder import open_project
from polytempo.project.request import files_key

pytestmark = pytest.mark.slow
N_KILLS = 3
EDIT = ("--freeze", "far@0.2s")


@pytest.fixture(autouse=True, scope="module")
def _once(request: pytest.FixtureRequest) -> None:
    """Processes of their own do not check shapes, so the second run would only be the first again."""
    if request.config.getoption("--jaxtyping-packages", None):
        pytest.skip("runs in processes of its own")


def start(words: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "polytempo", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def finish(process: subprocess.Popen[bytes]) -> int:
    _, errors = process.communicate(timeout=1200)
    assert b"Traceback" not in errors, errors.decode()
    return process.returncode


def keys_of(root: Path) -> dict[str, str]:
    document = json.loads((root / "project.json").read_text())
    return document["current"]


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a project in which the subjects are followed and nothing after that is done."""
    folder = tmp_path_factory.mktemp("followed")
    write_tiny_clip(folder)
    words = ["--subjects", str(folder / "subjects.json"), "--config", str(folder / "tiny.toml")]
    project = ["--project", str(folder / "followed.polytempo")]
    assert finish(start(["subjects", str(folder / "tiny.mp4"), *words, *project])) == 0
    return folder


def test_killed_runs_resume_to_the_same_result(followed: Path) -> None:
    for name in ("whole", "killed"):
        shutil.copytree(followed / "followed.polytempo", followed / f"{name}.polytempo")
    began = time.monotonic()
    assert finish(start(retime_words(followed, *EDIT, project="whole.polytempo", output="whole.mp4"))) == 0
    took = time.monotonic() - began

    words = retime_words(followed, *EDIT, project="killed.polytempo", output="killed.mp4")
    root = followed / "killed.polytempo"
    rng = random.Random(7)
    killed = 0
    for _ in range(N_KILLS):
        process = start(words)
        time.sleep(rng.uniform(0.3, 0.9) * took)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        with open_project(root):  # opens, and sweeps what was half-written
            assert [one for one in root.rglob("*.partial*") if "work" not in one.relative_to(root).parts] == []
    assert killed > 0
    assert finish(start(words)) == 0
    assert keys_of(root) == keys_of(followed / "whole.polytempo")
    layers = Path("stages") / "layers" / keys_of(root)["layers"] / "stack"
    assert files_key(root / layers) == files_key(followed / "whole.polytempo" / layers)
    assert (followed / "killed.mp4").read_bytes() == (followed / "whole.mp4").read_bytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_polite_stop_exits_130(tmp_path: Path, number: int) -> None:
    write_tiny_clip(tmp_path)
    process = start(retime_words(tmp_path, *EDIT))
    root = tmp_path / "tiny.polytempo"
    for _ in range(1200):
        if (root / "stages" / "frames").exists():
            break
        time.sleep(0.1)
    process.send_signal(number)
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 130
    assert b"Run the same command again to resume" in errors
    assert b"Traceback" not in errors
    assert not list(root.rglob("*.partial*"))
    with open_project(root):
        pass
