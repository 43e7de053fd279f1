"""Trimaps: sure body, sure background and a band between them left to be found out."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from polytempo.core.errors import InputError


def trimap_from_mask(mask: Bool[np.ndarray, "*T H W"], *, band_px: float = 9.5) -> Float32[np.ndarray, "*T H W"]:
    """Trimap by dilation: 1 on the mask, 0 beyond the band around it, 0.5 within.

    Args:
        mask: One mask ``[H, W]`` or several ``[T, H, W]``.
        band_px: Width of the unknown band in pixels; the paper's 20x20 box leaves 9 or 10 at 448 pixels of width.

    Raises:
        InputError: the band is negative.

    Source: paper A 4.3; the box from the published code. The mask itself is never eroded, and the frame's
        border does not eat into the band.

    Example:
        >>> trimap_from_mask(np.array([[True, False, False, False]]), band_px=1).tolist()
        [[1.0, 0.5, 0.0, 0.0]]
    """
    if band_px < 0:
        raise InputError("objects.trimap", "band_px must be 0 or more", got=f"{band_px}", todo="Use about 9.5")
    # An n x n box reaches (n - 1) / 2 pixels; an even one reaches half a pixel further to the right and below.
    side = int(2 * band_px) + 1
    kernel = np.ones((side, side), np.uint8)
    flat = mask.reshape(-1, *mask.shape[-2:])
    out = np.zeros(flat.shape, np.float32)
    for one, body in zip(out, flat, strict=True):
        grown = cv2.dilate(body.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        one[grown > 0] = 0.5
        one[body] = 1.0
    return out.reshape(mask.shape)


def mask_from_trimap(trimap: Float32[np.ndarray, "*T H W"]) -> Bool[np.ndarray, "*T H W"]:
    """Sure body of a trimap: where it is above three quarters."""
    return np.asarray(trimap > 0.75)
