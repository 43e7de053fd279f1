"""Elastic mats that jumpers press down: flat they belong to the background, dented to the jumper's layer."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64
from numpy.typing import NDArray

from polytempo.synth.scene import SceneSpec
from polytempo.synth.stage import MAT_LIFT, moment

Plane = NDArray[np.float32]
PADS = ((0.16, 0.30, 0.55), (0.62, 0.18, 0.16), (0.20, 0.45, 0.28), (0.75, 0.55, 0.14))
INNER = 0.84
"""Radius of the elastic part, as a share of the mat with its padded rim."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mat:
    """A round mat seen from the side, in pixels of the reference frame."""

    centre: tuple[float, float]
    radius: tuple[float, float]
    """Half axes of the ellipse, rim included."""
    unit: float
    """Pixels per body height of its jumper."""
    pad: tuple[float, float, float]


def mats_of(spec: SceneSpec) -> tuple[Mat | None, ...]:
    """One mat per jumper, under the middle of the path; None for who walks."""
    out: list[Mat | None] = []
    for number, person in enumerate(spec.people):
        if not spec.mats or person.action != "jump":
            out.append(None)
            continue
        now = moment(spec, person, (spec.n_frames - 1) / 2)
        wide = 0.48 * now.unit
        tall = wide * max(now.tilt, 0.12) * 1.6
        out.append(Mat(centre=now.feet, radius=(wide, tall), unit=now.unit, pad=PADS[number % len(PADS)]))
    return tuple(out)


def add_mat(colour: NDArray[np.float32], x: Plane, y: Plane, mat: Mat) -> NDArray[np.float32]:
    """Put a flat mat into a picture of the background; ``x`` and ``y`` are reference pixels."""
    rx, ry = mat.radius
    stand = 1.15 * MAT_LIFT * mat.unit
    below = np.hypot((x - mat.centre[0]) / (rx * 1.12), (y - mat.centre[1] - stand) / (ry * 1.3))
    out = colour * (1 - 0.62 * np.clip((1.15 - below) / 0.4, 0, 1))[..., None]
    for lag in np.linspace(-0.85, 0.85, 6):  # legs
        leg = np.clip(1.0 - np.abs(x - mat.centre[0] - lag * rx) / max(0.014 * mat.unit, 0.8), 0, 1)
        top = mat.centre[1] + ry * np.sqrt(1 - lag**2)
        out = out + (0.32 - out) * (leg * (y > top) * (y < top + stand))[..., None]
    skirt = _inside(x, y - 0.030 * mat.unit, mat, 1.0)[..., None]
    out = out + (np.array(mat.pad, np.float32) * 0.55 - out) * skirt
    surface, alpha = mat_surface(x, y, mat, depth=0.0)
    return np.asarray(out + (surface - out) * alpha[..., None], np.float32)


def mat_surface(
    x: Plane, y: Plane, mat: Mat, *, depth: float
) -> tuple[Float32[np.ndarray, "h w 3"], Float32[np.ndarray, "h w"]]:
    """Colour and coverage of a mat pressed down by ``depth`` body heights in its middle."""
    rx, ry = mat.radius
    down = np.float32(depth * mat.unit)
    level = y
    for _ in range(4):  # where on the flat mat does the pixel's point come from
        r = np.hypot((x - mat.centre[0]) / rx, (level - mat.centre[1]) / ry)
        level = y - down * _bowl(np.asarray(r / INNER, np.float32))
    a, b = (x - mat.centre[0]) / rx, (level - mat.centre[1]) / ry
    r = np.asarray(np.hypot(a, b), np.float32)
    pixel = np.float32(1 / max(ry, 1.0))
    web = np.minimum(np.abs(a * 7 % 1.0 - 0.5) / 7 / (1 / rx), np.abs(b * 5 % 1.0 - 0.5) / 5 * ry)
    cloth = 0.105 + 0.055 * np.clip(1.1 - web, 0, 1)
    cross = np.minimum(np.abs(a) * rx, np.abs(b) * ry)
    cloth = cloth + 0.35 * np.clip(1.6 - cross, 0, 1) * (r < 0.22)
    ring = np.clip(1 - np.abs(r - 0.62) * ry / 1.1, 0, 1)
    cloth = cloth + 0.16 * ring
    slope = depth / 0.05 * np.where(r < INNER, 1 - r, 0) * (0.030 - 0.055 * b)
    pad = np.array(mat.pad, np.float32) * (0.92 + 0.25 * np.clip(-b, -0.5, 1))[..., None]
    rim = np.clip((r - INNER) / pixel * 0.9 + 0.5, 0, 1)[..., None]
    colour = np.clip(cloth + slope, 0.02, 1)[..., None] * np.array([1.0, 1.0, 1.06], np.float32)
    colour = colour + (pad - colour) * rim
    return colour.astype(np.float32), _inside(x, y, mat, 1.0)


def dent(
    spec: SceneSpec, mat: Mat, depth: float, *, frame_from_ref: Float64[np.ndarray, "3 3"]
) -> tuple[int, int, Float32[np.ndarray, "h w 4"]] | None:
    """Picture of a dented mat as a layer: frame place ``(x, y)`` and RGBA (premultiplied); None where it is flat."""
    if depth <= 1e-4:
        return None
    width, height = spec.size
    cx, cy = mat.centre
    rx, ry = (side * 1.1 + 3 for side in mat.radius)
    box = np.array([[[cx - rx, cy - ry], [cx + rx, cy - ry], [cx + rx, cy + ry], [cx - rx, cy + ry]]])
    seen = cv2.perspectiveTransform(box, frame_from_ref)[0]
    low = np.maximum(np.floor(seen.min(0)).astype(int), 0)
    high = np.minimum(np.ceil(seen.max(0)).astype(int), (width, height))
    if np.any(high - low < 2):
        return None
    grid = np.stack(np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1])), -1).astype(np.float64)
    ref = cv2.perspectiveTransform(grid, np.linalg.inv(frame_from_ref)).astype(np.float32)
    x, y = ref[..., 0], ref[..., 1]
    colour, _ = mat_surface(x, y, mat, depth=depth)
    colour = np.clip(colour * lighting(x, y, spec), 0.01, 0.99)
    alpha = _inside(x, y, mat, INNER + 0.02) * np.float32(np.clip(depth / 0.004, 0, 1))
    return (
        int(low[0]),
        int(low[1]),
        np.concatenate([colour * alpha[..., None], alpha[..., None]], -1).astype(np.float32),
    )


def lighting(x: Plane, y: Plane, spec: SceneSpec) -> NDArray[np.float32]:
    """Light that falls on the place, as a factor per channel ``[H, W, 3]``; ``x`` and ``y`` are reference pixels."""
    width, height = spec.size
    pool = np.exp(-(((x / width - 0.36) / 0.55) ** 2) - ((y / height - 0.55) / 0.75) ** 2)
    return (0.66 + 0.46 * pool[..., None] * np.array([1.03, 1.0, 0.94], np.float32)).astype(np.float32)


def _bowl(r: Plane) -> Plane:
    """Shape of a dent: 1 in the middle, 0 from the rim on."""
    return np.clip(1 - r, 0, 1) ** 1.3


def _inside(x: Plane, y: Plane, mat: Mat, share: float) -> Plane:
    rx, ry = mat.radius[0] * share, mat.radius[1] * share
    r = np.hypot((x - mat.centre[0]) / rx, (y - mat.centre[1]) / ry)
    return np.clip((1 - r) * ry / 0.7 + 0.5, 0, 1).astype(np.float32)
