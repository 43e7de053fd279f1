"""Places at which several things were seen show what their neighbours show.

A cushion that is pushed about, or cloth that gives way, leaves two or three states at a place, each seen about as
often. Chosen place by place they are a patchwork of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import isqrt

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8, UInt16
from numpy.typing import NDArray

from polytempo.camera.bare import bare_row

REACH = 7
"""Neighbours within so many pixels, in a square, are heard."""
TOLERANCE = 12.0
"""Grey levels, and a standard deviation, by which a sample may differ from a neighbour and show the same thing."""
LOUD = 3
"""Power of the share of neighbours, seen on a frame, that show the same thing there: the weight of that frame."""
N_ROUNDS = 3
"""Times that neighbours are asked."""
LEAST_TILE = 24
"""Smallest side in pixels of what is worked through at a time."""

Window = tuple[slice, slice]
Samples = tuple[UInt8[np.ndarray, "T h w 3"], UInt8[np.ndarray, "T h w 3"], UInt8[np.ndarray, "T h w"]]


def agreed(
    colour: Float32[np.ndarray, "Hc Wc 3"],
    noise: Float32[np.ndarray, "Hc Wc"],
    coverage: UInt16[np.ndarray, "Hc Wc"],
    several: Bool[np.ndarray, "Hc Wc"],
    samples_of: Callable[[Window], Samples],
    *,
    most_pixels: int,
    outlier_sigmas: float,
) -> None:
    """Choose the bare samples of some places anew, in place, by the frames that their neighbours agree with.

    A frame is worth more at a place, the more of what it shows around there is in the plate. All places are asked at
    once, so that neither their order nor the tiles count.

    Args:
        colour: Plate, 0…1.
        noise: Its standard deviation.
        coverage: Number of bare samples.
        several: Where several things were seen; others stay as they are.
        samples_of: Samples of a window, their 3x3 means and their weights.
        most_pixels: So many places are held at a time, about.
        outlier_sigmas: Distance in sigmas beyond which a sample is left out.

    Source: ours; that neighbours be taken from the same moment is as in photomontage (Agarwala et al. 2004).
    """
    halo = N_ROUNDS * (REACH + 1)
    out: list[tuple[Window, NDArray[np.float32], NDArray[np.float32], NDArray[np.uint16]]] = []
    for tile in _tiles(several, side=max(isqrt(most_pixels) - 2 * halo, LEAST_TILE)):
        around = _grown(tile, halo, several.shape)
        samples, calm, weight = samples_of(around)
        middle, spread, count = colour[around].copy(), noise[around].copy(), coverage[around].copy()
        asked = several[around]
        own, soft = (np.ascontiguousarray(one[:, asked].transpose(1, 0, 2)) for one in (samples, calm))
        for _ in range(N_ROUNDS):
            found = bare_row(own, soft, _heard(middle, spread, calm, weight, asked), outlier_sigmas)
            middle[asked], spread[asked], count[asked] = found[0] / 255, found[1] / 255, found[2]
        top, left = (a.start - b.start for a, b in zip(tile, around, strict=True))
        inner = np.s_[top : top + tile[0].stop - tile[0].start, left : left + tile[1].stop - tile[1].start]
        out.append((tile, middle[inner], spread[inner], count[inner]))
    for tile, middle, spread, count in out:
        colour[tile], noise[tile], coverage[tile] = middle, spread, count


def _heard(
    colour: NDArray[np.float32],
    noise: NDArray[np.float32],
    calm: NDArray[np.uint8],
    weight: NDArray[np.uint8],
    several: NDArray[np.bool_],
) -> NDArray[np.uint8]:
    """Weights ``[N, T]`` of all frames at some places, by how much of what they show around there is in the plate.

    Neighbours are places with several states, too: lit ground beside a shadow that swings is like the plate on most
    frames, and would have the shadow grow.
    """
    middle = 255 * cv2.blur(colour, (3, 3))
    slack = TOLERANCE + 255 * noise
    square = (2 * REACH + 1, 2 * REACH + 1)
    at = np.nonzero(several)
    strength = np.zeros((len(at[0]), len(calm)), np.uint8)
    for t, (shown, known) in enumerate(zip(calm, (weight > 0) & several, strict=True)):
        agrees = known & (np.abs(shown - middle).max(-1) < slack)
        share = cv2.blur(agrees.astype(np.float32), square) / np.maximum(
            cv2.blur(known.astype(np.float32), square), 1e-3
        )
        heard = weight[t][at] * np.minimum(share[at], 1) ** LOUD
        strength[:, t] = np.where(weight[t][at] > 0, np.maximum(heard, 1), 0)
    return strength


def _tiles(several: NDArray[np.bool_], *, side: int) -> Iterator[Window]:
    """Windows that hold all places that are asked, none larger than a square of ``side``."""
    height, width = several.shape
    for top in range(0, height, side):
        for left in range(0, width, side):
            ys, xs = np.nonzero(several[top : top + side, left : left + side])
            if len(ys):
                yield (
                    slice(top + int(ys.min()), top + int(ys.max()) + 1),
                    slice(left + int(xs.min()), left + int(xs.max()) + 1),
                )


def _grown(window: Window, by: int, size: tuple[int, ...]) -> Window:
    rows, columns = (
        slice(max(one.start - by, 0), min(one.stop + by, most)) for one, most in zip(window, size, strict=True)
    )
    return rows, columns
