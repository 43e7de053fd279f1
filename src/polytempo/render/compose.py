"""*Over* for pictures of bytes: fast, in place, and only where there is something to lay."""

from __future__ import annotations

from typing import Any, no_type_check

import cv2
import numpy as np
from jaxtyping import Float64, UInt8
from numba import njit
from numpy.typing import NDArray

from polytempo.core.errors import ShapeError
from polytempo.layers.sparse import Crop

EMPTY = Crop(x=0, y=0, picture=np.zeros((0, 0, 4), np.uint8))


def lay_over(frame: UInt8[np.ndarray, "H W 3"], crop: Crop, *, opacity: float = 1.0) -> None:
    """Lay a premultiplied crop over an opaque frame, in place.

    What of the crop lies outside the frame is left out. Light beyond white is cut off.

    Args:
        frame: Written to; C-contiguous.
        crop: Premultiplied, anywhere.
        opacity: 0…1, a factor on colour and alpha, taken to the nearest 1/255.

    Raises:
        ShapeError: the frame has no three channels of bytes.
    """
    if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
        raise ShapeError("render.compose", "a frame must be uint8 [H, W, 3]", got=f"{frame.dtype} {frame.shape}")
    height, width = frame.shape[:2]
    top, left = max(crop.y, 0), max(crop.x, 0)
    bottom, right = min(crop.y + crop.picture.shape[0], height), min(crop.x + crop.picture.shape[1], width)
    share = round(opacity * 255)
    if bottom <= top or right <= left or share <= 0:
        return
    picture = crop.picture[top - crop.y : bottom - crop.y, left - crop.x : right - crop.x]
    # One number a pixel: empty ones, which are most of them, cost one comparison.
    pixels = np.ascontiguousarray(picture).view(np.uint32)[..., 0]
    if share == 255:
        _lay(frame[top:bottom, left:right], pixels)
    else:
        _lay_thinned(frame[top:bottom, left:right], pixels, share)


@njit(cache=True, nogil=True)
@no_type_check  # the checked form cannot be compiled
def _lay(frame: Any, pixels: Any) -> None:  # pragma: no cover - compiled
    for row in range(pixels.shape[0]):
        for column in range(pixels.shape[1]):
            pixel = np.int32(pixels[row, column])
            if pixel == 0:
                continue
            through = np.int32(255) - ((pixel >> 24) & 255)
            for channel in range(3):
                # The product over 255, rounded: exact for all bytes, and without a division.
                part = through * np.int32(frame[row, column, channel]) + np.int32(128)
                value = ((pixel >> (8 * channel)) & 255) + ((part + (part >> 8)) >> 8)
                frame[row, column, channel] = min(value, 255)


@njit(cache=True, nogil=True)
@no_type_check
def _lay_thinned(frame: Any, pixels: Any, share: int) -> None:  # pragma: no cover - compiled
    for row in range(pixels.shape[0]):
        for column in range(pixels.shape[1]):
            pixel = np.int64(pixels[row, column])
            if pixel == 0:
                continue
            # Everything stays in 1/255² until the end, so that there is one rounding only.
            through = 255 * 255 - (pixel >> 24) * share
            for channel in range(3):
                colour = (pixel >> (8 * channel)) & 255
                value = (colour * share * 255 + through * frame[row, column, channel] + 32512) // 65025
                frame[row, column, channel] = min(value, 255)


def moved(crop: Crop, b_from_a: Float64[np.ndarray, "3 3"], size: tuple[int, int]) -> Crop:
    """A crop of picture A as it is seen in picture B; only its own box is computed.

    A shift by whole pixels moves the box and touches no pixel. Otherwise the crop is enlarged twice by a cubic kernel
    and then sampled linearly: within a decibel of sampling with the cubic kernel at once, in a quarter of the time.

    Args:
        crop: Premultiplied.
        b_from_a: Homography from A's pixels to B's.
        size: ``(width, height)`` of B; what falls outside is left out.
    """
    if crop.picture.size == 0:
        return EMPTY
    shift = whole_shift(b_from_a)
    if shift is not None:
        return Crop(x=crop.x + shift[0], y=crop.y + shift[1], picture=crop.picture)
    margin = 2  # reach of the kernels: beyond it the layer is empty
    height, width = crop.picture.shape[:2]
    left, top = crop.x - margin, crop.y - margin
    right, bottom = crop.x + width - 1 + margin, crop.y + height - 1 + margin
    corners = b_from_a @ np.array([[left, right, right, left], [top, top, bottom, bottom], [1, 1, 1, 1]], np.float64)
    if corners[2].min() <= 1e-9:  # part of it lies behind the camera
        return EMPTY
    corners = corners[:2] / corners[2]
    low = np.maximum(np.floor(corners.min(axis=1)), 0).astype(int)
    high = np.minimum(np.ceil(corners.max(axis=1)), np.array(size) - 1).astype(int)
    if (high < low).any():
        return EMPTY
    padded = cv2.copyMakeBorder(crop.picture, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)
    to_padded = np.array([[1, 0, left], [0, 1, top], [0, 0, 1.0]])
    from_box = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1.0]])
    box = (int(high[0] - low[0]) + 1, int(high[1] - low[1]) + 1)
    matrix = from_box @ b_from_a @ to_padded @ small_from_large(2)
    warped = cv2.warpPerspective(enlarged(np.asarray(padded), 2), matrix, box, flags=cv2.INTER_LINEAR)
    return Crop(x=int(low[0]), y=int(low[1]), picture=np.asarray(warped, np.uint8))


def enlarged(picture: UInt8[np.ndarray, "H W C"], factor: int) -> UInt8[np.ndarray, "H2 W2 C"]:
    """A picture some times as large by a cubic kernel, its outer edges in place."""
    height, width = picture.shape[:2]
    size = (width * factor, height * factor)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def small_from_large(factor: int) -> Float64[np.ndarray, "3 3"]:
    """From pixels of an enlarged picture to pixels of the picture it was; centres lie at whole numbers in both."""
    return np.array([[1 / factor, 0, 0.5 / factor - 0.5], [0, 1 / factor, 0.5 / factor - 0.5], [0, 0, 1]])


def whole_shift(b_from_a: Float64[np.ndarray, "3 3"]) -> tuple[int, int] | None:
    """The shift in whole pixels that a homography is, to within a thousandth of a pixel in any frame; or None."""
    matrix: NDArray[np.float64] = b_from_a / b_from_a[2, 2]
    shift = np.rint(matrix[:2, 2])
    plain = np.array([[1, 0, shift[0]], [0, 1, shift[1]], [0, 0, 1.0]])
    tolerance = np.array([[1e-7, 1e-7, 1e-3], [1e-7, 1e-7, 1e-3], [1e-10, 1e-10, 1]])
    return (int(shift[0]), int(shift[1])) if (np.abs(matrix - plain) <= tolerance).all() else None
