"""What a camera does, judged by how far its homographies move the frame."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from polytempo.camera.path import CameraKind
from polytempo.camera.warp import moved_points


def camera_kind(
    common_from_frame: Float64[np.ndarray, "T 3 3"],
    size: tuple[int, int],
    *,
    static_px: float = 1e-6,
    shake_share: float = 0.15,
) -> CameraKind:
    """Name the camera's motion.

    Args:
        common_from_frame: Homographies to a common plane.
        size: ``(width, height)`` of the frames.
        static_px: Typical motion up to which the camera stands still; single frames may move three times as far.
        shake_share: Way of the frame's middle, as a share of the frame's width, up to which the motion is a shake.
    """
    first = np.linalg.inv(common_from_frame[len(common_from_frame) // 2])
    motion = mean_motion(first @ common_from_frame, size)
    if np.median(motion) <= static_px and motion.max() <= 3 * static_px:
        return "static"
    middle = np.array([[(size[0] - 1) / 2, (size[1] - 1) / 2]])
    centres = np.concatenate([moved_points(middle, homography) for homography in common_from_frame])
    return "stabilised" if np.ptp(centres, axis=0).max() <= shake_share * size[0] else "panning"


def mean_motion(common_from_frame: Float64[np.ndarray, "T 3 3"], size: tuple[int, int]) -> Float64[np.ndarray, " T"]:
    """Root mean square distance, over the frame, between a pixel and where its homography takes it."""
    grid = np.stack(np.meshgrid(np.linspace(0, size[0] - 1, 7), np.linspace(0, size[1] - 1, 5)), -1).reshape(-1, 2)
    return np.array([np.sqrt(((moved_points(grid, h) - grid) ** 2).sum(1).mean()) for h in common_from_frame])
