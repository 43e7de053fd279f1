"""Where one small picture fits best on another."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def correlate(field: NDArray[np.float32], template: NDArray[np.float32]) -> NDArray[np.float64]:
    """Sum of products of a template with a field at every place where it lies inside, over all channels."""
    found = cv2.matchTemplate(np.ascontiguousarray(field), np.ascontiguousarray(template), cv2.TM_CCORR)
    return found.astype(np.float64)


def lowest(cost: NDArray[np.float64]) -> tuple[float, float]:
    """Place ``(x, y)`` of the lowest value, between samples by the parabola through its neighbours.

    Example:
        >>> x = np.arange(7.0)
        >>> lowest((x[None, :] - 3.25) ** 2 + (x[:5, None] - 2) ** 2)
        (3.25, 2.0)
    """
    y, x = (int(v) for v in np.unravel_index(int(cost.argmin()), cost.shape))
    out = [float(x), float(y)]
    for axis, (line, at) in enumerate(((cost[y], x), (cost[:, x], y))):
        if 0 < at < len(line) - 1:
            before, here, after = (float(v) for v in line[at - 1 : at + 2])
            bend = before - 2 * here + after
            if bend > 1e-9:
                out[axis] += float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5))
    return out[0], out[1]
