"""Trim and extend: the length of the whole output."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Literal

from polytempo.core.errors import InputError
from polytempo.edit.algebra import compose
from polytempo.edit.edl import Edl, LevelRange
from polytempo.edit.operations.retime import line, map_of_segments, require_range
from polytempo.edit.timemap import identity_map

WHERE = "edit.trim"
Then = Literal["hold", "hide", "loop", "ping-pong"]
"""What an instance does in the time that is added."""


def trim(edl: Edl, *, start: Fraction = Fraction(0), stop: Fraction | None = None) -> Edl:
    """An edit that is a part of another; background, camera and all instances alike.

    Raises:
        InputError: the range is empty or leaves the edit.
    """
    until = edl.duration if stop is None else stop
    require_range(WHERE, start=start, stop=until, duration=edl.duration)
    length = until - start
    outer = map_of_segments([line(Fraction(0), length, start)])
    clock = identity_map(edl.duration) if edl.clock is None else edl.clock
    instances = tuple(
        replace(
            one,
            time_map=compose(outer, one.time_map),
            levels=tuple(
                LevelRange(start=max(part.start - start, Fraction(0)), stop=part.stop - start, level=part.level)
                for part in one.levels
                if part.stop > start
            ),
        )
        for one in edl.instances
    )
    return replace(edl, instances=instances, duration=length, clock=None if start == 0 else compose(outer, clock))


def extend(edl: Edl, *, duration: Fraction, then: Then = "hold") -> Edl:
    """A longer edit: what is added shows the background's last moment, and of the instances what is said.

    Args:
        edl: The edit.
        duration: The new length in seconds.
        then: Every instance stands still as it ends, is gone, starts over, or runs back and forth.

    Raises:
        InputError: it would be shorter than it is.
    """
    if duration < edl.duration:
        raise InputError(
            WHERE,
            f"the new length must be at least {float(edl.duration):g} s",
            got=f"{float(duration):g} s",
            todo="Use trim to make it shorter",
        )
    window = map_of_segments([line(Fraction(0), edl.duration, Fraction(0))])
    instances = tuple(
        one if then == "hold" else replace(one, time_map=replace(compose(window, one.time_map), after=_after(then)))
        for one in edl.instances
    )
    # The background is held from here on, also where a later edit cuts into what was added.
    clock = identity_map(edl.duration) if edl.clock is None and duration > edl.duration else edl.clock
    return replace(edl, instances=instances, duration=duration, clock=clock)


def _after(then: Then) -> Literal["loop", "ping-pong"] | None:
    return then if then == "loop" or then == "ping-pong" else None
