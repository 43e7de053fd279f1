"""Poses of an articulated person: a walk and a jump, as joints in body heights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray

_LIMBS = ("shoulder", "elbow", "wrist", "hand", "hip", "knee", "ankle", "heel", "toe")
_FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
JOINTS = (
    *("head", "neck", "chest", "hips"),
    *(f"left_{limb}" for limb in _LIMBS),
    *(f"right_{limb}" for limb in _LIMBS),
    *_FACE,
)
INDEX = {name: i for i, name in enumerate(JOINTS)}
COCO = (
    *_FACE,
    *(
        f"{side}_{limb}"
        for limb in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
        for side in ("left", "right")
    ),
)
"""COCO's 17 keypoints in their order."""

THIGH, SHANK, UPPER_ARM, FOREARM, HAND = 0.245, 0.245, 0.165, 0.145, 0.055
SOLE = 0.035
"""Height of the ankle's centre above the sole, in body heights."""
SHOULDER, HIP = 0.105, 0.052
"""Half widths, in body heights."""
SWING = 0.38
"""Largest angle of the thigh from the vertical in a walk, in radians."""
STRIDE = 4 * (THIGH + SHANK) * float(np.sin(SWING)) * 0.93
"""Way walked in one gait cycle of two steps, in body heights: with it the standing foot hardly slides."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Pose:
    """Joints of one moment."""

    joints: Float64[np.ndarray, "J 3"]
    """``(forward, left, up)`` in body heights from the point between the feet on the floor; rows as in ``JOINTS``."""
    lift: float
    """How far the lowest sole is above the floor, in body heights; below 0 it presses a mat down."""


def walking(phase: float, *, arm_swing: float = 1.0) -> Pose:
    """Pose in a walk; ``phase`` in cycles, 0 when the left leg swings past the standing right one."""
    angle = 2 * np.pi * phase
    legs = {
        "left": (SWING * _even(angle) + 0.03, _swing_knee(angle), 0.0),
        "right": (SWING * _even(angle + np.pi) + 0.03, _swing_knee(angle + np.pi), 0.0),
    }
    swing, bend = 0.50 * arm_swing * float(np.sin(angle)), 0.28 * arm_swing
    arms = {
        "left": (-swing, bend - 0.44 * swing, 0.10 * arm_swing),
        "right": (swing, bend + 0.44 * swing, 0.10 * arm_swing),
    }
    return articulated(legs, arms, lean=0.05, twist=0.16 * float(np.sin(angle)), lift=0.0, nod=0.0)


def jumping(phase: float, *, height: float, depth: float) -> Pose:
    """Pose in repeated jumps; ``phase`` in cycles, 0 at the highest point, a half at the lowest.

    Args:
        phase: Of the jump.
        height: How far the soles rise, in body heights.
        depth: How far they press the mat down.
    """
    share = (phase + 0.5) % 1.0 - 0.5  # -0.5 ... 0.5, 0 on top
    contact = 0.30  # from here on the feet are on the mat
    if abs(share) < contact:
        lift = height * (1 - (share / contact) ** 2)
        fold = 0.30 + 0.35 * float(np.exp(-((share / 0.16) ** 2)))
    else:
        inside = (abs(share) - contact) / (0.5 - contact)
        lift = -depth * float(np.sin(np.pi / 2 * inside))
        fold = 0.30 + 0.75 * float(np.sin(np.pi / 2 * inside)) ** 2
    spread = 0.16 * float(np.clip(lift / max(height, 1e-6), 0, 1))
    raised = 0.55 + 1.45 * float(np.clip(lift / max(height, 1e-6), -0.2, 1))
    leg, arm = (0.5 * fold, fold, 0.07 + spread), (0.15, 0.45, raised)
    legs, arms = {"left": leg, "right": leg}, {"left": arm, "right": arm}
    return articulated(legs, arms, lean=0.06 + 0.18 * fold, twist=0.0, lift=lift, nod=0.1 * fold)


def articulated(
    legs: dict[str, tuple[float, float, float]],
    arms: dict[str, tuple[float, float, float]],
    *,
    lean: float,
    twist: float,
    lift: float,
    nod: float,
) -> Pose:
    """Pose from angles in radians.

    Args:
        legs: Per side (``left``, ``right``): forward swing of the thigh, bend of the knee, sideways spread.
        arms: The same for upper arm and elbow.
        lean: Of the trunk, forward.
        twist: Of the shoulders against the hips.
        lift: Of the lowest sole above the floor, in body heights.
        nod: Of the head, forward.
    """
    at: dict[str, NDArray[np.float64]] = {"hips": np.zeros(3)}
    up = np.array([np.sin(lean), 0.0, np.cos(lean)])
    at["chest"] = at["hips"] + 0.27 * up
    at["neck"] = at["hips"] + 0.335 * up
    at["head"] = at["neck"] + 0.10 * _turned(up, nod)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        swing, bend, spread = legs[side]
        at[f"{side}_hip"] = np.array([-0.3 * HIP * sign * twist, HIP * sign, 0.0])
        thigh = _down(swing, spread * sign)
        shank = _down(swing - bend, spread * sign * 0.7)
        at[f"{side}_knee"] = at[f"{side}_hip"] + THIGH * thigh
        at[f"{side}_ankle"] = at[f"{side}_knee"] + SHANK * shank
        tip = min(float(np.arctan2(shank[0], -shank[2])), 0.15)  # the foot follows the shank back, not up
        toe = np.array([np.cos(tip), 0.05 * sign, np.sin(tip)])
        below = np.array([-np.sin(tip), 0, np.cos(tip)]) * -0.6 * SOLE
        at[f"{side}_heel"] = at[f"{side}_ankle"] + below - 0.025 * toe
        at[f"{side}_toe"] = at[f"{side}_ankle"] + below + 0.095 * toe
        reach, elbow, raise_ = arms[side]
        at[f"{side}_shoulder"] = at["chest"] + 0.015 * up + np.array([SHOULDER * sign * twist, SHOULDER * sign, 0.0])
        upper = _down(reach, raise_ * sign)
        fore = _down(reach + elbow, raise_ * sign * 1.15)
        at[f"{side}_elbow"] = at[f"{side}_shoulder"] + UPPER_ARM * upper
        at[f"{side}_wrist"] = at[f"{side}_elbow"] + FOREARM * fore
        at[f"{side}_hand"] = at[f"{side}_wrist"] + HAND * fore
        at[f"{side}_eye"] = at["head"] + np.array([0.052, 0.022 * sign, 0.012])
        at[f"{side}_ear"] = at["head"] + np.array([-0.004, 0.055 * sign, 0.0])
    at["nose"] = at["head"] + np.array([0.066, 0.0, -0.006])
    joints = np.stack([at[name] for name in JOINTS])
    soles = joints[[INDEX[f"{s}_{e}"] for s in ("left", "right") for e in ("heel", "toe")], 2].min() - 0.4 * SOLE
    joints[:, 2] += lift - soles
    return Pose(joints=joints, lift=lift)


def _even(angle: float) -> float:
    """A swing like a sine but of more even speed, -1 to 1, so that a standing foot stays where it is."""
    return float(np.sin(angle) - np.sin(3 * angle) / 9) * 0.9


def _swing_knee(angle: float) -> float:
    """Bend of the knee: much while the leg swings forward, little while it stands."""
    return 0.10 + 0.80 * float(np.clip(np.cos(angle + 0.55), 0, 1)) ** 1.6


def _down(forward: float, sideways: float) -> NDArray[np.float64]:
    """Direction that hangs down, swung forward and raised sideways."""
    return np.array([np.sin(forward) * np.cos(sideways), np.sin(sideways), -np.cos(forward) * np.cos(sideways)])


def _turned(direction: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([c * direction[0] + s * direction[2], direction[1], -s * direction[0] + c * direction[2]])
