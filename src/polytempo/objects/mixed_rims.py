"""Outlines whose pixels are mixtures: a black sleeve that moves before a white wall ends in grey, the grey of a dress.

What lies between a body and nobody, and is of a colour between theirs, is that body's outline, whoever else has such
clothes.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True)
class MixedRimConfig:
    """What is the outline of somebody else. Lengths are in pixels of working size, colours in 8-bit Lab."""

    thick_px: int = 3
    """Only what is thinner than twice this and one more may be."""
    reach_px: float = 5.0
    """Largest distance from that body, and from where nobody is."""
    tolerance: float = 14.0
    """Largest departure from the colours between the two."""
    margin: float = 4.0
    """By so much a mixture must explain a pixel better than the body that has it."""
    contrast: float = 30.0
    """Where both colours differ by less, nothing is told."""
    least_px: int = 4
    """Smaller pieces stay as they are."""


def without_mixed_rims(
    labels: UInt8[np.ndarray, "T H W"],
    lab: UInt8[np.ndarray, "T H W 3"],
    n_subjects: int,
    *,
    config: MixedRimConfig | None = None,
) -> UInt8[np.ndarray, "T H W"]:
    """Give outlines of mixed colour to the body whose colour is in them.

    Args:
        labels: 0 background, ``k + 1`` for the k-th subject.
        lab: The pictures in 8-bit Lab.
        n_subjects: How many.
        config: What is an outline.
    """
    config = config or MixedRimConfig()
    out = labels.copy()
    for t, here in enumerate(labels):
        if len(np.unique(here[here > 0])) < 2:
            continue
        surely_bare = _eroded(here == 0)
        if not surely_bare.any():
            continue
        colour = lab[t].astype(np.float32)
        bare = _Nearest(surely_bare, colour)
        bodies = {k: _Nearest(inside, colour) for k in range(1, n_subjects + 1) if (inside := _eroded(here == k)).any()}
        for k in range(1, n_subjects + 1):
            mine = (here == k).astype(np.uint8)
            thick = cv2.morphologyEx(mine, cv2.MORPH_OPEN, _disc(config.thick_px))
            inside = _eroded(thick > 0)
            if not inside.any():
                continue
            thin = (mine > 0) & ~(thick > 0) & (bare.away <= config.reach_px)
            own = np.linalg.norm(colour - _Nearest(inside, colour).colour, axis=-1)
            for other, body in bodies.items():
                if other != k and (thin & (body.away <= config.reach_px)).any():
                    out[t][_mixed(thin, colour, own, body, bare, here == other, config)] = other
    return out


class _Nearest:
    """The nearest pixel of a region: how far away it is, and its colour."""

    def __init__(self, where: Bool[np.ndarray, "H W"], colour: Float32[np.ndarray, "H W 3"]) -> None:
        away, nearest = cv2.distanceTransformWithLabels(
            (~where).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        table = np.zeros((int(nearest.max()) + 1, 3), np.float32)
        index = np.asarray(nearest, np.int64)
        table[index[where]] = colour[where]
        self.away: NDArray[np.float32] = np.asarray(away, np.float32)
        self.colour: NDArray[np.float32] = table[index]


def _mixed(
    thin: NDArray[np.bool_],
    colour: NDArray[np.float32],
    own: NDArray[np.float32],
    body: _Nearest,
    bare: _Nearest,
    touched: NDArray[np.bool_],
    config: MixedRimConfig,
) -> NDArray[np.bool_]:
    """Pieces of what is thin that touch a body and have colours between its and the background's."""
    across = body.colour - bare.colour
    length = (across**2).sum(-1)
    share = np.clip(((colour - bare.colour) * across).sum(-1) / np.maximum(length, 1e-6), 0, 1)
    off = np.linalg.norm(colour - bare.colour - share[..., None] * across, axis=-1)
    asked = thin & (body.away <= config.reach_px)
    told = asked & (off < config.tolerance) & (own > off + config.margin) & (length > config.contrast**2)
    told = asked & (cv2.morphologyEx(told.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)) > 0)
    _, found, stats, _ = cv2.connectedComponentsWithStats(told.astype(np.uint8), connectivity=8)
    pieces = np.asarray(found)
    beside = cv2.dilate(touched.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    keep = [i for i in np.unique(pieces[beside]) if i and stats[i, cv2.CC_STAT_AREA] >= config.least_px]
    return np.isin(pieces, keep)


def _eroded(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0


def _disc(radius_px: int) -> NDArray[np.uint8]:
    size = 2 * radius_px + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
