"""Where a frame may be cloth that has given way: colours that the clean plate has nearby, lit a little less.

Bedclothes under somebody who jumps are like nothing that the plate has at that place, and never two frames alike. Taken
for somebody, they join a foot to whoever kneels beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32
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
    wall_share: float = 0.03
    """Stiff places smaller than this share of the picture are no walls: on a bed it is chance that here and there the
    plate has little spread."""
    wall_narrow: float = 3.0
    """How many times wider places between walls may be to be as stiff: a shelf with what stands on it."""
    dimmer: float = 12.0
    """Lightness that a hollow has lost, in the mean around a pixel, from which on small stiff places do not count."""
    warmer: float = 3.0
    """The same of what b has gained: cloth and bare legs light a hollow, and a white shirt in the shade stays white."""
    mean_share: float = 0.0056
    """Standard deviation of the surroundings that this is the mean of, as a share of the picture's width."""
    blur_px: float = 0.8
    """Standard deviation by which grain is averaged away."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Folds:
    """Where frames may be cloth that has given way."""

    lit: Bool[np.ndarray, "T H W"]
    """Colours that the plate has nearby, lit about as there."""
    coloured: Bool[np.ndarray, "T H W"]
    """The same, however dark: stripes are, and creases."""
    either: Bool[np.ndarray, "T H W"]
    """Where it may be cloth or clothes that are coloured like it: anywhere but before walls."""


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
    usual = np.asarray(cv2.GaussianBlur(colour.astype(np.float32), (0, 0), narrow), np.float32)
    lit, coloured, either = np.zeros((3, n, height, width), bool)
    for t in range(n):
        least, most, around = (
            canvas_in_frame(one, view.camera, t, interpolation="linear") for one in (low, high, usual)
        )
        here = np.asarray(cv2.GaussianBlur(view.lab[t].astype(np.float32), (0, 0), config.blur_px), np.float32)
        here[..., 0] /= np.float32(plate.exposure[t].mean())
        light = here[..., 0]
        dim = np.clip((1 - light / np.maximum(least[..., 0], 1)) / (1 - config.hollow), 0, 1)
        departure = config.chroma + (config.chroma_hollow - config.chroma) * dim
        within = light < most[..., 0] + config.lightness
        within &= _beyond(here[..., 1:], least[..., 1:], most[..., 1:]) < departure
        as_lit = within & (light > config.darkest * least[..., 0] - config.lightness)
        as_coloured = within & (light > config.darkest_line * least[..., 0] - config.lightness)
        gives_way = loose = np.ones((height, width), bool)
        if stiff is not None:
            loose = opened(~_walls(stiff[t], narrow, config), round(config.wall_narrow * narrow))
            hollow = _hollow(here - around, as_coloured & loose, config)
            gives_way = opened(~stiff[t], narrow) | (loose & hollow)
        lit[t], coloured[t], either[t] = as_lit & gives_way, as_coloured & gives_way, as_lit & loose
    return Folds(lit=lit, coloured=coloured, either=either)


def _hollow(
    departs: Float32[np.ndarray, "H W 3"], cloth: Bool[np.ndarray, "H W"], config: FoldConfig
) -> Bool[np.ndarray, "H W"]:
    """Where what may be cloth is dimmer and warmer than the plate, in the mean around each pixel."""
    sigma = max(config.mean_share * cloth.shape[1], 0.8)
    weight = cv2.GaussianBlur(cloth.astype(np.float32), (0, 0), sigma)
    mean = cv2.GaussianBlur(departs * cloth[..., None], (0, 0), sigma) / np.maximum(weight, 1e-6)[..., None]
    return cloth & (mean[..., 0] < -config.dimmer) & (mean[..., 2] > config.warmer)


def _walls(stiff: Bool[np.ndarray, "H W"], narrow_px: int, config: FoldConfig) -> Bool[np.ndarray, "H W"]:
    """The large pieces of stiff places."""
    wide = opened(stiff, narrow_px).astype(np.uint8)
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(wide, connectivity=4)
    large = stats[:, cv2.CC_STAT_AREA] >= config.wall_share * stiff.size
    large[0] = False
    return large[np.asarray(pieces, np.int64)]


def _beyond(value: NDArray[np.float32], least: NDArray[np.float32], most: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.maximum(np.maximum(least - value, value - most), 0).max(-1)
