"""What a pixel costs each subject by its likest pixel of another frame, around the place that flow leads to."""

from __future__ import annotations

import math
from typing import no_type_check

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numba import njit
from numpy.typing import NDArray


def match_cost(
    lab: UInt8[np.ndarray, "H W 3"],
    source_lab: UInt8[np.ndarray, "H W 3"],
    believed: Float32[np.ndarray, "H W K"],
    there: Float32[np.ndarray, "H W 2"],
    body: Bool[np.ndarray, "H W"],
    *,
    colour: float,
    shift_px: float,
    unlike: float,
) -> Float32[np.ndarray, "H W K"]:
    """Cost of the likest pixel of each subject in another frame, around where flow leads.

    Args:
        lab: This frame in 8-bit Lab.
        source_lab: The other.
        believed: Cost of each subject in the other, infinite where nobody is.
        there: Flow on this frame into the other, in pixels.
        body: Where it is asked; ``unlike`` elsewhere.
        colour: Difference in Lab units that costs 1; lightness counts half, chroma one and a half times.
        shift_px: Distance that costs 1.
        unlike: Largest cost.
    """
    soft, source_soft = (cv2.GaussianBlur(one.astype(np.float32), (0, 0), 0.6) for one in (lab, source_lab))
    reach = max(2, math.ceil(shift_px * math.sqrt(unlike)))  # beyond it distance alone costs more
    return _matches(
        np.ascontiguousarray(soft), np.ascontiguousarray(source_soft), np.ascontiguousarray(believed),
        np.ascontiguousarray(there), np.ascontiguousarray(body), reach, 1 / colour**2, 1 / shift_px**2, unlike,
    )  # fmt: skip


@njit(cache=True, nogil=True)
@no_type_check  # the checked form cannot be compiled
def _matches(
    lab: NDArray[np.float32],
    source: NDArray[np.float32],
    believed: NDArray[np.float32],
    there: NDArray[np.float32],
    body: NDArray[np.bool_],
    reach: int,
    per_colour: float,
    per_shift: float,
    unlike: float,
) -> NDArray[np.float32]:
    height, width, n_subjects = believed.shape
    out = np.full((height, width, n_subjects), np.float32(unlike), np.float32)
    for y in range(height):
        for x in range(width):
            if not body[y, x]:
                continue
            to_x, to_y = int(np.rint(x + there[y, x, 0])), int(np.rint(y + there[y, x, 1]))
            for dy in range(-reach, reach + 1):
                for dx in range(-reach, reach + 1):
                    away = dx * dx + dy * dy
                    sx, sy = to_x + dx, to_y + dy
                    if away > reach * reach or sx < 0 or sy < 0 or sx >= width or sy >= height:
                        continue
                    a = lab[y, x, 0] - source[sy, sx, 0]
                    b = lab[y, x, 1] - source[sy, sx, 1]
                    c = lab[y, x, 2] - source[sy, sx, 2]
                    cost = (0.5 * a * a + 1.5 * b * b + 1.5 * c * c) * per_colour + away * per_shift
                    if cost >= unlike:
                        continue
                    for k in range(n_subjects):
                        out[y, x, k] = min(out[y, x, k], cost + believed[sy, sx, k])
    return out
