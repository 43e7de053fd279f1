"""Points that two frames share, and the homography most of them agree on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from polytempo.camera.warp import frame_corners, moved_points

DETECT_WIDTH_PX = 288
"""Width at which points are looked for."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Features:
    """Distinct points of one frame."""

    points: Float32[np.ndarray, "N 2"]
    """``(x, y)`` in pixels."""
    descriptors: Float32[np.ndarray, "N 128"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Pairing:
    """Points of two frames that belong together, under one homography but for the outliers."""

    source: int
    target: int
    source_points: Float64[np.ndarray, "N 2"]
    target_points: Float64[np.ndarray, "N 2"]
    inlier: Bool[np.ndarray, " N"]
    target_from_source: Float64[np.ndarray, "3 3"]


def detect_features(
    grey: UInt8[np.ndarray, "H W"], *, ignore: Bool[np.ndarray, "H W"] | None, n_features: int
) -> Features:
    """SIFT points of a grey frame, spread over the frame, none inside ``ignore``.

    Frames wider than ``DETECT_WIDTH_PX`` are shrunk to it: SIFT doubles its picture first, and where the points lie to
    a tenth of a pixel is settled on the pictures later.
    """
    height, width = grey.shape
    shrink = min(1.0, DETECT_WIDTH_PX / width)
    size = (max(round(width * shrink), 1), max(round(height * shrink), 1))
    small: Any = grey if size == (width, height) else cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    keep: Any = None if ignore is None else (~ignore).astype(np.uint8)
    if keep is not None and size != (width, height):
        keep = cv2.resize(keep, size, interpolation=cv2.INTER_NEAREST)
    opencv: Any = cv2  # its stubs lack SIFT
    sift = opencv.SIFT_create(nfeatures=2 * n_features, contrastThreshold=0.015, edgeThreshold=12)
    found, descriptors = sift.detectAndCompute(small, keep)
    if descriptors is None or len(found) == 0:
        return Features(points=np.zeros((0, 2), np.float32), descriptors=np.zeros((0, 128), np.float32))
    enlarge = np.array([width / size[0], height / size[1]])
    points = ((np.array([point.pt for point in found]) + 0.5) * enlarge - 0.5).astype(np.float32)
    strength = np.array([point.response for point in found], np.float32)
    chosen = _spread(points, strength, size=(width, height), n_features=n_features)
    # The root of a normalised histogram compares better than the histogram (Arandjelovic and Zisserman, 2012).
    roots = np.sqrt(descriptors[chosen] / np.maximum(descriptors[chosen].sum(1, keepdims=True), 1e-6))
    return Features(points=points[chosen], descriptors=roots.astype(np.float32))


def pair_features(
    a: Features, b: Features, *, source: int, target: int, size: tuple[int, int], threshold_px: float, n_least: int
) -> Pairing | None:
    """Match two frames and fit one homography with MAGSAC.

    Args:
        a: Points of frame ``source``.
        b: Points of frame ``target``.
        source: Frame number.
        target: Frame number.
        size: ``(width, height)`` of both frames.
        threshold_px: Largest distance of an inlier.
        n_least: Inliers below which the pair is not believed.

    Returns:
        None where the frames share too little, or where the fit would be no view of the same plane.
    """
    if min(len(a.points), len(b.points)) < n_least:
        return None
    likeness = a.descriptors @ b.descriptors.T
    best = likeness.argmax(1)
    rows = np.arange(len(best))
    top = likeness[rows, best].copy()
    mutual = likeness.argmax(0)[best] == rows
    likeness[rows, best] = -1
    # Lowe's ratio test on distances, with |a - b|^2 = 2 - 2 a.b
    clear = (2 - 2 * top) < 0.8**2 * (2 - 2 * likeness.max(1))
    chosen = np.nonzero(mutual & clear)[0]
    if len(chosen) < n_least:
        return None
    from_points = a.points[chosen].astype(np.float64)
    to_points = b.points[best[chosen]].astype(np.float64)
    found: Any = cv2.findHomography(
        from_points, to_points, cv2.USAC_MAGSAC, threshold_px, maxIters=4000, confidence=0.9999
    )
    if found[0] is None:
        return None
    fit = np.asarray(found[0], np.float64)
    if not is_plausible(fit, size):
        return None
    distance = np.linalg.norm(moved_points(from_points, fit) - to_points, axis=1)
    inlier = distance < 1.5 * threshold_px
    if inlier.sum() < max(n_least, 0.2 * len(chosen)):
        return None
    return Pairing(
        source=source,
        target=target,
        source_points=from_points,
        target_points=to_points,
        inlier=inlier,
        target_from_source=fit,
    )


def is_plausible(b_from_a: Float64[np.ndarray, "3 3"], size: tuple[int, int], *, most_area: float = 4.0) -> bool:
    """True when a frame stays a convex, unflipped quadrangle of a similar area (times or by ``most_area``)."""
    corners = frame_corners(size)
    depth = np.c_[corners, np.ones(4)] @ b_from_a[2]
    if not np.isfinite(b_from_a).all() or depth.min() * depth.max() <= 0:
        return False
    moved = moved_points(corners, b_from_a)
    sides = np.roll(moved, -1, axis=0) - moved
    turns = sides[:, 0] * np.roll(sides, -1, axis=0)[:, 1] - sides[:, 1] * np.roll(sides, -1, axis=0)[:, 0]
    x, y = moved.T
    area = 0.5 * (x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / ((size[0] - 1) * (size[1] - 1))
    return bool(turns.min() > 0 and 1 / most_area < area < most_area)


def _spread(
    points: Float32[np.ndarray, "N 2"], strength: Float32[np.ndarray, " N"], *, size: tuple[int, int], n_features: int
) -> np.ndarray:
    """Indices of strong points with no part of the frame taking more than a few shares of them."""
    columns, rows = 8, 5
    cell = np.minimum((points[:, 0] * columns / size[0]).astype(int), columns - 1) + columns * np.minimum(
        (points[:, 1] * rows / size[1]).astype(int), rows - 1
    )
    by_strength = np.argsort(-strength, kind="stable")
    rank = np.empty(len(points), int)
    for index in range(columns * rows):
        members = by_strength[cell[by_strength] == index]
        rank[members] = np.arange(len(members))
    return np.argsort(rank, kind="stable")[:n_features]
