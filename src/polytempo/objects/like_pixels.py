"""What a pixel costs each subject by the pixels of another frame that are like it, around where flow leads.

How like the likest is tells how far to believe it; whose it is, all of them tell by their shares. An arm is alike all
along: by the likest pixel of each subject alone, a few wrong ones on it made all of it as much one's as another's.
"""

from __future__ import annotations

import math
from typing import no_type_check

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numba import njit
from numpy.typing import NDArray

SHARP = 2.0
"""How much more the likest pixels count: their weight is the exponential of minus so many times what they cost."""


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
    """Cost of each subject by the like pixels of another frame, around where flow leads.

    Args:
        lab: This frame in 8-bit Lab.
        source_lab: The other.
        believed: Cost of each subject in the other, infinite where nobody is.
        there: Flow on this frame into the other, in pixels.
        body: Where it is asked; ``unlike`` elsewhere.
        colour: Difference in Lab units that costs 1; lightness counts half, chroma one and a half times.
        shift_px: Distance that costs 1.
        unlike: Largest cost.

    Returns:
        What the likest pixel costs, and beside it the negative log of each subject's share of all that are like.
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
    held = np.exp(-believed)
    total = np.zeros(n_subjects, np.float32)
    for y in range(height):
        for x in range(width):
            if not body[y, x]:
                continue
            to_x, to_y = int(np.rint(x + there[y, x, 0])), int(np.rint(y + there[y, x, 1]))
            total[:] = 0
            least = unlike
            for dy in range(-reach, reach + 1):
                for dx in range(-reach, reach + 1):
                    away = dx * dx + dy * dy
                    sx, sy = to_x + dx, to_y + dy
                    if away > reach * reach or sx < 0 or sy < 0 or sx >= width or sy >= height:
                        continue
                    anybody = held[sy, sx].sum()
                    if anybody == 0:
                        continue
                    a = lab[y, x, 0] - source[sy, sx, 0]
                    b = lab[y, x, 1] - source[sy, sx, 1]
                    c = lab[y, x, 2] - source[sy, sx, 2]
                    cost = (0.5 * a * a + 1.5 * b * b + 1.5 * c * c) * per_colour + away * per_shift
                    if cost >= unlike:
                        continue
                    least = min(least, cost)
                    weight = np.exp(-SHARP * cost)
                    for k in range(n_subjects):
                        total[k] += weight * held[sy, sx, k] / anybody
            everything = total.sum()
            if everything > 0:
                for k in range(n_subjects):
                    if total[k] > 0:
                        out[y, x, k] = min(out[y, x, k], least - np.log(total[k] / everything))
    return out
