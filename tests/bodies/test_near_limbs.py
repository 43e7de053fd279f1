"""Limbs of prompted subjects: whose they are, and how near."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from polytempo.bodies.keypoints import Detection, KeypointTrack
from polytempo.bodies.keypoints_import import read_keypoints
from polytempo.bodies.limbs import poses
from polytempo.bodies.near_limbs import KINDS, limbs_of_prompted, nearest_limbs
from polytempo.camera.path import CameraPath, static_path
from polytempo.objects.prompts import Prompt, Prompts, SubjectPrompts
from polytempo.synth.draw import DrawnScene


@pytest.fixture
def found(crossing_scene: DrawnScene, crossing_folder: Path) -> tuple[Detection, ...]:
    n, height, width = crossing_scene.masks.shape[1:]
    return read_keypoints(
        crossing_folder / "keypoints.json", n_frames=n, clip_size=(width, height), size=(width, height)
    )


def camera_of(scene: DrawnScene) -> CameraPath:
    n, height, width = scene.masks.shape[1:]
    return static_path(n, (width, height))


def boxed(scene: DrawnScene, *, frames: tuple[int, ...] = (0, -1)) -> Prompts:
    """Boxes around both people's masks, by the names far and near."""
    n, height, width = scene.masks.shape[1:]
    subjects: list[SubjectPrompts] = []
    for name, masks in zip(("far", "near"), scene.masks, strict=True):
        prompts: list[Prompt] = []
        for t in frames:
            rows, columns = np.nonzero(masks[t])
            box = (float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))
            prompts.append(Prompt(frame=t % n, box=box))
        subjects.append(SubjectPrompts(name=name, prompts=tuple(prompts)))
    return Prompts(size=(width, height), subjects=tuple(subjects))


def test_each_has_the_limbs_that_lie_in_its_boxes(crossing_scene: DrawnScene, found: tuple[Detection, ...]) -> None:
    prompts = boxed(crossing_scene)
    limbs = limbs_of_prompted(found, prompts, camera_of(crossing_scene))
    assert sorted(limbs) == ["far", "near"]
    for name, mine, other in (("far", 0, 1), ("near", 1, 0)):
        for t in (0, crossing_scene.masks.shape[1] - 1):
            near = limbs[name](t, prompts.size)
            assert near is not None
            inside = near.distance < 0.15
            assert inside[crossing_scene.masks[mine, t]].mean() > 0.8
            assert inside[crossing_scene.masks[other, t]].mean() < 0.15


def pointed(scene: DrawnScene, name: str, who: int, *, frame: int = 0, strokes: bool = False) -> SubjectPrompts:
    """A point in the middle of somebody's mask, or a stroke down it."""
    rows, columns = np.nonzero(scene.masks[who, frame])
    middle, spread = float(np.median(rows)), float(np.ptp(rows)) / 5
    points = [(float(np.median(columns[rows == round(y)])), y)
              for y in ([middle - spread, middle + spread] if strokes else [middle])]  # fmt: skip
    return SubjectPrompts(name=name, prompts=(Prompt(frame=frame, lines=(tuple(points),)),))


@pytest.mark.parametrize("strokes", [False, True])
def test_who_is_pointed_at_has_the_limbs_of_the_body_there(
    crossing_scene: DrawnScene, found: tuple[Detection, ...], strokes: bool
) -> None:
    size, camera = boxed(crossing_scene).size, camera_of(crossing_scene)
    there = pointed(crossing_scene, "far", 0, strokes=strokes), pointed(crossing_scene, "near", 1, strokes=strokes)
    limbs = limbs_of_prompted(found, Prompts(size=size, subjects=there), camera)
    by_box = limbs_of_prompted(found, boxed(crossing_scene), camera)
    assert sorted(limbs) == ["far", "near"]
    for name, nearest in limbs.items():
        for t in range(0, crossing_scene.masks.shape[1], 5):
            near, same = nearest(t, size), by_box[name](t, size)
            assert near is not None
            assert same is not None
            assert (near.distance == same.distance).all()


def test_a_body_that_a_box_has_is_not_pointed_at_again(
    crossing_scene: DrawnScene, found: tuple[Detection, ...]
) -> None:
    prompts = boxed(crossing_scene)
    twice = Prompts(size=prompts.size, subjects=(pointed(crossing_scene, "again", 1), prompts.subjects[1]))
    assert sorted(limbs_of_prompted(found, twice, camera_of(crossing_scene))) == ["near"]


def test_who_points_oftener_has_the_body(crossing_scene: DrawnScene, found: tuple[Detection, ...]) -> None:
    prompts = boxed(crossing_scene)
    once, oftener = pointed(crossing_scene, "once", 1), pointed(crossing_scene, "oftener", 1, strokes=True)
    both = Prompts(size=prompts.size, subjects=(once, oftener))
    assert sorted(limbs_of_prompted(found, both, camera_of(crossing_scene))) == ["oftener"]


def test_a_point_beside_everybody_is_on_nobody(crossing_scene: DrawnScene, found: tuple[Detection, ...]) -> None:
    prompts = boxed(crossing_scene)
    corner = SubjectPrompts(name="dog", prompts=(Prompt(frame=0, lines=(((1.0, 1.0),),)),))
    lone = Prompts(size=prompts.size, subjects=(corner, prompts.subjects[1]))
    assert sorted(limbs_of_prompted(found, lone, camera_of(crossing_scene))) == ["near"]


def test_keypoints_beside_every_box_are_nobodys(crossing_scene: DrawnScene, found: tuple[Detection, ...]) -> None:
    width, height = boxed(crossing_scene).size
    corner = Prompt(frame=0, box=(0.0, 0.0, 4.0, 4.0))
    prompts = Prompts(size=(width, height), subjects=(SubjectPrompts(name="dog", prompts=(corner,)),))
    assert limbs_of_prompted(found, prompts, camera_of(crossing_scene)) == {}


def test_the_nearest_limb_is_told_at_any_size() -> None:
    points = np.zeros((17, 3), np.float32)
    places = {5: (40, 30), 6: (24, 30), 11: (38, 62), 12: (26, 62), 13: (38, 82), 14: (26, 82), 15: (38, 100),
              16: (26, 100)}  # fmt: skip
    for k, (x, y) in places.items():
        points[k] = x, y, 1
    near = nearest_limbs(poses(KeypointTrack(points=points[None])), size=(64, 110))
    small, half = near(0, (64, 110)), near(0, (32, 55))
    assert small is not None
    assert half is not None
    assert KINDS[small.kind[45, 32]] == "torso"
    assert KINDS[small.kind[72, 38]] == "thigh"
    assert KINDS[small.kind[92, 26]] == "shank"
    assert small.distance[45, 32] < 0
    whole = small.distance.reshape(55, 2, 32, 2).mean((1, 3))  # a pixel of half the size lies amid four
    off = np.abs(half.distance - whole)[2:-2, 2:-2]
    assert np.median(off) < 0.005
    assert off.max() < 0.1  # in the middle of a limb
    assert (half.kind == small.kind[::2, ::2]).mean() > 0.9
    assert near(7, (64, 110)) is None
