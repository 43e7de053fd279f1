"""What is no person in the same atlas: a subject's own registered frame, cut into as many tiles as a body has parts."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

from polytempo.bodies.limbs import N_PARTS
from polytempo.bodies.rasterise import BodyMap
from polytempo.core.errors import InputError

COLUMNS, ROWS = 4, 6
"""Tiles of a sprite: part ``1 + 4 · row + column``."""


def sprite_map(amodal: Bool[np.ndarray, "T H W"]) -> BodyMap:
    """Tile and place on it for every pixel of a subject that has no keypoints: an animal, a ball, a car.

    The subject's frame is the box about its middle that holds it in all frames, growing and shrinking with the root of
    its area; the box is cut into 4×6 tiles, which take the numbers 1…24 of a body's parts. So the neural texture has
    the same layout for everybody.

    Args:
        amodal: The whole subject, also where another hides it.

    Raises:
        InputError: the subject is nowhere.
    """
    frames = np.flatnonzero(amodal.any((1, 2)))
    if len(frames) == 0:
        raise InputError("bodies.sprite", "a subject must be somewhere", got="an empty mask in every frame")
    centre, scale = _registered(amodal, frames)
    reach = np.zeros(2)
    for i, t in enumerate(frames):
        ys, xs = np.nonzero(amodal[t])
        reach = np.maximum(reach, [np.abs(v - c).max() / scale[i] for v, c in zip((xs, ys), centre[i], strict=True)])
    part = np.zeros(amodal.shape, np.uint8)
    uv = np.zeros((*amodal.shape, 2), np.float16)
    for i, t in enumerate(frames):
        ys, xs = np.nonzero(amodal[t])
        at = [
            np.clip(((v - c) / (scale[i] * r + 0.5) + 1) / 2, 0, 1 - 1e-6) * n
            for v, c, r, n in zip((xs, ys), centre[i], reach, (COLUMNS, ROWS), strict=True)
        ]
        part[t, ys, xs] = 1 + COLUMNS * at[1].astype(int) + at[0].astype(int)
        uv[t, ys, xs] = np.stack([at[0] % 1, at[1] % 1], -1)
    assert part.max() <= N_PARTS
    return BodyMap(part=part, uv=uv)


def _registered(
    amodal: NDArray[np.bool_], frames: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Middle ``(x, y)`` and scale of the subject in each of the frames."""
    centre, scale = np.zeros((len(frames), 2)), np.zeros(len(frames))
    for i, t in enumerate(frames):
        ys, xs = np.nonzero(amodal[t])
        centre[i] = xs.mean(), ys.mean()
        scale[i] = np.sqrt(len(xs))
    return centre, scale
