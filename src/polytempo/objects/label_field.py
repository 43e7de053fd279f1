"""One label per pixel from costs and a wish for even regions: a Potts field on the pixel grid.

Solved by sequential tree-reweighted message passing, which on such grids ends close to the optimum of graph cuts, takes
any number of labels, and leaves a belief per label that can be handed to the next frame.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32
from numba import njit
from numpy.typing import NDArray


def edge_weights(
    lab: Float32[np.ndarray, "H W 3"], *, strength: float, contrast: float
) -> tuple[Float32[np.ndarray, "H W"], Float32[np.ndarray, "H W"]]:
    """Cost of a label change between a pixel and its right neighbour, and its lower neighbour.

    Args:
        lab: Picture in 8-bit Lab units.
        strength: Cost of a change in an even region.
        contrast: Colour step in Lab units at which the cost has fallen to about 0.4 of that.

    Returns:
        Right and down weights; the last column and row are 0. An eighth of the strength stays at the strongest edges.

    Source: the contrast term of Rother et al., GrabCut, SIGGRAPH 2004, Eq. 11.
    """
    right, down = np.zeros(lab.shape[:2], np.float32), np.zeros(lab.shape[:2], np.float32)
    scale = 1.0 / (2 * contrast**2) * 2
    step = ((lab[:, 1:] - lab[:, :-1]) ** 2).sum(-1)
    right[:, :-1] = strength * (0.125 + 0.875 * np.exp(-scale * step))
    step = ((lab[1:] - lab[:-1]) ** 2).sum(-1)
    down[:-1] = strength * (0.125 + 0.875 * np.exp(-scale * step))
    return right, down


def solve_labels(
    cost: Float32[np.ndarray, "H W L"],
    right: Float32[np.ndarray, "H W"],
    down: Float32[np.ndarray, "H W"],
    *,
    n_rounds: int = 6,
) -> Float32[np.ndarray, "H W L"]:
    """Belief cost of every label per pixel after message passing, smallest label at 0.

    Args:
        cost: Cost per pixel and label; finite.
        right: Cost of a change between ``(y, x)`` and ``(y, x + 1)``.
        down: Cost of a change between ``(y, x)`` and ``(y + 1, x)``.
        n_rounds: Forward and backward sweeps.

    Source: Kolmogorov, Convergent Tree-reweighted Message Passing, PAMI 2006 (TRW-S on a 4-connected grid).
    """
    return _sweeps(np.ascontiguousarray(cost), np.ascontiguousarray(right), np.ascontiguousarray(down), n_rounds)


@njit(cache=True, nogil=True, fastmath=True)
def _sweeps(
    cost: NDArray[np.float32], right: NDArray[np.float32], down: NDArray[np.float32], n_rounds: int
) -> NDArray[np.float32]:
    height, width, n = cost.shape
    # What pixel (y, x) hears from its left, upper, right and lower neighbour.
    from_left = np.zeros((height, width, n), np.float32)
    from_up = np.zeros((height, width, n), np.float32)
    from_right = np.zeros((height, width, n), np.float32)
    from_down = np.zeros((height, width, n), np.float32)
    total = np.empty(n, np.float32)
    for _ in range(n_rounds):
        for y in range(height):
            for x in range(width):
                for k in range(n):
                    heard = from_left[y, x, k] + from_up[y, x, k] + from_right[y, x, k] + from_down[y, x, k]
                    total[k] = np.float32(0.5) * (cost[y, x, k] + heard)
                if x + 1 < width:
                    _tell(total, from_right[y, x], right[y, x], from_left[y, x + 1])
                if y + 1 < height:
                    _tell(total, from_down[y, x], down[y, x], from_up[y + 1, x])
        for y in range(height - 1, -1, -1):
            for x in range(width - 1, -1, -1):
                for k in range(n):
                    heard = from_left[y, x, k] + from_up[y, x, k] + from_right[y, x, k] + from_down[y, x, k]
                    total[k] = np.float32(0.5) * (cost[y, x, k] + heard)
                if x > 0:
                    _tell(total, from_left[y, x], right[y, x - 1], from_right[y, x - 1])
                if y > 0:
                    _tell(total, from_up[y, x], down[y - 1, x], from_down[y - 1, x])
    for y in range(height):
        for x in range(width):
            least = np.float32(np.inf)
            for k in range(n):
                total[k] = cost[y, x, k] + from_left[y, x, k] + from_up[y, x, k]
                total[k] += from_right[y, x, k] + from_down[y, x, k]
                least = min(least, total[k])
            for k in range(n):
                from_left[y, x, k] = total[k] - least
    return from_left


@njit(cache=True, nogil=True, fastmath=True, inline="always")
def _tell(total: NDArray[np.float32], heard: NDArray[np.float32], weight: float, out: NDArray[np.float32]) -> None:
    """Message of a Potts edge: what the receiver should pay per label, capped at the cost of changing."""
    least = np.float32(np.inf)
    for k in range(total.shape[0]):
        out[k] = total[k] - heard[k]
        least = min(least, out[k])
    for k in range(total.shape[0]):
        out[k] = min(out[k] - least, weight)
