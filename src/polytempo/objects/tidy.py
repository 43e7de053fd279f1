"""Clean-up of labels frame by frame: specks go, pinholes are filled."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, UInt8
from numpy.typing import NDArray

MOSTLY = 0.5
"""Share of a small piece that must be somebody without a doubt for it to stay."""


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
