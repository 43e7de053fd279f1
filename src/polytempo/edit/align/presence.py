"""When a subject is in view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from polytempo.camera.path import CameraPath
from polytempo.camera.warp import moved_points
from polytempo.core.errors import InputError

WHERE = "edit.align.presence"
WHOLE = 0.5
"""Share of its usual area that a subject must show to be wholly in view."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LastView:
    """Where a subject can be held."""

    frame: int
    """Frame whose picture of the subject is wholly in view."""
    stays: bool
    """Whether, held on the canvas, it is wholly in view to the end; else the camera leaves it behind."""


def last_whole_view(name: str, masks: Bool[np.ndarray, "T H W"], camera: CameraPath) -> LastView:
    """Last frame in which a subject is wholly in view and, if there is one, from which on the camera does not leave it.

    Wholly in view is who does not touch the left or right edge and is not cut off. Feet at the lower edge and heads at
    the upper do not count: many are filmed so all along.

    Args:
        name: Whose, for messages.
        masks: At the camera's frame size.
        camera: Who is held stands still on the canvas while the camera goes on.

    Raises:
        InputError: there is no such frame.
    """
    area = masks.sum(axis=(1, 2))
    seen = area > 0
    usual = float(np.median(area[seen])) if seen.any() else 0.0
    touches = masks[:, :, 0].any(axis=1) | masks[:, :, -1].any(axis=1)
    whole = np.flatnonzero(seen & ~touches & (area >= WHOLE * usual))
    if len(whole) == 0:
        raise InputError(
            WHERE, f"{name} must be wholly in view in some frame", got="none", todo="Name the moment: NAME@TIME"
        )
    lasting = [t for t in whole.tolist() if _stays(masks[t], camera, t)]
    return LastView(frame=(lasting or whole.tolist())[-1], stays=bool(lasting))


def _stays(mask: Bool[np.ndarray, "H W"], camera: CameraPath, frame: int) -> bool:
    rows, columns = np.nonzero(mask)
    box = np.array([[x, y] for x in (columns.min(), columns.max()) for y in (rows.min(), rows.max())], np.float64)
    for later in range(frame, len(camera.canvas_from_frame)):
        across = moved_points(box, camera.frame_from_frame(later, frame))[:, 0]
        if across.min() < 0 or across.max() > camera.frame_size[0] - 1:
            return False
    return True
