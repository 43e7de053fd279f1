from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytempo.bodies.assign import keypoints_by_subject, linked
from polytempo.bodies.keypoints import Detection
from polytempo.core.errors import InputError
from polytempo.synth.draw import DrawnScene
from support import detections


@pytest.mark.parametrize("tracked", [True, False])
def test_people_who_cross_keep_who_they_are(crossing_scene: DrawnScene, tracked: bool) -> None:
    found = detections(crossing_scene, tracked=tracked)
    by_subject = keypoints_by_subject(found, {1: crossing_scene.masks[0], 2: crossing_scene.masks[1]})
    for who in (1, 2):
        assert sorted(by_subject[who]) == list(range(len(crossing_scene.pictures)))
        for t, points in by_subject[who].items():
            assert np.array_equal(points[:, :2], crossing_scene.keypoints[who - 1, t, :, :2])


def test_a_track_renumbered_after_an_occlusion_is_joined(crossing_scene: DrawnScene) -> None:
    found = [
        replace(one, track=77) if one.track == 11 and one.frame >= 6 else one for one in detections(crossing_scene)
    ]
    by_subject = keypoints_by_subject(found, {1: crossing_scene.masks[0], 2: crossing_scene.masks[1]})
    assert sorted(by_subject[1]) == list(range(len(crossing_scene.pictures)))


@given(step=st.floats(-6, 6), seed=st.integers(0, 50))
def test_untracked_walkers_are_linked_whatever_order_they_come_in(step: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    shape = random.uniform(0, 60, (17, 2))
    found = []
    for t in range(5):
        pair = [
            Detection(frame=t, points=np.c_[shape + np.array([x + step * t, 0]), np.ones(17)].astype(np.float32))
            for x in (0, 300)
        ]
        found += [pair[i] for i in random.permutation(2)]
    tracks = {}
    for one in linked(found):
        tracks.setdefault(one.track, []).append(round(float(one.points[0, 0] - shape[0, 0] - step * one.frame)))
    assert sorted(set(places).pop() for places in tracks.values()) == [0, 300]
    assert all(len(places) == 5 for places in tracks.values())


@pytest.mark.refusal
def test_keypoints_beside_everybody_are_refused(crossing_scene: DrawnScene) -> None:
    away = [replace(one, points=one.points + np.float32([900, 0, 0])) for one in detections(crossing_scene)]
    with pytest.raises(InputError, match="must lie within a subject's mask; got 2 found, each beside all of the 2"):
        keypoints_by_subject(away, {1: crossing_scene.masks[0], 2: crossing_scene.masks[1]})


def test_a_subject_that_nobody_found_has_no_keypoints(crossing_scene: DrawnScene) -> None:
    only = [one for one in detections(crossing_scene) if one.track == 11]
    masks = {1: crossing_scene.masks[0], 2: crossing_scene.masks[1]}
    assert list(keypoints_by_subject(only, masks)) == [1]
