"""Grain that goes on where a subject stands still, like that of the film around it."""

from __future__ import annotations

import logging

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from polytempo.layers.sparse import Crop
from polytempo.layers.stack import LayerStack
from polytempo.render.plate import PlateView

log = logging.getLogger(__name__)
LOOKED_AT = 8
"""Frames whose grain is measured."""
FULLY = 250
"""Alpha from which a pixel of the live background is the background's alone."""
TILE = 256


class Grain:
    """Noise of the strength and size of the clip's own, another in every frame, the same in every run.

    Strength and neighbour correlation are measured where the live background shows grain: what differs from the plate
    after its slow part is taken away. A stack without a live background has none.
    """

    def __init__(self, stack: LayerStack, *, share: float) -> None:
        strength, size = measured_grain(stack)
        self._strength, self._size = strength * share, size
        if not strength.any():
            log.info("The clip shows no grain that frozen subjects could be given")

    def lay(self, frame: UInt8[np.ndarray, "H W 4"], body: Crop, *, number: int, opacity: float = 1.0) -> None:
        """Add the grain of output frame ``number`` where a body covers it, in place."""
        height, width = frame.shape[:2]
        top, left = max(body.y, 0), max(body.x, 0)
        bottom = min(body.y + body.picture.shape[0], height)
        right = min(body.x + body.picture.shape[1], width)
        if bottom <= top or right <= left or not self._strength.any():
            return
        alpha = body.picture[top - body.y : bottom - body.y, left - body.x : right - body.x, 3:] * (opacity / 255)
        noise = self._tile(number)
        rows, columns = -(-height // TILE), -(-width // TILE)
        field = np.tile(noise, (rows, columns, 1))[top:bottom, left:right]
        part = frame[top:bottom, left:right, :3]
        part[:] = np.clip(np.rint(part + field * alpha), 0, 255).astype(np.uint8)

    def _tile(self, number: int) -> NDArray[np.float32]:
        noise = np.random.default_rng(number).normal(0, 1, (TILE, TILE, 3)).astype(np.float32)
        if self._size > 0:
            noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), self._size, borderType=cv2.BORDER_REFLECT_101))
            noise /= noise.std()
        return noise * self._strength.astype(np.float32)


def measured_grain(stack: LayerStack) -> tuple[NDArray[np.float64], float]:
    """Standard deviation per channel in 1/255, and the radius of the Gaussian that gives its neighbour correlation."""
    live, nothing = stack.background.live, (np.zeros(3), 0.0)
    if live is None:
        return nothing
    plates = PlateView(stack)
    strengths: list[NDArray[np.float64]] = []
    alike: list[float] = []
    for t in np.unique(np.linspace(0, stack.n_frames - 1, LOOKED_AT).round().astype(int)).tolist():
        picture = np.asarray(live[t])
        alone = cv2.erode((picture[..., 3] >= FULLY).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        if alone.sum() < 500:
            continue
        rest = picture[..., :3].astype(np.float32) - plates.frame(t)[..., :3]
        fine = rest - cv2.GaussianBlur(rest, (0, 0), 3)
        values = fine[alone]
        strengths.append(1.4826 * np.median(np.abs(values - np.median(values, axis=0)), axis=0))
        pairs = alone[:, 1:] & alone[:, :-1]
        a, b = fine[:, 1:, 1][pairs], fine[:, :-1, 1][pairs]
        if a.std() > 0.1:
            alike.append(float(np.corrcoef(a, b)[0, 1]))
    if not strengths:
        return nothing
    correlation = float(np.median(alike)) if alike else 0.0
    # Neighbours of white noise under a Gaussian of radius r correlate by exp(-1 / (4 r²)).
    radius = 0.0 if correlation < 0.05 else 0.5 / np.sqrt(-np.log(min(correlation, 0.95)))
    return np.median(strengths, axis=0).astype(np.float64), float(radius)
