"""Landmarks, finish lines and beats: moments that shall fall together do."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytempo.camera.path import static_path
from polytempo.core.errors import InputError
from polytempo.edit.align.beat import beat_pairs, onsets
from polytempo.edit.align.finish import crossing_frame, finish_map
from polytempo.edit.align.landmarks import landmark_map
from polytempo.edit.align.warp import Warp, map_of_pairs
from polytempo.edit.edl import check_edl, identity_edl
from polytempo.edit.operations.align import align, follow, photo_finish
from polytempo.edit.operations.delay import delay
from polytempo.edit.timemap import TimeMap, line_map


@given(
    steps=st.lists(st.tuples(st.integers(2, 6), st.integers(2, 6)), min_size=1, max_size=5),
    head=st.tuples(st.integers(0, 9), st.integers(0, 9)),
    tail=st.tuples(st.integers(0, 9), st.integers(0, 9)),
)
@settings(max_examples=80, deadline=None)
def test_landmarks_meet_and_the_clip_is_never_left(
    steps: list[tuple[int, int]], head: tuple[int, int], tail: tuple[int, int]
) -> None:
    pairs = [(F(head[0]), F(head[1]))]
    for a, b in steps:
        pairs.append((pairs[-1][0] + a, pairs[-1][1] + b))
    duration, source = pairs[-1][0] + tail[0], pairs[-1][1] + tail[1]
    found = landmark_map(pairs, duration=duration, source_duration=source)
    assert all(found.at(a) == b for a, b in pairs if a < duration)
    asked = [found.at(n * duration / 50) for n in range(50)]
    assert all(one is not None and 0 <= one <= source for one in asked)
    assert all(speed in (0, 1) for speed in (found.speed_at(pairs[0][0] / 2 - 1), found.speed_at(duration + 1)))


def moving_block(speed: float, start: float, n: int = 40) -> np.ndarray:
    masks = np.zeros((n, 30, 100), np.bool_)
    for t in range(n):
        x = round(start + speed * t)
        masks[t, 10:20, max(x, 0) : max(x + 8, 0)] = True
    return masks


def test_a_crossing_is_when_the_front_is_over_the_line() -> None:
    camera = static_path(40, (100, 30))
    line = ((60.0, 0.0), (60.0, 29.0))
    assert crossing_frame("a", moving_block(2, 0), camera, line=line, seen_in=0) == 26.5  # 7 + 2t passes 60
    assert crossing_frame("a", moving_block(-2, 90), camera, line=line, seen_in=0) == 15
    matrices = np.tile(np.eye(3), (40, 1, 1))
    matrices[:, 0, 2] = np.arange(40)  # the camera turns right: all standing things go left
    turning = replace(camera, canvas_from_frame=matrices, canvas_size=(140, 30), kind="panning")
    assert crossing_frame("a", moving_block(1, 0), turning, line=line, seen_in=0) == 26.5
    assert crossing_frame("a", moving_block(1, 0), turning, line=((50.0, 0.0), (50.0, 9.0)), seen_in=10) == 26.5


@given(crossing=st.integers(1, 40), together=st.integers(1, 39), fastest=st.integers(1, 4))
@settings(max_examples=80, deadline=None)
def test_all_cross_at_the_moment_asked_for_at_bounded_speed(crossing: int, together: int, fastest: int) -> None:
    found = finish_map(F(crossing), together=F(together), duration=F(40), source_duration=F(40), fastest=F(fastest))
    assert found.at(F(together)) == crossing
    speeds = {found.speed_at(F(n, 2)) for n in range(80)}
    assert all(speed is not None and 0 <= speed <= fastest for speed in speeds)
    assert all(speed == 0 or speed >= F(1, fastest) for speed in speeds if speed is not None)
    edl = follow(identity_edl(["a"], F(40)), "a", time_map=found)
    check_edl(edl, layers=["a"], source_duration=F(40))


def test_a_photo_finish() -> None:
    edl = identity_edl(["a", "b", "c"], F(10))
    done = photo_finish(edl, {"a": F(3), "b": F(5), "c": F(8)}, source_duration=F(10))
    assert [one.time_map.at(F(5)) for one in done.instances] == [3, 5, 8]
    assert done.instance("b").time_map.at(F(9)) == 9
    check_edl(done, layers=["a", "b", "c"], source_duration=F(10))


def clicks(times: list[float], *, rate: int = 22050, seconds: float = 4.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 1e-3, round(rate * seconds))
    for time in times:
        n = round(time * rate)
        burst = np.exp(-np.arange(2000) / 300) * rng.normal(0, 0.5, 2000)
        samples[n : n + 2000] += burst[: len(samples) - n]
    return np.clip(samples, -1, 1)


def test_onsets_are_heard_to_within_a_frame() -> None:
    times = [0.5, 1.1, 1.72, 2.6, 3.3]
    found = onsets(clicks(times), 22050)
    assert len(found) == 5
    assert np.abs(found - times).max() < 0.025


def test_events_meet_beats() -> None:
    pairs = beat_pairs([F(1), F(2), F(3)], [F(1, 2), F(11, 10), F(22, 10), F(33, 10)])
    assert pairs == [(F(11, 10), F(1)), (F(22, 10), F(2)), (F(33, 10), F(3))]
    few = beat_pairs([F(1), F(2), F(3)], [F(1)])
    assert few == [(F(1), F(1))]


@given(
    gaps=st.lists(st.integers(2, 9), min_size=1, max_size=4), beats=st.lists(st.integers(2, 9), min_size=1, max_size=5)
)
@settings(max_examples=80, deadline=None)
def test_beats_are_met_in_the_best_of_all_ways(gaps: list[int], beats: list[int]) -> None:
    events, on = [F(n) for n in itertools.accumulate(gaps)], [F(n) for n in itertools.accumulate(beats)]
    best: tuple[int, float] | None = None
    for n in range(1, min(len(events), len(on)) + 1):
        for some, these in itertools.product(itertools.combinations(events, n), itertools.combinations(on, n)):
            pairs = list(zip(these, some, strict=True))
            speeds = [(q - p) / (b - a) for (a, p), (b, q) in itertools.pairwise([(F(0), F(0)), *pairs])]
            if all(F(1, 2) <= speed <= 2 for speed in speeds):
                rank = (n, -sum(float(np.log2(float(speed))) ** 2 for speed in speeds))
                best = rank if best is None or rank > best else best
    if best is None:
        with pytest.raises(InputError, match="an event must meet a beat"):
            beat_pairs(events, on)
        return
    found = [(F(0), F(0)), *beat_pairs(events, on)]
    speeds = [(q - p) / (b - a) for (a, p), (b, q) in itertools.pairwise(found)]
    assert len(speeds) == best[0]
    assert abs(sum(float(np.log2(float(one))) ** 2 for one in speeds) + best[1]) < 1e-9


def test_aligning_follows_the_leaders_clock() -> None:
    warp = line_map(F(10), source_start=F(2), speed=F(1, 2))  # the sample's 2 + t/2 belongs to the leader's t
    edl = delay(identity_edl(["girl", "boy"], F(10)), "girl", by=F(1))
    done = align(edl, "boy", to="girl", warp=warp)
    assert [done.instance("boy").time_map.at(F(t)) for t in (0, 1, 5)] == [2, 2, 4]
    part = align(edl, "boy", to="girl", warp=warp, start=F(4), stop=F(6))
    assert [part.instance("boy").time_map.at(F(t)) for t in (3, 4, 5, 6, 7)] == [3, F(7, 2), 4, 6, 7]
    assert part.instance("girl") == edl.instance("girl")


def test_a_warp_may_jump() -> None:
    jump: TimeMap = map_of_pairs([(F(0), F(0)), (F(1), F(1)), (F(1), F(0)), (F(2), F(1))])
    assert [jump.at(F(n, 2)) for n in range(5)] == [0, F(1, 2), 0, F(1, 2), 1]
    assert Warp(target=(0, 10, 10, 20), sample=(0, 10, 0, 10)).speeds().tolist() == [1, 1]


@pytest.mark.refusal
def test_what_cannot_meet_is_refused() -> None:
    ten = {"duration": F(10), "source_duration": F(10)}
    for pairs, message in (
        ([], "there must be at least one landmark; got none"),
        ([(F(1), F(12))], "landmarks must lie within 0 to 10 s; got 12 s"),
        ([(F(-1), F(1))], "landmarks must lie within 0 to 10 s; got -1 s"),
        ([(F(2), F(1)), (F(1), F(2))], "landmarks must rise on both sides; got 2 s with 1 s, then 1 s with 2 s"),
        ([(F(1), F(1)), (F(2), F(10))], "between two landmarks must be from 12.5% to 800%; got 900.0% from 1 to 2 s"),
    ):
        with pytest.raises(InputError, match=message):
            landmark_map(pairs, **ten)
    camera = static_path(40, (100, 30))
    with pytest.raises(InputError, match="a must cross the line; got a subject that stays on one side"):
        crossing_frame("a", moving_block(1, 0), camera, line=((90.0, 0.0), (90.0, 9.0)), seen_in=0)
    with pytest.raises(InputError, match="a finish line must have two different points"):
        crossing_frame("a", moving_block(1, 0), camera, line=((9.0, 9.0), (9.0, 9.0)), seen_in=0)
    with pytest.raises(InputError, match="crossings must lie within the clip"):
        finish_map(F(11), together=F(5), duration=F(10), source_duration=F(10), fastest=F(2))
    with pytest.raises(InputError, match="two or more must cross the line together; got a"):
        photo_finish(identity_edl(["a"], F(4)), {"a": F(1)}, source_duration=F(4))
    with pytest.raises(InputError, match="something must begin to sound; got an even sound or silence"):
        onsets(np.zeros(22050), 22050)
    with pytest.raises(InputError, match="long enough to hear a beat in; got 100 samples"):
        onsets(np.zeros(100), 22050)
    with pytest.raises(InputError, match="there must be events and beats; got 0 events"):
        beat_pairs([], [F(1)])
    with pytest.raises(InputError, match="an event must meet a beat at 50% to 200% speed"):
        beat_pairs([F(1)], [F(9)])
    with pytest.raises(InputError, match="somebody must be aligned to somebody else; got a twice"):
        align(identity_edl(["a"], F(4)), "a", to="a", warp=line_map(F(4), source_start=F(0), speed=F(1)))
