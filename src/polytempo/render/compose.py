"""*Over* for pictures of bytes: fast, in place, and only where there is something to lay."""

from __future__ import annotations

from typing import Any, no_type_check

import cv2
import numpy as np
from jaxtyping import Float64, UInt8
from numba import njit, uint32
from numpy.typing import NDArray

from polytempo.core.errors import ShapeError
from polytempo.layers.sparse import Crop

EMPTY = Crop(x=0, y=0, picture=np.zeros((0, 0, 4), np.uint8))
EVEN, HALF, CARRY = uint32(0x00FF00FF), uint32(0x00800080), uint32(0x01000100)
"""Masks for two channels at once: every second byte of a pixel, a half in 1/256 for each, what ran over 255."""
BYTE = uint32(8)
HARDLY = 0.75
"""Scale below which pictures are averaged before they are sampled."""


def opaque(picture: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H W 4"]:
    """A picture without alpha as one that covers everything, to be laid on."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA), np.uint8)


def lay_over(picture: UInt8[np.ndarray, "H W 4"], crop: Crop, *, opacity: float = 1.0) -> None:
    """Lay a premultiplied crop over a premultiplied picture, in place; what is opaque stays so.

    What of the crop lies outside the picture is left out. Light beyond white is cut off.

    Args:
        picture: Written to; C-contiguous. Four bytes a pixel are one number to the machine, three are not.
        crop: Premultiplied, anywhere.
        opacity: 0…1, a factor on colour and alpha, taken to the nearest 1/255.

    Raises:
        ShapeError: the picture has no four channels of bytes, or lies scattered in memory.

    Source: Porter-Duff, *over*, rounded once; ``layers.over`` is the slow reference.
    """
    if picture.ndim != 3 or picture.shape[2] != 4 or picture.dtype != np.uint8 or not picture.flags.c_contiguous:
        raise ShapeError(
            "render.compose",
            "a picture to lay on must be contiguous uint8 [H, W, 4]",
            got=f"{picture.dtype} {picture.shape}",
        )
    height, width = picture.shape[:2]
    top, left = max(crop.y, 0), max(crop.x, 0)
    bottom, right = min(crop.y + crop.picture.shape[0], height), min(crop.x + crop.picture.shape[1], width)
    share = round(opacity * 255)
    if bottom <= top or right <= left or share <= 0:
        return
    front = np.ascontiguousarray(crop.picture[top - crop.y : bottom - crop.y, left - crop.x : right - crop.x])
    pixels = front.view(np.uint32)[..., 0]
    into = picture.reshape(-1).view(np.uint32)
    if share == 255:
        _lay(into, width, left, top, pixels)
    else:
        _lay_thinned(into, width, left, top, pixels, share)


@njit(cache=True, nogil=True)
@no_type_check  # the checked form cannot be compiled
def _lay(into: Any, width: int, left: int, top: int, pixels: Any) -> None:  # pragma: no cover - compiled
    # Rows of whole numbers without a branch: the compiler works on many pixels at once.
    for row in range(pixels.shape[0]):
        start = (top + row) * width + left
        back, front = into[start : start + pixels.shape[1]], pixels[row]
        for k in range(back.shape[0]):
            pixel, under = front[k], back[k]
            through = uint32(uint32(255) - uint32(pixel >> uint32(24)))
            even = _over_two(uint32(pixel & EVEN), uint32(under & EVEN), through)
            odd = _over_two(uint32(uint32(pixel >> BYTE) & EVEN), uint32(uint32(under >> BYTE) & EVEN), through)
            back[k] = uint32(even | uint32(odd << BYTE))


@njit(cache=True, nogil=True)
@no_type_check
def _over_two(front: Any, back: Any, through: Any) -> Any:  # pragma: no cover - compiled
    # Two channels in the two halves of a number. The product over 255, rounded: exact for all bytes.
    part = uint32(uint32(back * through) + HALF)
    part = uint32(uint32(uint32(part + uint32(uint32(part >> BYTE) & EVEN)) >> BYTE) & EVEN)
    total = uint32(front + part)
    beyond = uint32(total & CARRY)
    return uint32(uint32(total | uint32(beyond - uint32(beyond >> BYTE))) & EVEN)


@njit(cache=True, nogil=True)
@no_type_check
def _lay_thinned(
    into: Any, width: int, left: int, top: int, pixels: Any, share: int
) -> None:  # pragma: no cover - compiled
    for row in range(pixels.shape[0]):
        start = (top + row) * width + left
        for k in range(pixels.shape[1]):
            pixel = np.int64(pixels[row, k])
            if pixel == 0:
                continue
            # Everything stays in 1/255² until the end, so that there is one rounding only.
            through, under, total = 255 * 255 - (pixel >> 24) * share, np.int64(into[start + k]), np.int64(0)
            for shift in (0, 8, 16, 24):
                value = (((pixel >> shift) & 255) * share * 255 + through * ((under >> shift) & 255) + 32512) // 65025
                total |= min(value, 255) << shift
            into[start + k] = total


class Movable:
    """A crop of picture A that may be seen in other pictures; what is needed for that is worked out once.

    A shift by whole pixels moves the box and touches no pixel. Otherwise the crop is enlarged twice by a cubic kernel
    and then sampled linearly: within a decibel of sampling with the cubic kernel at once, in a quarter of the time; who
    stands still under a moving camera is enlarged once for all frames.
    """

    def __init__(self, crop: Crop) -> None:
        self.crop = crop
        self._large: NDArray[np.uint8] | None = None

    def moved(self, b_from_a: Float64[np.ndarray, "3 3"], size: tuple[int, int]) -> Crop:
        """The crop as it is seen in picture B; only its own box is computed.

        Args:
            b_from_a: Homography from A's pixels to B's.
            size: ``(width, height)`` of B; what falls outside is left out.
        """
        crop, margin = self.crop, 2  # reach of the kernels: beyond it the layer is empty
        if crop.picture.size == 0:
            return EMPTY
        shift = whole_shift(b_from_a)
        if shift is not None:
            return Crop(x=crop.x + shift[0], y=crop.y + shift[1], picture=crop.picture)
        height, width = crop.picture.shape[:2]
        left, top = crop.x - margin, crop.y - margin
        right, bottom = crop.x + width - 1 + margin, crop.y + height - 1 + margin
        corners = b_from_a @ np.array(
            [[left, right, right, left], [top, top, bottom, bottom], [1, 1, 1, 1]], np.float64
        )
        if corners[2].min() <= 1e-9:  # part of it lies behind the camera
            return EMPTY
        corners = corners[:2] / corners[2]
        low = np.maximum(np.floor(corners.min(axis=1)), 0).astype(int)
        high = np.minimum(np.ceil(corners.max(axis=1)), np.array(size) - 1).astype(int)
        if (high < low).any():
            return EMPTY
        scale = reduction(b_from_a, (2 * crop.x + width, 2 * crop.y + height))
        to_padded = np.array([[1, 0, left], [0, 1, top], [0, 0, 1.0]])
        from_box = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1.0]])
        box = (int(high[0] - low[0]) + 1, int(high[1] - low[1]) + 1)
        if scale < 1:  # seen from farther away: averaged first, so that nothing flickers
            whole = cv2.copyMakeBorder(crop.picture, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)
            small, small_from_padded = reduced(np.asarray(whole, np.uint8), scale)
            matrix = from_box @ b_from_a @ to_padded @ np.linalg.inv(small_from_padded)
            warped = cv2.warpPerspective(small, matrix, box, flags=cv2.INTER_LINEAR)
            return Crop(x=int(low[0]), y=int(low[1]), picture=np.asarray(warped, np.uint8))
        if self._large is None:
            padded = cv2.copyMakeBorder(crop.picture, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)
            self._large = enlarged(np.asarray(padded), 2)
        matrix = from_box @ b_from_a @ to_padded @ small_from_large(2)
        warped = cv2.warpPerspective(self._large, matrix, box, flags=cv2.INTER_LINEAR)
        return Crop(x=int(low[0]), y=int(low[1]), picture=np.asarray(warped, np.uint8))


def enlarged(picture: UInt8[np.ndarray, "H W C"], factor: int) -> UInt8[np.ndarray, "H2 W2 C"]:
    """A picture some times as large by a cubic kernel, its outer edges in place."""
    height, width = picture.shape[:2]
    size = (width * factor, height * factor)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def small_from_large(factor: int) -> Float64[np.ndarray, "3 3"]:
    """From pixels of an enlarged picture to pixels of the picture it was; centres lie at whole numbers in both."""
    return np.array([[1 / factor, 0, 0.5 / factor - 0.5], [0, 1 / factor, 0.5 / factor - 0.5], [0, 0, 1]])


def reduction(b_from_a: Float64[np.ndarray, "3 3"], size: tuple[int, int]) -> float:
    """Scale at which a homography shows the middle of picture A, of ``size``; 1 where it hardly makes it smaller."""
    x, y = (size[0] - 1) / 2, (size[1] - 1) / 2
    depth = b_from_a[2, 0] * x + b_from_a[2, 1] * y + b_from_a[2, 2]
    scale = float(np.sqrt(abs(np.linalg.det(b_from_a) / depth**3))) if depth else 1.0
    return scale if scale < HARDLY else 1.0


def reduced(
    picture: UInt8[np.ndarray, "H W C"], scale: float
) -> tuple[UInt8[np.ndarray, "h w C"], Float64[np.ndarray, "3 3"]]:
    """A picture averaged down to about a scale below 1, and the homography from its pixels to the small one's."""
    height, width = picture.shape[:2]
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    x, y = size[0] / width, size[1] / height
    small_from_picture = np.array([[x, 0, x / 2 - 0.5], [0, y, y / 2 - 0.5], [0, 0, 1]])
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8), small_from_picture


def whole_shift(b_from_a: Float64[np.ndarray, "3 3"]) -> tuple[int, int] | None:
    """The shift in whole pixels that a homography is, to within a thousandth of a pixel in any frame; or None."""
    matrix: NDArray[np.float64] = b_from_a / b_from_a[2, 2]
    shift = np.rint(matrix[:2, 2])
    plain = np.array([[1, 0, shift[0]], [0, 1, shift[1]], [0, 0, 1.0]])
    tolerance = np.array([[1e-7, 1e-7, 1e-3], [1e-7, 1e-7, 1e-3], [1e-10, 1e-10, 1]])
    return (int(shift[0]), int(shift[1])) if (np.abs(matrix - plain) <= tolerance).all() else None
