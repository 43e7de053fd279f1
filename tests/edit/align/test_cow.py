"""Correlation optimised warping against trying everything, and on motions whose warp is known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytempo.core.errors import InputError
from polytempo.edit.align.cow import correlation_optimised_warp, simplicity_and_peak_factor


def by_trying_everything(target: np.ndarray, sample: np.ndarray, segment: int, slack: int) -> float:
    """Best sum of correlations over all allowed cuts, by another way of counting and numpy's own correlation."""
    last_t, last_s = len(target) - 1, len(sample) - 1
    n = last_t // segment
    cuts = [k * segment for k in range(n)] + [last_t]
    at = [round(c * last_s / last_t) for c in cuts]
    nominal = [b - a for a, b in itertools.pairwise(at)]
    best = -np.inf
    for inner in itertools.product(*(range(1, last_s) for _ in range(n - 1))):
        places = [0, *inner, last_s]
        lengths = [b - a for a, b in itertools.pairwise(places)]
        if any(k < 1 or abs(k - want) > slack for k, want in zip(lengths, nominal, strict=True)):
            continue
        total = 0.0
        for k in range(n):
            part = target[cuts[k] : cuts[k + 1] + 1]
            grid = np.linspace(places[k], places[k + 1], len(part))
            other = np.interp(grid, np.arange(len(sample)), sample)
            if part.std() > 1e-9 and other.std() > 1e-9:
                total += float(np.corrcoef(part, other)[0, 1])
        best = max(best, total)
    return best


@given(
    seed=st.integers(0, 10**6),
    n_target=st.integers(10, 16),
    n_sample=st.integers(10, 16),
    segment=st.integers(4, 5),
    slack=st.integers(0, 2),
)
@settings(max_examples=60, deadline=None)
def test_the_dynamic_programme_finds_the_optimum(
    seed: int, n_target: int, n_sample: int, segment: int, slack: int
) -> None:
    rng = np.random.default_rng(seed)
    target, sample = rng.normal(size=n_target), rng.normal(size=n_sample)
    try:
        found = correlation_optimised_warp(target, sample, segment=segment, slack=slack)
    except InputError:
        return  # slack too large for the sample's segments
    assert np.isclose(found.score, by_trying_everything(target, sample, segment, slack), atol=1e-9)
    assert (found.warp.target[0], found.warp.sample[0]) == (0, 0)
    assert (found.warp.target[-1], found.warp.sample[-1]) == (n_target - 1, n_sample - 1)


def test_a_motion_is_itself_without_a_warp() -> None:
    x = np.sin(np.arange(60) / 5)
    found = correlation_optimised_warp(x, x, segment=10, slack=3)
    assert np.isclose(found.score, found.n_segments)
    assert found.warp.target == found.warp.sample


def test_a_known_warp_is_found_to_within_a_frame() -> None:
    frames = np.arange(120.0)
    true = frames + 6 * np.sin(np.pi * frames / 119)
    motion = np.sin(frames / 6) + 0.5 * np.sin(frames / 2.3)
    target = np.interp(true, frames, motion)
    found = correlation_optimised_warp(target, motion, segment=12, slack=4)
    assert np.median(np.abs(found.warp.at(frames) - true)) < 1


def test_simplicity_and_peak_factor() -> None:
    x = np.sin(np.arange(60) / 5)
    assert np.isclose(simplicity_and_peak_factor(x, x, x), 2)
    assert np.isclose(simplicity_and_peak_factor(x, x, np.cos(np.arange(60) / 5)), 1.5, atol=0.02)
    assert simplicity_and_peak_factor(x, x, 3 * x) < 1.1


@pytest.mark.refusal
def test_lengths_that_do_not_allow_it_are_refused() -> None:
    x = np.sin(np.arange(30.0))
    with pytest.raises(InputError, match="the segment length must be from 2 to 29 frames; got 40"):
        correlation_optimised_warp(x, x, segment=40, slack=1)
    with pytest.raises(InputError, match="the slack must be smaller than a segment less one frame; got slack 9"):
        correlation_optimised_warp(x, x, segment=10, slack=9)
