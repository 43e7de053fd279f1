"""Dynamic time warping, plain or with limits on how fast and how slow the sample may run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit
from numpy.typing import NDArray

from polytempo.core.errors import InputError
from polytempo.edit.align.warp import Warp

WHERE = "edit.align.dtw"


@dataclass(frozen=True, kw_only=True, slots=True)
class DtwPath:
    """The cheapest way through both motions."""

    path: tuple[tuple[int, int], ...]
    """Pairs of target and sample frame, both never falling."""
    cost: float
    """Square root of the sum of squared differences along the path."""

    def warp(self) -> Warp:
        """The path as a warp: one sample frame for each target frame, the mean where it has several."""
        target = np.array([a for a, _ in self.path])
        sample = np.array([b for _, b in self.path], np.float64)
        frames = np.unique(target)
        return Warp(target=tuple(map(float, frames)), sample=tuple(float(sample[target == a].mean()) for a in frames))


def dynamic_time_warp(
    target: Float[np.ndarray, " N"],
    sample: Float[np.ndarray, " M"],
    *,
    fastest: int | None = None,
    open_ends: int = 0,
) -> DtwPath:
    """The path of least squared difference through all pairs of frames.

    Args:
        target: The motion that stays.
        sample: The motion that is warped.
        fastest: No limit when left out: frames may stand still and be skipped at will, the classic form. Else the
            sample runs at a speed from ``1 / fastest`` to ``fastest``, locally: steps are 1 to 1, 1 to k and k to 1
            frames up to this k, and every frame passed counts.
        open_ends: Frames of the sample that may be left out at its start and as many at its end.

    Raises:
        InputError: a motion has fewer than two frames, the limit is below 1, or no path keeps to it.

    Source: Sakoe and Chiba 1978 (slope limits, symmetric steps without weights).
    """
    if len(target) < 2 or len(sample) < 2:
        raise InputError(WHERE, "both motions must have at least two frames", got=f"{len(target)} and {len(sample)}")
    if fastest is not None and fastest < 1:
        raise InputError(WHERE, "the limit on speed must be 1 or more", got=str(fastest))
    steps = [(1, 1), (1, 0), (0, 1)] if fastest is None else [(1, 1)]
    for k in range(2, (fastest or 1) + 1):
        steps += [(1, k), (k, 1)]
    difference = (target.astype(np.float64)[:, None] - sample.astype(np.float64)[None, :]) ** 2
    total, came = _accumulated(difference, np.array(steps, np.int64), min(open_ends, len(sample) - 2))
    ends = total[-1, max(len(sample) - 1 - open_ends, 0) :]
    if not np.isfinite(ends).any():
        raise InputError(
            WHERE,
            "a path from end to end must keep to the limit on speed",
            got=f"{len(target)} and {len(sample)} frames with a limit of {fastest}",
            todo="Allow a higher speed or open ends",
        )
    end = len(sample) - len(ends) + int(np.argmin(ends))
    return DtwPath(path=_path(came, np.array(steps, np.int64), end), cost=float(np.sqrt(total[-1, end])))


def _path(came: NDArray[np.int64], steps: NDArray[np.int64], end: int) -> tuple[tuple[int, int], ...]:
    a, b = came.shape[0] - 1, end
    path = [(a, b)]
    while came[a, b] >= 0:
        run, rise = steps[came[a, b]]
        n = max(run, rise)
        # A long step passes frames of one motion while the other stands at its own next frame.
        path += [(a - min(k, run - 1), b - min(k, rise - 1)) for k in range(1, n)]
        a, b = a - int(run), b - int(rise)
        path.append((a, b))
    return tuple((int(x), int(y)) for x, y in reversed(path))


@njit(cache=True, nogil=True)
@no_type_check  # the checked form cannot be compiled
def _accumulated(difference: Any, steps: Any, open_start: int) -> Any:  # pragma: no cover - compiled
    n, m = difference.shape
    total = np.full((n, m), np.inf)
    came = np.full((n, m), -1, np.int64)
    for b in range(open_start + 1):
        total[0, b] = difference[0, b]
    for a in range(n):
        for b in range(m):
            for s in range(len(steps)):
                run, rise = steps[s, 0], steps[s, 1]
                if a < run or b < rise or not np.isfinite(total[a - run, b - rise]):
                    continue
                cost = total[a - run, b - rise]
                for k in range(max(run, rise)):
                    cost += difference[a - max(min(k, run - 1), 0), b - max(min(k, rise - 1), 0)]
                if cost < total[a, b] - 1e-15:
                    total[a, b] = cost
                    came[a, b] = s
    return total, came
