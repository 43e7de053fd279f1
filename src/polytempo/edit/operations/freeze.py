"""Freeze: a moment stands still."""

from __future__ import annotations

from fractions import Fraction

from polytempo.core.errors import InputError
from polytempo.edit.edl import Edl
from polytempo.edit.operations.retime import Then, line, map_of_segments, require_range, retime
from polytempo.edit.segments import Hold
from polytempo.edit.timemap import hold_map

WHERE = "edit.freeze"


def freeze(edl: Edl, name: str, *, at: Fraction, until: Fraction | None = None, then: Then = "resume") -> Edl:
    """An edit in which an instance stands still at what is seen of it at a moment.

    Args:
        edl: The edit.
        name: The instance.
        at: The moment, in seconds of the output.
        until: Stand still from ``at`` until here; left out, over the whole length, before ``at`` too.
        then: After the range go on from the frozen moment (``"resume"``, no jump) or jump to where it would have been
            (``"rejoin"``).

    Raises:
        InputError: there is no such instance, it is hidden at that moment, or the range leaves the edit.
    """
    end = edl.duration
    require_range(WHERE, start=at, stop=end if until is None else until, duration=end)
    if edl.instance(name).time_map.at(at) is None:
        raise InputError(WHERE, f"{name} must be in view at the moment to be frozen", got=f"hidden at {float(at):g} s")
    if until is None:
        return retime(edl, name, outer=hold_map(end, source=at))
    outer = map_of_segments(
        [
            line(Fraction(0), at, Fraction(0)),
            Hold(start=at, stop=until, source=at),
            line(until, end, at if then == "resume" else until),
        ]
    )
    return retime(edl, name, outer=outer)
