"""Motion as one number a frame: how high somebody is, how far along, how large, how fast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.camera.warp import moved_points
from polytempo.core.errors import InputError, ShapeError

WHERE = "edit.align.signals"
SignalKind = Literal["height", "across", "extent", "speed", "head", "feet"]
"""Centre of mass down or across the picture, the body's height, speed of the centre, uppermost or lowest tenth."""
STILL_PX = 0.5
"""Standard deviation below which a motion is noise."""
ENDS = 0.1
"""Share of a body's pixels that count as its head or its feet."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class MotionSignal:
    """A subject's motion over the source frames."""

    name: str
    kind: SignalKind
    values: Float[np.ndarray, " T"]
    """Pixels on the canvas, so that a moving camera leaves no trace (pixels a frame for speed); NaN where absent."""
    source: Literal["mattes", "keypoints"] = "mattes"
    """What it was measured on."""

    @property
    def present(self) -> Bool[np.ndarray, " T"]:
        """Where the subject is seen."""
        return np.isfinite(self.values)

    def part(self, start: int, stop: int) -> MotionSignal:
        """The same over frames ``start`` to ``stop``."""
        return replace(self, values=self.values[start:stop])

    def normalised(self, *, trend_order: int = 1) -> NDArray[np.float64]:
        """Without its trend, a polynomial, mean 0, standard deviation 1; gaps are bridged by straight lines.

        Raises:
            InputError: the subject does not move, or is seen in fewer than four frames.
        """
        frames, seen = np.arange(len(self.values), dtype=np.float64), self.present
        if seen.sum() < 4:
            raise InputError(WHERE, f"{self.name} must be seen in at least four frames", got=str(int(seen.sum())))
        trend = np.polynomial.Polynomial.fit(frames[seen], self.values[seen], trend_order)(frames)
        left = self.values - trend
        spread = float(left[seen].std())
        if spread < (STILL_PX if self.kind != "speed" else STILL_PX / 4):
            raise InputError(
                WHERE,
                f"{self.name} must move to be aligned",
                got=f"a {self.kind} that changes by {spread:.2g} px",
                todo="Choose another signal or other subjects",
            )
        return (np.interp(frames, frames[seen], left[seen]) - left[seen].mean()) / spread


def signal_from_masks(
    name: str, masks: Bool[np.ndarray, "T H W"], camera: CameraPath, *, kind: SignalKind = "height"
) -> MotionSignal:
    """Motion of a subject from its masks (amodal ones where somebody may hide it).

    Args:
        name: Whose motion it is.
        masks: At the camera's frame size.
        camera: Takes the points to the canvas.
        kind: What is followed.

    Raises:
        ShapeError: masks and camera differ in length or size.
    """
    width, height = camera.frame_size
    if masks.shape != (len(camera.canvas_from_frame), height, width):
        raise ShapeError(
            WHERE,
            "masks must be those of the camera's frames",
            got=f"{list(masks.shape)} for {len(camera.canvas_from_frame)} frames of {width}x{height}",
        )
    points = [_point_of_mask(one, kind) for one in masks]
    return _signal(name, kind, points, camera)


def signal_from_keypoints(
    name: str, keypoints: Float[np.ndarray, "T 17 3"], camera: CameraPath, *, kind: SignalKind = "height"
) -> MotionSignal:
    """Motion of a subject from its keypoints, COCO-17 ``(x, y, score)``; a score of 0 is a point that is not there.

    Raises:
        ShapeError: keypoints and camera differ in length.

    Source: paper A, Fig. 5 (the y-coordinate of the centre of mass of the tracked keypoints).
    """
    if keypoints.shape != (len(camera.canvas_from_frame), 17, 3):
        raise ShapeError(
            WHERE,
            "keypoints must be [T, 17, 3] for the camera's frames",
            got=f"{list(keypoints.shape)} for {len(camera.canvas_from_frame)} frames",
        )
    chosen = {"head": slice(0, 5), "feet": slice(15, 17)}.get(kind, slice(0, 17))
    points: list[NDArray[np.float64] | None] = []
    for frame in keypoints[:, chosen].astype(np.float64):
        there = frame[frame[:, 2] > 0, :2]
        points.append(None if len(there) == 0 else np.array([*there.mean(axis=0), np.ptp(there[:, 1])]))
    return replace(_signal(name, kind, points, camera), source="keypoints")


def _point_of_mask(mask: Bool[np.ndarray, "H W"], kind: SignalKind) -> NDArray[np.float64] | None:
    """Column and row of what is followed, and the body's height, in pixels; None for an empty mask."""
    rows, columns = np.nonzero(mask)
    if len(rows) == 0:
        return None
    high, low = int(rows[0]), int(rows[-1])  # nonzero goes row by row
    n_end = max(round(len(rows) * ENDS), 1)
    part = {"head": slice(0, n_end), "feet": slice(-n_end, None)}.get(kind, slice(None))
    return np.array([columns[part].mean(), rows[part].mean(), low - high + 1.0])


def _signal(
    name: str, kind: SignalKind, points: Sequence[NDArray[np.float64] | None], camera: CameraPath
) -> MotionSignal:
    placed = np.full((len(points), 3), np.nan)
    for t, point in enumerate(points):
        if point is not None:
            placed[t, :2] = moved_points(point[None, :2], camera.canvas_from_frame[t])[0]
            placed[t, 2] = point[2]
    match kind:
        case "across":
            values = placed[:, 0]
        case "extent":
            values = placed[:, 2]
        case "speed":
            values = np.hypot(np.gradient(placed[:, 0]), np.gradient(placed[:, 1])) if len(placed) > 1 else placed[:, 2]
        case _:
            values = placed[:, 1]
    return MotionSignal(name=name, kind=kind, values=values)
