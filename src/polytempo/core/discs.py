"""Masks grown, opened and closed by discs, and the window that holds one."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, UInt8


def disc(radius_px: int) -> UInt8[np.ndarray, "N N"]:
    """A disc of ``2 * radius_px + 1`` pixels across, for morphology."""
    size = 2 * radius_px + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def grown(mask: Bool[np.ndarray, "H W"], radius_px: int) -> Bool[np.ndarray, "H W"]:
    """Everything within a distance of a mask; the mask itself where that is not above 0."""
    if radius_px <= 0:
        return mask
    return cv2.dilate(mask.astype(np.uint8), disc(radius_px)) > 0


def opened(mask: Bool[np.ndarray, "H W"], radius_px: int) -> Bool[np.ndarray, "H W"]:
    """A mask without what a disc has no room in."""
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, disc(radius_px)) > 0


def closed(mask: Bool[np.ndarray, "H W"], radius_px: int) -> Bool[np.ndarray, "H W"]:
    """A mask and what beside it a disc has no room in."""
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, disc(radius_px)) > 0


def window_around(mask: Bool[np.ndarray, "H W"], margin_px: int) -> tuple[slice, slice]:
    """Rows and columns of a mask and so much around it, within the picture; nothing where the mask is empty."""
    if not mask.any():
        return slice(0, 0), slice(0, 0)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, left = (max(int(one[0]) - margin_px, 0) for one in (rows, columns))
    return slice(top, int(rows[-1]) + margin_px + 1), slice(left, int(columns[-1]) + margin_px + 1)
