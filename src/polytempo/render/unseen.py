"""Places that the clip never shows: where they are in a camera's view, and how they are marked."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float64, UInt8

from polytempo.camera.warp import warp_picture
from polytempo.layers.stack import LayerStack

MARK = np.array((224, 66, 160), np.uint8)
"""A colour that is rare in pictures."""
STRIPE_PX = 8


class Unseen:
    """Knows which pixels of a view show background that was filled in; keeps the last view."""

    def __init__(self, stack: LayerStack) -> None:
        # A view may reach half a pixel beyond the canvas; what lies farther out was never seen.
        seen = (stack.background.coverage > 0).astype(np.uint8)
        self._seen = np.asarray(cv2.copyMakeBorder(seen, 1, 1, 1, 1, cv2.BORDER_REPLICATE), np.uint8)
        self._camera = stack.camera
        self._key = b""
        self._kept: Bool[np.ndarray, "H W"] | None = None

    def pixels(self, canvas_from_view: Float64[np.ndarray, "3 3"]) -> Bool[np.ndarray, "H W"]:
        """Pixels of a camera's view that the clip never shows bare; not to be written to."""
        key = canvas_from_view.tobytes()
        kept = self._kept
        if kept is None or key != self._key:
            view_from_canvas = np.linalg.inv(canvas_from_view) @ np.array([[1, 0, -1], [0, 1, -1], [0, 0, 1.0]])
            seen = warp_picture(self._seen, view_from_canvas, self._camera.frame_size, interpolation="nearest")
            kept = self._kept = seen == 0
            self._key = key
        return kept

    def mark(self, plate: UInt8[np.ndarray, "H W 4"], canvas_from_view: Float64[np.ndarray, "3 3"]) -> None:
        """Hatch such pixels in place."""
        pixels = self.pixels(canvas_from_view)
        rows, columns = np.nonzero(pixels)
        striped = (rows + columns) // STRIPE_PX % 2 == 0
        plate[rows[striped], columns[striped], :3] = MARK
