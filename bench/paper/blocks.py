"""Synthetic sequences in the manner of paper A's Figures 6 and 7: people as blocks, each with a coloured square."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath, static_path
from polytempo.objects.cast import Cast, LayerPlan, Subject

SIZE = (96, 64)
N_FRAMES = 12
RED, BLUE = (200, 50, 50), (50, 70, 200)
GREEN, YELLOW = (60, 200, 70), (230, 210, 60)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Blocks:
    """A drawn sequence and where its squares are."""

    name: str
    pictures: NDArray[np.uint8]
    cast: Cast
    camera: CameraPath
    squares: dict[str, NDArray[np.bool_]]
    """Name → ``bool [T, H, W]``; only where the square is seen."""


def motion(seed: int = 0) -> Blocks:
    """Figure 6, first video: one square goes with the person, the other jumps about."""
    rng = np.random.default_rng(seed)
    xs = [14 + 5 * t for t in range(N_FRAMES)]
    walker = [(x, 18, 10, 34) for x in xs]
    with_her = [(x - 12, 30, 8, 8) for x in xs]
    random = [(int(np.clip(x + rng.integers(-26, 27), 2, 86)), int(rng.integers(4, 50)), 8, 8) for x in xs]
    return _draw("motion", [walker], {"with her": (with_her, GREEN), "at random": (random, GREEN)}, rng)


def proximity(seed: int = 0) -> Blocks:
    """Figure 6, second video: both squares move alike, one of them nearer."""
    rng = np.random.default_rng(seed)
    xs = [30 + 3 * t for t in range(N_FRAMES)]
    walker = [(x, 18, 10, 34) for x in xs]
    near, far = [(x - 12, 30, 8, 8) for x in xs], [(x - 28, 8, 8, 8) for x in xs]
    return _draw("proximity", [walker], {"near": (near, GREEN), "far": (far, GREEN)}, rng)


def two_people(seed: int = 0) -> Blocks:
    """Figure 7: she goes across with a green square, he bobs up and down with a yellow one."""
    rng = np.random.default_rng(seed)
    xs = [14 + 4 * t for t in range(N_FRAMES)]
    ys = [16 + round(9 * np.sin(1.3 * t)) for t in range(N_FRAMES)]
    she, he = [(x, 20, 9, 32) for x in xs], [(74, y, 9, 30) for y in ys]
    green, yellow = [(x - 11, 34, 8, 8) for x in xs], [(85, y + 10, 8, 8) for y in ys]
    return _draw("two people", [she, he], {"hers": (green, GREEN), "his": (yellow, YELLOW)}, rng)


Box = tuple[int, int, int, int]


def _draw(
    name: str,
    people: list[list[Box]],
    squares: dict[str, tuple[list[Box], tuple[int, int, int]]],
    rng: np.random.Generator,
) -> Blocks:
    width, height = SIZE
    rough = rng.uniform(80, 150, (height // 8, width // 8, 3)).astype(np.float32)
    clean = cv2.resize(rough, SIZE, interpolation=cv2.INTER_CUBIC)
    pictures = np.tile(clean, (N_FRAMES, 1, 1, 1))
    seen: dict[str, NDArray[np.bool_]] = {}
    for square, (boxes, colour) in squares.items():
        seen[square] = _filled(boxes)
        pictures[seen[square]] = colour
    masks = [_filled(boxes) for boxes in people]
    visible = [mask.copy() for mask in masks]
    for i in reversed(range(len(masks))):  # the first is in front
        pictures[masks[i]] = (RED, BLUE)[i]
        for front in masks[:i]:
            visible[i] &= ~front
    body = np.any(masks, axis=0)
    seen = {square: mask & ~body for square, mask in seen.items()}
    pictures = np.clip(pictures + rng.normal(0, 1, pictures.shape), 0, 255).astype(np.uint8)
    names = ("she", "he")
    subjects = tuple(
        Subject(
            subject_id=i + 1, name=names[i], mask=visible[i], amodal=masks[i],
            visibility=(visible[i].sum((1, 2)) / np.maximum(masks[i].sum((1, 2)), 1)).astype(np.float32),
        )
        for i in range(len(people))
    )  # fmt: skip
    layers = tuple(LayerPlan(layer_id=one.subject_id, name=one.name, subject_ids=(one.subject_id,)) for one in subjects)
    order = (tuple(reversed(range(1, len(people) + 1))),) * N_FRAMES
    return Blocks(
        name=name,
        pictures=pictures,
        cast=Cast(subjects=subjects, layers=layers, order=order),
        camera=static_path(N_FRAMES, SIZE),
        squares=seen,
    )


def _filled(boxes: list[Box]) -> NDArray[np.bool_]:
    out = np.zeros((N_FRAMES, SIZE[1], SIZE[0]), bool)
    for t, (x, y, width, height) in enumerate(boxes):
        out[t, max(y, 0) : y + height, max(x, 0) : x + width] = True
    return out
