"""Align: somebody in time with somebody else, with a line, or with a sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from polytempo.core.errors import InputError
from polytempo.edit.algebra import compose, merged, sliced
from polytempo.edit.align.finish import finish_map
from polytempo.edit.edl import Edl, with_instance
from polytempo.edit.operations.retime import require_range
from polytempo.edit.timemap import Segment, TimeMap

WHERE = "edit.align"


def align(
    edl: Edl,
    name: str,
    *,
    to: str,
    warp: TimeMap,
    start: Fraction = Fraction(0),
    stop: Fraction | None = None,
) -> Edl:
    """An edit in which an instance moves in time with another, whatever the other's clock is.

    Args:
        edl: The edit.
        name: The instance that is retimed.
        to: The instance that leads.
        warp: From the leader's source time to the source time that belongs with it; see ``edit.align``.
        start: From this moment of the output on.
        stop: Up to this moment; then its own clock goes on. To the end when left out.

    Raises:
        InputError: there is no such instance, both are one, or the range leaves the edit.
    """
    if name == to:
        raise InputError(WHERE, "somebody must be aligned to somebody else", got=f"{name} twice")
    until = edl.duration if stop is None else stop
    require_range(WHERE, start=start, stop=until, duration=edl.duration)
    one = edl.instance(name)
    return with_instance(
        edl, replace(one, time_map=_spliced(one.time_map, compose(edl.instance(to).time_map, warp), edl, start, until))
    )


def follow(
    edl: Edl, name: str, *, time_map: TimeMap, start: Fraction = Fraction(0), stop: Fraction | None = None
) -> Edl:
    """An edit in which an instance has a new clock, over the whole length or a range of it.

    Raises:
        InputError: there is no such instance, or the range leaves the edit.
    """
    until = edl.duration if stop is None else stop
    require_range(WHERE, start=start, stop=until, duration=edl.duration)
    one = edl.instance(name)
    return with_instance(edl, replace(one, time_map=_spliced(one.time_map, time_map, edl, start, until)))


def photo_finish(
    edl: Edl,
    crossings: Mapping[str, Fraction],
    *,
    together: Fraction | None = None,
    source_duration: Fraction,
    fastest: Fraction = Fraction(2),
) -> Edl:
    """An edit in which several instances cross a line at one moment.

    Args:
        edl: The edit; clocks of these instances are replaced.
        crossings: Source time of each one's crossing; ``edit.align.finish`` finds it.
        together: Moment of the output; the middle one of the crossings when left out.
        source_duration: Length of the clip.
        fastest: Limit on the speed; its inverse is the slowest.

    Raises:
        InputError: fewer than two are named, there is no such instance, or a time lies outside.
    """
    if len(crossings) < 2:
        raise InputError(WHERE, "two or more must cross the line together", got=", ".join(crossings) or "nobody")
    moments = sorted(crossings.values())
    at = moments[len(moments) // 2] if together is None else together
    for name, crossing in crossings.items():
        time_map = finish_map(
            crossing, together=at, duration=edl.duration, source_duration=source_duration, fastest=fastest
        )
        edl = with_instance(edl, replace(edl.instance(name), time_map=time_map))
    return edl


def _spliced(own: TimeMap, other: TimeMap, edl: Edl, start: Fraction, stop: Fraction) -> TimeMap:
    """Another clock over a range of one's own."""
    zero, end = Fraction(0), edl.duration
    pieces: list[Segment] = []
    for time_map, a, b in ((own, zero, start), (other, start, stop), (own, stop, end)):
        if b > a:
            pieces.extend(sliced(time_map, start=a, stop=b).segments)
    before = own.before if start > 0 else other.at(start)
    after = own.after if stop < end else other.at(end)
    return TimeMap(segments=merged(pieces), before=before, after=after)
