"""The background as it is where nobody is near: what every method begins with."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool

from polytempo.camera.given_plate import GivenPlate
from polytempo.camera.path import CameraPath
from polytempo.camera.plate import CleanPlate, PlateConfig, clean_plate
from polytempo.core.discs import grown
from polytempo.core.pictures import Pictures, picture_size
from polytempo.core.progress import Report, silent
from polytempo.objects.cast import Cast

GROW_PX = 5
"""Bodies grow by this much before the clean plate is taken from what is left."""


def background_plate(
    pictures: Pictures, camera: CameraPath, cast: Cast, *, given: GivenPlate | None = None, report: Report = silent
) -> CleanPlate:
    """The closed-form background: what a warm start learns, and what says how often a place was seen bare.

    Args:
        pictures: T frames of any size of the cast's aspect.
        camera: For frames of that size.
        cast: Whose bodies are left out.
        given: The user's own clean plate, where there is one; it goes over what is found.
        report: Told as work goes on.
    """
    bodies = grown_bodies(cast, grow_px=GROW_PX)
    size = picture_size(pictures)
    if bodies.shape[1:] != (size[1], size[0]):
        larger = [cv2.resize(one.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0 for one in bodies]
        bodies = np.stack(larger)
    return clean_plate(pictures, camera, ignore=bodies, config=PlateConfig(), given=given, report=report)


def grown_bodies(cast: Cast, *, grow_px: int) -> Bool[np.ndarray, "T H W"]:
    """Every pixel at or near a visible body."""
    union = np.any([one.mask for one in cast.subjects], axis=0)
    return np.stack([grown(mask, grow_px) for mask in union])
