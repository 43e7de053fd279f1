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


quarters = st.integers(-12, 60).map(lambda n: F(n, 12))
Draft = tuple[list[tuple[F, str, F, F]], F | None, F | None]
"""Segments' starts, kinds and source times; what comes before and after."""

drafts = st.tuples(
    st.lists(
        st.tuples(quarters, st.sampled_from(["linear", "linear", "hold", "hide"]), quarters, quarters), max_size=4
    ),
    st.none() | quarters,
    st.none() | quarters,
)


def made(draft: Draft, *, forwards: bool = True) -> TimeMap:
    """A map with jumps, holds and hidden parts over [0, 4); running forwards unless told."""
    rows, before, after_last = draft
    kinds = {F(0): ("linear", F(0), F(2))} | {t: (kind, a, b) for t, kind, a, b in rows if 0 <= t < 4}
    starts = sorted(kinds)
    segments: list[Linear | Hold | Hide] = []
    for start, stop in pairwise([*starts, F(4)]):
        kind, a, b = kinds[start]
        if kind == "hide":
            segments.append(Hide(start=start, stop=stop))
        elif kind == "hold" or a == b:
            segments.append(Hold(start=start, stop=stop, source=a))
        else:
            low, high = (min(a, b), max(a, b)) if forwards else (a, b)
            segments.append(Linear(start=start, stop=stop, source_start=low, source_stop=high))
    return TimeMap(segments=tuple(segments), before=before, after=after_last)


def after(outer: TimeMap, inner: TimeMap, time: F) -> F | None:
    between = outer.at(time)
    return None if between is None else inner.at(between)


@given(outer=drafts, inner=drafts, time=times)
@settings(max_examples=100, deadline=None)
def test_compose_is_asking_one_after_the_other(outer: Draft, inner: Draft, time: F) -> None:
    first, second = made(outer), made(inner)
    assert compose(first, second).at(time) == after(first, second, time)


@given(outer=drafts, inner=drafts, time=times)
@settings(max_examples=80, deadline=None)
def test_compose_backwards_differs_at_most_at_jumps(outer: Draft, inner: Draft, time: F) -> None:
    first, second = made(outer, forwards=False), made(inner, forwards=False)
    if first.at(time) not in (*second.starts, second.stop):
        assert compose(first, second).at(time) == after(first, second, time)


@given(a=drafts, b=drafts, c=drafts, time=times)
@settings(max_examples=50, deadline=None)
def test_compose_is_associative(a: Draft, b: Draft, c: Draft, time: F) -> None:
    one, two, three = made(a), made(b), made(c)
    assert compose(compose(one, two), three).at(time) == compose(one, compose(two, three)).at(time)


@given(draft=drafts, time=st.fractions(0, 4, max_denominator=60).filter(lambda t: t < 4))
@settings(max_examples=50, deadline=None)
def test_identity_changes_nothing_on_either_side(draft: Draft, time: F) -> None:
    one = made(draft)
    assert compose(identity_map(F(4)), one).at(time) == one.at(time)
    wide = shifted(line_map(F(20), source_start=F(-10), speed=F(1)), by=F(-10))
    assert compose(one, wide).at(time) == one.at(time)


@given(draft=drafts, source=quarters, time=times)
@settings(max_examples=40, deadline=None)
def test_a_constant_is_a_freeze(draft: Draft, source: F, time: F) -> None:
    one = made(draft)
    assert compose(hold_map(F(4), source=source), one).at(time) == one.at(source)


@given(draft=drafts, a=times, b=times, time=times)
@settings(max_examples=60, deadline=None)
def test_slicing_commutes_with_evaluating(draft: Draft, a: F, b: F, time: F) -> None:
    if a == b:
        return
    one = made(draft)
    part = sliced(one, start=min(a, b), stop=max(a, b))
    assert part.at(time) == (one.at(time) if min(a, b) <= time < max(a, b) else None)


@given(draft=drafts, by=times, time=times)
@settings(max_examples=40, deadline=None)
def test_shifting_moves_the_clock(draft: Draft, by: F, time: F) -> None:
    one = made(draft)
    assert shifted(one, by=by).at(time + by) == one.at(time)


@given(draft=drafts, time=times)
@settings(max_examples=50, deadline=None)
def test_merging_says_the_same_in_fewer_words(draft: Draft, time: F) -> None:
    one = made(draft)
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
