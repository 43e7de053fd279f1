"""Outlines whose pixels are mixtures: a black sleeve that moves before a white wall ends in grey, the grey of a dress.

What lies between a body and nobody, and is of a colour between theirs, is that body's outline, whoever else has such
clothes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from polytempo.core.discs import grown, opened, window_around
from polytempo.core.nearest import nearest_known

AROUND_PX = 24
"""So far around a rim the colours of bodies and background are looked for."""


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
    *,
    config: MixedRimConfig | None = None,
) -> UInt8[np.ndarray, "T H W"]:
    """Give outlines of mixed colour to the body whose colour is in them.

    Args:
        labels: 0 background, ``k + 1`` for the k-th subject.
        lab: The pictures in 8-bit Lab.
        config: What is an outline.
    """
    config = config or MixedRimConfig()
    out = labels.copy()
    reach_px = math.ceil(config.reach_px) + 1
    for t, here in enumerate(labels):
        for k in np.unique(here[here > 0]):
            thin = (here == k) & ~opened(here == k, config.thick_px)
            for other in np.unique(here[(here > 0) & (here != k)]):
                zone = thin & grown(here == other, reach_px) & grown(here == 0, reach_px)
                if not zone.any():
                    continue
                window = window_around(zone, AROUND_PX)
                colour = lab[t][window].astype(np.float32)
                mixed = _mixed(zone[window], here[window], int(k), int(other), colour, config)
                out[t][window][mixed] = other
    return out


def _mixed(
    zone: NDArray[np.bool_],
    labels: NDArray[np.uint8],
    label: int,
    other: int,
    colour: NDArray[np.float32],
    config: MixedRimConfig,
) -> NDArray[np.bool_]:
    """Pieces of a zone that touch another body and have colours between its and the background's."""
    sources = [_eroded(one) for one in (labels == 0, labels == other, opened(labels == label, config.thick_px))]
    if not all(one.any() for one in sources):
        return np.zeros_like(zone)
    (bare_away, bare), (body_away, body), (_, own) = (nearest_known(colour, one) for one in sources)
    across = body - bare
    length = (across**2).sum(-1)
    share = np.clip(((colour - bare) * across).sum(-1) / np.maximum(length, 1e-6), 0, 1)
    off = np.linalg.norm(colour - bare - share[..., None] * across, axis=-1)
    asked = zone & (body_away <= config.reach_px) & (bare_away <= config.reach_px)
    better = np.linalg.norm(colour - own, axis=-1) > off + config.margin
    told = asked & better & (off < config.tolerance) & (length > config.contrast**2)
    told = asked & (cv2.morphologyEx(told.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)) > 0)
    _, found, stats, _ = cv2.connectedComponentsWithStats(told.astype(np.uint8), connectivity=8)
    pieces = np.asarray(found)
    beside = cv2.dilate((labels == other).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    keep = [i for i in np.unique(pieces[beside]) if i and stats[i, cv2.CC_STAT_AREA] >= config.least_px]
    return np.isin(pieces, keep)


def _eroded(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
