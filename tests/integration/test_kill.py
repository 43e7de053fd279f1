"""A run killed at any moment leaves a project that opens, and goes on to the result it would have had."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.integration.tiny import retime_words, write_tiny_clip

from polytempo.project.folder import open_project

pytestmark = pytest.mark.slow
N_KILLS = 4


def start(words: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "polytempo.cli.main", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def finish(process: subprocess.Popen[bytes]) -> int:
    _, errors = process.communicate(timeout=240)
    assert b"Traceback" not in errors, errors.decode()
    return process.returncode


def keys_of(root: Path) -> dict[str, str]:
    document = json.loads((root / "project.json").read_text())
    return document["current"]


def test_killed_runs_resume_to_the_same_result(tmp_path: Path) -> None:
    write_tiny_clip(tmp_path)
    began = time.monotonic()
    undisturbed = retime_words(tmp_path, "--freeze", "far@0.2s", project="undisturbed.polytempo", output="plain.mkv")
    assert finish(start(undisturbed)) == 0
    took = time.monotonic() - began

    words = retime_words(tmp_path, "--freeze", "far@0.2s", project="killed.polytempo", output="killed.mkv")
    root = tmp_path / "killed.polytempo"
    rng = random.Random(7)
    killed = 0
    for _ in range(N_KILLS):
        process = start(words)
        time.sleep(rng.uniform(0.15, 0.85) * took)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        if (root / "project.json").exists():
            with open_project(root) as project:  # opens, and sweeps what was half-written
                leftovers = [one for one in project.root.rglob("*.partial*") if "work" not in one.parts]
                assert leftovers == []
        assert not list(tmp_path.glob(".*partial*")) or not (tmp_path / "killed.mkv").exists()
    assert killed > 0
    assert finish(start(words)) == 0
    assert keys_of(root) == keys_of(tmp_path / "undisturbed.polytempo")
    assert (tmp_path / "killed.mkv").read_bytes() == (tmp_path / "plain.mkv").read_bytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_polite_stop_exits_130_and_resumes(tmp_path: Path, number: int) -> None:
    write_tiny_clip(tmp_path)
    words = retime_words(tmp_path, "--freeze", "far@0.2s")
    process = start(words)
    root = tmp_path / "tiny.polytempo"
    for _ in range(600):
        if (root / "stages" / "frames").exists():
            break
        time.sleep(0.1)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Run the same command again to resume" in errors
    assert b"Traceback" not in errors
    assert not list(root.rglob("*.partial*"))
    with open_project(root):
        pass
