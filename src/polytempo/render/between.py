"""The picture between two whose motion is known: every pixel follows it into both, in one pass over the picture."""

from __future__ import annotations

from typing import Any, no_type_check

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from numba import njit
from numpy.typing import NDArray

BORDER_PX = 2
"""Clear space around a crop that is enlarged: the reach of the kernel."""
ROUNDS = 3
"""Steps in which a pixel's motion is looked up where it leads to."""
TOLERANCE_PX = 1.0
"""Error of going there and back at which a flow is half believed; grows by a tenth of the motion."""
LANES, HALVES = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0080008000800080)
"""Four bytes side by side with room above each, and a half for each in 1/256."""

Sampled = tuple[NDArray[np.uint8], int, int, int]
"""A picture to sample from, where its first pixel lies in the box, and how many times as large it is."""


def between(
    a: UInt8[np.ndarray, "H W 4"],
    b: UInt8[np.ndarray, "H W 4"],
    forward: Float32[np.ndarray, "h w 2"],
    backward: Float32[np.ndarray, "h w 2"],
    share: float,
    sampled: tuple[Sampled, Sampled],
) -> UInt8[np.ndarray, "H W 4"]:
    """The picture between two, their motion known both ways at any size.

    Args:
        a: The first picture, premultiplied.
        b: The second.
        forward: Motion from the first to the second, in pixels of its own size.
        backward: Motion back.
        share: 0 is the first, 1 the second.
        sampled: What stands for either when it is sampled between pixels.
    """
    height, width = a.shape[:2]
    rows, columns = forward.shape[:2]
    # Motions are followed where they were found, at their own size: they are smooth, the picture is not.
    scale = np.array([width / columns, height / rows], np.float32)
    to_a, trust_a = _traced(forward, backward, share)
    to_b, trust_b = _traced(backward, forward, 1 - share)
    field = np.dstack([to_a * scale, trust_a, to_b * scale, trust_b])
    one, other = (
        (np.ascontiguousarray(picture).view(np.uint32)[..., 0], left, top, factor)
        for picture, left, top, factor in sampled
    )
    out = np.zeros_like(a)
    still, stays, into = (picture.view(np.uint32)[..., 0] for picture in (a, b, out))
    reach = int(np.ceil(np.abs(field[..., [0, 1, 3, 4]]).max())) + BORDER_PX
    _mix(still, stays, into, _spans(still, stays, reach), *one, *other, field, np.float32(share))
    return out


@njit(cache=True, nogil=True)
@no_type_check  # the checked form cannot be compiled
def _spans(a: Any, b: Any, reach: int) -> Any:  # pragma: no cover - compiled
    """First and last column, half-open, of each row to which anything of two pictures can come over a distance."""
    height, width = a.shape
    own = np.empty((height, 2), np.int64)
    for row in range(height):
        first, stop = 0, width
        while first < width and a[row, first] | b[row, first] == 0:
            first += 1
        while stop > first and a[row, stop - 1] | b[row, stop - 1] == 0:
            stop -= 1
        own[row, 0], own[row, 1] = (first, stop) if first < stop else (width, 0)
    out = np.empty_like(own)
    for row in range(height):
        near = own[max(row - reach, 0) : row + reach + 1]
        out[row, 0], out[row, 1] = max(near[:, 0].min() - reach, 0), min(near[:, 1].max() + reach, width)
    return out


@njit(cache=True, nogil=True, fastmath=True)
@no_type_check
def _mix(
    a: Any, b: Any, out: Any, spans: Any,
    one: Any, one_left: int, one_top: int, one_factor: int,
    other: Any, other_left: int, other_top: int, other_factor: int,
    field: Any, share: Any,
) -> None:  # fmt: skip  # pragma: no cover - compiled
    """All that is done for a pixel in one go: motion and trust from their own size, both samples, their mean.

    The four channels of a pixel go side by side through whole numbers with eight binary places.
    """
    height, width = a.shape
    rows, columns, n = field.shape
    line = np.empty((columns + 1, n), np.float32)
    step_y, step_x = np.float32(rows / height), np.float32(columns / width)
    unit, half, tiny, full = np.float32(1), np.float32(0.5), np.float32(1e-6), np.float32(256)
    keep = unit - share
    for row in range(height):
        if spans[row, 0] >= spans[row, 1]:
            continue
        place = min(max((np.float32(row) + half) * step_y - half, np.float32(0)), np.float32(rows - 1))
        low = min(int(place), max(rows - 2, 0))
        high, part = min(low + 1, rows - 1), place - np.float32(low)
        for k in range(columns):
            for c in range(n):
                line[k, c] = field[low, k, c] + part * (field[high, k, c] - field[low, k, c])
        for c in range(n):
            line[columns, c] = line[columns - 1, c]
        for column in range(spans[row, 0], spans[row, 1]):
            place = min(max((np.float32(column) + half) * step_x - half, np.float32(0)), np.float32(columns - 1))
            k = np.uint32(place)
            part = place - np.float32(k)
            after = np.uint32(k + np.uint32(1))
            sample_a = _sample(
                one, one_left, one_top, one_factor,
                np.float32(column) + line[k, 0] + part * (line[after, 0] - line[k, 0]),
                np.float32(row) + line[k, 1] + part * (line[after, 1] - line[k, 1]),
            )  # fmt: skip
            sample_b = _sample(
                other, other_left, other_top, other_factor,
                np.float32(column) + line[k, 3] + part * (line[after, 3] - line[k, 3]),
                np.float32(row) + line[k, 4] + part * (line[after, 4] - line[k, 4]),
            )  # fmt: skip
            still, stays = a[row, column], b[row, column]
            if sample_a | sample_b | np.uint64(still | stays) == 0:
                continue
            # Each neighbour by how near it is and how far it is believed; the doubt left over mixes them as they lie.
            trust_a, trust_b = (
                line[k, 2] + part * (line[after, 2] - line[k, 2]),
                line[k, 5] + part * (line[after, 5] - line[k, 5]),
            )
            belief = max(trust_a, trust_b)
            from_a, from_b = keep * trust_a, share * trust_b
            scale = full * belief / max(from_a + from_b, tiny)
            doubt = full * (unit - belief)
            weight_a = np.uint64(from_a * scale + half)
            weight_still = np.uint64(doubt * keep + half)
            weight_stays = np.uint64(doubt * share + half)
            rest = np.int64(256) - np.int64(weight_a + weight_still + weight_stays)
            weight_b = np.uint64(max(rest, 0))
            if rest < 0:
                weight_a = np.uint64(np.int64(weight_a) + rest)
            total = weight_a * sample_a + weight_b * sample_b + weight_still * _spread(still)
            out[row, column] = _joined(total + weight_stays * _spread(stays) + HALVES)


@njit(cache=True, nogil=True, fastmath=True)
@no_type_check
def _sample(picture: Any, left: int, top: int, factor: int, x: Any, y: Any) -> Any:  # pragma: no cover - compiled
    """Four channels at a place of the box, linearly, side by side; 0 outside the picture."""
    half = np.float32(0.5)
    x = (x - np.float32(left) + half) * np.float32(factor) - half
    y = (y - np.float32(top) + half) * np.float32(factor) - half
    height, width = picture.shape
    if x <= np.float32(-1) or y <= np.float32(-1) or x >= np.float32(width) or y >= np.float32(height):
        return np.uint64(0)
    column, row = np.int32(x + np.float32(1)) - 1, np.int32(y + np.float32(1)) - 1
    if 0 <= column < width - 1 and 0 <= row < height - 1:
        c, r = np.uint32(column), np.uint32(row)
        p, q = picture[r, c], picture[r, c + np.uint32(1)]
        s, t = picture[r + np.uint32(1), c], picture[r + np.uint32(1), c + np.uint32(1)]
    else:
        p = picture[row, column] if row >= 0 and column >= 0 else np.uint32(0)
        q = picture[row, column + 1] if row >= 0 and column + 1 < width else np.uint32(0)
        s = picture[row + 1, column] if row + 1 < height and column >= 0 else np.uint32(0)
        t = picture[row + 1, column + 1] if row + 1 < height and column + 1 < width else np.uint32(0)
    if p | q | s | t == 0:
        return np.uint64(0)
    right = np.uint64((x - np.float32(column)) * np.float32(256) + half)
    below = np.uint64((y - np.float32(row)) * np.float32(256) + half)
    above = np.uint64(256) - below
    upper = ((np.uint64(256) - right) * _spread(p) + right * _spread(q) + HALVES) >> np.uint64(8) & LANES
    lower = ((np.uint64(256) - right) * _spread(s) + right * _spread(t) + HALVES) >> np.uint64(8) & LANES
    return (above * upper + below * lower + HALVES) >> np.uint64(8) & LANES


@njit(cache=True, nogil=True)
@no_type_check
def _spread(pixel: Any) -> Any:  # pragma: no cover - compiled
    """Four bytes, each at the low end of two."""
    wide = np.uint64(pixel)
    wide = (wide | (wide << np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    return (wide | (wide << np.uint64(8))) & LANES


@njit(cache=True, nogil=True)
@no_type_check
def _joined(wide: Any) -> Any:  # pragma: no cover - compiled
    """The high byte of each two as four bytes."""
    wide = (wide >> np.uint64(8)) & LANES
    wide = (wide | (wide >> np.uint64(8))) & np.uint64(0x0000FFFF0000FFFF)
    return np.uint32((wide | (wide >> np.uint64(16))) & np.uint64(0xFFFFFFFF))


def _traced(
    there: Float32[np.ndarray, "H W 2"], back: Float32[np.ndarray, "H W 2"], share: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """From pixels of the picture between to where they are in a neighbour, and how far that is to be believed.

    ``there`` lives on the neighbour and leads to the other one, ``share`` of it lies between.
    """
    motion = there
    rows, columns = there.shape[:2]
    x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    for _ in range(ROUNDS):
        motion = cv2.remap(
            there,
            x - share * motion[..., 0],
            y - share * motion[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
    far_x, far_y = x + (1 - share) * motion[..., 0], y + (1 - share) * motion[..., 1]
    returned = cv2.remap(back, far_x, far_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    gone = motion + returned
    error = gone[..., 0] ** 2 + gone[..., 1] ** 2
    slack = TOLERANCE_PX**2 + 0.01 * (motion[..., 0] ** 2 + motion[..., 1] ** 2)
    return np.asarray(-share * motion, np.float32), np.asarray(cv2.exp(-0.5 * error / slack), np.float32)
