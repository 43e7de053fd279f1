"""One light level per place: a label field whose neighbours may differ only where the picture shows why.

Levels are steps of log light. Between two neighbours a difference of levels is cheap where the picture steps by just
that much in the manner of a shadow's edge, and dear where it does not; and a shadow-like step that no difference of
levels explains is dear too. Edges of material cost nothing either way.
"""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from jaxtyping import Bool, Float32
from numba import njit
from numpy.typing import NDArray


def shadow_edges(
    log_colour: Float32[np.ndarray, "H W 3"],
    direction: Float32[np.ndarray, " 3"],
    *,
    tolerance: float,
    material: float,
) -> tuple[Float32[np.ndarray, "H W 2"], Float32[np.ndarray, "H W 2"]]:
    """How much the step from each pixel to its right (0) and lower (1) neighbour is like a shadow's.

    Args:
        log_colour: Logarithm of the picture.
        direction: Step of the logarithm from umbra to light, per channel.
        tolerance: Part of a step across ``direction``, relative to the part along it, that still passes.
        material: Part across ``direction``, in log units, from which a step is one of material.

    Returns:
        Shadow-likeness, 0…1, and the weight of even light, 0…1: small across edges of material, which hide a change.
    """
    like = np.zeros((*log_colour.shape[:2], 2), np.float32)
    even = np.zeros_like(like)
    square = float((direction**2).sum())
    steps = (log_colour[:, 1:] - log_colour[:, :-1], log_colour[1:] - log_colour[:-1])
    for axis, step in enumerate(steps):
        height, width = step.shape[:2]
        along = (step @ direction) / square
        across = np.sqrt(((step - along[..., None] * direction) ** 2).mean(-1))
        size = np.abs(along) * np.sqrt(square / 3)
        like[:height, :width, axis] = np.exp(-((across / (tolerance * size + 0.02)) ** 2))
        even[:height, :width, axis] = np.exp(-2 * across / material)
    return like, even


def solve_levels(
    cost: Float32[np.ndarray, "H W L"],
    log_colour: Float32[np.ndarray, "H W 3"],
    direction: Float32[np.ndarray, " 3"],
    *,
    step: float,
    like: Float32[np.ndarray, "H W 2"],
    even: Float32[np.ndarray, "H W 2"],
    greatest: float = 0.6,
    n_rounds: int = 12,
) -> Float32[np.ndarray, "H W"]:
    """Log light to be added to every place.

    Args:
        cost: Cost per pixel and level; level ``k`` adds ``k · step``.
        log_colour: Logarithm of the picture.
        direction: What one unit of log light adds per channel.
        step: Between two levels.
        like: Weight of unexplained shadow-like steps, from ``shadow_edges``.
        even: Weight of differences of level.
        greatest: An unexplained step costs at most this.
        n_rounds: Forward and backward sweeps.

    Source: ours; solved by Kolmogorov, Convergent Tree-reweighted Message Passing, PAMI 2006 (TRW-S on a grid).
    """
    level = _sweeps(
        np.ascontiguousarray(cost, np.float32),
        np.ascontiguousarray(log_colour, np.float32),
        np.ascontiguousarray(direction, np.float32),
        np.float32(step),
        np.ascontiguousarray(like, np.float32),
        np.ascontiguousarray(even, np.float32),
        np.float32(greatest),
        n_rounds,
    )
    return (level * step).astype(np.float32)


def unlikeness(
    log_colour: Float32[np.ndarray, "H W 3"],
    direction: Float32[np.ndarray, " 3"],
    *,
    n_levels: int,
    step: float,
    wanted: Bool[np.ndarray, "H W"],
    known: Bool[np.ndarray, "H W"],
    known_log_colour: Float32[np.ndarray, "H W 3"],
    reach_px: int,
) -> Float32[np.ndarray, "H W L"]:
    """How far each wanted pixel, lit to each level, is from every colour known to be lit nearby.

    Returns:
        Mean absolute difference of logarithms to the nearest known colour within ``reach_px``, at most 1; 0 where not
        wanted. Every fifth known pixel is looked at.
    """
    return _nearest(
        np.ascontiguousarray(log_colour, np.float32),
        np.ascontiguousarray(direction, np.float32),
        n_levels,
        np.float32(step),
        np.ascontiguousarray(wanted),
        np.ascontiguousarray(known),
        np.ascontiguousarray(known_log_colour, np.float32),
        reach_px,
    )


@njit(cache=True, nogil=True, fastmath=True)
@no_type_check  # the checked form cannot be compiled
def _nearest(
    colour: NDArray[np.float32],
    direction: NDArray[np.float32],
    n_levels: int,
    step: float,
    wanted: NDArray[np.bool_],
    known: NDArray[np.bool_],
    known_colour: NDArray[np.float32],
    reach: int,
) -> NDArray[np.float32]:
    height, width = wanted.shape
    out = np.zeros((height, width, n_levels), np.float32)
    for y in range(height):
        for x in range(width):
            if not wanted[y, x]:
                continue
            for k in range(n_levels):
                out[y, x, k] = 1.0
            for v in range(max(0, y - reach), min(height, y + reach + 1)):
                for u in range(max(0, x - reach), min(width, x + reach + 1)):
                    if (7 * v + 3 * u) % 5 != 0 or not known[v, u]:
                        continue
                    for k in range(n_levels):
                        away = np.float32(0)
                        for c in range(3):
                            away += abs(colour[y, x, c] + k * step * direction[c] - known_colour[v, u, c])
                        out[y, x, k] = min(out[y, x, k], away / 3)
    return out


@njit(cache=True, nogil=True, fastmath=True)
@no_type_check
def _sweeps(
    cost: NDArray[np.float32],
    colour: NDArray[np.float32],
    direction: NDArray[np.float32],
    step: float,
    like: NDArray[np.float32],
    even: NDArray[np.float32],
    greatest: float,
    n_rounds: int,
) -> NDArray[np.int64]:
    height, width, n = cost.shape
    # heard[..., d, :]: message from the left, upper, right and lower neighbour.
    heard = np.zeros((height, width, 4, n), np.float32)
    half = np.empty(n, np.float32)
    told = np.empty(n, np.float32)
    pair = np.empty(2 * n - 1, np.float32)
    for turn in range(2 * n_rounds):
        back = turn % 2
        sign = 1 - 2 * back
        for j in range(height):
            y = height - 1 - j if back else j
            for i in range(width):
                x = width - 1 - i if back else i
                for k in range(n):
                    total = cost[y, x, k]
                    for d in range(4):
                        total += heard[y, x, d, k]
                    half[k] = np.float32(0.5) * total
                for axis in range(2):
                    v, u = y + sign * axis, x + sign * (1 - axis)
                    if v < 0 or v >= height or u < 0 or u >= width:
                        continue
                    edge_y, edge_x = min(y, v), min(x, u)
                    for q in range(2 * n - 1):
                        rise = (q - (n - 1)) * step
                        miss = np.float32(0)
                        for c in range(3):
                            miss += abs(colour[v, u, c] - colour[y, x, c] + rise * direction[c])
                        pair[q] = even[edge_y, edge_x, axis] * abs(rise)
                        pair[q] += like[edge_y, edge_x, axis] * min(miss / 3, greatest)
                    # What this neighbour said itself is not told back to it.
                    own = 2 + axis if back == 0 else axis
                    least = np.float32(np.inf)
                    for m in range(n):
                        best = np.float32(np.inf)
                        for k in range(n):
                            best = min(best, half[k] - heard[y, x, own, k] + pair[m - k + n - 1])
                        told[m] = best
                        least = min(least, best)
                    there = axis if back == 0 else 2 + axis
                    for m in range(n):
                        heard[v, u, there, m] = told[m] - least
    out = np.zeros((height, width), np.int64)
    for y in range(height):
        for x in range(width):
            least = np.float32(np.inf)
            for k in range(n):
                total = cost[y, x, k]
                for d in range(4):
                    total += heard[y, x, d, k]
                if total < least:
                    least = total
                    out[y, x] = k
    return out
