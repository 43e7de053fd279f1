"""The plane that all frames meet on: where it starts, how large it is, and how large it may be."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from polytempo.camera.path import CameraKind, CameraPath
from polytempo.camera.warp import frame_corners, moved_points
from polytempo.core.errors import InputError

WHERE = "camera.canvas"


def canvas_path(
    common_from_frame: Float64[np.ndarray, "T 3 3"],
    *,
    frame_size: tuple[int, int],
    kind: CameraKind,
    residual_px: Float64[np.ndarray, " T"],
    warnings: tuple[str, ...] = (),
    most_pixels: float = 40e6,
) -> CameraPath:
    """Lay frames that share a plane on a canvas that just holds them all.

    Args:
        common_from_frame: Homographies to any common plane, of about the frames' scale.
        frame_size: ``(width, height)``.
        kind: What the camera does; a static one keeps the frame as its canvas.
        residual_px: Fit error per frame.
        warnings: What the fit does not explain.
        most_pixels: Largest canvas.

    Returns:
        The path with the canvas's offset baked in: whole pixels, so that the reference frame is not resampled.

    Raises:
        InputError: the canvas would be larger than ``most_pixels``, or the camera turns so far that frames cannot
            meet on one plane.
    """
    corners = frame_corners(frame_size)
    depth = np.einsum("tj,nj->tn", common_from_frame[:, 2], np.c_[corners, np.ones(4)])
    beyond = np.nonzero((depth <= 1e-3 * common_from_frame[:, 2, 2:]).any(1))[0]
    if len(beyond):
        raise InputError(
            WHERE,
            "all frames must meet on one plane",
            got=f"a camera that turns too far at frame {beyond[0]}",
            todo="Split the clip where the camera turns",
        )
    reached = np.concatenate([moved_points(corners, homography) for homography in common_from_frame])
    low = np.floor(reached.min(0) + 1e-6)
    extent = np.ceil(reached.max(0) - 1e-6) - low + 1
    if extent[0] * extent[1] > most_pixels:
        raise InputError(
            WHERE,
            f"the canvas must not exceed {most_pixels / 1e6:.0f} million pixels",
            got=f"{extent[0]:.0f}x{extent[1]:.0f} for frames of {frame_size[0]}x{frame_size[1]}",
            todo="Split the clip where the camera turns, or work at a smaller size",
        )
    offset = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1.0]])
    moved = offset @ common_from_frame
    return CameraPath(
        canvas_from_frame=moved / moved[:, 2:, 2:],
        canvas_size=(int(extent[0]), int(extent[1])),
        frame_size=frame_size,
        kind=kind,
        residual_px=residual_px,
        warnings=warnings,
    )
