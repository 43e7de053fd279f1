"""The warp that brings one motion into time with another, by the method that serves it best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from polytempo.core.errors import InputError
from polytempo.edit.align.cow import correlation_optimised_warp, simplicity_and_peak_factor
from polytempo.edit.align.dtw import dynamic_time_warp
from polytempo.edit.align.events import match_events
from polytempo.edit.align.phase import fitted_cycle, phase_lock
from polytempo.edit.align.signals import MotionSignal
from polytempo.edit.align.warp import Warp

WHERE = "edit.align"
Method = Literal["cow", "dtw", "phase", "events"]
METHODS: tuple[Method, ...] = ("cow", "dtw", "phase", "events")
UNEVENNESS_COST = 0.25
"""What unevenness takes off a warp's score, by octave of its speeds' standard deviation."""
JUMP_COST = 0.1
"""What every skipped cycle takes off."""
HELD_COST = 0.5
"""What standing still over the whole range would take off; less for a part of it."""
FASTEST = 2
"""Limit on speed for DTW."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Alignment:
    """A warp, how it was found, and what else was tried."""

    warp: Warp
    method: Method
    score: float
    """Correlation of target and warped sample, less what unevenness costs; 1 is perfect."""
    likeness: float
    """Correlation of target and warped sample alone."""
    before: float
    """Correlation without a warp."""
    scores: dict[str, float]
    """Score of every method that could be used."""
    detail: str
    """What the method found, in words."""


def align_motions(
    target: MotionSignal, sample: MotionSignal, *, method: Method | Literal["auto"] = "auto"
) -> Alignment:
    """Bring a motion into time with another.

    Args:
        target: The motion that stays.
        sample: The motion that is warped.
        method: Correlation optimised warping (``"cow"``; segment length and slack are picked by simplicity and peak
            factor), dynamic time warping at half to double speed with open ends (``"dtw"``), locking the phases of
            motions that repeat (``"phase"``), laying jump on jump (``"events"``), or what scores best (``"auto"``).

    Raises:
        InputError: a subject does not move, or the method asked for cannot be used on these motions.

    Source: paper A, Section 6.2 (COW on the centres of mass); the choice is ours, decision 0011.
    """
    a, b = _steady(target), _steady(sample)
    found: dict[Method, Alignment] = {}
    refusal: InputError | None = None
    for one in METHODS if method == "auto" else (method,):
        try:
            found[one] = _WAYS[one](a, b)
        except InputError as error:
            refusal = error
    if not found:
        assert refusal is not None
        raise refusal
    best = max(found.values(), key=lambda one: one.score)
    scores = {name: round(one.score, 4) for name, one in found.items()}
    return Alignment(
        warp=best.warp,
        method=best.method,
        score=best.score,
        likeness=best.likeness,
        before=best.before,
        scores=scores,
        detail=best.detail,
    )


def _steady(signal: MotionSignal) -> NDArray[np.float64]:
    """A motion without its trend; one that repeats often may drift along a bent one."""
    straight = signal.normalised()
    try:
        return signal.normalised(trend_order=fitted_cycle(straight).trend_order)
    except InputError:
        return straight


def _by_cow(a: NDArray[np.float64], b: NDArray[np.float64]) -> Alignment:
    best: tuple[float, Warp, str] | None = None
    lengths = sorted({max(len(a) // parts, 5) for parts in (4, 6, 8, 12, 16)})
    for segment in lengths:
        for slack in sorted({max(segment // part, 1) for part in (2, 3, 5)}):
            try:
                result = correlation_optimised_warp(a, b, segment=segment, slack=slack)
            except InputError:
                continue  # too short for this pair of lengths
            quality = simplicity_and_peak_factor(a, b, result.warp.warped(b, len(a)))
            if best is None or quality > best[0]:
                best = (quality, result.warp, f"segments of {segment} frames, slack {slack}")
    if best is None:
        raise InputError(WHERE, "motions must be long enough to be cut into segments", got=f"{len(a)} frames")
    return _judged("cow", best[1], a, b, best[2])


def _by_dtw(a: NDArray[np.float64], b: NDArray[np.float64]) -> Alignment:
    result = dynamic_time_warp(a, b, fastest=FASTEST, open_ends=len(b) // 4)
    return _judged("dtw", result.warp(), a, b, f"speeds from 1/{FASTEST} to {FASTEST}")


def _by_phase(a: NDArray[np.float64], b: NDArray[np.float64]) -> Alignment:
    lock = phase_lock(a, b)
    detail = f"periods of {lock.periods[0]:.1f} and {lock.periods[1]:.1f} frames"
    jumps = f", {lock.n_jumps} cycle skipped" if lock.n_jumps else ""
    return _judged("phase", lock.warp, a, b, detail + jumps, n_jumps=lock.n_jumps)


def _by_events(a: NDArray[np.float64], b: NDArray[np.float64]) -> Alignment:
    ways = match_events(a, b)
    judged = [_judged("events", one.warp, a, b, f"{len(one.pairs)} events on each other") for one in ways]
    return max(judged, key=lambda one: one.score)


def _judged(
    method: Method, warp: Warp, a: NDArray[np.float64], b: NDArray[np.float64], detail: str, *, n_jumps: int = 0
) -> Alignment:
    likeness = correlation(a, warp.warped(b, len(a)))
    speeds = np.log2(np.clip(np.abs(warp.speeds()), 1 / 16, 16))
    uneven = float(np.sqrt(np.mean((speeds - speeds.mean()) ** 2)))
    held = 1 - (min(warp.target[-1], len(a) - 1) - max(warp.target[0], 0)) / (len(a) - 1)
    return Alignment(
        warp=warp,
        method=method,
        score=likeness - UNEVENNESS_COST * uneven - JUMP_COST * n_jumps - HELD_COST * held,
        likeness=likeness,
        before=correlation(a, np.interp(np.arange(len(a)), np.arange(len(b)), b)),
        scores={},
        detail=detail,
    )


def correlation(a: Float[np.ndarray, " N"], b: Float[np.ndarray, " N"]) -> float:
    """Pearson's correlation; 0 where a motion stands still."""
    x, y = a - a.mean(), b - b.mean()
    spread = float(np.sqrt(np.sum(x**2) * np.sum(y**2)))
    return float(np.sum(x * y)) / spread if spread > 1e-12 else 0.0


_WAYS: dict[Method, Callable[[NDArray[np.float64], NDArray[np.float64]], Alignment]] = {
    "cow": _by_cow,
    "dtw": _by_dtw,
    "phase": _by_phase,
    "events": _by_events,
}
