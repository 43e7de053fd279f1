"""Procedural surfaces that look like photographs of walls and floors: value noise on top of a pattern."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32
from numpy.typing import NDArray

Plane = NDArray[np.float32]


def value_noise(
    size: tuple[int, int],
    rng: np.random.Generator,
    *,
    cell: float | int | tuple[float | int, float | int],
    octaves: int = 4,
) -> Float32[np.ndarray, "H W"]:
    """Smooth random field of mean about 0 and standard deviation about 1.

    Args:
        size: ``(width, height)``.
        rng: Source of randomness; the number of draws depends on the size alone.
        cell: Pixels between independent values at the coarsest octave, for both axes or ``(x, y)``.
        octaves: Each halves the cell and the strength.
    """
    width, height = size
    cx, cy = (cell, cell) if isinstance(cell, (int, float)) else cell
    out = np.zeros((height, width), np.float32)
    total = 0.0
    for octave in range(octaves):
        grid = (max(round(width / cx) + 2, 3), max(round(height / cy) + 2, 3))
        values = rng.standard_normal(grid[::-1]).astype(np.float32)
        out += cv2.resize(values, size, interpolation=cv2.INTER_CUBIC) * 0.5**octave
        total += 0.25**octave
        cx, cy = max(cx / 2, 1.0), max(cy / 2, 1.0)
    return out / np.float32(0.8 * np.sqrt(total))


def tile_tones(rows: Plane, columns: Plane, rng: np.random.Generator, *, n: int = 997) -> Plane:
    """A random number in -1…1 per tile, the same for all pixels of a tile.

    Args:
        rows: Whole number of each pixel's row of tiles.
        columns: Whole number of its place in the row.
        rng: Source of the table.
        n: Tones before they repeat.
    """
    table = rng.uniform(-1, 1, n).astype(np.float32)
    key = (rows.astype(np.int64) * 131 + columns.astype(np.int64) * 31) % n
    return table[key]


def joint(place: NDArray[np.floating[Any]], width: NDArray[np.floating[Any]] | float) -> Plane:
    """How far a pixel is inside a tile: 0 on its edge, 1 from ``width`` inward; ``place`` runs 0…1 across the tile."""
    return np.asarray(np.clip(np.minimum(place, 1 - place) / np.maximum(width, 1e-6), 0, 1), np.float32)


def bricks(x: Plane, y: Plane, rng: np.random.Generator, *, tint: NDArray[np.float32]) -> Plane:
    """A brick wall in wall units (one is the camera's eye height): colours ``[H, W, 3]``."""
    size = (x.shape[1], x.shape[0])
    height, width = 0.105, 0.29
    row = np.floor(y / height)
    along = x / width + 0.5 * (row % 2)
    column = np.floor(along)
    tone = tile_tones(row, column, rng)
    hue = tile_tones(column + 7, row, rng)
    face = joint(y / height - row, 0.16) * joint(along - column, 0.06)
    rough = value_noise(size, rng, cell=5, octaves=3) * 0.05 + value_noise(size, rng, cell=70, octaves=4) * 0.06
    brick = tint * (1 + 0.16 * tone + rough)[..., None] + np.stack([hue * 0.035, hue * 0.005, -hue * 0.02], -1)
    mortar = np.array([0.62, 0.59, 0.54], np.float32) * (0.92 + 0.6 * rough)[..., None]
    return np.asarray(mortar + (brick - mortar) * face[..., None], np.float32)


def plaster(x: Plane, y: Plane, rng: np.random.Generator, *, tint: NDArray[np.float32]) -> Plane:
    """Weathered plaster: stains that run down, cracks, a trowel's grain."""
    size = (x.shape[1], x.shape[0])
    stains = value_noise(size, rng, cell=(40, 130), octaves=5) * 0.05
    grain = value_noise(size, rng, cell=4, octaves=3) * 0.022
    ridge = np.abs(value_noise(size, rng, cell=60, octaves=5))
    crack = np.clip(1 - ridge / 0.035, 0, 1) * np.clip(value_noise(size, rng, cell=90, octaves=2), 0, 1) * 0.22
    shade = (1 + stains + grain - crack)[..., None]
    warm = value_noise(size, rng, cell=120, octaves=3)[..., None] * np.array([0.012, 0.0, -0.016], np.float32)
    return np.asarray(tint * shade + warm, np.float32)


def boards(x: Plane, y: Plane, rng: np.random.Generator, *, tint: NDArray[np.float32]) -> Plane:
    """Upright boards of a fence."""
    size = (x.shape[1], x.shape[0])
    along = x / 0.17
    column = np.floor(along)
    tone = tile_tones(column, column * 3, rng)
    streaks = value_noise(size, rng, cell=(3, 60), octaves=3) * 0.08
    face = joint(along - column, 0.09)
    colour = tint * (1 + 0.14 * tone + streaks)[..., None]
    return np.asarray(colour * (0.35 + 0.65 * face)[..., None], np.float32)


def planks(x: Plane, z: Plane, rng: np.random.Generator, *, tint: NDArray[np.float32], blur: Plane) -> Plane:
    """A plank floor that runs away from the camera.

    Args:
        x: Sideways place on the floor in eye heights.
        z: Distance from the camera in eye heights.
        rng: Source of randomness.
        tint: Colour of the wood.
        blur: Size of a pixel on the floor in eye heights (along x), so that far joints fade instead of flickering.
    """
    along = z / 1.9
    lane = np.floor(x / 0.16)
    along = along + tile_tones(lane, lane * 5, rng)
    piece = np.floor(along)
    tone = tile_tones(lane, piece, rng)
    warm = tile_tones(piece + 3, lane, rng)
    size = (x.shape[1], x.shape[0])
    table = value_noise((512, 512), rng, cell=(5, 90), octaves=4)
    u = ((x * 260 + 97 * tone) % 511).astype(np.float32)
    v = ((z * 60 + 211 * warm) % 511).astype(np.float32)
    grain = cv2.remap(table, u, v, cv2.INTER_LINEAR) * np.clip(0.012 / np.maximum(blur, 1e-6), 0.15, 1)
    gap = joint(x / 0.16 - lane, 0.03 + 0.5 * blur / 0.16) * joint(along - piece, 0.006 + blur / 1.9)
    gap = 1 - (1 - gap) * np.clip(0.03 / np.maximum(blur, 1e-6), 0.25, 1)
    wear = value_noise(size, rng, cell=(110, 30), octaves=4) * 0.05
    colour = tint * (1 + 0.15 * tone + 0.075 * grain + wear)[..., None]
    colour = colour + np.stack([warm * 0.02, warm * 0.0, -warm * 0.02], -1)
    return np.asarray(colour * (0.45 + 0.55 * gap)[..., None], np.float32)


def tiles(x: Plane, z: Plane, rng: np.random.Generator, *, tint: NDArray[np.float32], blur: Plane) -> Plane:
    """Square stone tiles, turned by 45 degrees."""
    a, b = (x + z) / 0.62, (x - z) / 0.62
    row, column = np.floor(a), np.floor(b)
    tone = tile_tones(row, column, rng)
    dark = ((row + column) % 2).astype(np.float32)
    face = joint(a - row, 0.02 + blur / 0.62) * joint(b - column, 0.02 + blur / 0.62)
    size = (x.shape[1], x.shape[0])
    veins = value_noise(size, rng, cell=(40, 12), octaves=5) * 0.06
    colour = tint * (1 - 0.3 * dark + 0.07 * tone + veins)[..., None]
    return np.asarray(colour * (0.6 + 0.4 * face)[..., None], np.float32)


def grass(x: Plane, z: Plane, rng: np.random.Generator, *, tint: NDArray[np.float32], blur: Plane) -> Plane:
    """A mown lawn: blades near by, patches far away."""
    size = (x.shape[1], x.shape[0])
    blades = value_noise(size, rng, cell=(2.2, 6), octaves=3) * np.clip(0.02 / np.maximum(blur, 1e-6), 0.3, 1)
    patches = value_noise(size, rng, cell=(90, 22), octaves=5)
    mown = np.sin(x * 4.2 + 0.3 * patches) * 0.05
    shade = (1 + 0.17 * blades + 0.09 * patches + mown)[..., None]
    dry = np.clip(patches, -1, 2)[..., None] * np.array([0.03, 0.008, 0.0], np.float32)
    return np.asarray(tint * shade + dry, np.float32)
