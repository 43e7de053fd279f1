"""The skeleton picture that the network from keypoints to UV looks at."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64
from numpy.typing import NDArray

from polytempo.bodies.keypoints import Keypoints
from polytempo.core.errors import InputError

BODY_SHARE = 192 / 256
"""Longer side of the box around the keypoints, as a share of the picture's side."""
LIMB_PAIRS = ((0, 1), (0, 2), (1, 3), (2, 4), (5, 6), (5, 7), (7, 9), (6, 8), (8, 10), (11, 12), (11, 13), (13, 15),
              (12, 14), (14, 16), (6, 12), (5, 11))  # fmt: skip
COLOURS = np.array([
    (0, 172, 255), (255, 0, 212), (0, 255, 54), (0, 255, 148), (203, 0, 255), (255, 0, 23), (255, 188, 0), (15, 0, 255),
    (227, 255, 0), (39, 255, 0), (0, 78, 255), (255, 0, 118), (255, 94, 0), (0, 255, 243), (255, 0, 0), (109, 0, 255),
    (133, 255, 0),
], np.float32)  # fmt: skip
"""RGB of each keypoint: seventeen hues, so that neighbours on the body differ."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Crop:
    """Where a square picture of a body lies in the frame."""

    picture_from_frame: Float64[np.ndarray, "2 3"]
    side: int
    """Of the picture, in pixels."""


def body_crop(points: Keypoints, *, side: int) -> Crop:
    """The crop of a person: the box of all known keypoints in the middle, its longer side three quarters of the crop.

    Raises:
        InputError: fewer than two keypoints are known.

    Source: released system of paper A; there the box holds unknown keypoints, too.
    """
    known = points[points[:, 2] > 0, :2]
    if len(known) < 2:
        raise InputError("bodies.skeleton", "at least two keypoints must be known", got=str(len(known)))
    low, high = known.min(0), known.max(0)
    scale = BODY_SHARE * side / max(float((high - low).max()), 1.0)
    shift = side / 2 - scale * (low + high) / 2
    return Crop(picture_from_frame=np.array([[scale, 0, shift[0]], [0, scale, shift[1]]]), side=side)


def skeleton_picture(points: Keypoints, crop: Crop) -> Float32[np.ndarray, "3 S S"]:
    """Keypoints as coloured squares with coloured limbs over them on black, -1…1.

    A score below 1 darkens by up to three quarters, a limb takes the lower score of its ends; what is unknown, or
    whose square leaves the picture, is left out. Sizes scale with the picture (7 and 3 pixels at a side of 256).

    Source: released system of paper A.
    """
    side = crop.side
    m = crop.picture_from_frame
    at = points[:, :2] @ m[:, :2].T + m[:, 2]
    half = max(1, round(3 * side / 256))
    thick = max(1, round(3 * side / 256))
    inside = (points[:, 2] > 0) & (at >= half).all(1) & (at < side - half).all(1)
    bright = 0.25 + 0.75 * np.minimum(points[:, 2], 1)
    picture = np.zeros((side, side, 3), np.float32)
    spots = np.round(at).astype(int)
    for k in np.flatnonzero(inside):
        x, y = spots[k]
        picture[y - half : y + half + 1, x - half : x + half + 1] = COLOURS[k] * bright[k]
    for a, b in LIMB_PAIRS:
        if inside[a] and inside[b]:
            colour = (COLOURS[a] + COLOURS[b]) / 2 * min(bright[a], bright[b])
            cv2.line(picture, _point(spots[a]), _point(spots[b]), colour.tolist(), thick)
    return (picture / 127.5 - 1).transpose(2, 0, 1)


def _point(spot: NDArray[np.int64]) -> tuple[int, int]:
    return int(spot[0]), int(spot[1])
