"""Remove: somebody is not there, nor what they cause."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from polytempo.edit.edl import Edl, with_instance
from polytempo.edit.operations.retime import line, map_of_segments, require_range, retime
from polytempo.edit.segments import Hide

WHERE = "edit.remove"


def remove(edl: Edl, name: str, *, start: Fraction | None = None, stop: Fraction | None = None) -> Edl:
    """An edit in which an instance is not shown, always or for a while.

    Args:
        edl: The edit.
        name: The instance. Removed always, it stays in the list, so that it can be brought back.
        start: From this moment of the output on; always when left out. Its clock goes on meanwhile.
        stop: Up to this moment; to the end when left out.

    Raises:
        InputError: there is no such instance, or the range leaves the edit.
    """
    if start is None:
        return with_instance(edl, replace(edl.instance(name), visible=False))
    until = edl.duration if stop is None else stop
    require_range(WHERE, start=start, stop=until, duration=edl.duration)
    pieces = [line(Fraction(0), start, Fraction(0)), Hide(start=start, stop=until), line(until, edl.duration, until)]
    return retime(edl, name, outer=map_of_segments(pieces))


def restore(edl: Edl, name: str) -> Edl:
    """An edit in which an instance is shown again.

    Raises:
        InputError: there is no such instance.
    """
    return with_instance(edl, replace(edl.instance(name), visible=True))
