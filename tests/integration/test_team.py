"""``torchrun`` over the command line: the first process owns the project, the others take part in its training."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import polytempo
from polytempo.layers.store import read_stack

pytestmark = pytest.mark.slow


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    source = str(Path(polytempo.__file__).parents[1])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": source}
    if sys.platform == "linux":
        environment["GLOO_SOCKET_IFNAME"] = "lo"  # a machine's own name may lead nowhere
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"),
        *("-m", "polytempo", *words, "--debug"),
    ]
    done = None
    for _ in range(2):  # gloo itself gives up now and then while its members find each other
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=1200, check=False, cwd=folder
        )
        if "SIGABRT" not in done.stderr:
            break
    assert done is not None
    return done


def test_two_processes_decompose_one_project(crossing_folder: Path, tmp_path: Path) -> None:
    project = tmp_path / "team.polytempo"
    subjects = ["--project", str(project), "--subjects", str(crossing_folder / "rough_masks")]
    short = ["--epochs", "2", "--set", "paper.batch_size=6", "--set", "paper.base_channels=8"]
    first = ["decompose", str(crossing_folder / "input.mp4"), *subjects, "--preset", "paper", *short]
    done = run(tmp_path, *first)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr.count("process 1 of 2 takes part in a training of 12 frames") == 1
    (folder,) = (project / "stages" / "layers").iterdir()
    assert [one.name for one in read_stack(folder / "stack").layers] == ["1", "2"]
    again = run(tmp_path, "decompose", str(project))  # nothing is left to train
    assert again.returncode == 0, again.stderr[-3000:]
    assert "takes part" not in again.stderr


def test_what_is_refused_ends_all_of_them(tmp_path: Path) -> None:
    done = run(tmp_path, "decompose", str(tmp_path / "missing.mp4"))
    assert done.returncode != 0
    assert "missing.mp4" in done.stdout + done.stderr
    assert "a bug" not in done.stdout + done.stderr
