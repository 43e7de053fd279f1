"""Dynamic time warping against tslearn, and its limits on speed."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytempo.core.errors import InputError
from polytempo.edit.align.dtw import dynamic_time_warp

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from tslearn.metrics import dtw_path


@given(seed=st.integers(0, 10**6), n=st.integers(2, 40), m=st.integers(2, 40))
@settings(max_examples=80, deadline=None)
def test_cost_and_path_are_those_of_tslearn(seed: int, n: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    target, sample = rng.normal(size=n), rng.normal(size=m)
    path, cost = dtw_path(target, sample)
    ours = dynamic_time_warp(target, sample)
    assert np.isclose(ours.cost, cost)
    assert list(ours.path) == [(int(a), int(b)) for a, b in path]


@given(seed=st.integers(0, 10**6), n=st.integers(10, 40), fastest=st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_speed_keeps_to_its_limit(seed: int, n: int, fastest: int) -> None:
    rng = np.random.default_rng(seed)
    target, sample = rng.normal(size=n), rng.normal(size=n + (4 if fastest > 1 else 0))
    path = np.array(dynamic_time_warp(target, sample, fastest=fastest).path)
    assert (np.diff(path, axis=0) >= 0).all()
    for axis in (0, 1):
        longest = max(len(list(run)) for run in np.split(path[:, axis], np.flatnonzero(np.diff(path[:, axis])) + 1))
        assert longest <= fastest
    assert tuple(path[0]) == (0, 0)
    assert tuple(path[-1]) == (n - 1, len(sample) - 1)


def test_open_ends_find_a_part() -> None:
    whole = np.random.default_rng(0).normal(size=80).cumsum()
    found = dynamic_time_warp(whole[9:70], whole, fastest=2, open_ends=15)
    assert found.cost == 0
    assert found.path[0] == (0, 9)
    assert found.path[-1] == (60, 69)
    assert found.warp().sample[:3] == (9, 10, 11)


@pytest.mark.refusal
def test_what_has_no_path_is_refused() -> None:
    x = np.arange(10.0)
    with pytest.raises(InputError, match="keep to the limit on speed; got 10 and 30 frames with a limit of 2"):
        dynamic_time_warp(x, np.arange(30.0), fastest=2)
    with pytest.raises(InputError, match="at least two frames; got 10 and 1"):
        dynamic_time_warp(x, x[:1])
    with pytest.raises(InputError, match="the limit on speed must be 1 or more; got 0"):
        dynamic_time_warp(x, x, fastest=0)
