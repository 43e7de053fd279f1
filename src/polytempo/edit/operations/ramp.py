"""Ramp: speed changes evenly, as a car brakes."""

from __future__ import annotations

from fractions import Fraction

from polytempo.core.errors import InputError
from polytempo.edit.edl import Edl
from polytempo.edit.operations.retime import Then, line, map_of_segments, require_range, retime
from polytempo.edit.operations.speed import FASTEST
from polytempo.edit.segments import Smooth
from polytempo.edit.timemap import Segment

WHERE = "edit.ramp"


def ramp(
    edl: Edl,
    name: str,
    *,
    first: Fraction,
    last: Fraction,
    start: Fraction = Fraction(0),
    stop: Fraction | None = None,
    then: Then = "resume",
) -> Edl:
    """An edit in which an instance goes from one speed to another, changing evenly over a range.

    Args:
        edl: The edit.
        name: The instance.
        first: Speed at the start of the range: 1 is normal, 0 stands still.
        last: Speed at its end.
        start: From this moment of the output on; what is seen then stays in its place.
        stop: Up to this moment of the output; to the end when left out.
        then: After ``stop`` go on at the last speed (``"resume"``) or jump to where it would have been at normal
            speed.

    Raises:
        InputError: there is no such instance, a speed is not between 0 and 1000, or the range leaves the edit.
    """
    end = edl.duration
    until = end if stop is None else stop
    require_range(WHERE, start=start, stop=until, duration=end)
    for one in (first, last):
        if not 0 <= one <= FASTEST:
            raise InputError(
                WHERE, f"the speed must be from 0% to {float(FASTEST):.0%}", got=f"{float(one):.1%}", todo="Use reverse"
            )
    reached = start + (first + last) / 2 * (until - start)
    middle = Smooth(
        start=start, stop=until, source_start=start, source_stop=reached, speed_start=first, speed_stop=last
    )
    tail = line(until, end, reached, speed=last) if then == "resume" else line(until, end, until)
    pieces: list[Segment] = [line(Fraction(0), start, Fraction(0)), middle, tail]
    return retime(edl, name, outer=map_of_segments(pieces))
