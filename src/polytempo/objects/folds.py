"""Where a frame may be cloth that has given way: colours that the clean plate has nearby, lit a little less.

Bedclothes under somebody who jumps are like nothing that the plate has at that place, and never two frames alike. Taken
for somebody, they join a foot to whoever kneels beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

from polytempo.camera.plate import CleanPlate
from polytempo.camera.warp import canvas_in_frame
from polytempo.core.discs import disc, opened
from polytempo.objects.colour_model import lab_picture
from polytempo.objects.evidence import Footage


@dataclass(frozen=True, kw_only=True, slots=True)
class FoldConfig:
    """What cloth may look like after it has given way. Lightness and chroma are in 8-bit Lab units."""

    reach_share: float = 0.018
    """How far it moves, as a share of the picture's width."""
    darkest: float = 0.6
    """Share of its lightness that is left in a hollow."""
    darkest_line: float = 0.3
    """The same of lines on the cloth: what moved was averaged away in the plate."""
    lightness: float = 5.0
    """Noise of lightness."""
    chroma: float = 6.0
    """Departure from the chroma nearby, in each of two channels."""
    chroma_hollow: float = 9.0
    """The same in a hollow, which cloth lights and bare legs colour."""
    hollow: float = 0.85
    """Share of the least lightness nearby from which on it is one."""
    narrow_share: float = 0.0067
    """Places narrower than twice this between stiff ones, as a share of the picture's width, are as stiff: stripes and
    edges on a wall."""
    blur_px: float = 0.8
    """Standard deviation by which grain is averaged away."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Folds:
    """Where frames may be cloth that has given way."""

    lit: Bool[np.ndarray, "T H W"]
    """Colours that the plate has nearby, lit about as there."""
    coloured: Bool[np.ndarray, "T H W"]
    """The same, however dark: stripes are, and creases."""


def folds(
    view: Footage, plate: CleanPlate, *, stiff: Bool[np.ndarray, "T H W"] | None = None, config: FoldConfig
) -> Folds:
    """Where frames have colours that the plate has within reach.

    White clothes before white walls have such colours, too: this tells where somebody need not be, not where nobody is.

    Args:
        view: The clip.
        plate: Its clean plate.
        stiff: Where nothing gives way, as walls.
        config: How far cloth moves and dims.
    """
    n, height, width = view.lab.shape[:3]
    colour = lab_picture((np.clip(plate.colour, 0, 1) * 255).astype(np.uint8))
    reach = max(1, round(config.reach_share * width))
    narrow = max(1, round(config.narrow_share * width))
    low, high = (np.asarray(of(colour, disc(reach)), np.float32) for of in (cv2.erode, cv2.dilate))
    lit, coloured = np.zeros((2, n, height, width), bool)
    for t in range(n):
        least, most = (canvas_in_frame(one, view.camera, t, interpolation="linear") for one in (low, high))
        here = cv2.GaussianBlur(view.lab[t].astype(np.float32), (0, 0), config.blur_px)
        light = here[..., 0] / np.float32(plate.exposure[t].mean())
        dim = np.clip((1 - light / np.maximum(least[..., 0], 1)) / (1 - config.hollow), 0, 1)
        departure = config.chroma + (config.chroma_hollow - config.chroma) * dim
        within = light < most[..., 0] + config.lightness
        within &= _beyond(here[..., 1:], least[..., 1:], most[..., 1:]) < departure
        if stiff is not None:
            within &= opened(~stiff[t], narrow)
        lit[t] = within & (light > config.darkest * least[..., 0] - config.lightness)
        coloured[t] = within & (light > config.darkest_line * least[..., 0] - config.lightness)
    return Folds(lit=lit, coloured=coloured)


def _beyond(value: NDArray[np.float32], least: NDArray[np.float32], most: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.maximum(np.maximum(least - value, value - most), 0).max(-1)
