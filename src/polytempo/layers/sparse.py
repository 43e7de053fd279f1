"""Layer pictures as what they mostly are: nothing, and a box with something in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from polytempo.core.pictures import Pictures


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Crop:
    """The part of a layer's picture outside which alpha and colour are 0."""

    x: int
    """Column of the crop's first pixel in the whole picture."""
    y: int
    """Row of the crop's first pixel in the whole picture."""
    picture: UInt8[np.ndarray, "h w 4"]
    """Premultiplied; ``[0, 0, 4]`` when the layer is empty. Not to be written to."""


@runtime_checkable
class CroppedPictures(Pictures, Protocol):
    """Pictures that can give a frame's crop without making the whole frame."""

    def crop(self, index: int, /) -> Crop:
        """The part of one frame that is not empty."""
        ...


def crop_of_picture(picture: UInt8[np.ndarray, "H W 4"]) -> Crop:
    """Cut the box out of a whole picture that holds everything not 0; a view, not a copy."""
    # One number a pixel: light without alpha (an added reflection) counts as well.
    lit = np.ascontiguousarray(picture).view(np.uint32)[..., 0]
    rows = np.flatnonzero(lit.any(axis=1))
    if rows.size == 0:
        return Crop(x=0, y=0, picture=picture[:0, :0])
    columns = np.flatnonzero(lit[rows[0] : rows[-1] + 1].any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    return Crop(x=x, y=y, picture=picture[y : int(rows[-1]) + 1, x : int(columns[-1]) + 1])


def crop_of(pictures: Pictures, index: int) -> Crop:
    """The crop of one frame, the fast way where the pictures know one."""
    if isinstance(pictures, CroppedPictures):
        return pictures.crop(index)
    return crop_of_picture(pictures[index])
