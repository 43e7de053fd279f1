"""Speed: faster or slower, over all or a range."""

from __future__ import annotations

from fractions import Fraction

from polytempo.core.errors import InputError
from polytempo.edit.edl import Edl
from polytempo.edit.operations.retime import Then, line, map_of_segments, require_range, retime

WHERE = "edit.speed"
SLOWEST, FASTEST = Fraction(1, 1000), Fraction(1000)


def speed(
    edl: Edl,
    name: str,
    *,
    factor: Fraction,
    start: Fraction = Fraction(0),
    stop: Fraction | None = None,
    then: Then = "resume",
) -> Edl:
    """An edit in which an instance runs at another speed.

    Sped up, an instance reaches its end early and stands still there. Slowed down, it does not get to its end.

    Args:
        edl: The edit.
        name: The instance.
        factor: 1 changes nothing, 1/2 is half speed, 2 is double.
        start: From this moment of the output on; what is seen then stays in its place.
        stop: Up to this moment of the output; to the end when left out.
        then: After ``stop`` go on from there at normal speed (``"resume"``) or jump to where it would have been.

    Raises:
        InputError: there is no such instance, the factor is not between 1/1000 and 1000, or the range leaves the edit.
    """
    end = edl.duration
    until = end if stop is None else stop
    require_range(WHERE, start=start, stop=until, duration=end)
    if not SLOWEST <= factor <= FASTEST:
        raise InputError(
            WHERE,
            f"the speed must be from {float(SLOWEST):.1%} to {float(FASTEST):.0%}",
            got=f"{float(factor):.1%}",
            todo="Use freeze to stand still",
        )
    zero = Fraction(0)
    reached = start + factor * (until - start)
    outer = map_of_segments(
        [
            line(zero, start, zero),
            line(start, until, start, speed=factor),
            line(until, end, reached if then == "resume" else until),
        ]
    )
    return retime(edl, name, outer=outer)
