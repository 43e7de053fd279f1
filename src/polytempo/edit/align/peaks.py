"""The moments at which a signal turns: tops that stand out from what lies around them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray


def peaks(
    values: Float[np.ndarray, " T"], *, prominence: float, apart: int = 1, ends: bool = False
) -> NDArray[np.float64]:
    """Places of tops, to a fraction of a frame by the parabola through each and its neighbours.

    Args:
        values: One number a frame.
        prominence: How far one must go down from a top, on either side, before going up to a higher one.
        apart: Least distance of two tops in frames; of two nearer ones the lower goes.
        ends: Let the first or the last value be a top.

    Returns:
        Frames, rising.
    """
    padded = np.concatenate([[-np.inf], values, [-np.inf]]) if ends else values
    found: list[int] = []
    n = 1
    while n < len(padded) - 1:
        last = n
        while last + 1 < len(padded) - 1 and padded[last + 1] == padded[n]:
            last += 1  # a level top counts once, in its middle
        if padded[n - 1] < padded[n] > padded[last + 1] and _prominence(padded, n, last) >= prominence:
            found.append((n + last) // 2 - (1 if ends else 0))
        n = last + 1
    kept: list[int] = []
    for top in sorted(found, key=lambda k: -values[k]):
        if all(abs(top - other) >= apart for other in kept):
            kept.append(top)
    return np.array([_refined(values, top) for top in sorted(kept)], np.float64)


def _prominence(values: NDArray[np.float64], first: int, last: int) -> float:
    height, sides = values[first], []
    for side in (values[:first][::-1], values[last + 1 :]):
        higher = np.flatnonzero(side > height)
        valley = side[: higher[0]] if len(higher) else side
        finite = valley[np.isfinite(valley)]
        if len(finite):
            sides.append(float(height - finite.min()))
        elif len(higher):
            sides.append(0.0)
    return min(sides, default=0.0)


def _refined(values: NDArray[np.float64], top: int) -> float:
    if not 0 < top < len(values) - 1:
        return float(top)
    left, middle, right = values[top - 1 : top + 2]
    bend = left - 2 * middle + right
    return top + float(0.5 * (left - right) / bend) if bend < 0 else float(top)
