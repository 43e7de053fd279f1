"""Clean-up of labels frame by frame: specks go, pinholes are filled."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, UInt8
from numpy.typing import NDArray


def tidy_masks(
    labels: UInt8[np.ndarray, "T H W"], n_subjects: int, *, speck_share: float = 0.03, least_px: int = 12
) -> Bool[np.ndarray, "K T H W"]:
    """Masks of all subjects with small pieces removed and small holes filled.

    Args:
        labels: 0 background, ``k + 1`` for the k-th subject.
        n_subjects: How many.
        speck_share: Pieces smaller than this share of the subject's usual area go.
        least_px: Pieces and holes smaller than this go in any case.
    """
    out = np.zeros((n_subjects, *labels.shape), bool)
    for k in range(n_subjects):
        areas = np.asarray((labels == k + 1).sum((1, 2)))
        usual = float(np.median(areas[areas > 0])) if (areas > 0).any() else 0.0
        for t in range(len(labels)):
            out[k, t] = _without_specks(labels[t] == k + 1, max(least_px, speck_share * usual))
    taken = np.asarray(out.any(0))
    for k in range(n_subjects):
        for t in range(len(labels)):
            filled = ~_without_specks(~out[k, t], least_px)
            out[k, t] |= filled & ~taken[t]
    return out


def _without_specks(mask: NDArray[np.bool_], least_px: float) -> NDArray[np.bool_]:
    n, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    keep = np.zeros(n, bool)
    keep[1:] = stats[1:, cv2.CC_STAT_AREA] >= least_px
    return keep[np.asarray(pieces, np.int32)]
