"""Colour for places that no frame shows."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float32
from numpy.typing import NDArray

RING_PX = 5
"""Width of the rim about a hole that a copied piece must resemble."""
MOST_DIFFERENCE = 0.12
"""Root mean square difference of the rims beyond which nothing is copied."""
REACH = 160
"""How far away a piece may be taken from, in pixels."""


def filled(colour: Float32[np.ndarray, "Hc Wc 3"], unseen: Bool[np.ndarray, "Hc Wc"]) -> Float32[np.ndarray, "Hc Wc 3"]:
    """Picture 0…1 with unseen places filled; unchanged elsewhere.

    A hole inside the picture takes a piece from nearby whose rim looks like its own, evened out to the hole's rim;
    where none fits, and at the canvas's edge, colour is carried in from around.
    """
    if not unseen.any() or unseen.all():
        return colour
    eight = np.clip(colour * 255 + 0.5, 0, 255).astype(np.uint8)
    painted: Any = cv2.inpaint(eight, unseen.astype(np.uint8), 4, cv2.INPAINT_TELEA)
    result = colour.copy()
    result[unseen] = painted[unseen].astype(np.float32) / 255
    # Neighbouring holes are filled as one: between them lie a few doubtful pixels only.
    joined: Any = cv2.morphologyEx(unseen.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    height, width = unseen.shape
    for label in range(1, count):
        left, top, box_width, box_height, area = (int(v) for v in boxes[label])
        at_edge = left == 0 or top == 0 or left + box_width == width or top + box_height == height
        if at_edge or area < 12 or box_width > width // 2 or box_height > height // 2:
            continue
        piece = _piece(colour, unseen, labels == label, (left, top, box_width, box_height))
        if piece is not None:
            hole = unseen & (labels == label)
            result[hole] = piece[hole]
    return result


def _piece(
    colour: Float32[np.ndarray, "Hc Wc 3"],
    unseen: Bool[np.ndarray, "Hc Wc"],
    hole: Bool[np.ndarray, "Hc Wc"],
    box: tuple[int, int, int, int],
) -> Float32[np.ndarray, "Hc Wc 3"] | None:
    """The picture moved so that what comes to lie in the hole fits its rim, or None."""
    height, width = unseen.shape
    left, top = max(box[0] - RING_PX, 0), max(box[1] - RING_PX, 0)
    right, bottom = min(box[0] + box[2] + RING_PX, width), min(box[1] + box[3] + RING_PX, height)
    grown: Any = cv2.dilate(hole.astype(np.uint8), np.ones((2 * RING_PX + 1, 2 * RING_PX + 1), np.uint8))
    rim = (grown > 0) & ~unseen
    whole = (grown > 0)[top:bottom, left:right].astype(np.float32)
    rim_here = rim[top:bottom, left:right].astype(np.float32)
    if rim_here.sum() < 40:
        return None
    x0, y0 = max(left - REACH, 0), max(top - REACH, 0)
    x1, y1 = min(right + REACH, width), min(bottom + REACH, height)
    near = np.ascontiguousarray(colour[y0:y1, x0:x1])
    template = np.ascontiguousarray(colour[top:bottom, left:right])
    mask = np.repeat(rim_here[..., None], 3, 2)
    difference: Any = cv2.matchTemplate(near, template, cv2.TM_SQDIFF, mask=mask)
    taken: Any = cv2.matchTemplate(unseen[y0:y1, x0:x1].astype(np.float32), whole, cv2.TM_CCORR)
    score = np.where((taken < 0.5) & np.isfinite(difference), difference, np.inf)
    best = np.unravel_index(int(score.argmin()), score.shape)
    if score[best] > 3 * rim_here.sum() * MOST_DIFFERENCE**2:
        return None
    dy, dx = y0 + int(best[0]) - top, x0 + int(best[1]) - left
    shift = np.array([[1.0, 0, -dx], [0, 1.0, -dy]])
    moved = np.asarray(cv2.warpAffine(colour, shift, (width, height), flags=cv2.INTER_NEAREST), np.float32)
    return moved + _evened((colour - moved) * rim[..., None], rim, reach=0.35 * max(box[2], box[3]))


def _evened(
    difference: Float32[np.ndarray, "H W 3"], rim: Bool[np.ndarray, "H W"], *, reach: float
) -> NDArray[np.float32]:
    """Differences at the rim, carried smoothly over the hole."""
    sigma = max(reach, 2.0)
    total: Any = cv2.GaussianBlur(difference, (0, 0), sigma)
    weight: Any = cv2.GaussianBlur(rim.astype(np.float32), (0, 0), sigma)
    return total / np.maximum(weight, 1e-6)[..., None]
