"""A first place for every frame: chained from frame to frame, over gaps where a frame matches nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float64

from polytempo.camera.features import Features, Pairing, pair_features
from polytempo.camera.warp import frame_corners, moved_points

LOOK_BACK = 6
"""Frames that are tried before a frame is given up for lost."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RoughPath:
    """Frames chained to frame 0."""

    common_from_frame: Float64[np.ndarray, "T 3 3"]
    pairings: tuple[Pairing, ...]
    unplaced: tuple[int, ...]
    """Frames that match none of those before them; they lie between their neighbours."""
    cuts: tuple[int, ...]
    """Frames that start afresh: they match frames after them but none before."""


def place_frames(
    features: Sequence[Features], *, size: tuple[int, int], threshold_px: float, n_least: int
) -> RoughPath:
    """Chain frames through pairs that agree on a homography.

    Args:
        features: Points of each frame.
        size: ``(width, height)``.
        threshold_px: Largest distance of an inlier.
        n_least: Inliers that a pair needs.
    """
    n_frames = len(features)
    path = np.tile(np.eye(3), (n_frames, 1, 1))
    placed = np.zeros(n_frames, np.bool_)
    placed[:1] = True
    pairings: list[Pairing] = []
    cuts: list[int] = []

    def pair(source: int, target: int) -> Pairing | None:
        return pair_features(
            features[source], features[target],
            source=source, target=target, size=size, threshold_px=threshold_px, n_least=n_least,
        )  # fmt: skip

    for t in range(1, n_frames):
        back = [s for s in range(t - 1, max(t - 1 - LOOK_BACK, -1), -1) if placed[s]]
        found = next((p for p in (pair(t, s) for s in back) if p is not None), None)
        if found is None and not placed[t - 1]:
            found = pair(t, t - 1)
            if found is not None:  # a cut: the new shot starts where the old one ended
                path[t - 1] = path[np.nonzero(placed[:t])[0][-1]]
                placed[t - 1] = True
                cuts.append(t - 1)
        if found is None:
            continue
        pairings.append(found)
        path[t] = path[found.target] @ found.target_from_source
        path[t] /= path[t, 2, 2]
        placed[t] = True
    unplaced = tuple(int(t) for t in np.nonzero(~placed)[0])
    return RoughPath(
        common_from_frame=interpolated(path, unplaced, size), pairings=tuple(pairings), unplaced=unplaced,
        cuts=tuple(cuts),
    )  # fmt: skip


def interpolated(
    path: Float64[np.ndarray, "T 3 3"], missing: Sequence[int], size: tuple[int, int]
) -> Float64[np.ndarray, "T 3 3"]:
    """Fill missing frames by moving the frame's corners evenly between the nearest known frames."""
    known = np.setdiff1d(np.arange(len(path)), np.asarray(missing, int))
    if len(missing) == 0 or len(known) == 0:
        return path
    corners = frame_corners(size)
    tracks = np.stack([moved_points(corners, path[t]) for t in known])
    filled = path.copy()
    for t in missing:
        there = np.array([[np.interp(t, known, tracks[:, n, axis]) for axis in (0, 1)] for n in range(4)])
        filled[t] = cv2.getPerspectiveTransform(corners.astype(np.float32), there.astype(np.float32))
    return filled


def from_reference(path: Float64[np.ndarray, "T 3 3"], reference: int) -> Float64[np.ndarray, "T 3 3"]:
    """The same path with one frame as the common plane."""
    moved = np.linalg.inv(path[reference]) @ path
    return moved / moved[:, 2:, 2:]
