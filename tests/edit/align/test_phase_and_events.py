"""Periods, phases and events on motions that are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytempo.core.errors import InputError
from polytempo.edit.align.choose import align_motions, correlation
from polytempo.edit.align.events import match_events
from polytempo.edit.align.peaks import peaks
from polytempo.edit.align.phase import fitted_cycle, phase_lock
from polytempo.edit.align.signals import MotionSignal


def bounces(
    n: int, period: float, phase: float, *, noise: float = 0.0, drift: float = 0.0, seed: int = 0
) -> np.ndarray:
    """Height in the picture of somebody who bounces: in the air a parabola, on the ground a short dip."""
    turn = (np.arange(n) / period + phase) % 1
    air = np.where(turn < 0.75, -4 * (turn / 0.75) * (1 - turn / 0.75), 0.6 * np.sin(np.pi * (turn - 0.75) / 0.25))
    return 40 * air + drift * np.arange(n) + np.random.default_rng(seed).normal(0, noise, n)


def signal(values: np.ndarray, name: str = "girl") -> MotionSignal:
    return MotionSignal(name=name, kind="height", values=values)


@given(
    period=st.floats(13, 40),
    phase=st.floats(0, 1),
    cycles=st.floats(1.75, 6),
    drift=st.floats(-0.3, 0.3),
    seed=st.integers(0, 99),
)
@settings(max_examples=25, deadline=None)
def test_the_period_is_found(period: float, phase: float, cycles: float, drift: float, seed: int) -> None:
    values = bounces(round(period * cycles), period, phase, noise=0.5, drift=drift, seed=seed)
    found = fitted_cycle(values)
    assert abs(found.period - period) < 0.05 * period
    assert found.explained > 0.9


@given(first=st.floats(18, 28), second=st.floats(18, 28), a=st.floats(0, 1), b=st.floats(0, 1))
@settings(max_examples=25, deadline=None)
def test_phases_are_alike_after_locking(first: float, second: float, a: float, b: float) -> None:
    lock = phase_lock(bounces(60, first, a, noise=0.3), bounces(60, second, b, noise=0.3, seed=1))
    frames = np.arange(60.0)
    there = lock.warp.at(frames)
    assert there.min() >= 0
    assert there.max() <= 59
    error = (there / second + b - frames / first - a + 0.5) % 1 - 0.5
    assert np.median(np.abs(error)) * second < 1  # frames of the sample
    assert lock.likeness > 0.95


def test_a_cycle_is_skipped_where_the_sample_ends() -> None:
    lock = phase_lock(bounces(100, 20, 0), bounces(60, 20, 0.3))
    assert lock.n_jumps == 2
    error = (lock.warp.at(np.arange(100.0)) / 20 + 0.3 - np.arange(100) / 20 + 0.5) % 1 - 0.5
    assert np.median(np.abs(error)) * 20 < 0.5


def test_events_are_laid_on_each_other() -> None:
    target = np.exp(-((np.arange(90)[:, None] - np.array([12, 30, 47, 70])) ** 2) / 8).sum(1)
    sample = np.exp(-((np.arange(90)[:, None] - np.array([20, 41, 55, 75])) ** 2) / 8).sum(1)
    scaled = [(one - one.mean()) / one.std() for one in (target, sample)]
    best = max(match_events(*scaled), key=lambda one: correlation(scaled[0], one.warp.warped(scaled[1], 90)))
    assert np.allclose(best.pairs, [(12, 20), (30, 41), (47, 55), (70, 75)], atol=0.05)
    assert np.allclose(best.warp.at(np.array([12.0, 30, 47, 70])), [20, 41, 55, 75], atol=0.05)


def test_peaks() -> None:
    values = np.array([0, 1, 0, 3, 3, 3, 0, 0.4, 0, 2, 5.0])
    assert peaks(values, prominence=0.9).tolist() == [1, 4]
    assert peaks(values, prominence=0.9, ends=True).tolist() == [1, 4, 10]
    assert peaks(values, prominence=0.9, apart=4).tolist() == [4]
    parabola = -((np.arange(9) - 4.3) ** 2)
    assert np.allclose(peaks(parabola, prominence=1), [4.3])


def test_the_best_method_is_chosen_and_can_be_overridden() -> None:
    leader = signal(bounces(70, 24, 0.1, noise=0.3))
    other = signal(bounces(70, 19, 0.7, noise=0.3, seed=2), "boy")
    found = align_motions(leader, other)
    assert found.method == "phase"
    assert found.score > 0.9 > found.before
    assert set(found.scores) == {"cow", "dtw", "phase", "events"}
    for method in ("cow", "dtw", "phase", "events"):
        assert align_motions(leader, other, method=method).method == method


def test_a_delay_within_a_motion_that_does_not_repeat_is_undone() -> None:
    frames = np.arange(80.0)
    once = np.exp(-((frames - 30) ** 2) / 60)
    late = np.exp(-((frames - 42) ** 2) / 60)
    found = align_motions(signal(once * 50), signal(late * 50, "boy"))
    assert found.method != "phase"
    assert abs(found.warp.at(np.array([30.0]))[0] - 42) < 2


@pytest.mark.refusal
def test_motions_that_cannot_be_aligned_are_refused() -> None:
    moving = signal(bounces(70, 24, 0.1))
    with pytest.raises(InputError, match=r"boy must move to be aligned; got a height that changes by 0 px"):
        align_motions(moving, signal(np.full(70, 5.0), "boy"))
    with pytest.raises(InputError, match=r"boy must be seen in at least four frames; got 2"):
        align_motions(moving, signal(np.array([1.0, 2, *[np.nan] * 68]), "boy"))
    with pytest.raises(InputError, match="a motion must repeat to be locked in phase"):
        align_motions(moving, signal(np.random.default_rng(0).normal(0, 9, 70), "boy"), method="phase")
    with pytest.raises(InputError, match="at least 20 frames must be seen to find a period; got 8"):
        fitted_cycle(np.arange(8.0))
    with pytest.raises(InputError, match="two events in a row of both motions must match"):
        align_motions(moving, signal(np.exp(-((np.arange(70.0) - 30) ** 2) / 60) * 50, "boy"), method="events")
