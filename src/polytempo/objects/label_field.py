"""One label per pixel from costs and a wish for even regions: a Potts field on the pixel grid.

Solved by sequential tree-reweighted message passing, which on such grids ends close to the optimum of graph cuts, takes
any number of labels, and leaves a belief per label that can be handed to the next frame.
"""

from __future__ import annotations

from typing import no_type_check

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
    who_least: float = 0.0,
    n_rounds: int = 5,
) -> Float32[np.ndarray, "H W L"]:
    """Belief cost of every label per pixel after message passing, smallest label at 0.

    Args:
        cost: Cost per pixel and label; finite.
        right: Cost of a change between ``(y, x)`` and ``(y, x + 1)``.
        down: Cost of a change between ``(y, x)`` and ``(y + 1, x)``.
        who_least: Cost of a change between two labels above 0 is at least this: an edge inside a body (sleeve to
            skin) tells little about where one body ends and another begins.
        n_rounds: Forward and backward sweeps.

    Source: Kolmogorov, Convergent Tree-reweighted Message Passing, PAMI 2006 (TRW-S on a 4-connected grid).
    """
    return _sweeps(
        np.ascontiguousarray(cost),
        np.ascontiguousarray(right),
        np.ascontiguousarray(down),
        float(who_least),
        n_rounds,
    )


@njit(cache=True, nogil=True, fastmath=True, boundscheck=False)
@no_type_check  # the checked form cannot be compiled
def _sweeps(
    cost: NDArray[np.float32], right: NDArray[np.float32], down: NDArray[np.float32], who_least: float, n_rounds: int
) -> NDArray[np.float32]:
    height, width, n = cost.shape
    # What pixel (y, x) hears from its left, upper, right and lower neighbour; no views, they are dear in inner loops.
    left = np.zeros((height, width, n), np.float32)
    up = np.zeros((height, width, n), np.float32)
    from_right = np.zeros((height, width, n), np.float32)
    from_down = np.zeros((height, width, n), np.float32)
    half = np.empty(n, np.float32)
    # Along an edge the receiver pays per label what that label lacks here, never more than a change costs.
    for _ in range(n_rounds):
        for y in range(height):
            for x in range(width):
                across, along = np.float32(np.inf), np.float32(np.inf)
                for k in range(n):
                    heard = left[y, x, k] + up[y, x, k] + from_right[y, x, k] + from_down[y, x, k]
                    half[k] = np.float32(0.5) * (cost[y, x, k] + heard)
                    if k > 0:
                        across = min(across, half[k] - from_right[y, x, k])
                        along = min(along, half[k] - from_down[y, x, k])
                if x + 1 < width:
                    bare = half[0] - from_right[y, x, 0]
                    any_to_bare, who = right[y, x], max(right[y, x], who_least)
                    least = min(bare, across)
                    left[y, x + 1, 0] = min(bare, across + any_to_bare) - least
                    for k in range(1, n):
                        value = min(half[k] - from_right[y, x, k], bare + any_to_bare)
                        left[y, x + 1, k] = min(value, across + who) - least
                if y + 1 < height:
                    bare = half[0] - from_down[y, x, 0]
                    any_to_bare, who = down[y, x], max(down[y, x], who_least)
                    least = min(bare, along)
                    up[y + 1, x, 0] = min(bare, along + any_to_bare) - least
                    for k in range(1, n):
                        value = min(half[k] - from_down[y, x, k], bare + any_to_bare)
                        up[y + 1, x, k] = min(value, along + who) - least
        for y in range(height - 1, -1, -1):
            for x in range(width - 1, -1, -1):
                across, along = np.float32(np.inf), np.float32(np.inf)
                for k in range(n):
                    heard = left[y, x, k] + up[y, x, k] + from_right[y, x, k] + from_down[y, x, k]
                    half[k] = np.float32(0.5) * (cost[y, x, k] + heard)
                    if k > 0:
                        across = min(across, half[k] - left[y, x, k])
                        along = min(along, half[k] - up[y, x, k])
                if x > 0:
                    bare = half[0] - left[y, x, 0]
                    any_to_bare, who = right[y, x - 1], max(right[y, x - 1], who_least)
                    least = min(bare, across)
                    from_right[y, x - 1, 0] = min(bare, across + any_to_bare) - least
                    for k in range(1, n):
                        value = min(half[k] - left[y, x, k], bare + any_to_bare)
                        from_right[y, x - 1, k] = min(value, across + who) - least
                if y > 0:
                    bare = half[0] - up[y, x, 0]
                    any_to_bare, who = down[y - 1, x], max(down[y - 1, x], who_least)
                    least = min(bare, along)
                    from_down[y - 1, x, 0] = min(bare, along + any_to_bare) - least
                    for k in range(1, n):
                        value = min(half[k] - up[y, x, k], bare + any_to_bare)
                        from_down[y - 1, x, k] = min(value, along + who) - least
    for y in range(height):
        for x in range(width):
            least = np.float32(np.inf)
            for k in range(n):
                half[k] = cost[y, x, k] + left[y, x, k] + up[y, x, k] + from_right[y, x, k] + from_down[y, x, k]
                least = min(least, half[k])
            for k in range(n):
                left[y, x, k] = half[k] - least
    return left
