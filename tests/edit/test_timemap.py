"""Time maps: laws, and values by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction as F
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from polytempo.core.errors import InputError
from polytempo.edit.algebra import compose, inverse, merged, shifted, sliced, split
from polytempo.edit.segments import Bezier, Hide, Hold, Linear, Smooth
from polytempo.edit.timemap import (
    Nested,
    Segment,
    TimeMap,
    hold_map,
    identity_map,
    keyed_map,
    line_map,
    smooth_map,
)

times = st.fractions(min_value=-2, max_value=6, max_denominator=60)


quarters = st.integers(-12, 60).map(lambda n: F(n, 12))
Draft = tuple[list[tuple[F, str, F, F]], F | str | None, F | str | None]
"""Segments' starts, kinds and source times; what comes before and after."""

drafts = st.tuples(
    st.lists(
        st.tuples(quarters, st.sampled_from(["linear", "linear", "hold", "hide"]), quarters, quarters), max_size=4
    ),
    st.none() | quarters,
    st.none() | quarters,
)
rounds = st.none() | quarters | st.sampled_from(["loop", "ping-pong"])
curved = st.tuples(
    st.lists(
        st.tuples(
            quarters, st.sampled_from(["linear", "hold", "hide", "smooth", "bezier", "smooth"]), quarters, quarters
        ),
        max_size=3,
    ),
    rounds,
    rounds,
)


def made(draft: Draft, *, forwards: bool = True) -> TimeMap:
    """A map with jumps, holds and hidden parts over [0, 4); running forwards unless told."""
    rows, before, after_last = draft
    kinds = {F(0): ("linear", F(0), F(2))} | {t: (kind, a, b) for t, kind, a, b in rows if 0 <= t < 4}
    starts = sorted(kinds)
    segments: list[Segment] = []
    for start, stop in pairwise([*starts, F(4)]):
        kind, a, b = kinds[start]
        if kind == "smooth":
            low, high = (min(a, b), max(a, b)) if forwards else (a, b)
            speed = (high - low) / (stop - start)
            segments.append(
                Smooth(
                    start=start,
                    stop=stop,
                    source_start=low,
                    source_stop=high,
                    speed_start=2 * speed,
                    speed_stop=speed / 3,
                )
            )
        elif kind == "bezier":
            low, high = (min(a, b), max(a, b)) if forwards else (a, b)
            segments.append(
                Bezier(
                    start=start,
                    stop=stop,
                    source_start=low,
                    source_stop=high,
                    leave=((stop - start) * F(2, 3), F(0)),
                    arrive=((stop - start) / 2, (high - low) / 3),
                )
            )
        elif kind == "hide":
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


@given(outer=curved, inner=curved, time=times)
@settings(max_examples=150, deadline=None)
def test_composing_curves_and_rounds_is_asking_one_after_the_other(outer: Draft, inner: Draft, time: F) -> None:
    first, second = made(outer, forwards=False), made(inner, forwards=False)
    swings = "ping-pong" in (first.before, first.after, second.before, second.after)
    if first.at(time) in (*second.starts, second.stop) or (swings and not first.start <= time < first.stop):
        return  # at a jump it may fall to either side
    assert compose(first, second).at(time) == after(first, second, time)


@given(a=curved, b=curved, c=curved, time=st.fractions(0, 4, max_denominator=60).filter(lambda t: t < 4))
@settings(max_examples=60, deadline=None)
def test_composing_curves_is_associative(a: Draft, b: Draft, c: Draft, time: F) -> None:
    one, two, three = made(a), made(b), made(c)
    assert compose(compose(one, two), three).at(time) == compose(one, compose(two, three)).at(time)


@given(draft=curved, a=times, b=times, time=times)
@settings(max_examples=100, deadline=None)
def test_slicing_curves_commutes_with_evaluating(draft: Draft, a: F, b: F, time: F) -> None:
    if a == b:
        return
    one = made(draft)
    part = sliced(one, start=min(a, b), stop=max(a, b))
    assert part.at(time) == (one.at(time) if min(a, b) <= time < max(a, b) else None)


@given(draft=curved, at=st.fractions(0, 4, max_denominator=60).filter(lambda t: 0 < t < 4), time=times)
@settings(max_examples=60, deadline=None)
def test_two_halves_are_the_whole(draft: Draft, at: F, time: F) -> None:
    one = made(draft)
    left, right = split(one, at=at)
    if 0 <= time < 4:
        assert (left if time < at else right).at(time) == one.at(time)
    back = TimeMap(segments=merged((*left.segments, *right.segments)), before=one.before, after=one.after)
    assert back.segments == merged(one.segments)


@given(draft=curved, by=times, time=times)
@settings(max_examples=60, deadline=None)
def test_shifting_moves_curves_and_rounds(draft: Draft, by: F, time: F) -> None:
    one = made(draft)
    assert shifted(one, by=by).at(time + by) == one.at(time)


@given(draft=curved, time=st.fractions(0, 4, max_denominator=97).filter(lambda t: 0 < t < F(39, 10)))
@settings(max_examples=100, deadline=None)
def test_speed_is_the_slope(draft: Draft, time: F) -> None:
    one = made(draft, forwards=False)
    step = F(1, 10**6)
    if any(abs(time - edge) <= step for edge in one.starts):
        return
    speed, low, high = one.speed_at(time), one.at(time - step), one.at(time + step)
    if speed is None:
        assert low is None
    else:
        assert low is not None
        assert high is not None
        assert abs(float((high - low) / (2 * step) - speed)) < 1e-3 * (1 + abs(float(speed)))


@given(time=times, period=st.integers(1, 8))
@settings(max_examples=60, deadline=None)
def test_rounds_are_periodic(time: F, period: int) -> None:
    line = Linear(start=F(1), stop=1 + F(period, 2), source_start=F(5), source_stop=F(6))
    loop = TimeMap(segments=(line,), before="loop", after="loop")
    swing = TimeMap(segments=(line,), before="ping-pong", after="ping-pong")
    assert loop.at(time) == loop.at(time + F(period, 2))
    assert swing.at(time) == swing.at(time + period)
    assert swing.at(1 + time) == swing.at(1 - time)  # a mirror at the start


@given(steps=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=5), data=st.data())
@settings(max_examples=60, deadline=None)
def test_there_and_back_is_where_it_was(steps: list[tuple[int, int]], data: st.DataObject) -> None:
    keys = [(F(0), F(0))]
    for a, b in steps:
        keys.append((keys[-1][0] + F(a, 3), keys[-1][1] + F(b, 3)))
    time = data.draw(st.fractions(0, keys[-1][0], max_denominator=50)) * F(99, 100)
    lines, curves = keyed_map(keys), smooth_map(keys)
    assert inverse(lines).at(lines.at(time)) == time  # type: ignore[arg-type]
    back = inverse(curves).at(curves.at(time))  # type: ignore[arg-type]
    assert back is not None
    assert abs(back - time) < F(1, 10**6)
    down = keyed_map([(a, -b) for a, b in keys])
    assert inverse(down).at(down.at(time)) in (time, None)  # the last moment falls to the end that is left out


@given(
    steps=st.lists(st.tuples(st.integers(1, 9), st.integers(-9, 9)), min_size=1, max_size=6), place=st.fractions(0, 1)
)
@settings(max_examples=100, deadline=None)
def test_smooth_maps_never_swing_beyond_their_keys(steps: list[tuple[int, int]], place: F) -> None:
    keys = [(F(0), F(0))]
    for a, b in steps:
        keys.append((keys[-1][0] + a, keys[-1][1] + b))
    curve = smooth_map(keys)
    for (a, p), (b, q) in pairwise(keys):
        assert curve.at(a) == p
        between = curve.at(a + place * (b - a) * F(999, 1000))
        assert between is not None
        assert min(p, q) <= between <= max(p, q)


def test_smooth_maps_against_another_program() -> None:
    keys = [(F(0), F(0)), (F(1), F(1)), (F(5, 2), F(4)), (F(3), F(3)), (F(5), F(1, 2)), (F(6), F(1, 2))]
    theirs = PchipInterpolator([float(a) for a, _ in keys], [float(b) for _, b in keys])
    ours = smooth_map(keys)
    for n in range(100, 501):  # their end slopes follow another rule
        at = ours.at(F(n, 100))
        assert at is not None
        assert abs(float(at) - float(theirs(n / 100))) < 1e-9


def test_an_even_change_of_speed_is_a_parabola() -> None:
    ramp = Smooth(start=F(0), stop=F(2), source_start=F(0), source_stop=F(2), speed_start=F(0), speed_stop=F(2))
    assert [ramp.at(F(n, 2)) for n in range(5)] == [F(n * n, 8) for n in range(5)]
    assert [ramp.speed_at(F(n, 2)) for n in range(5)] == [F(n, 2) for n in range(5)]


def test_a_bezier_curve_against_its_own_formula() -> None:
    curve = Bezier(start=F(1), stop=F(3), source_start=F(0), source_stop=F(4), leave=(F(1), F(0)), arrive=(F(1), F(0)))
    for n in range(1, 20):
        s = F(n, 20)
        x = (1 - s) ** 3 * 1 + 3 * (1 - s) ** 2 * s * 2 + 3 * (1 - s) * s**2 * 2 + s**3 * 3
        y = 4 * (3 * (1 - s) * s**2 + s**3)
        assert abs(curve.at(x) - y) < F(1, 10**9)
    straight = Bezier(
        start=F(0), stop=F(3), source_start=F(0), source_stop=F(3), leave=(F(1), F(1)), arrive=(F(1), F(1))
    )
    assert straight.at(F(1)) - 1 < F(1, 10**9)
    upright = replace(curve, leave=(F(2), F(0)), arrive=(F(2), F(0)))
    assert upright.speed_at(F(2)) > 100


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
    with pytest.raises(InputError, match="a cut must lie within the map, 0 to 4 s; got 4 s"):
        split(identity_map(F(4)), at=F(4))
    with pytest.raises(InputError, match="there must be at least two keys; got 1"):
        smooth_map([(F(0), F(0))])
    with pytest.raises(InputError, match="output times of keys must rise; got 1 s then 1 s at keys 0 and 1"):
        keyed_map([(F(1), F(0)), (F(1), F(2))])
    with pytest.raises(InputError, match="a handle must lie between its two keys in time; got leave 3 s"):
        Bezier(start=F(0), stop=F(2), source_start=F(0), source_stop=F(1), leave=(F(3), F(0)), arrive=(F(0), F(0)))


@pytest.mark.refusal
def test_maps_without_an_inverse_are_refused() -> None:
    for time_map, got in (
        (hold_map(F(2), source=F(1)), "hold in segment 0"),
        (keyed_map([(F(0), F(0)), (F(1), F(1)), (F(2), F(0))]), "both ways"),
        (TimeMap(segments=(*keyed_map([(F(0), F(0)), (F(1), F(1))]).segments,
                           Linear(start=F(1), stop=F(2), source_start=F(2), source_stop=F(3))),
                 before=None, after=None), "a jump at 1 s"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=got):
            inverse(time_map)


@pytest.mark.refusal
def test_curves_are_not_chained_without_end() -> None:
    curve = smooth_map([(F(0), F(0)), (F(1), F(2)), (F(4), F(3)), (F(5), F(5))])
    chained = curve
    while max([0, *(one.depth for one in chained.segments if isinstance(one, Nested))]) < 6:
        chained = compose(chained, curve)
    with pytest.raises(InputError, match="at most 6 curves may be chained into one another; got 7"):
        compose(chained, curve)
