"""Phase locking: two motions that repeat, the one run at the other's pace and in step with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from polytempo.core.errors import InputError
from polytempo.edit.align.warp import Warp

WHERE = "edit.align.phase"
HARMONICS = 3
SHORTEST = 6.0
"""Frames of the shortest period looked for."""
FEWEST = 20
"""Frames that must be seen."""
CYCLES = 1.5
"""Cycles that must be seen."""
EXPLAINED = 0.8
"""Share of a motion's variance about its trend that its periodic part must have."""
NEARLY = 0.15
"""Cost a frame by which a shorter period may be worse than the best."""
MOST_BENDS = 4
"""Highest degree of a trend."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Cycle:
    """The periodic part of a motion."""

    period: float
    """Frames."""
    wave: Float[np.ndarray, " K"]
    """One period, evenly sampled, starting with frame 0."""
    explained: float
    """Share of the variance about the trend, 0…1."""
    trend_order: int
    """Degree of the polynomial that is its trend."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseLock:
    """A warp that keeps phases alike."""

    warp: Warp
    likeness: float
    """Correlation of the two waves, -1…1."""
    periods: tuple[float, float]
    """Frames per cycle of target and sample."""
    n_jumps: int
    """Places at which a whole number of cycles is skipped, because the sample has no more frames there."""


def fitted_cycle(values: Float[np.ndarray, " T"], *, samples: int = 240) -> Cycle:
    """The period of a motion and its wave: three harmonics over a trend, by least squares.

    Raises:
        InputError: fewer than one and a half cycles can be seen, or the motion does not repeat.
    """
    n = len(values)
    longest = (n - 1) / CYCLES
    if n < FEWEST:
        raise InputError(WHERE, f"at least {FEWEST} frames must be seen to find a period", got=f"{n}")
    periods = 1 / np.arange(1 / longest, 1 / SHORTEST, 0.02 / n)
    costs = np.array([_fit(values, float(period)).cost for period in periods])
    # A wave that repeats after 20 frames also repeats after 40: of dips nearly as deep, the shortest.
    deep = np.flatnonzero(costs <= costs.min() + NEARLY * n)
    shortest = np.split(deep, np.flatnonzero(np.diff(deep) > 1) + 1)[-1]  # periods fall along the grid
    period = float(periods[shortest[int(np.argmin(costs[shortest]))]])
    for step in (0.2, 0.02):
        near = period + step * np.arange(-5, 6)
        period = float(near[int(np.argmin([_fit(values, float(one)).cost for one in near]))])
    fit = _fit(values, period)
    share = fit.explained
    if share < EXPLAINED or not _comes_again(values, period):
        raise InputError(
            WHERE,
            "a motion must repeat to be locked in phase",
            got=f"{share:.0%} of it explained by a period of {period:.1f} frames",
            todo="Use cow or dtw",
        )
    phases = np.arange(samples) / samples * period
    wave = _waves(phases, period) @ fit.factors
    return Cycle(period=period, wave=wave, explained=share, trend_order=fit.order)


def phase_lock(target: Float[np.ndarray, " N"], sample: Float[np.ndarray, " M"]) -> PhaseLock:
    """The warp that runs the sample at an even speed so that its cycles fall on the target's.

    Of the cycles that could be matched first, those are taken that leave the sample's frames least often; where they
    do, the same phase of a cycle before or after is shown.

    Raises:
        InputError: a motion does not repeat, or too little of it is seen.

    Source: ours, decision 0011 (paper A aligns its trampoline by COW, whose fixed ends cannot change a phase at once).
    """
    first, second = fitted_cycle(target), fitted_cycle(sample)
    a, b = (one.wave - one.wave.mean() for one in (first, second))
    norm = float(np.sqrt(np.sum(a**2) * np.sum(b**2)))
    likeness = np.fft.irfft(np.conj(np.fft.rfft(a)) * np.fft.rfft(b), len(a)) / norm
    shift = int(np.argmax(likeness)) / len(a)
    slope, offset = second.period / first.period, shift * second.period
    last, n_sample = len(target) - 1.0, len(sample) - 1.0
    turns = np.arange(-np.ceil((offset + slope * last) / second.period) - 1, np.ceil(n_sample / second.period) + 2)
    starts = offset + turns * second.period
    outside = np.maximum(-starts, 0) + np.maximum(starts + slope * last - n_sample, 0)
    start = float(starts[np.lexsort((np.abs(starts), np.round(outside, 6)))[0]])
    warp, jumps = _wrapped(start, slope, last, n_sample, second.period)
    return PhaseLock(warp=warp, likeness=float(likeness.max()), periods=(first.period, second.period), n_jumps=jumps)


def _wrapped(start: float, slope: float, last: float, n_sample: float, period: float) -> tuple[Warp, int]:
    """The line ``start + slope * frame``, taken back by whole periods where it leaves the sample."""
    target, sample = [0.0], [start]
    while sample[-1] < 0:
        sample[-1] += period
    if sample[-1] > n_sample:
        sample[-1] -= period * np.ceil((sample[-1] - n_sample) / period)
    jumps = 0
    while target[-1] < last:
        end = target[-1] + (n_sample - sample[-1]) / slope
        if end >= last - 1e-9:
            sample.append(sample[-1] + slope * (last - target[-1]))
            target.append(last)
            break
        target += [end, end]
        sample += [n_sample, n_sample - period * max(np.floor(n_sample / period), 1.0)]
        jumps += 1
    return Warp(target=tuple(target), sample=tuple(float(max(one, 0.0)) for one in sample)), jumps


def _comes_again(values: NDArray[np.float64], period: float) -> bool:
    """Whether what is seen twice, a period apart, is alike and not just the quiet before and after a single event."""
    step = round(period)
    first, again = values[:-step], values[step:]
    spread = values.std()
    if min(first.std(), again.std()) < 0.4 * spread:
        return False
    return float(np.corrcoef(first, again)[0, 1]) > 0.5


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    factors: NDArray[np.float64]
    order: int
    explained: float
    cost: float


def _fit(values: NDArray[np.float64], period: float) -> _Fit:
    """Trend and harmonics of a period by least squares; the trend may bend the more, the more cycles are seen."""
    n = len(values)
    frames = np.arange(n, dtype=np.float64)
    order = int(np.clip(n / period - 1, 1, MOST_BENDS))
    trend = np.vander(frames / max(n - 1, 1), order + 1)
    design = np.concatenate([trend, _waves(frames, period)], axis=1)
    factors: NDArray[np.float64] = np.linalg.lstsq(design, values, rcond=None)[0].astype(np.float64)
    rest = float(np.sum((values - design @ factors) ** 2))
    bare = float(np.sum((values - trend @ np.linalg.lstsq(trend, values, rcond=None)[0]) ** 2))
    explained = 1 - rest / bare if bare > 0 else 0.0
    # Schwarz's criterion: a better fit must be worth its further numbers.
    cost = n * np.log(max(rest, 1e-12) / n) + design.shape[1] * np.log(n)
    return _Fit(factors[order + 1 :], order, explained, float(cost))


def _waves(frames: NDArray[np.float64], period: float) -> NDArray[np.float64]:
    columns: list[NDArray[np.float64]] = []
    for k in range(1, HARMONICS + 1):
        angle = 2 * np.pi * k * frames / period
        columns += [np.cos(angle), np.sin(angle)]
    return np.stack(columns, axis=1)
