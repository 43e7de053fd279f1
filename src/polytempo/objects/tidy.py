"""Clean-up of labels frame by frame: rims go to the body they are on, specks go, pinholes are filled."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, UInt8
from numpy.typing import NDArray

MOSTLY = 0.5
"""Share of a small piece that must be somebody without a doubt for it to stay."""
RIM_PX = 3
"""What is thinner than this is thin."""
RIM_OTHERS = 0.3
"""Share of a thin piece's surroundings that must be another subject for it to be that one's rim."""
RIM_BARE = 0.2
"""Share that must be nobody: hair that falls over somebody has none."""
RIM_OWN = 0.3
"""Largest share that may be more of its own subject: fingers have hands."""


def without_rims(labels: UInt8[np.ndarray, "T H W"], n_subjects: int) -> UInt8[np.ndarray, "T H W"]:
    """Give thin pieces between a body and nobody to that body.

    Where a black sleeve ends before a white wall, pixels are mixtures of both, some in the colour of another's skirt.

    Args:
        labels: 0 background, ``k + 1`` for the k-th subject.
        n_subjects: How many.
    """
    out = labels.copy()
    kernel = np.ones((RIM_PX, RIM_PX), np.uint8)
    for t, here in enumerate(labels):
        for label in range(1, n_subjects + 1):
            mine = (here == label).astype(np.uint8)
            thin = mine & ~np.asarray(cv2.morphologyEx(mine, cv2.MORPH_OPEN, kernel), np.uint8)
            n, pieces, stats, _ = cv2.connectedComponentsWithStats(thin, connectivity=4)
            for i in range(1, n):
                x, y, width, height = (int(one) for one in stats[i, :4])
                window = np.s_[max(y - 1, 0) : y + height + 1, max(x - 1, 0) : x + width + 1]
                piece = np.asarray(pieces[window] == i)
                ring = (cv2.dilate(piece.astype(np.uint8), kernel) > 0) & ~piece
                counts = np.bincount(here[window][ring], minlength=n_subjects + 1)
                bare, own, around = counts[0], counts[label], max(int(counts.sum()), 1)
                counts[[0, label]] = 0
                others = counts.sum()
                if others >= RIM_OTHERS * around and bare >= RIM_BARE * around and own <= RIM_OWN * around:
                    out[t][window][piece] = counts.argmax()
    return out


def tidy_masks(
    labels: UInt8[np.ndarray, "T H W"],
    n_subjects: int,
    plainly: Bool[np.ndarray, "T H W"] | None = None,
    *,
    speck_share: float = 0.03,
    least_px: int = 12,
    gap_px: int = 4,
) -> Bool[np.ndarray, "K T H W"]:
    """Masks of all subjects with small pieces removed and small holes filled.

    Args:
        labels: 0 background, ``k + 1`` for the k-th subject.
        n_subjects: How many.
        plainly: Where somebody is without a doubt. What is left of a head behind a shoulder is small, and no speck.
        speck_share: Pieces smaller than this share of the subject's usual area go.
        gap_px: Pieces no farther apart than this count as one: a sleeve that somebody cuts off is no speck.
        least_px: Pieces and holes smaller than this go in any case.
    """
    out = np.zeros((n_subjects, *labels.shape), bool)
    for k in range(n_subjects):
        areas = np.asarray((labels == k + 1).sum((1, 2)))
        usual = float(np.median(areas[areas > 0])) if (areas > 0).any() else 0.0
        for t in range(len(labels)):
            sure = None if plainly is None else plainly[t]
            out[k, t] = _without_specks(
                labels[t] == k + 1, max(least_px, speck_share * usual), sure=sure, sure_px=least_px, gap_px=gap_px
            )
    taken = np.asarray(out.any(0))
    for k in range(n_subjects):
        for t in range(len(labels)):
            filled = ~_without_specks(~out[k, t], least_px)
            out[k, t] |= filled & ~taken[t]
    return out


def _without_specks(
    mask: NDArray[np.bool_],
    least_px: float,
    *,
    sure: NDArray[np.bool_] | None = None,
    sure_px: int = 0,
    gap_px: int = 0,
) -> NDArray[np.bool_]:
    """Pieces of so many pixels, with those across a gap counted, and smaller ones of which most is sure."""
    near = cv2.dilate(mask.astype(np.uint8), np.ones((gap_px + 1, gap_px + 1), np.uint8)) if gap_px else mask
    _, pieces = cv2.connectedComponents(near.astype(np.uint8), connectivity=4)
    areas = np.bincount(pieces[mask], minlength=int(pieces.max()) + 1)
    keep = areas >= least_px
    keep[0] = False
    if sure is not None:
        share = np.bincount(pieces[sure & mask], minlength=len(areas)) / np.maximum(areas, 1)
        keep |= (share > MOSTLY) & (areas >= sure_px)
    return keep[np.asarray(pieces, np.int32)] & mask
