"""How long the colour at a place of the scene has been there: furniture stays, people do not.

The clean plate knows one state of the scene. A cushion that falls over half way through the clip differs from it in
half of the frames; what gives it away is that the same colour is at the same place of the canvas in most frames around.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.core.pictures import Pictures
from polytempo.objects.colour_model import lab_picture

GAPS = (5, 9, 14, 20, 28, 40)
"""Frames before and after with which each frame is compared."""
STEPS = 5
"""Results are shares of agreeing frames in so many steps."""
LIGHT_TOLERANCE, CHROMA_TOLERANCE = 12.0, 5.0
"""Difference in 8-bit Lab units up to which colours agree."""


def persistence(pictures: Pictures, camera: CameraPath, *, blur_px: float = 1.2) -> UInt8[np.ndarray, "T H W"]:
    """Step of persistence per pixel: 0 (nowhere else in time) to ``STEPS`` - 1 (nearly always).

    Args:
        pictures: T frames; half the working size is enough.
        camera: Their path.
        blur_px: Both frames are smoothed by this much first, in pixels, so that a small misfit does not count.
    """
    n = len(pictures)
    width, height = camera.frame_size
    soft = [cv2.GaussianBlur(lab_picture(pictures[t]), (0, 0), blur_px).astype(np.uint8) for t in range(n)]
    agreed = np.zeros((n, height, width), np.uint8)
    compared = np.zeros((n, height, width), np.uint8)
    for gap in GAPS:
        for t in range(n - gap):
            later_from_now = camera.frame_from_frame(t + gap, t)
            # WARP_INVERSE_MAP: the matrix takes pixels of the result (frame t) to pixels of the source (t + gap).
            seen = cv2.warpPerspective(
                soft[t + gap],
                later_from_now,
                (width, height),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=(0, 0, 0),
            )
            inside = seen.any(-1).astype(np.uint8)
            same = _same(soft[t], np.asarray(seen, np.uint8)) & (inside > 0)
            agreed[t] += same
            compared[t] += inside
            # What holds from t to t + gap holds from t + gap to t.
            back = (width, height)
            both = np.stack([same.astype(np.uint8), inside], -1) * np.uint8(255)
            there = cv2.warpPerspective(both, later_from_now, back, flags=cv2.INTER_NEAREST)
            agreed[t + gap] += there[..., 0] > 0
            compared[t + gap] += there[..., 1] > 0
    share = agreed / np.maximum(compared, 1)
    return np.where(compared > 0, np.minimum(share * STEPS, STEPS - 1), STEPS // 2).astype(np.uint8)


def _same(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.bool_]:
    difference = np.abs(a.astype(np.int16) - b)
    return (difference[..., 0] < LIGHT_TOLERANCE) & (difference[..., 1:].max(-1) < CHROMA_TOLERANCE)
