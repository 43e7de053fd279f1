"""Places that the clip never shows: where they are in a camera's view, and how they are marked."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, UInt8

from polytempo.camera.warp import canvas_in_frame
from polytempo.layers.stack import LayerStack

MARK = np.array((224, 66, 160), np.uint8)
"""A colour that is rare in pictures."""
STRIPE_PX = 8


class Unseen:
    """Knows which pixels of a view show background that was filled in; keeps the last view."""

    def __init__(self, stack: LayerStack) -> None:
        self._never = (stack.background.coverage == 0).astype(np.uint8)
        self._camera = stack.camera
        self._key = b""
        self._kept: Bool[np.ndarray, "H W"] | None = None

    def pixels(self, camera_frame: int) -> Bool[np.ndarray, "H W"]:
        """Pixels of the view of a frame's camera that the clip never shows bare; not to be written to."""
        key = self._camera.canvas_from_frame[camera_frame].tobytes()
        if self._kept is None or key != self._key:
            seen = canvas_in_frame(self._never, self._camera, camera_frame, interpolation="nearest")
            self._kept, self._key = seen > 0, key
        return self._kept

    def mark(self, plate: UInt8[np.ndarray, "H W 4"], camera_frame: int) -> None:
        """Hatch such pixels in place."""
        pixels = self.pixels(camera_frame)
        rows, columns = np.nonzero(pixels)
        striped = (rows + columns) // STRIPE_PX % 2 == 0
        plate[rows[striped], columns[striped], :3] = MARK
