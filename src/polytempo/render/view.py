"""Which frames of the clip an output moment takes its background and its camera from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from jaxtyping import Float64

from polytempo.camera.path import CameraPath
from polytempo.camera.warp import frame_corners, moved_points
from polytempo.core.errors import InputError
from polytempo.edit.camera import CameraKey, Whole, key_at, shown_from_base
from polytempo.edit.edl import Edl, Framing, Locked
from polytempo.edit.timemap import TimeMap
from polytempo.video.clip import Clip

NEAR = Fraction(1, 100)
"""Shares of a frame below which a moment counts as a frame's own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """Background and camera of an output moment."""

    background_frame: int
    """Frame of the clip whose live background and exposure are shown."""
    camera_frame: int
    """Frame of the clip whose camera looks."""
    whole: bool = False
    """Whether it takes in the whole scene instead."""
    key: CameraKey | None = None
    """How the camera is moved over that."""

    def canvas_from_view(self, camera: CameraPath) -> Float64[np.ndarray, "3 3"]:
        """Homography from the view's pixels to the canvas."""
        base = camera.canvas_from_frame[self.camera_frame]
        if self.whole:
            canvas, frame = np.array(camera.canvas_size, float), np.array(camera.frame_size, float)
            size = float((canvas / frame).max())
            corner = (canvas - 1) / 2 - size * (frame - 1) / 2
            base = np.array([[size, 0, corner[0]], [0, size, corner[1]], [0, 0, 1]])
        if self.key is None:
            return base
        return base @ np.linalg.inv(shown_from_base(self.key, camera.frame_size))


def view_at(edl: Edl, clip: Clip, time: Fraction) -> View:
    """Background and camera at an output time.

    A camera that frames an instance keeps to the background's time while the instance is hidden.
    """
    clock = time if edl.clock is None else edl.clock.at(time)
    background = source_frame(clip, time if clock is None else clock)
    match edl.camera:
        case Locked(at=at):
            camera = source_frame(clip, at)
        case Framing(instance=name):
            source = shown_at(edl.instance(name).time_map, clip, time)
            camera = background if source is None else source_frame(clip, source)
        case _:
            camera = background
    key = key_at(edl.camera_path, time) if edl.camera_path else None
    return View(background_frame=background, camera_frame=camera, whole=isinstance(edl.camera, Whole), key=key)


def require_scene_in_view(camera: CameraPath, edl: Edl, clip: Clip, times: Sequence[Fraction]) -> None:
    """Refuse a camera that is moved so far that nothing of the scene is left in view.

    Raises:
        InputError: at the first such moment.
    """
    if not edl.camera_path:
        return
    scene = frame_corners(camera.canvas_size).astype(np.float32)
    for time in times:
        view = view_at(edl, clip, time).canvas_from_view(camera)
        corners = moved_points(frame_corners(camera.frame_size), view).astype(np.float32)
        if not np.isfinite(corners).all() or cv2.intersectConvexConvex(corners, scene)[0] <= 0:
            raise InputError(
                "render.view",
                "the camera must have some of the scene in view",
                got=f"none of it at {float(time):.3g} s",
                todo="Move it less",
            )


def shown_at(time_map: TimeMap, clip: Clip, time: Fraction) -> Fraction | None:
    """Source time that a map shows at an output time; None where it is hidden.

    Whether it is hidden is asked where the frame counts as begun (``source_frame``), so that a rounded time of a frame
    does not hide it one frame too long.
    """
    begun = time_map.at(time + _early(clip))
    now = time_map.at(time)
    return begun if begun is None or now is None else now


def source_frame(clip: Clip, time: Fraction) -> int:
    """Frame of the clip on screen at a source time.

    Times of frames are rounded to ticks of the clip's time base, while an edit's times are exact: ten frames at
    30 a second are a third of a second and no whole number of milliseconds. So where ticks do not divide a frame
    evenly, a frame counts as begun one tick early.
    """
    return clip.frame_at(time + _early(clip))


def _early(clip: Clip) -> Fraction:
    ticks = 1 / (clip.frame_rate * clip.time_base)
    return Fraction(0) if ticks.denominator == 1 else min(clip.time_base, 1 / (4 * clip.frame_rate))


def source_place(clip: Clip, time: Fraction) -> tuple[int, float]:
    """Frame on screen at a source time, and the share 0…1 of the way to the next that has gone by."""
    frame = source_frame(clip, time)
    if frame + 1 >= clip.n_frames:
        return frame, 0.0
    start = clip.time_of(frame)
    share = (time - start) / (clip.time_of(frame + 1) - start)
    if share < NEAR:
        return frame, 0.0
    return (frame + 1, 0.0) if share > 1 - NEAR else (frame, float(share))
