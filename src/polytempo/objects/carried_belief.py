"""How sure a way through time may be of what it carries on to the next frame.

Smoothing labels over a body adds its pixels up: a foot of two hundred pixels, each of which hardly tells, is as certain
as one of which all tell. Near a clear frame that is as well, and holds a limb that cloth hides for a moment. After
dozens of frames it makes a certainty of a guess, and the other way, which knows, is not heard.
"""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numba import njit
from numpy.typing import NDArray

GAIN = 1.5
"""How much surer a pixel may be than what is said around it, on the mean."""
MOST_SAID = 5.0
"""Nats at which what is said of a single pixel is cut."""
AROUND_PX = 8.0
"""What is said is heard from so far around, in pixels: the standard deviation in an even region."""
EDGE = 20.0
"""Step of colour, summed over 8-bit Lab, that is as far as ``AROUND_PX``."""
N_PASSES = 3
"""Times that rows and columns are gone along: more leave fewer stripes."""


def carried_belief(
    solved: Float32[np.ndarray, "H W K"],
    matched: Float32[np.ndarray, "H W K"],
    told: Float32[np.ndarray, "H W K"],
    body: Bool[np.ndarray, "H W"],
    lab: UInt8[np.ndarray, "H W 3"],
    *,
    doubt: float,
) -> Float32[np.ndarray, "H W K"]:
    """Cost of each subject as it is carried on: as solved, or as far as what is said of that region goes.

    Args:
        solved: Cost of each subject after neighbours were heard, that of the likeliest 0.
        matched: What like pixels of the frames behind say.
        told: What this frame says by itself.
        body: Where anybody is.
        lab: The frame in 8-bit Lab.
        doubt: How far it is limited, 0 (as solved) to 1.

    Source: ours; the means are those of a recursive edge-aware filter (Gastal and Oliveira, SIGGRAPH 2011).
    """
    if doubt <= 0:
        return solved
    likeliest = solved.argmin(-1)[..., None]
    lead = [np.clip(one - np.take_along_axis(one, likeliest, -1), -MOST_SAID, MOST_SAID) for one in (matched, told)]
    region = np.where(body, likeliest[..., 0] + 1, 0)
    limit = GAIN * np.maximum(region_means(lead[0] + lead[1], lab, region), 0)
    return (solved + doubt * (np.minimum(solved, limit) - solved)).astype(np.float32)


def region_means(
    values: Float32[np.ndarray, "H W C"], lab: UInt8[np.ndarray, "H W 3"], region: NDArray[np.int64]
) -> Float32[np.ndarray, "H W C"]:
    """Means over pixels of the same region and about the same colour; values as they are where ``region`` is 0.

    Args:
        values: Any.
        lab: The frame in 8-bit Lab.
        region: ``[H, W]``, numbers from 1; 0 for none.
    """
    picture = lab.astype(np.float32)
    steps = [np.abs(np.diff(picture, axis=axis)).sum(-1) for axis in (0, 1)]
    joined = [(region[1:] == region[:-1]) & (region[1:] > 0), (region[:, 1:] == region[:, :-1]) & (region[:, 1:] > 0)]
    out = np.array(values, np.float32, order="C")
    for one in range(N_PASSES):
        sigma = AROUND_PX * 3**0.5 * 2 ** (N_PASSES - one - 1) / (4**N_PASSES - 1) ** 0.5
        passes = float(np.exp(-(2**0.5) / sigma))
        down, right = (
            np.where(same, passes ** (1 + AROUND_PX / EDGE * step), 0).astype(np.float32)
            for same, step in zip(joined, steps, strict=True)
        )
        _along_rows(out, right)
        turned = np.ascontiguousarray(out.transpose(1, 0, 2))
        _along_rows(turned, np.ascontiguousarray(down.T))
        out = np.ascontiguousarray(turned.transpose(1, 0, 2))
    return out


@njit(cache=True, nogil=True)
@no_type_check  # the checked form cannot be compiled
def _along_rows(values: NDArray[np.float32], passes: NDArray[np.float32]) -> None:
    """Filter ``[H, W, C]`` along its rows, there and back, in place; ``passes`` ``[H, W - 1]``: share that goes on."""
    height, width, n_channels = values.shape
    for y in range(height):
        for x in range(1, width):
            for c in range(n_channels):
                values[y, x, c] += passes[y, x - 1] * (values[y, x - 1, c] - values[y, x, c])
        for x in range(width - 2, -1, -1):
            for c in range(n_channels):
                values[y, x, c] += passes[y, x] * (values[y, x + 1, c] - values[y, x, c])
