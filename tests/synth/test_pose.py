"""Poses: bones keep their length, soles their floor."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from polytempo.synth.pose import COCO, FOREARM, INDEX, SHANK, STRIDE, THIGH, UPPER_ARM, Pose, jumping, walking

phases = st.floats(-3, 3, allow_nan=False)


def _length(pose: Pose, a: str, b: str) -> float:
    return float(np.linalg.norm(pose.joints[INDEX[a]] - pose.joints[INDEX[b]]))


@given(phase=phases)
def test_bones_keep_their_length(phase: float) -> None:
    for pose in (walking(phase), jumping(phase, height=0.3, depth=0.05)):
        for side in ("left", "right"):
            assert np.isclose(_length(pose, f"{side}_hip", f"{side}_knee"), THIGH)
            assert np.isclose(_length(pose, f"{side}_knee", f"{side}_ankle"), SHANK)
            assert np.isclose(_length(pose, f"{side}_shoulder", f"{side}_elbow"), UPPER_ARM)
            assert np.isclose(_length(pose, f"{side}_elbow", f"{side}_wrist"), FOREARM)


@given(phase=phases)
def test_a_walk_repeats_and_keeps_the_floor(phase: float) -> None:
    pose = walking(phase)
    assert np.allclose(pose.joints, walking(phase + 1).joints, atol=1e-9)
    soles = [pose.joints[INDEX[f"{side}_{end}"], 2] for side in ("left", "right") for end in ("heel", "toe")]
    assert 0 < min(soles) < 0.02


def test_the_legs_change_places_after_half_a_cycle() -> None:
    a, b = walking(0.2).joints, walking(0.7).joints
    assert np.isclose(a[INDEX["left_knee"], 0], b[INDEX["right_knee"], 0])


def test_the_standing_foot_hardly_slides() -> None:
    phases = np.linspace(0.35, 0.65, 9)  # the left leg swings back: it stands
    place = [walking(p).joints[INDEX["left_ankle"], 0] + STRIDE * p for p in phases]
    assert np.ptp(place) < 0.4 * 0.3 * STRIDE  # of the way that the body goes meanwhile


def test_a_jump_rises_to_its_height_and_presses_the_mat() -> None:
    assert np.isclose(jumping(0.0, height=0.3, depth=0.05).lift, 0.3)
    assert np.isclose(jumping(0.5, height=0.3, depth=0.05).lift, -0.05)


def test_coco_has_its_seventeen_points() -> None:
    assert len(COCO) == 17
    assert (COCO[0], COCO[5], COCO[16]) == ("nose", "left_shoulder", "right_ankle")
    assert set(COCO) <= set(INDEX)


def test_the_left_side_is_away_from_who_sees_somebody_walk_right() -> None:
    joints = walking(0.0).joints
    assert joints[INDEX["left_shoulder"], 1] > 0 > joints[INDEX["right_shoulder"], 1]
