"""What lies beneath everybody in an output frame: the plate, what the moment shows of the background, and its light."""

from __future__ import annotations

import threading

import numpy as np
from jaxtyping import UInt8

from polytempo.edit.edl import Edl
from polytempo.layers.sparse import Crop, crop_of
from polytempo.layers.stack import LayerStack
from polytempo.render.compose import Movable, lay_over
from polytempo.render.light import background_relight, plate_light
from polytempo.render.plate import PlateView
from polytempo.render.showing import placed
from polytempo.render.unseen import Unseen
from polytempo.render.view import View
from polytempo.video.clip import Clip


class Ground:
    """Gives the background of any output frame. Threads may ask for several at a time; they are made one by one."""

    def __init__(self, stack: LayerStack, edl: Edl, clip: Clip, *, unseen: Unseen | None = None) -> None:
        """Ready the background of an edit; what ``unseen`` knows is hatched."""
        self._stack, self._unseen = stack, unseen
        self._plates = PlateView(stack)
        self._light_plate = plate_light(stack)
        self._light = background_relight(stack, edl.light, clip)
        self._lock = threading.Lock()  # plates, lights and marks keep what they made last

    def frame(self, view: View) -> UInt8[np.ndarray, "H W 4"]:
        """The background as a view shows it, opaque; a picture of its own that may be written to."""
        looks = view.canvas_from_view(self._stack.camera)
        live = self._live(view)
        with self._lock:
            if live is not None and _covers(live, self._stack.size):
                frame = live.picture.copy()
            else:
                frame = self._plates.frame(view.background_frame, canvas_from_view=looks)
                if live is not None:
                    if self._light_plate is not None:
                        self._light_plate(frame, view)
                    lay_over(frame, live)
            self._light(frame, view)
            if self._unseen is not None:
                self._unseen.mark(frame, looks)
        return frame

    def _live(self, view: View) -> Crop | None:
        """What the clip's own frame shows of the background at a moment."""
        if self._stack.background.live is None:
            return None
        live = Movable(crop_of(self._stack.background.live, view.background_frame))
        looks = view.canvas_from_view(self._stack.camera)
        return placed(self._stack, live, source=view.background_frame, canvas_from_view=looks)


def _covers(crop: Crop, size: tuple[int, int]) -> bool:
    return (
        (crop.x, crop.y) == (0, 0) and crop.picture.shape[1::-1] == size and bool((crop.picture[..., 3] == 255).all())
    )
