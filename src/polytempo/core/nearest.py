"""What the nearest pixel of a region has."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32


def nearest_known(
    values: Float32[np.ndarray, "H W C"], known: Bool[np.ndarray, "H W"]
) -> tuple[Float32[np.ndarray, "H W"], Float32[np.ndarray, "H W C"]]:
    """Distance in pixels to the nearest known pixel, and its values; the values as they are where nothing is known."""
    if not known.any():
        return np.full(known.shape, np.inf, np.float32), values
    away, found = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    label = np.asarray(found, np.int64)
    table = np.zeros((int(label.max()) + 1, values.shape[2]), np.float32)
    table[label[known]] = values[known]
    return np.asarray(away, np.float32), table[label]
