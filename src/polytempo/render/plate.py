"""The background as the camera sees it in each frame."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from polytempo.layers.stack import LayerStack
from polytempo.render.compose import enlarged, opaque, reduced, reduction, small_from_large, whole_shift

LARGE_CANVAS = 1_500_000
"""Pixels of a canvas up to which it is kept four times as large on a side (72 MB), beyond it twice."""


class PlateView:
    """Gives the plate of any frame; keeps the last one, so that a camera at rest costs nothing.

    The clean plate on the canvas is enlarged once by a cubic kernel and sampled linearly for each frame, which is as
    good as sampling with the cubic kernel and takes a quarter of the time; its edge pixels are continued outwards. The
    picture is multiplied by the frame's exposure where the background has one.
    """

    def __init__(self, stack: LayerStack) -> None:
        self._colour = np.ascontiguousarray(stack.background.colour)
        self._camera = stack.camera
        self._factor = 4 if self._colour.shape[0] * self._colour.shape[1] <= LARGE_CANVAS else 2
        self._large: UInt8[np.ndarray, "H W 3"] | None = None
        self._exposure = stack.background.exposure
        self._key = b""
        self._kept = opaque(self._colour[:1, :1])

    def frame(
        self, index: int, *, canvas_from_view: Float64[np.ndarray, "3 3"] | None = None
    ) -> UInt8[np.ndarray, "H W 4"]:
        """The plate at the time of frame ``index``, opaque; a picture of its own that may be written to.

        Args:
            index: Frame whose exposure is taken.
            canvas_from_view: Of the camera that looks; that frame's own when left out.
        """
        matrix = self._camera.canvas_from_frame[index] if canvas_from_view is None else canvas_from_view
        gain = None if self._exposure is None else self._exposure[index]
        key = matrix.tobytes() + (b"" if gain is None else gain.tobytes())
        if key != self._key:
            self._kept, self._key = opaque(np.ascontiguousarray(self._projected(matrix, gain))), key
        return self._kept.copy()

    def _projected(self, canvas_from_frame: Any, gain: Any) -> UInt8[np.ndarray, "H W 3"]:
        width, height = self._camera.frame_size
        shift = whole_shift(canvas_from_frame)
        canvas_height, canvas_width = self._colour.shape[:2]
        if (
            shift is not None
            and min(shift) >= 0
            and shift[0] + width <= canvas_width
            and shift[1] + height <= canvas_height
        ):
            plate = self._colour[shift[1] : shift[1] + height, shift[0] : shift[0] + width]
        else:
            scale = reduction(np.linalg.inv(canvas_from_frame), self._camera.canvas_size)
            if scale < 1:  # seen from farther away: averaged first, so that nothing flickers
                sampled, from_canvas = reduced(self._colour, scale)
            else:
                if self._large is None:
                    self._large = enlarged(self._colour, self._factor)
                sampled, from_canvas = self._large, np.linalg.inv(small_from_large(self._factor))
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            plate = np.asarray(
                cv2.warpPerspective(
                    sampled,
                    from_canvas @ canvas_from_frame,
                    (width, height),
                    flags=flags,
                    borderMode=cv2.BORDER_REPLICATE,
                )
            )
        if gain is None or bool((gain == 1).all()):
            return plate
        levels = np.arange(256, dtype=np.float32)[:, None] * gain
        table = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
        return np.asarray(cv2.LUT(np.ascontiguousarray(plate), table[None]))
