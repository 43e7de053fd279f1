"""The geometric body as pictures: which part each pixel shows, and where on that part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float16, Float32, UInt8
from numpy.typing import NDArray

from polytempo.bodies.limbs import LIMBS, Limb, Pose


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BodyMap:
    """Part and place on it for every pixel of a clip: DensePose's IUV, whole also where the body is hidden."""

    part: UInt8[np.ndarray, "T H W"]
    """0 outside the body, 1…24 the parts as DensePose numbers them."""
    uv: Float16[np.ndarray, "T H W 2"]
    """U around the part, V along it from the trunk outwards, 0…1; 0 outside."""

    @property
    def silhouette(self) -> Bool[np.ndarray, "T H W"]:
        """Where the body is."""
        return self.part > 0


def body_map(body: Mapping[int, Pose], *, n_frames: int, size: tuple[int, int], build: float = 1.0) -> BodyMap:
    """Draw a geometric body into every frame.

    Args:
        body: Poses by frame; frames without one stay empty.
        n_frames: Frames of the clip.
        size: ``(width, height)`` of the frames.
        build: All widths are taken times this.
    """
    part = np.zeros((n_frames, size[1], size[0]), np.uint8)
    uv = np.zeros((n_frames, size[1], size[0], 2), np.float16)
    for t, pose in body.items():
        part[t], uv[t] = draw_body(pose, size=size, build=build)
    return BodyMap(part=part, uv=uv)


def draw_body(
    pose: Pose, *, size: tuple[int, int], build: float = 1.0
) -> tuple[UInt8[np.ndarray, "H W"], Float32[np.ndarray, "H W 2"]]:
    """Part and UV of one frame, limbs painted from far to near.

    Each limb is a tapered cylinder with round ends. The pixel's place across the limb tells the angle around its axis
    towards the camera; less the body's yaw it is the angle from the chest, which tells front from back and U.

    Source: the parts and coordinates are DensePose's; that limbs are round is ours (decision 0016).
    """
    part = np.zeros((size[1], size[0]), np.uint8)
    uv = np.zeros((size[1], size[0], 2), np.float32)
    for i in np.argsort(pose.depth, kind="stable"):
        if not np.isnan(pose.ends[i]).any():
            _draw(LIMBS[i], pose.ends[i], pose, build, part, uv)
    return part, uv


def fitted_build(
    body: Mapping[int, Pose], mask: Bool[np.ndarray, "T H W"], *, frames: NDArray[np.int64], most: int = 8
) -> float:
    """Width of the limbs, as a factor, at which the drawn body overlaps best with masks that show it whole.

    Args:
        body: Poses by frame.
        mask: Modal masks.
        frames: Frames in which nothing hides the subject; ``most`` of them, spread evenly, are looked at.
        most: See ``frames``.
    """
    usable = np.array([t for t in frames if t in body], int)
    if len(usable) == 0:
        return 1.0
    chosen = usable[np.linspace(0, len(usable) - 1, min(most, len(usable))).round().astype(int)]
    size = (mask.shape[2], mask.shape[1])
    builds = np.linspace(0.8, 1.6, 9)
    scores: list[float] = []
    for build in builds:
        drawn = np.stack([draw_body(body[int(t)], size=size, build=float(build))[0] > 0 for t in chosen])
        scores.append(float((drawn & mask[chosen]).sum() / max((drawn | mask[chosen]).sum(), 1)))
    return float(builds[int(np.argmax(scores))])


def limb_radius(limb: Limb, pose: Pose, build: float = 1.0) -> tuple[float, float]:
    """Half widths of a limb at both ends in pixels; heads, hands and feet are the same for every build."""
    wide = pose.unit * (1.0 if limb.name == "head" or limb.front == limb.back else build)
    if limb.name == "torso":
        wide *= 0.68 + 0.32 * abs(np.cos(pose.yaw))  # flatter from the side
    return limb.radius_a * wide, limb.radius_b * wide


def limb_distance(
    ends: NDArray[np.float64], radius: tuple[float, float], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Distance of pixels from a tapered limb's surface, in pixels, below 0 inside."""
    along, across, _, thick = _local(ends, radius, x, y)
    length = float(np.linalg.norm(ends[1] - ends[0]))
    beyond = np.maximum(np.maximum(-along, along - length), 0)
    return np.hypot(beyond, across) - thick


def _draw(
    limb: Limb, ends: NDArray[np.float64], pose: Pose, build: float, part: NDArray[np.uint8], uv: NDArray[np.float32]
) -> None:
    radius = limb_radius(limb, pose, build)
    reach = max(radius) + 1
    low = np.floor(ends.min(0) - reach).astype(int)
    high = np.ceil(ends.max(0) + reach).astype(int) + 1
    x0, y0 = max(low[0], 0), max(low[1], 0)
    x1, y1 = min(high[0], part.shape[1]), min(high[1], part.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    y, x = np.mgrid[y0:y1, x0:x1].astype(np.float64)
    along, across, length, thick = _local(ends, radius, x, y)
    beyond = np.maximum(np.maximum(-along, along - length), 0)
    inside = np.hypot(beyond, across) <= thick
    v = np.clip((along + radius[0]) / (length + radius[0] + radius[1]), 0, 1)
    angle = np.arcsin(np.clip(across / np.maximum(thick, 1e-6), -1, 1)) - pose.yaw
    angle = np.angle(np.exp(1j * angle))  # into -π…π: 0 the chest, above 0 the person's left
    number, u = side_of(limb, angle)
    box = (slice(y0, y1), slice(x0, x1))
    part[box][inside] = number[inside]
    uv[box][inside] = np.stack([u, v], -1)[inside]


def side_of(limb: Limb, angle: NDArray[np.float64]) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Part and U at an angle around the limb."""
    if limb.front == limb.back:
        return np.full(angle.shape, limb.front, np.uint8), (angle + np.pi) / (2 * np.pi)
    if limb.name == "head":
        left = angle >= 0
        return np.where(left, limb.front, limb.back).astype(np.uint8), np.abs(angle) / np.pi
    front = np.abs(angle) <= np.pi / 2
    behind = np.angle(np.exp(1j * (angle - np.pi)))
    return np.where(front, limb.front, limb.back).astype(np.uint8), np.where(front, angle, behind) / np.pi + 0.5


def _local(
    ends: NDArray[np.float64], radius: tuple[float, float], x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float, NDArray[np.float64]]:
    """Pixels along and across a limb (across to the right where it hangs down), its length and half width there."""
    a, b = ends
    length = float(np.linalg.norm(b - a))
    d = (b - a) / length if length > 1e-6 else np.array([0.0, 1.0])
    along = (x - a[0]) * d[0] + (y - a[1]) * d[1]
    across = (x - a[0]) * d[1] - (y - a[1]) * d[0]
    share = np.clip(along / max(length, 1e-6), 0, 1)
    return along, across, length, radius[0] + (radius[1] - radius[0]) * share
