"""The common root of all that changes an instance's clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Literal

from polytempo.core.errors import InputError
from polytempo.edit.algebra import compose, merged
from polytempo.edit.edl import Edl, with_instance
from polytempo.edit.segments import Linear
from polytempo.edit.timemap import Segment, TimeMap

Then = Literal["resume", "rejoin"]
"""After a range: ``"resume"`` goes on from where it stopped, ``"rejoin"`` jumps to where it would have been."""
Outside = Literal["hold", "hide"]
"""What is seen where a moved clock has nothing to show: the nearest moment standing still, or nobody."""


def retime(edl: Edl, name: str, *, outer: TimeMap) -> Edl:
    """An edit in which one instance is seen through a further map, from output time to its old output time.

    Raises:
        InputError: there is no instance of that name.
    """
    one = edl.instance(name)
    return with_instance(edl, replace(one, time_map=compose(outer, one.time_map)))


def map_of_segments(segments: Sequence[Segment]) -> TimeMap:
    """A map of the segments that are not empty, standing still before and after (hidden if it ends hidden)."""
    row = merged([one for one in segments if one.stop > one.start])
    first, last = row[0], row[-1]
    return TimeMap(
        segments=row,
        before=first.at(first.start),
        after=last.at(last.stop),
    )


def line(start: Fraction, stop: Fraction, source_start: Fraction, *, speed: Fraction = Fraction(1)) -> Linear:
    """A stretch that starts at a source time and runs at a speed; may be empty."""
    return Linear(start=start, stop=stop, source_start=source_start, source_stop=source_start + speed * (stop - start))


def require_range(where: str, *, start: Fraction, stop: Fraction, duration: Fraction) -> None:
    """Refuse a range of output time that is empty or leaves the edit.

    Raises:
        InputError: it does.
    """
    if not 0 <= start < stop <= duration:
        raise InputError(
            where,
            f"the range must be within the edit, 0 to {float(duration):g} s, and not empty",
            got=f"{float(start):g} to {float(stop):g} s",
        )
