"""Ramps, loops, reversals and the length of the output, by the frames they must show; tenths of a second."""

from __future__ import annotations

from fractions import Fraction as F

import pytest

from polytempo.core.errors import InputError
from polytempo.edit.edl import Edl, Framing, Locked, check_edl, identity_edl
from polytempo.edit.operations.delay import delay
from polytempo.edit.operations.freeze import freeze
from polytempo.edit.operations.hold_on_exit import hold_on_exit
from polytempo.edit.operations.keys import remap
from polytempo.edit.operations.loop import loop
from polytempo.edit.operations.picture import (
    at_frame_rate,
    frame_camera,
    free_camera,
    interpolate,
    keep_grain,
    lock_camera,
    put_at_level,
)
from polytempo.edit.operations.ramp import ramp
from polytempo.edit.operations.reverse import reverse
from polytempo.edit.operations.stagger import stagger, swap
from polytempo.edit.operations.trim import extend, trim

N = 10
FRAME = F(1, N)


def plain() -> Edl:
    return identity_edl(["girl", "boy"], F(1))


def shown(edl: Edl, name: str) -> list[int | None]:
    """Source frame per output frame."""
    check_edl(edl, layers=["girl", "boy"], source_duration=F(1))
    sources = [edl.instance(name).time_map.at(F(n, N)) for n in range(int(edl.duration * N))]
    return [None if s is None else min(int(s * N), N - 1) for s in sources]


def test_ramp() -> None:
    slowing = ramp(plain(), "girl", first=F(1), last=F(0), start=F(2, N), stop=F(8, N))
    assert [slowing.instance("girl").time_map.at(F(n, N)) for n in (2, 5, 8, 9)] == [
        F(2, N),
        F(2, N) + F(3, N) - F(9, 1200) * 10,
        F(5, N),
        F(5, N),
    ]
    assert slowing.instance("girl").time_map.speed_at(F(5, N)) == F(1, 2)
    rejoined = ramp(plain(), "girl", first=F(1), last=F(0), start=F(2, N), stop=F(8, N), then="rejoin")
    assert shown(rejoined, "girl")[-2:] == [8, 9]
    even = ramp(plain(), "girl", first=F(1), last=F(1))
    assert shown(even, "girl") == list(range(N))
    fast = ramp(plain(), "girl", first=F(1), last=F(3))
    assert shown(fast, "girl")[-1] == 9  # it stands still where it has arrived


def test_reverse() -> None:
    assert shown(reverse(plain(), "boy", frame=FRAME), "boy") == list(range(N))[::-1]
    part = reverse(plain(), "boy", frame=FRAME, start=F(2, N), stop=F(6, N))
    assert shown(part, "boy") == [0, 1, 5, 4, 3, 2, 6, 7, 8, 9]
    assert shown(reverse(part, "boy", frame=FRAME, start=F(2, N), stop=F(6, N)), "boy") == list(range(N))


def test_loop_and_ping_pong() -> None:
    assert shown(loop(plain(), "boy", start=F(2, N), stop=F(5, N), frame=FRAME), "boy") == [
        0,
        1,
        2,
        3,
        4,
        2,
        3,
        4,
        2,
        3,
    ]
    swing = loop(plain(), "boy", start=F(2, N), stop=F(5, N), frame=FRAME, mode="ping-pong")
    assert shown(swing, "boy") == [0, 1, 2, 3, 4, 3, 2, 3, 4, 3]
    while_ = loop(plain(), "boy", start=F(0), stop=F(2, N), frame=FRAME, until=F(6, N))
    assert shown(while_, "boy") == [0, 1, 0, 1, 0, 1, 6, 7, 8, 9]
    single = loop(plain(), "boy", start=F(3, N), stop=F(4, N), frame=FRAME, mode="ping-pong")
    assert shown(single, "boy") == [0, 1, 2, *[3] * 7]
    late = delay(swing, "boy", by=F(1, N))
    assert shown(late, "boy") == [0, 0, 1, 2, 3, 4, 3, 2, 3, 4]


def test_hold_on_exit() -> None:
    assert shown(hold_on_exit(plain(), "girl", at=F(6, N)), "girl") == [0, 1, 2, 3, 4, 5, 6, 6, 6, 6]


def test_trim_takes_the_background_along() -> None:
    edl = put_at_level(freeze(plain(), "girl", at=F(5, N)), "boy", level=2, start=F(0), stop=F(4, N))
    part = trim(edl, start=F(3, N), stop=F(7, N))
    assert part.duration == F(4, N)
    assert shown(part, "boy") == [3, 4, 5, 6]
    assert shown(part, "girl") == [5] * 4
    assert part.clock is not None
    assert [part.clock.at(F(n, N)) for n in range(4)] == [F(3 + n, N) for n in range(4)]
    assert [part.instance("boy").level_at(F(n, N)) for n in range(3)] == [2, 0, 0]
    assert trim(part, start=F(1, N)).clock.at(F(0)) == F(4, N)  # type: ignore[union-attr]
    assert trim(edl, stop=F(7, N)).clock is None


def test_extend() -> None:
    assert shown(extend(plain(), duration=F(12, N)), "boy") == [*range(N), 9, 9]
    assert shown(extend(plain(), duration=F(12, N), then="hide"), "boy") == [*range(N), None, None]
    assert shown(extend(plain(), duration=F(13, N), then="loop"), "boy") == [*range(N), 0, 1, 2]
    assert shown(extend(plain(), duration=F(13, N), then="ping-pong"), "boy")[-2:] == [9, 8]


def test_stagger_and_swap() -> None:
    edl = stagger(plain(), ["boy", "girl"], step=F(3, N), outside="hide")
    assert shown(edl, "boy") == list(range(N))
    assert shown(edl, "girl") == [None] * 3 + list(range(7))
    other = swap(edl, "boy", "girl")
    assert shown(other, "girl") == list(range(N))
    assert swap(other, "girl", "boy") == edl


def test_keys() -> None:
    keys = [(F(0), F(0)), (F(5, N), F(1, N)), (F(1), F(1))]
    straight = remap(plain(), "girl", keys, smooth=False)
    assert shown(straight, "girl") == [0, 0, 0, 0, 0, 1, 2, 4, 6, 8]
    assert remap(plain(), "girl", keys).instance("girl").time_map.at(F(5, N)) == F(1, N)


def test_what_it_looks_like() -> None:
    edl = interpolate(plain(), "girl", between="flow", shutter=0.5)
    assert (edl.instance("girl").between, edl.instance("girl").shutter) == ("flow", 0.5)
    assert lock_camera(edl, at=F(1, 2)).camera == Locked(at=F(1, 2))
    assert frame_camera(edl, "girl").camera == Framing(instance="girl")
    assert free_camera(frame_camera(edl, "girl")) == edl
    assert keep_grain(edl).grain == 1
    assert at_frame_rate(edl, F(30)).timing == 30
    front = put_at_level(
        put_at_level(edl, "girl", level=1, start=F(1, 2)), "girl", level=-1, start=F(7, 10), stop=F(8, 10)
    )
    assert [front.instance("girl").level_at(F(n, N)) for n in (4, 5, 7, 8)] == [0, 1, -1, 1]
    assert put_at_level(front, "girl", level=4).instance("girl").levels == ()


@pytest.mark.refusal
def test_what_cannot_be_done_is_refused() -> None:
    edl = plain()
    refused = {
        r"the speed must be from 0% to 100000%; got -100.0%": lambda: ramp(edl, "girl", first=F(-1), last=F(1)),
        r"at least one frame long; got 0.05 s with frames of 0.1 s": lambda: reverse(
            edl, "girl", frame=FRAME, stop=F(1, 20)
        ),
        r"edit.loop: the range must be within the edit": lambda: loop(edl, "girl", start=F(2), stop=F(3), frame=FRAME),
        r"edit.trim: the range must be within the edit": lambda: trim(edl, start=F(1)),
        r"the new length must be at least 1 s; got 0.5 s. Use trim": lambda: extend(edl, duration=F(1, 2)),
        r"two or more different instances must be named; got girl, girl": lambda: stagger(
            edl, ["girl", "girl"], step=FRAME
        ),
        r"two different instances must be named; got boy twice": lambda: swap(edl, "boy", "boy"),
        r"got 'dog'. There is: girl, boy": lambda: frame_camera(edl, "dog"),
        r"output times of keys must rise": lambda: remap(edl, "girl", [(F(1), F(0)), (F(0), F(1))]),
        r"the shutter must lie in 0 to 1; got 2": lambda: interpolate(edl, "girl", between="flow", shutter=2),
        r"the share of grain must lie in 0 to 1; got -1": lambda: keep_grain(edl, share=-1),
        r"a level must be from -1000 to 1000; got 2000": lambda: put_at_level(edl, "girl", level=2000),
        r"the frame rate must be above 0": lambda: at_frame_rate(edl, F(0)),
    }
    for message, operation in refused.items():
        with pytest.raises(InputError, match=message):
            operation()
