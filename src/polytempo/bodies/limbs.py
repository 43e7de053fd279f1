"""A body as tapered limbs between keypoints, with the way it faces: all that is needed to draw it or to warp it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray

from polytempo.bodies.keypoints import INDEX, KeypointTrack

SIDES = ("left", "right")


@dataclass(frozen=True, kw_only=True, slots=True)
class Limb:
    """A tapered piece between two ends, with the numbers of its parts after DensePose."""

    name: str
    front: int
    """Part on the side of the chest; for the head, the person's left half."""
    back: int
    """Part on the other side; the same number for limbs of one part; for the head, the right half."""
    radius_a: float
    """Half width at the end nearer to the trunk, in trunk lengths."""
    radius_b: float
    side: int = 0
    """1 left, -1 right, 0 in the middle."""
    nearer: float = 0.0
    """Added to its depth, in trunk lengths; above 0 is nearer to the camera."""


def _limbs() -> tuple[Limb, ...]:
    out = [
        Limb(name="torso", front=2, back=1, radius_a=0.40, radius_b=0.31),
        Limb(name="head", front=24, back=23, radius_a=0.20, radius_b=0.20, nearer=0.01),
    ]
    for side, sign, odd in (("left", 1, 1), ("right", -1, 0)):
        out += [
            Limb(name=f"{side}_thigh", front=9 + odd, back=7 + odd, radius_a=0.22, radius_b=0.15, side=sign,
                 nearer=-0.04),
            Limb(name=f"{side}_shank", front=13 + odd, back=11 + odd, radius_a=0.15, radius_b=0.10, side=sign,
                 nearer=-0.05),
            Limb(name=f"{side}_foot", front=6 - odd, back=6 - odd, radius_a=0.09, radius_b=0.07, side=sign,
                 nearer=-0.045),
            Limb(name=f"{side}_upper_arm", front=16 - odd, back=18 - odd, radius_a=0.14, radius_b=0.11, side=sign,
                 nearer=0.04),
            Limb(name=f"{side}_forearm", front=20 - odd, back=22 - odd, radius_a=0.11, radius_b=0.075, side=sign,
                 nearer=0.05),
            Limb(name=f"{side}_hand", front=3 + odd, back=3 + odd, radius_a=0.07, radius_b=0.075, side=sign,
                 nearer=0.055),
        ]  # fmt: skip
    return tuple(out)


LIMBS = _limbs()
"""14 limbs with 24 parts. DensePose's halves of a limb are taken as its front and its back."""
N_PARTS = 24
TRUNK_SHARE = 0.74
"""Distance of the shoulders from each other, seen from the front, in trunk lengths."""
NOSE_REACH = 0.27
"""How far the nose lies before the middle of the ears, in trunk lengths."""
_JOINTS = {"thigh": ("hip", "knee"), "shank": ("knee", "ankle"), "upper_arm": ("shoulder", "elbow"),
           "forearm": ("elbow", "wrist")}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Pose:
    """A body in one frame."""

    ends: Float64[np.ndarray, "14 2 2"]
    """Both ends of every limb in pixels; NaN where a limb has no place. Rows as in ``LIMBS``."""
    unit: float
    """Trunk length in pixels, as if seen from the side: not shortened by perspective."""
    yaw: float
    """Where the chest points, in radians: 0 to the camera, above 0 to the right of an upright picture, ±π away."""
    depth: Float64[np.ndarray, " 14"]
    """Limbs of greater depth are nearer to the camera."""


def poses(track: KeypointTrack) -> dict[int, Pose]:
    """The body in every frame in which it can be posed.

    Limbs whose keypoints are unknown are left out. The trunk length is the largest within half a second or so, since a
    bent trunk looks shorter than it is; facing is averaged over neighbouring frames.
    """
    frames = [int(t) for t in np.flatnonzero(track.present)]
    points = np.where(track.known[..., None], track.points[..., :2].astype(np.float64), np.nan)
    lengths = {t: _trunk_length(points[t]) for t in frames}
    facing = {t: _facing(points[t], unit) for t, unit in _units(lengths).items()}
    out: dict[int, Pose] = {}
    for t, unit in _units(lengths).items():
        near = [facing[s] * (0.5 ** abs(s - t)) for s in range(t - 2, t + 3) if s in facing]
        forward, side = np.sum(near, axis=0)
        yaw = float(np.arctan2(side, forward))
        out[t] = Pose(ends=_ends(points[t], unit, yaw), unit=unit, yaw=yaw, depth=_depth(yaw))
    return out


def _middle(points: NDArray[np.float64], joint: str) -> NDArray[np.float64]:
    both = np.stack([points[INDEX[f"{side}_{joint}"]] for side in SIDES])
    known = ~np.isnan(both[:, 0])
    return both[known].mean(0) if known.any() else np.full(2, np.nan)


def _trunk_length(points: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(_middle(points, "shoulder") - _middle(points, "hip")))


def _units(lengths: dict[int, float], *, window: int = 8) -> dict[int, float]:
    """Trunk lengths without the frames in which it is bent or seen from above."""
    return {
        t: max(float(np.percentile([v for s, v in lengths.items() if abs(s - t) <= window], 80)), 1.0) for t in lengths
    }


def _facing(points: NDArray[np.float64], unit: float) -> NDArray[np.float64]:
    """``(cos, sin)`` of the yaw, unnormalised: from the width of the shoulders and from the nose before the ears."""
    up = (_middle(points, "shoulder") - _middle(points, "hip")) / unit
    across = np.array([-up[1], up[0]]) / max(float(np.linalg.norm(up)), 1e-6)
    widths = [
        float((points[INDEX[f"left_{joint}"]] - points[INDEX[f"right_{joint}"]]) @ across) / (unit * share)
        for joint, share in (("shoulder", TRUNK_SHARE), ("hip", TRUNK_SHARE / 2))
    ]
    width = np.nanmean(widths) if not np.isnan(widths).all() else 0.0
    ears = _middle(points, "ear")
    back = ears if not np.isnan(ears).any() else _middle(points, "shoulder")
    reach = float((points[INDEX["nose"]] - back) @ across) / (unit * NOSE_REACH)
    return np.clip(np.array([width, 0.0 if np.isnan(reach) else reach]), -1, 1)


def _ends(points: NDArray[np.float64], unit: float, yaw: float) -> Float64[np.ndarray, "14 2 2"]:
    shoulders, hips, ears = (_middle(points, joint) for joint in ("shoulder", "hip", "ear"))
    up = (shoulders - hips) / max(float(np.linalg.norm(shoulders - hips)), 1e-6)
    across = np.array([-up[1], up[0]])
    head = ears if not np.isnan(ears).any() else points[INDEX["nose"]]
    if np.isnan(head).any():
        head = shoulders + 0.38 * unit * up
    tilt = (head - shoulders) / max(float(np.linalg.norm(head - shoulders)), 1e-6)
    out = np.full((len(LIMBS), 2, 2), np.nan)
    for i, limb in enumerate(LIMBS):
        side, _, kind = limb.name.partition("_")
        if limb.name == "torso":
            out[i] = shoulders + 0.06 * unit * up, hips - 0.02 * unit * up
        elif limb.name == "head":
            middle = head + 0.04 * unit * np.sin(yaw) * across
            out[i] = middle + 0.10 * unit * tilt, middle - 0.10 * unit * tilt
        elif kind in _JOINTS:
            out[i] = [points[INDEX[f"{side}_{joint}"]] for joint in _JOINTS[kind]]
        elif kind == "hand":
            elbow, wrist = points[INDEX[f"{side}_elbow"]], points[INDEX[f"{side}_wrist"]]
            along = (wrist - elbow) / max(float(np.linalg.norm(wrist - elbow)), 1e-6)
            out[i] = wrist, wrist + 0.16 * unit * along
        else:
            out[i] = _foot(points[INDEX[f"{side}_knee"]], points[INDEX[f"{side}_ankle"]], unit, yaw)
    return out


def _foot(knee: NDArray[np.float64], ankle: NDArray[np.float64], unit: float, yaw: float) -> NDArray[np.float64]:
    """Heel and toes: at a right angle to the shank, as far as the body is seen from the side."""
    along = (ankle - knee) / max(float(np.linalg.norm(ankle - knee)), 1e-6)
    ahead = np.array([along[1], -along[0]]) * np.sin(yaw)
    sole = ankle + 0.07 * unit * along
    return np.stack([sole - 0.09 * unit * ahead, sole + unit * (0.33 * ahead + 0.06 * abs(np.cos(yaw)) * along)])


def _depth(yaw: float) -> Float64[np.ndarray, " 14"]:
    """Nearness: who looks to the right shows their right side; arms of who looks at us hang before the trunk."""
    shown = -np.sin(yaw)
    out = np.array([limb.nearer * (1.0 if np.cos(yaw) >= -0.5 else -1.0) for limb in LIMBS])
    return out + np.array([0.2 * limb.side * shown for limb in LIMBS])
