"""Delay and advance: the same, later or earlier."""

from __future__ import annotations

from fractions import Fraction

from polytempo.core.errors import InputError
from polytempo.edit.edl import Edl
from polytempo.edit.operations.retime import Outside, line, map_of_segments, retime
from polytempo.edit.segments import Hide, Hold
from polytempo.edit.timemap import TimeMap

WHERE = "edit.delay"


def delay(edl: Edl, name: str, *, by: Fraction, outside: Outside = "hold") -> Edl:
    """An edit in which an instance does everything later, or earlier where ``by`` is negative.

    Args:
        edl: The edit.
        name: The instance.
        by: Seconds; negative advances.
        outside: What is seen before a delayed instance begins and after an advanced one ends: its first or last
            moment standing still, or nobody.

    Raises:
        InputError: there is no such instance, or the delay is as long as the edit.
    """
    return retime(edl, name, outer=delay_map(edl.duration, by=by, outside=outside))


def advance(edl: Edl, name: str, *, by: Fraction, outside: Outside = "hold") -> Edl:
    """An edit in which an instance does everything earlier; see ``delay``.

    Raises:
        InputError: as ``delay``.
    """
    return delay(edl, name, by=-by, outside=outside)


def delay_map(duration: Fraction, *, by: Fraction, outside: Outside) -> TimeMap:
    """The map from a time to the time ``by`` seconds before it, within an edit.

    Raises:
        InputError: the delay is as long as the edit.
    """
    if abs(by) >= duration:
        raise InputError(WHERE, f"a delay must be shorter than the edit, {float(duration):g} s", got=f"{float(by):g} s")
    zero = Fraction(0)

    def nothing(start: Fraction, stop: Fraction, source: Fraction) -> Hold | Hide:
        return Hold(start=start, stop=stop, source=source) if outside == "hold" else Hide(start=start, stop=stop)

    if by >= 0:
        return map_of_segments([nothing(zero, by, zero), line(by, duration, zero)])
    return map_of_segments([line(zero, duration + by, -by), nothing(duration + by, duration, duration)])
