"""Correlation optimised warping: segments of one motion stretched until each looks like its partner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit
from numpy.typing import NDArray

from polytempo.core.errors import InputError
from polytempo.edit.align.warp import Warp

WHERE = "edit.align.cow"


@dataclass(frozen=True, kw_only=True, slots=True)
class CowWarp:
    """A warp and how alike its segments are."""

    warp: Warp
    score: float
    """Sum of the correlations of all segments."""
    n_segments: int


def correlation_optimised_warp(
    target: Float[np.ndarray, " N"], sample: Float[np.ndarray, " M"], *, segment: int, slack: int
) -> CowWarp:
    """The warp with fixed ends whose segments correlate best, found by the full dynamic programme.

    The target is cut every ``segment`` frames (the last segment takes the rest). The sample's cuts lie where every
    segment keeps its nominal length to within ``slack`` frames and both ends stay fixed; each sample segment is
    linearly interpolated to the length of its target segment. A segment without variance correlates with nothing: 0.

    Args:
        target: The motion that stays.
        sample: The motion that is warped; may be of another length.
        segment: Length of a segment in target frames, at least 2.
        slack: Frames by which a segment may grow or shrink; smaller than its length less one.

    Raises:
        InputError: lengths do not allow it.

    Source: Nielsen, Carstensen and Smedsgaard 1998; Tomasi, van den Berg and Andersson 2004 (bounds on the cuts).
    """
    n_target, n_sample = len(target) - 1, len(sample) - 1
    if segment < 2 or n_target < segment:
        raise InputError(
            WHERE, f"the segment length must be from 2 to {n_target} frames", got=f"{segment}", todo="Use a shorter one"
        )
    n_segments = n_target // segment
    cuts = np.array([*range(0, n_segments * segment, segment), n_target], np.int64)
    nominal = np.diff(np.rint(cuts * (n_sample / n_target)).astype(np.int64))
    if not 0 <= slack < nominal.min() - 1 + (slack == 0):
        raise InputError(
            WHERE,
            "the slack must be smaller than a segment less one frame",
            got=f"slack {slack} with segments of {int(nominal.min())} frames",
        )
    low, high = _bounds(nominal, slack)
    score, chosen = _best_cuts(target.astype(np.float64), sample.astype(np.float64), cuts, nominal, slack, low, high)
    warp = Warp(target=tuple(map(float, cuts)), sample=tuple(map(float, chosen)))
    return CowWarp(warp=warp, score=float(score), n_segments=n_segments)


def simplicity_and_peak_factor(
    target: Float[np.ndarray, " N"], sample: Float[np.ndarray, " M"], warped: Float[np.ndarray, " N"]
) -> float:
    """How good a warp is, 0 to 2: both motions fit one shape, and the warped one has not been blown up or eaten.

    Source: Skov, van den Berg, Tomasi and Bro 2006, whose criterion picks segment length and slack.
    """
    pair = np.stack([target, warped]) / np.sqrt(np.sum(target**2) + np.sum(warped**2))
    simplicity = float(np.sum(np.linalg.svd(pair, compute_uv=False) ** 4))
    before, after = float(np.sqrt(np.mean(sample**2))), float(np.sqrt(np.mean(warped**2)))
    change = abs(after - before) / before if before > 0 else 1.0
    return simplicity + (1 - min(change, 1.0) ** 2)


def _bounds(nominal: NDArray[np.int64], slack: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lowest and highest place of every cut from which both ends can be reached."""
    ahead = np.concatenate([[0], np.cumsum(nominal)])
    n, behind = np.arange(len(ahead)), ahead[-1] - ahead
    low = np.maximum(ahead - n * slack, ahead[-1] - (behind + n[::-1] * slack))
    high = np.minimum(ahead + n * slack, ahead[-1] - (behind - n[::-1] * slack))
    return low, high


@njit(cache=True, nogil=True)
@no_type_check  # the checked form cannot be compiled
def _best_cuts(
    target: Any, sample: Any, cuts: Any, nominal: Any, slack: int, low: Any, high: Any
) -> Any:  # pragma: no cover - compiled
    n_segments = len(cuts) - 1
    width = 0
    for i in range(n_segments + 1):
        width = max(width, high[i] - low[i] + 1)
    best = np.full((n_segments + 1, width), -np.inf)
    came = np.zeros((n_segments + 1, width), np.int64)
    best[0, 0] = 0.0
    for i in range(n_segments):
        part = target[cuts[i] : cuts[i + 1] + 1]
        for a in range(low[i], high[i] + 1):
            if best[i, a - low[i]] == -np.inf:
                continue
            first = max(low[i + 1], a + max(nominal[i] - slack, 1))
            last = min(high[i + 1], a + nominal[i] + slack)
            for b in range(first, last + 1):
                value = best[i, a - low[i]] + _correlation(part, sample, a, b)
                if value > best[i + 1, b - low[i + 1]]:
                    best[i + 1, b - low[i + 1]] = value
                    came[i + 1, b - low[i + 1]] = a
    chosen = np.zeros(n_segments + 1, np.int64)
    chosen[n_segments] = high[n_segments]
    for i in range(n_segments, 0, -1):
        chosen[i - 1] = came[i, chosen[i] - low[i]]
    return best[n_segments, high[n_segments] - low[n_segments]], chosen


@njit(cache=True, nogil=True)
@no_type_check
def _correlation(part: Any, sample: Any, first: int, last: int) -> float:  # pragma: no cover - compiled
    n = len(part)
    stretched = np.empty(n)
    for k in range(n):
        place = first + (last - first) * k / (n - 1)
        index = min(int(place), last - 1)
        share = place - index
        stretched[k] = (1 - share) * sample[index] + share * sample[index + 1]
    a, b = part - part.mean(), stretched - stretched.mean()
    spread = np.sqrt((a * a).sum() * (b * b).sum())
    return (a * b).sum() / spread if spread > 1e-12 else 0.0
