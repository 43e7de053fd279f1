"""Keypoints in every frame: outliers out, what is hidden interpolated in time, what was put right by hand kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32
from numpy.typing import NDArray

from polytempo.bodies.keypoints import COCO_NAMES, INDEX, N_KEYPOINTS, Keypoints, KeypointTrack
from polytempo.camera.path import CameraPath
from polytempo.core.errors import InputError

WHERE = "bodies.complete"
Corrections = Mapping[int, Mapping[str, tuple[float, float] | None]]
"""Frame → keypoint name → where it really is in working pixels, or None for "nobody knows"."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CompleteConfig:
    """What of found keypoints is believed, and how far gaps are closed."""

    least_score: float = 0.05
    """Below this a keypoint counts as not found. Low on purpose: the paper drops none for a low score."""
    outlier: float = 0.12
    """A keypoint farther than this from the median of its neighbours in time, in body heights, is no keypoint."""
    window: int = 2
    """Neighbours on each side that make the median."""
    hold: int = 8
    """Frames before the first and after the last sight of a keypoint for which it moves on with the body."""
    guess_score: float = 0.2
    """Score of what was interpolated."""


def completed_track(
    found: Mapping[int, Keypoints],
    *,
    n_frames: int,
    camera: CameraPath | None = None,
    corrections: Corrections | None = None,
    config: CompleteConfig = CompleteConfig(),
) -> KeypointTrack:
    """Keypoints of one subject in every frame between its first and its last.

    Each keypoint is interpolated linearly in time where it is missing, on the camera's canvas, so that a camera that
    turns meanwhile does not bend its path. Before its first and after its last sight it goes on with the body's middle.

    Args:
        found: Keypoints by frame, in working pixels.
        n_frames: Frames of the clip.
        camera: At working size; stands still where not given.
        corrections: Keypoints put right by hand; they are believed as they are, and gaps are closed towards them.
        config: See ``CompleteConfig``.

    Raises:
        InputError: nobody found at all; a frame outside the clip or an unknown keypoint in the corrections.

    Source: LNR, Section 4.5 (linear interpolation, corrections by hand).
    """
    if not found:
        raise InputError(WHERE, "a person must be found in some frame", got="keypoints in none")
    given = np.zeros((n_frames, N_KEYPOINTS, 3), np.float64)
    for t, points in found.items():
        if not 0 <= t < n_frames:
            raise InputError(WHERE, f"frames must be 0 to {n_frames - 1}", got=f"frame {t}")
        given[t] = points
    if camera is not None:
        given[..., :2] = _moved(given[..., :2], camera.canvas_from_frame)
    given[given[..., 2] < config.least_score] = 0
    given = without_outliers(given, config=config)
    _correct(given, corrections or {}, camera)
    frames = np.flatnonzero((given[..., 2] > 0).any(1))
    middle = _middle(given)
    out = np.zeros_like(given)
    for k in range(N_KEYPOINTS):
        seen = np.flatnonzero(given[:, k, 2] > 0)
        if len(seen) == 0:
            continue
        wanted = np.arange(max(frames[0], seen[0] - config.hold), min(frames[-1], seen[-1] + config.hold) + 1)
        inside = np.clip(wanted, seen[0], seen[-1])  # beyond its ends a keypoint keeps its place on the body
        for axis in (0, 1):
            path = np.interp(inside, seen, given[seen, k, axis])
            out[wanted, k, axis] = path + middle[wanted, axis] - middle[inside, axis]
        out[wanted, k, 2] = np.where(np.isin(wanted, seen), given[wanted, k, 2], config.guess_score)
    if camera is not None:
        back = np.linalg.inv(camera.canvas_from_frame)
        out[..., :2] = np.where(out[..., 2:] > 0, _moved(out[..., :2], back), 0)
    return KeypointTrack(points=out.astype(np.float32))


def without_outliers(points: NDArray[np.float64], *, config: CompleteConfig) -> NDArray[np.float64]:
    """Points ``[T, 17, 3]`` with score 0 (and place 0) where one jumps away from its own neighbours in time.

    The body's own motion is taken off first: a runner's wrist may move far, but not far from where the frames before
    and after have it on the body.
    """
    out = points.copy()
    known = points[..., 2] > 0
    middle = _middle(points)
    height = _height(points)
    for k in range(N_KEYPOINTS):
        seen = np.flatnonzero(known[:, k])
        place = points[seen, k, :2] - middle[seen]
        for i, t in enumerate(seen):
            near = np.flatnonzero(np.abs(seen - t) <= config.window)
            if len(near) < 3:
                continue
            away = np.linalg.norm(place[i] - np.median(place[near], axis=0))
            if away > config.outlier * height:
                out[t, k] = 0
    return out


def _correct(given: NDArray[np.float64], corrections: Corrections, camera: CameraPath | None) -> None:
    for t, entries in corrections.items():
        if not 0 <= t < len(given):
            raise InputError(WHERE, f"corrections must be for frames 0 to {len(given) - 1}", got=f"frame {t}")
        for name, place in entries.items():
            if name not in INDEX:
                raise InputError(
                    WHERE, "corrections must name COCO keypoints", got=repr(name),
                    todo=f"Known are {', '.join(COCO_NAMES)}",
                )  # fmt: skip
            k = INDEX[name]
            if place is None:
                given[t, k] = 0
                continue
            at = np.array(place, np.float64)
            given[t, k, :2] = at if camera is None else _moved(at[None, None], camera.canvas_from_frame[t][None])[0, 0]
            given[t, k, 2] = 1.0


def _middle(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Middle ``[T, 2]`` of hips and shoulders, interpolated where it is unknown; 0 where nothing is known at all."""
    trunk = [INDEX[f"{side}_{joint}"] for side in ("left", "right") for joint in ("shoulder", "hip")]
    some = points[:, trunk]
    weight = (some[..., 2:] > 0).astype(np.float64)
    if not weight.any():
        some, weight = points, (points[..., 2:] > 0).astype(np.float64)
    total = weight.sum(1)
    seen = np.flatnonzero(total[:, 0] > 0)
    if len(seen) == 0:
        return np.zeros((len(points), 2))
    mean = (some[seen, :, :2] * weight[seen]).sum(1) / total[seen]
    frames = np.arange(len(points))
    return np.stack([np.interp(frames, seen, mean[:, axis]) for axis in (0, 1)], 1)


def _height(points: NDArray[np.float64]) -> float:
    """Median over frames of the longer side of the box around the known keypoints."""
    sides: list[float] = []
    for frame in points:
        known = frame[frame[:, 2] > 0]
        if len(known) >= 5:
            sides.append(float(np.ptp(known[:, :2], axis=0).max()))
    return float(np.median(sides)) if sides else 1.0


def _moved(points: Float32[np.ndarray, "T K 2"] | NDArray[np.float64], h: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points of every frame through that frame's homography."""
    return np.stack(
        [
            cv2.perspectiveTransform(np.asarray(one, np.float64)[None], matrix)[0]
            for one, matrix in zip(points, h, strict=True)
        ]
    )
