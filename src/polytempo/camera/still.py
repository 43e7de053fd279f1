"""Whether a camera that seems to move a little stands still: lights that wander drag features and pictures along."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from jaxtyping import Bool, Float64, UInt8
from numpy.typing import NDArray

from polytempo.camera.align import grey_plate
from polytempo.camera.kind import mean_motion
from polytempo.camera.path import CameraPath

DOUBTFUL_PX = 3.0
"""Largest typical motion, at working size, that light could feign; more is believed."""
NEARLY = 0.05
"""Share by which a still camera may explain the clip worse."""
STEEP_SHARE = 0.2
"""Share of the picture at which frames are compared: a plain wall looks the same from everywhere."""
BORDER_PX = 3


def stands_still(
    greys: Sequence[UInt8[np.ndarray, "H W"]],
    masks: Sequence[Bool[np.ndarray, "H W"] | None],
    common_from_frame: Float64[np.ndarray, "T 3 3"],
    *,
    on_canvas: Callable[[NDArray[np.float64]], CameraPath],
) -> bool:
    """Whether no motion explains the frames as well as a small one that was found, or nearly so.

    Args:
        greys: Frames.
        masks: What moves of its own accord.
        common_from_frame: What was found; one frame is where it is.
        on_canvas: Gives the path on a canvas that holds all frames.

    Source: ours, decision 0025.
    """
    height, width = greys[0].shape
    if np.median(mean_motion(common_from_frame, (width, height))) > DOUBTFUL_PX:
        return False
    still = np.tile(np.eye(3), (len(greys), 1, 1))
    moved = plate_error(greys, masks, on_canvas(common_from_frame))
    return plate_error(greys, masks, on_canvas(still)) <= (1 + NEARLY) * moved


def plate_error(
    greys: Sequence[UInt8[np.ndarray, "H W"]], masks: Sequence[Bool[np.ndarray, "H W"] | None], camera: CameraPath
) -> float:
    """How far frames are from the plate that they make together: middle difference at steep places, in grey levels.

    Each frame's brightness may differ by a constant; a mean over frames.
    """
    plate, seen = grey_plate(greys, masks, camera)
    height, width = greys[0].shape
    errors: list[float] = []
    for t, (grey, mask) in enumerate(zip(greys, masks, strict=True)):
        back = np.linalg.inv(camera.canvas_from_frame[t])
        view = np.asarray(cv2.warpPerspective(plate, back, (width, height), flags=cv2.INTER_CUBIC))
        usable = np.asarray(cv2.warpPerspective(seen.astype(np.float32), back, (width, height))) > 0.99
        usable[:BORDER_PX] = usable[-BORDER_PX:] = False
        usable[:, :BORDER_PX] = usable[:, -BORDER_PX:] = False
        if mask is not None:
            usable &= ~mask
        if not usable.any():
            continue
        down, across = np.gradient(view)
        steep = np.abs(down) + np.abs(across)
        usable &= steep >= np.quantile(steep[usable], 1 - STEEP_SHARE)
        error = (view - grey)[usable]
        errors.append(float(np.median(np.abs(error - np.median(error)))))
    return float(np.mean(errors)) if errors else 0.0
