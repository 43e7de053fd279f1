"""The place without people: wall, floor, a few things on the wall, light; and how glossy the floor is."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from numpy.typing import NDArray

from polytempo.synth import texture
from polytempo.synth.mats import add_mat, lighting, mats_of
from polytempo.synth.scene import SceneSpec

TINTS: dict[str, tuple[float, float, float]] = {
    "bricks": (0.55, 0.33, 0.26),
    "plaster": (0.74, 0.69, 0.58),
    "boards": (0.47, 0.40, 0.33),
    "planks": (0.52, 0.38, 0.25),
    "tiles": (0.62, 0.60, 0.57),
    "grass": (0.30, 0.42, 0.17),
}
NARROW = 1e-3
"""Smallest distance below the horizon that is still drawn as floor, in eye heights per focal length."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Backdrop:
    """The clean background on the canvas."""

    colour: UInt8[np.ndarray, "Hc Wc 3"]
    gloss: Float32[np.ndarray, "Hc Wc"]
    """Share of light that the floor mirrors, 0 on the wall."""


def draw_backdrop(spec: SceneSpec, *, size: tuple[int, int], offset: tuple[float, float]) -> Backdrop:
    """Draw wall and floor on a canvas.

    Args:
        spec: The scene.
        size: ``(width, height)`` of the canvas in pixels.
        offset: Canvas pixels of the reference frame's corner (0, 0).
    """
    rng = np.random.default_rng([spec.seed, 11])
    xs, ys = np.meshgrid(np.arange(size[0], dtype=np.float32), np.arange(size[1], dtype=np.float32))
    x, y = xs - offset[0], ys - offset[1]
    width, height = spec.size
    horizon, foot = spec.horizon * height, spec.wall_foot * height
    unit = foot - horizon  # pixels of one eye height at the wall
    wall_x, wall_y = (x - width / 2) / unit, (foot - y) / unit
    tint = {k: np.array(v, np.float32) for k, v in TINTS.items()}
    wall = {"bricks": texture.bricks, "plaster": texture.plaster, "boards": texture.boards}[spec.wall](
        wall_x, wall_y, rng, tint=tint[spec.wall]
    )
    wall = _hang_things(wall, wall_x, wall_y, rng, spec)
    wall *= (0.72 + 0.28 * np.clip(wall_y / 0.35, 0, 1))[..., None]  # darker where wall and floor meet
    depth = np.maximum(y - horizon, NARROW * height)
    floor_x = np.asarray((x - width / 2) / depth, np.float32)
    floor_z = np.asarray(width * spec.camera.focal / depth, np.float32)
    floor = {"planks": texture.planks, "tiles": texture.tiles, "grass": texture.grass}[spec.floor](
        floor_x, floor_z, rng, tint=tint[spec.floor], blur=np.asarray(1 / depth, np.float32)
    )
    floor *= (0.62 + 0.38 * np.clip((y - foot) / (0.12 * height), 0, 1))[..., None]
    below = np.clip(y - foot + 0.5, 0, 1)
    colour = np.asarray(wall + (floor - wall) * below[..., None], np.float32)
    skirting = np.clip(1 - np.abs(wall_y - 0.04) / 0.04, 0, 1) ** 0.2 * (wall_y > 0) * (spec.floor != "grass")
    colour *= (1 - 0.45 * skirting)[..., None]
    for mat in mats_of(spec):
        colour = colour if mat is None else add_mat(colour, x, y, mat)
    luma = floor.mean(-1)
    even = luma - cv2.GaussianBlur(luma, (0, 0), 12)
    gloss = below * np.clip(1 + 4 * even, 0.4, 1.1) * (0.0 if spec.floor == "grass" else spec.gloss)
    coded = np.clip(colour * lighting(x, y, spec), 0.01, 0.99) * 255
    return Backdrop(colour=(coded + 0.5).astype(np.uint8), gloss=gloss.astype(np.float32))


def _hang_things(
    wall: NDArray[np.float32], x: NDArray[np.float32], y: NDArray[np.float32], rng: np.random.Generator, spec: SceneSpec
) -> NDArray[np.float32]:
    """Windows, pictures and posters along the wall, so that it does not repeat."""
    if spec.wall == "boards":
        return wall
    out = wall
    place = float(x.min()) + rng.uniform(0.1, 0.7)
    while place < x.max():
        wide, tall, low = rng.uniform(0.45, 0.95), rng.uniform(0.55, 0.95), rng.uniform(0.55, 0.75)
        u, v = (x - place) / wide, (y - low) / tall
        inside = ((u >= 0) & (u <= 1) & (v >= 0) & (v <= 1)).astype(np.float32)
        frame = 1 - texture.joint(u, 0.07 / wide) * texture.joint(v, 0.07 / tall)
        frame = (frame > 0).astype(np.float32)
        if rng.random() < 0.55:
            pane = _window(u, v, rng)
            wood = np.array([0.80, 0.79, 0.75], np.float32)
        else:
            pane = _poster(u, v, rng)
            wood = np.array([0.18, 0.13, 0.10], np.float32)
        thing = pane * (1 - frame)[..., None] + wood * frame[..., None]
        fall = ((u > 0.02) & (u < 1.06) & (v > -0.09) & (v < 0.97)).astype(np.float32)
        fall = cv2.GaussianBlur(fall, (0, 0), 2.0)[..., None] * 0.35
        out = out * (1 - fall) * (1 - inside[..., None]) + thing * inside[..., None]
        place += wide + rng.uniform(0.5, 1.3)
    return out.astype(np.float32)


def _window(u: NDArray[np.float32], v: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    size = (u.shape[1], u.shape[0])
    inside = texture.value_noise(size, rng, cell=18, octaves=4)
    sky = np.array([0.34, 0.42, 0.50], np.float32) * (0.45 + 0.6 * np.clip(v, 0, 1))[..., None]
    glass = sky + (0.05 * inside)[..., None]
    glint = np.clip(1 - np.abs((u - 0.7 * v - 0.2) / 0.12), 0, 1) * 0.14
    bars = (np.abs(u - 0.5) < 0.035) | (np.abs(v - 0.55) < 0.03)
    return np.where(bars[..., None], np.float32(0.76), glass + glint[..., None]).astype(np.float32)


def _poster(u: NDArray[np.float32], v: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    a, b, c = (_ink(rng) for _ in range(3))
    middle, size = rng.uniform(0.35, 0.65, 2), rng.uniform(0.04, 0.1)
    disc = ((u - middle[0]) ** 2 + ((v - middle[1]) * 1.2) ** 2 < size)[..., None]
    hills = (v < 0.33 + 0.1 * np.sin(u * 7 + rng.uniform(0, 6)))[..., None]
    picture = np.where(disc, b, a)
    return np.where(hills, c, picture).astype(np.float32)


def _ink(rng: np.random.Generator) -> NDArray[np.float32]:
    """A muted colour, as of faded print."""
    colour = rng.uniform(0.10, 0.80, 3)
    return (0.55 * colour + 0.45 * colour.mean()).astype(np.float32)
