"""Colour for places that no frame shows."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float32


def filled(colour: Float32[np.ndarray, "Hc Wc 3"], unseen: Bool[np.ndarray, "Hc Wc"]) -> Float32[np.ndarray, "Hc Wc 3"]:
    """Picture 0…1 with unseen places painted in from around them; unchanged elsewhere."""
    if not unseen.any() or unseen.all():
        return colour
    eight = np.clip(colour * 255 + 0.5, 0, 255).astype(np.uint8)
    painted: Any = cv2.inpaint(eight, unseen.astype(np.uint8), 4, cv2.INPAINT_TELEA)
    result = colour.copy()
    result[unseen] = painted[unseen].astype(np.float32) / 255
    return result
