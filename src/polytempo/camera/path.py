"""The camera's motion as one homography a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray

CameraKind = Literal["static", "stabilised", "panning"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CameraPath:
    """Where each frame lies on the common canvas.

    ``canvas_from_frame[t]`` takes pixels ``(x, y, 1)`` of frame ``t`` (x right, y down, centres at whole numbers) to
    canvas pixels; the canvas's offset is part of it, so the canvas starts at ``(0, 0)``.
    """

    canvas_from_frame: Float64[np.ndarray, "T 3 3"]
    canvas_size: tuple[int, int]
    """``(width, height)`` in pixels."""
    frame_size: tuple[int, int]
    """``(width, height)`` in pixels."""
    kind: CameraKind
    residual_px: Float64[np.ndarray, " T"]
    """Median transfer error of the matched points per frame, in pixels of ``frame_size``; 0 for a static camera."""
    warnings: tuple[str, ...] = ()
    """What the homographies do not explain, in a sentence each."""

    def scaled(self, frame_size: tuple[int, int]) -> CameraPath:
        """Give the same path for frames of another size (same aspect to within a pixel); canvas scales alike."""
        sx, sy = frame_size[0] / self.frame_size[0], frame_size[1] / self.frame_size[1]
        # Pixel centres are whole numbers, so scaling is about (-0.5, -0.5).
        scale = np.array([[sx, 0, (sx - 1) / 2], [0, sy, (sy - 1) / 2], [0, 0, 1.0]])
        moved = scale @ self.canvas_from_frame @ np.linalg.inv(scale)
        width, height = self.canvas_size
        return CameraPath(
            canvas_from_frame=moved / moved[:, 2:, 2:],
            canvas_size=(max(round(width * sx), frame_size[0]), max(round(height * sy), frame_size[1])),
            frame_size=frame_size,
            kind=self.kind,
            residual_px=self.residual_px * (sx + sy) / 2,
            warnings=self.warnings,
        )

    def frame_from_frame(self, target: int, source: int) -> NDArray[np.float64]:
        """Homography ``[3, 3]`` that takes pixels of frame ``source`` to where the camera shows them in ``target``."""
        return np.linalg.inv(self.canvas_from_frame[target]) @ self.canvas_from_frame[source]


def static_path(n_frames: int, frame_size: tuple[int, int]) -> CameraPath:
    """Give the path of a camera that does not move."""
    return CameraPath(
        canvas_from_frame=np.tile(np.eye(3), (n_frames, 1, 1)),
        canvas_size=frame_size,
        frame_size=frame_size,
        kind="static",
        residual_px=np.zeros(n_frames),
    )
