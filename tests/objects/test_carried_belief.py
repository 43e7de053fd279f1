from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from polytempo.objects.carried_belief import GAIN, carried_belief, region_means

SIZE = (24, 40)
BODY = np.ones(SIZE, bool)
EVEN = np.full((*SIZE, 3), 120, np.uint8)


def _said(lead: float | NDArray[np.float32]) -> NDArray[np.float32]:
    """Costs by which the first of two subjects is ahead."""
    return np.stack([np.zeros(SIZE), np.broadcast_to(lead, SIZE)], -1).astype(np.float32)


def test_a_guess_stays_a_guess_however_large_it_is() -> None:
    carried = carried_belief(_said(2.5), _said(0.06), _said(0.04), BODY, EVEN, doubt=1.0)
    assert carried[..., 0].max() == 0
    assert carried[..., 1] == pytest.approx(GAIN * 0.1, abs=1e-4)


def test_what_is_known_of_half_a_limb_is_known_of_the_rest() -> None:
    known = np.zeros(SIZE, np.float32)
    known[:, :20] = 1.4
    carried = carried_belief(_said(2.0), _said(known), _said(0), BODY, EVEN, doubt=1.0)
    assert carried[:, 20:24, 1].min() > 0.25 * GAIN * 1.4
    knee = EVEN.copy()
    knee[:, 20:] = 200
    beyond = carried_belief(_said(2.0), _said(known), _said(0), BODY, knee, doubt=1.0)
    assert beyond[:, 20:, 1].max() < 0.1


def test_what_this_frame_says_against_it_counts() -> None:
    carried = carried_belief(_said(2.0), _said(0.5), _said(-0.7), BODY, EVEN, doubt=1.0)
    assert np.abs(carried).max() < 1e-4


@given(doubt=st.floats(0, 1), seed=st.integers(0, 20))
def test_nobody_becomes_surer_and_doubt_only_takes(doubt: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    solved = rng.uniform(0, 2.5, (*SIZE, 3)).astype(np.float32)
    solved -= solved.min(-1, keepdims=True)
    matched, told = (rng.normal(0, 1, solved.shape).astype(np.float32) for _ in range(2))
    lab = rng.integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    body = rng.random(SIZE) < 0.8
    less, more = (carried_belief(solved, matched, told, body, lab, doubt=one) for one in (doubt, min(doubt + 0.2, 1)))
    assert (less <= solved + 1e-6).all()
    assert (more <= less + 1e-6).all()
    assert (less.min(-1) == 0).all()
    assert np.array_equal(carried_belief(solved, matched, told, body, lab, doubt=0), solved)


@given(seed=st.integers(0, 20))
def test_means_stay_within_their_region(seed: int) -> None:
    rng = np.random.default_rng(seed)
    region = rng.integers(0, 3, (6, 10)).repeat(4, 0).repeat(4, 1)
    values = rng.normal(0, 1, (*SIZE, 2)).astype(np.float32)
    lab = rng.integers(100, 140, (*SIZE, 3)).astype(np.uint8)
    means = region_means(values, lab, region)
    assert np.array_equal(means[region == 0], values[region == 0])
    changed = values.copy()
    changed[region == 1] += 3
    other = region_means(changed, lab, region)
    assert np.array_equal(other[region == 2], means[region == 2])
    assert other[region == 1] == pytest.approx(means[region == 1] + 3, abs=1e-4)
