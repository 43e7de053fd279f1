"""Keypoints that were given with prompts, before there are masks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from polytempo.camera.path import CameraPath, static_path
from polytempo.core.errors import InputError
from polytempo.objects.prompts import Prompt, Prompts, SubjectPrompts
from polytempo.project.folder import Project
from polytempo.project.given_keypoints import FILE, forget_keypoints, keep_keypoints, limbs_for_prompts, limbs_key
from polytempo.synth.draw import DrawnScene
from polytempo.video.clip import Clip


@pytest.fixture
def camera(clip: Clip) -> CameraPath:
    return static_path(clip.n_frames, (clip.width // 2, clip.height // 2))


@pytest.fixture
def prompts(crossing_scene: DrawnScene, clip: Clip) -> Prompts:
    subjects: list[SubjectPrompts] = []
    for name, masks in zip(("far", "near"), crossing_scene.masks, strict=True):
        rows, columns = np.nonzero(masks[0])
        box = (float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))
        subjects.append(SubjectPrompts(name=name, prompts=(Prompt(frame=0, box=box),)))
    return Prompts(size=(clip.width, clip.height), subjects=tuple(subjects))


def test_limbs_are_those_of_the_kept_file_in_working_pixels(
    project: Project,
    clip: Clip,
    camera: CameraPath,
    prompts: Prompts,
    crossing_folder: Path,
    crossing_scene: DrawnScene,
) -> None:
    assert limbs_for_prompts(project, clip, prompts, camera, None) == limbs_key(project, None) == {}
    keep_keypoints(project, clip, crossing_folder / "keypoints.json")
    limbs = limbs_for_prompts(project, clip, prompts, camera, None)
    assert sorted(limbs) == ["far", "near"]
    assert list(limbs_key(project, None)) == ["keypoints"]
    near = limbs["near"](0, camera.frame_size)
    assert near is not None
    small = crossing_scene.masks[1, 0, ::2, ::2][: near.distance.shape[0], : near.distance.shape[1]]
    assert (near.distance < 0.15)[small].mean() > 0.8
    forget_keypoints(project)
    assert limbs_for_prompts(project, clip, prompts, camera, None) == {}


def test_other_keypoints_and_corrections_make_other_masks(
    project: Project, clip: Clip, camera: CameraPath, prompts: Prompts, crossing_folder: Path, tmp_path: Path
) -> None:
    keep_keypoints(project, clip, crossing_folder / "keypoints.json")
    first, before = limbs_for_prompts(project, clip, prompts, camera, None), limbs_key(project, None)
    by_hand = tmp_path / "corrections.json"
    by_hand.write_text(json.dumps({"near": {"0": {"left_ankle": [4, 4]}}}))
    limbs = limbs_for_prompts(project, clip, prompts, camera, by_hand)
    assert limbs_key(project, by_hand).keys() == {"keypoints", "corrections"}
    was, now = first["near"](0, camera.frame_size), limbs["near"](0, camera.frame_size)
    assert was is not None
    assert now is not None
    assert not np.array_equal(was.distance, now.distance)
    document = json.loads((project.root / FILE).read_text())
    (project.root / FILE).write_text(json.dumps(document | {"more": 1}))
    assert limbs_key(project, None) != before


def test_corrections_that_are_not_there_are_refused(
    project: Project, clip: Clip, camera: CameraPath, prompts: Prompts, crossing_folder: Path, tmp_path: Path
) -> None:
    keep_keypoints(project, clip, crossing_folder / "keypoints.json")
    with pytest.raises(InputError, match="must be a file that exists"):
        limbs_for_prompts(project, clip, prompts, camera, tmp_path / "none.json")
    with pytest.raises(InputError, match="must be a file that exists"):
        limbs_key(project, tmp_path / "none.json")
