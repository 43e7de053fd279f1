from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from polytempo.camera.homographies_file import write_homographies
from polytempo.camera.path import CameraPath
from polytempo.core.errors import InputError
from polytempo.core.progress import silent
from polytempo.project.folder import Project, open_project
from polytempo.project.given_camera import FILE, forget_camera, given_camera, keep_camera
from polytempo.project.settings import Settings
from polytempo.project.stages import run_footage
from polytempo.video.clip import Clip
from polytempo.video.probe import probe
from polytempo.video.writer import write_clip

N, SIZE, STEP = 5, (192, 128), 6


def pan() -> CameraPath:
    """Give a camera that moves right by ``STEP`` pixels a frame."""
    path = np.tile(np.eye(3), (N, 1, 1))
    path[:, 0, 2] = STEP * np.arange(N)
    return CameraPath(
        canvas_from_frame=path,
        canvas_size=(SIZE[0] + STEP * (N - 1), SIZE[1]),
        frame_size=SIZE,
        kind="panning",
        residual_px=np.zeros(N),
    )


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    """Write a clip that is still, so that no estimate would find that motion."""
    still = np.random.default_rng(1).integers(0, 255, (1, SIZE[1] // 8, SIZE[0] // 8, 3), np.uint8)
    pictures = np.repeat(np.kron(still, np.ones((1, 8, 8, 1), np.uint8)), N, axis=0)
    write_clip(tmp_path / "clip.mp4", pictures, size=SIZE, frame_rate=Fraction(24))
    return probe(tmp_path / "clip.mp4")


@pytest.fixture
def project(tmp_path: Path, clip: Clip) -> Iterator[Project]:
    with open_project(tmp_path / "p.polytempo", clip=clip.path) as project:
        yield project


def test_what_was_given_stands_in_for_the_estimate(project: Project, clip: Clip, tmp_path: Path) -> None:
    settings = Settings(work_side_px=96)
    estimated = run_footage(project, settings, silent).camera
    assert estimated.value.kind == "static"
    write_homographies(tmp_path / "h.txt", pan())
    keep_camera(project, clip, tmp_path / "h.txt")
    (tmp_path / "h.txt").unlink()
    given = run_footage(project, settings, silent).camera
    assert given.key != estimated.key
    assert given.value.frame_size == (96, 64)
    for t in range(N):  # frame 0's left edge lies that far to the left of frame t's
        assert np.allclose(given.value.frame_from_frame(t, 0)[0, 2], -STEP * t / 2, atol=1e-6)
    assert run_footage(project, settings, silent).camera.reused
    forget_camera(project)
    assert given_camera(project) is None
    assert run_footage(project, settings, silent).camera.key == estimated.key


@pytest.mark.refusal
def test_a_wrong_file_leaves_the_project_as_it_was(project: Project, clip: Clip, tmp_path: Path) -> None:
    write_homographies(tmp_path / "h.txt", pan())
    keep_camera(project, clip, tmp_path / "h.txt")
    before = (project.root / FILE).read_bytes()
    lines = (tmp_path / "h.txt").read_text().splitlines()
    (tmp_path / "short.txt").write_text("\n".join(lines[:-1]))
    with pytest.raises(InputError, match="one homography a frame; got 4 for 5 frames"):
        keep_camera(project, clip, tmp_path / "short.txt")
    with pytest.raises(InputError, match="must be readable"):
        keep_camera(project, clip, tmp_path / "none.txt")
    assert (project.root / FILE).read_bytes() == before
    keep_camera(project, clip, project.root / FILE)
    assert (project.root / FILE).read_bytes() == before
    other = dataclasses.replace(clip, n_frames=N + 1)
    kept = given_camera(project)
    assert kept is not None
    with pytest.raises(InputError, match="or say --homographies estimate"):
        kept.camera(other, size=SIZE)
