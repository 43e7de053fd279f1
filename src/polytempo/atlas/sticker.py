"""Stickers: a picture or words, placed in a frame or in an atlas as paint."""

from __future__ import annotations

import unicodedata

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from polytempo.core.errors import InputError

WHERE = "atlas.sticker"
FONT = "sans"
"""OpenCV's own: letters of Europe, China, Japan and Korea."""
WEIGHT = 600
"""Between regular (400) and bold (800)."""
LARGE_PX = 160
"""Height at which letters are drawn before they are made as small as asked for."""
LONGEST = 200


def text_picture(
    words: str, *, height_px: float, colour: tuple[int, int, int] = (255, 255, 255)
) -> UInt8[np.ndarray, "H W 4"]:
    """Words as a picture: straight RGBA, letters of so many pixels from the top of a capital to the foot of a g.

    Args:
        words: From left to right, in letters that need no joining; for others bring a picture.
        height_px: Height of the picture.
        colour: Of the letters.

    Raises:
        InputError: there are no words, too many, or letters that cannot be drawn; or no height to speak of.
    """
    words = unicodedata.normalize("NFC", words)
    if not words.strip() or len(words) > LONGEST:
        raise InputError(WHERE, f"words must be 1 to {LONGEST} letters", got=repr(words[:60]))
    strange = [one for one in dict.fromkeys(words) if not _can_be_drawn(one)]
    if strange:
        raise InputError(
            WHERE, "words must be of letters that can be drawn", got=repr("".join(strange)[:60]),
            todo="Place a PNG with them instead",
        )  # fmt: skip
    if not 4 <= height_px <= 4000:
        raise InputError(WHERE, "letters must be 4 to 4000 pixels high", got=f"{height_px:g}")
    large = _drawn(words)
    rows = np.flatnonzero(large.any(1))
    large = large[max(int(rows[0]) - 2, 0) : int(rows[-1]) + 3]
    size = (max(round(large.shape[1] * height_px / len(large)), 1), round(height_px))
    alpha = cv2.resize(large, size, interpolation=cv2.INTER_AREA)
    out = np.empty((*alpha.shape, 4), np.uint8)
    out[..., :3], out[..., 3] = colour, alpha
    return out


def _can_be_drawn(letter: str) -> bool:
    """Not what runs from right to left or is laid over its neighbour; the font draws what it has not as ``?``."""
    if " " <= letter <= "~":
        return True
    if unicodedata.category(letter)[0] in "CMZ" or unicodedata.bidirectional(letter) in ("R", "AL", "AN"):
        return False
    return not np.array_equal(_drawn(letter), _drawn("?"))


def _drawn(words: str) -> NDArray[np.uint8]:
    """Grey letters on black, with a margin at both sides."""
    font, margin = cv2.FontFace(FONT), LARGE_PX // 16
    _, _, width, _ = cv2.getTextSize((0, 0), words, (0, 0), font, LARGE_PX, WEIGHT)
    large = np.zeros((2 * LARGE_PX, width + 2 * margin), np.uint8)
    cv2.putText(large, words, (margin, 3 * LARGE_PX // 2), (255,), font, LARGE_PX, WEIGHT)
    return large


def sticker(
    picture: UInt8[np.ndarray, "h w 4"], size: tuple[int, int], *, x: float, y: float, width_px: float
) -> UInt8[np.ndarray, "H W 4"]:
    """A picture placed in an empty one: straight RGBA of ``size``.

    Args:
        picture: Straight RGBA.
        size: ``(width, height)`` of the frame, or of the atlas picture.
        x: Column of its left edge.
        y: Row of its upper edge.
        width_px: Its width there; its height follows.

    Raises:
        InputError: it is smaller than a pixel, or lies wholly outside.
    """
    rows, columns = picture.shape[:2]
    scale = width_px / columns
    if not 1 <= width_px <= 16 * max(size) or rows * scale < 1:
        raise InputError(WHERE, "a sticker must be a pixel wide and high, or more", got=f"{width_px:g} wide")
    if x >= size[0] or y >= size[1] or x + width_px <= 0 or y + rows * scale <= 0:
        raise InputError(
            WHERE, f"a sticker must lie in the picture of {size[0]}x{size[1]} pixels",
            got=f"{width_px:g}x{rows * scale:g} at {x:g}, {y:g}",
        )  # fmt: skip
    premultiplied = picture.astype(np.float32)
    premultiplied[..., :3] *= premultiplied[..., 3:] / 255
    if scale < 1:  # averaged first, so that nothing is skipped
        small = (max(round(columns * scale), 1), max(round(rows * scale), 1))
        premultiplied = cv2.resize(premultiplied, small, interpolation=cv2.INTER_AREA)
    step = np.array([width_px / premultiplied.shape[1], rows * scale / premultiplied.shape[0]])
    matrix = np.array([[step[0], 0, x + step[0] / 2 - 0.5], [0, step[1], y + step[1] / 2 - 0.5]])
    padded = cv2.copyMakeBorder(premultiplied, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    matrix[:, 2] -= step  # the padding lies before the first pixel
    placed = cv2.warpAffine(padded, matrix, size, flags=cv2.INTER_LINEAR)
    placed[..., :3] /= np.maximum(placed[..., 3:] / 255, 1e-6)
    return np.clip(placed + 0.5, 0, 255).astype(np.uint8)
