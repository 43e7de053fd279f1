"""Time maps: laws, and values by hand."""

from __future__ import annotations

from fractions import Fraction as F
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytempo.core.errors import InputError
from polytempo.edit.timemap import (
    Hide,
    Hold,
    Linear,
    TimeMap,
    compose,
    hold_map,
    identity_map,
    line_map,
    merged,
    shifted,
    sliced,
)

times = st.fractions(min_value=-2, max_value=6, max_denominator=60)


@st.composite
def time_maps(draw: st.DrawFn, *, forwards: bool = True) -> TimeMap:
    """Maps with jumps, holds and hidden parts over [0, 4); running forwards unless told."""
    cuts = sorted({F(0), F(4), *draw(st.lists(st.fractions(0, 4, max_denominator=12), max_size=4))})
    segments: list[Linear | Hold | Hide] = []
    for start, stop in pairwise(cuts):
        kind = draw(st.sampled_from(["linear", "linear", "hold", "hide"]))
        a, b = draw(st.fractions(-1, 5, max_denominator=12)), draw(st.fractions(-1, 5, max_denominator=12))
        if kind == "hide":
            segments.append(Hide(start=start, stop=stop))
        elif kind == "hold" or a == b:
            segments.append(Hold(start=start, stop=stop, source=a))
        else:
            low, high = (min(a, b), max(a, b)) if forwards else (a, b)
            segments.append(Linear(start=start, stop=stop, source_start=low, source_stop=high))
    outside = st.one_of(st.none(), st.fractions(0, 4, max_denominator=12))
    return TimeMap(segments=tuple(segments), before=draw(outside), after=draw(outside))


def after(outer: TimeMap, inner: TimeMap, time: F) -> F | None:
    between = outer.at(time)
    return None if between is None else inner.at(between)


@given(outer=time_maps(), inner=time_maps(), time=times)
@settings(max_examples=120, deadline=None)
def test_compose_is_asking_one_after_the_other(outer: TimeMap, inner: TimeMap, time: F) -> None:
    assert compose(outer, inner).at(time) == after(outer, inner, time)


@given(outer=time_maps(forwards=False), inner=time_maps(forwards=False), time=times)
@settings(max_examples=80, deadline=None)
def test_compose_backwards_differs_at_most_at_jumps(outer: TimeMap, inner: TimeMap, time: F) -> None:
    between = outer.at(time)
    if between not in (*inner.starts, inner.stop):
        assert compose(outer, inner).at(time) == after(outer, inner, time)


@given(a=time_maps(), b=time_maps(), c=time_maps(), time=times)
@settings(max_examples=40, deadline=None)
def test_compose_is_associative(a: TimeMap, b: TimeMap, c: TimeMap, time: F) -> None:
    assert compose(compose(a, b), c).at(time) == compose(a, compose(b, c)).at(time)


@given(one=time_maps(), time=st.fractions(0, 4, max_denominator=60).filter(lambda t: t < 4))
@settings(max_examples=40, deadline=None)
def test_identity_changes_nothing_on_either_side(one: TimeMap, time: F) -> None:
    assert compose(identity_map(F(4)), one).at(time) == one.at(time)
    wide = shifted(line_map(F(20), source_start=F(-10), speed=F(1)), by=F(-10))
    assert compose(one, wide).at(time) == one.at(time)


@given(one=time_maps(), source=st.fractions(0, 4, max_denominator=12), time=times)
@settings(max_examples=40, deadline=None)
def test_a_constant_is_a_freeze(one: TimeMap, source: F, time: F) -> None:
    frozen = compose(hold_map(F(4), source=source), one)
    assert frozen.at(time) == one.at(source)


@given(one=time_maps(), a=times, b=times, time=times)
@settings(max_examples=40, deadline=None)
def test_slicing_commutes_with_evaluating(one: TimeMap, a: F, b: F, time: F) -> None:
    if a == b:
        return
    part = sliced(one, start=min(a, b), stop=max(a, b))
    assert part.at(time) == (one.at(time) if min(a, b) <= time < max(a, b) else None)


@given(one=time_maps(), by=times, time=times)
@settings(max_examples=40, deadline=None)
def test_shifting_moves_the_clock(one: TimeMap, by: F, time: F) -> None:
    assert shifted(one, by=by).at(time + by) == one.at(time)


@given(one=time_maps(), time=times)
@settings(max_examples=40, deadline=None)
def test_merging_says_the_same_in_fewer_words(one: TimeMap, time: F) -> None:
    less = TimeMap(segments=merged(one.segments), before=one.before, after=one.after)
    assert less.at(time) == one.at(time)
    assert len(less.segments) <= len(one.segments)


def test_values_by_hand() -> None:
    ramp = TimeMap(
        segments=(
            Linear(start=F(0), stop=F(2), source_start=F(1), source_stop=F(2)),
            Hold(start=F(2), stop=F(3), source=F(2)),
            Linear(start=F(3), stop=F(4), source_start=F(2), source_stop=F(0)),
        ),
        before=None,
        after=F(0),
    )
    asked = [F(-1, 10), F(0), F(1), F(2), F(5, 2), F(7, 2), F(4)]
    assert [ramp.at(t) for t in asked] == [None, F(1), F(3, 2), F(2), F(2), F(1), F(0)]
    assert ramp.segments[0].speed == F(1, 2)  # type: ignore[union-attr]
    assert (ramp.start, ramp.stop) == (F(0), F(4))


def test_composing_speeds_multiplies_them() -> None:
    half = line_map(F(4), source_start=F(0), speed=F(1, 2))
    (only,) = compose(half, half).segments
    assert isinstance(only, Linear)
    assert only.speed == F(1, 4)


@pytest.mark.refusal
def test_rows_that_do_not_join_are_refused() -> None:
    first = Hold(start=F(0), stop=F(1), source=F(0))
    with pytest.raises(InputError, match="at least one segment"):
        TimeMap(segments=(), before=None, after=None)
    with pytest.raises(InputError, match="must stop after it starts; got 1 to 1 s in segment 0"):
        TimeMap(segments=(Hide(start=F(1), stop=F(1)),), before=None, after=None)
    with pytest.raises(InputError, match="must start where the one before it stops; got 2 s after 1 s in segment 1"):
        TimeMap(segments=(first, Hide(start=F(2), stop=F(3))), before=None, after=None)
    with pytest.raises(InputError, match="a range must stop after it starts; got 2 to 2 s"):
        sliced(identity_map(F(4)), start=F(2), stop=F(2))
