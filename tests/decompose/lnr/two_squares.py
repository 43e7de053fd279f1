"""A scene small enough to learn in seconds: two squares, each with an effect of its own (after LNR, Fig. 7)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath, static_path
from polytempo.objects.cast import Cast, LayerPlan, Subject

SIZE = (96, 64)
N_FRAMES = 16


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TwoSquares:
    """Square 1 runs left to right with a shadow below; square 2 bobs up and down with a glow to its right."""

    pictures: NDArray[np.uint8]
    background: NDArray[np.uint8]
    cast: Cast
    camera: CameraPath
    effects: dict[int, NDArray[np.bool_]]
    """Layer id → where its effect lies."""


def two_squares(seed: int = 0) -> TwoSquares:
    rng = np.random.default_rng(seed)
    width, height = SIZE
    texture = rng.uniform(90, 150, (height // 4, width // 4, 3)).repeat(4, 0).repeat(4, 1)
    clean = np.tile(texture, (N_FRAMES, 1, 1, 1))
    masks = {1: np.zeros((N_FRAMES, height, width), bool), 2: np.zeros((N_FRAMES, height, width), bool)}
    effects = {1: np.zeros_like(masks[1]), 2: np.zeros_like(masks[1])}
    for t in range(N_FRAMES):
        x = 4 + 3 * t
        masks[1][t, 14:24, x : x + 8] = True
        effects[1][t, 32:40, x : x + 10] = True
        y = 34 + round(12 * np.sin(t * 1.1))
        masks[2][t, y : y + 10, 66:74] = True
        effects[2][t, y : y + 8, 80:90] = True
    frames = clean.copy()
    frames[effects[1]] *= 0.6
    frames[effects[2]] = frames[effects[2]] * 0.7 + 255 * 0.3
    frames[masks[1]] = (200, 40, 40)
    frames[masks[2]] = (40, 60, 200)
    frames += rng.normal(0, 1.0, frames.shape)
    subjects = tuple(
        Subject(
            subject_id=i,
            name=name,
            mask=masks[i],
            amodal=masks[i],
            visibility=np.ones(N_FRAMES, np.float32),
        )
        for i, name in ((1, "runner"), (2, "bobber"))
    )
    cast = Cast(
        subjects=subjects,
        layers=tuple(LayerPlan(layer_id=s.subject_id, name=s.name, subject_ids=(s.subject_id,)) for s in subjects),
        order=((1, 2),) * N_FRAMES,
    )
    return TwoSquares(
        pictures=np.clip(frames, 0, 255).astype(np.uint8),
        background=clean[0].astype(np.uint8),
        cast=cast,
        camera=static_path(N_FRAMES, SIZE),
        effects=effects,
    )
