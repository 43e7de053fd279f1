"""Premultiplied as layers are, straight as files are."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8, UInt16
from numpy.typing import NDArray


def straight(picture: UInt8[np.ndarray, "H W 4"], *, depth: int = 8) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Colour divided by alpha, at 8 or 16 bits a channel; black where alpha is 0.

    Light that shines brighter than its alpha allows (an added reflection) cannot be said straight and is cut to white.
    """
    alpha = picture[..., 3:].astype(np.float32)
    colour = np.divide(
        picture[..., :3] * 255.0, alpha, out=np.zeros_like(picture[..., :3], np.float32), where=alpha > 0
    )
    whole = np.concatenate([np.minimum(colour, 255), alpha], axis=2)
    if depth == 8:
        return np.rint(whole).astype(np.uint8)
    return np.rint(whole * 257).astype(np.uint16)


def premultiplied(
    picture: UInt8[np.ndarray, "H W 4"] | UInt16[np.ndarray, "H W 4"],
) -> UInt8[np.ndarray, "H W 4"]:
    """Straight colour and alpha of 8 or 16 bits as a layer has them: 8 bits, colour times alpha."""
    scale = 255.0 if picture.dtype == np.uint8 else 65535.0
    values = picture.astype(np.float64) / scale
    values[..., :3] *= values[..., 3:]
    return np.rint(values * 255).astype(np.uint8)
