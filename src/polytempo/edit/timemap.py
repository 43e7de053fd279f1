"""Time maps: which moment of the source does this moment of the output show?

A map is *pulled*: the renderer asks with an output time and gets a source time, or nothing where the layer is hidden.
Both are exact seconds since the first frame of output and source. A map is a row of segments without gaps; what
happens before the first and after the last is said by one source time each, held, or by nothing, hidden.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from polytempo.core.errors import InputError
from polytempo.edit.exact import Exact

WHERE = "edit.timemap"
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True, slots=True)
class Linear:
    """Source time runs evenly; backwards where ``source_stop`` lies before ``source_start``."""

    __pydantic_config__ = _STRICT
    kind: Literal["linear"] = "linear"
    start: Exact
    """Output time of its first moment, in seconds."""
    stop: Exact
    """Output time at which the next segment begins."""
    source_start: Exact
    """Source time shown at ``start``."""
    source_stop: Exact
    """Source time that would be shown at ``stop``."""

    @property
    def speed(self) -> Fraction:
        """Source seconds per output second; 1 is normal, negative runs backwards."""
        return (self.source_stop - self.source_start) / (self.stop - self.start)

    def at(self, time: Fraction) -> Fraction:
        """Source time at an output time; also outside the segment, on the same line."""
        return self.source_start + (time - self.start) * self.speed


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """One source moment stands still."""

    __pydantic_config__ = _STRICT
    kind: Literal["hold"] = "hold"
    start: Exact
    stop: Exact
    source: Exact
    """Source time shown all along."""

    def at(self, time: Fraction) -> Fraction:
        """The source time that is held."""
        return self.source


@dataclass(frozen=True, kw_only=True, slots=True)
class Hide:
    """Nothing is shown."""

    __pydantic_config__ = _STRICT
    kind: Literal["hide"] = "hide"
    start: Exact
    stop: Exact

    def at(self, time: Fraction) -> None:
        """Nothing."""


Segment = Annotated[Linear | Hold | Hide, Field(discriminator="kind")]
"""A stretch of output time ``[start, stop)``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeMap:
    """A row of segments, each beginning where the one before stops."""

    __pydantic_config__ = _STRICT
    segments: tuple[Segment, ...]
    before: Exact | None
    """Source time shown before the first segment; None hides."""
    after: Exact | None
    """Source time shown from the end of the last segment on; None hides."""
    starts: Annotated[tuple[Fraction, ...], Field(exclude=True)] = field(
        init=False, repr=False, compare=False, default=()
    )
    """Output time of each segment's start; follows from the segments."""

    def __post_init__(self) -> None:
        if not self.segments:
            raise InputError(WHERE, "a time map must have at least one segment", got="none")
        for number, one in enumerate(self.segments):
            if one.stop <= one.start:
                raise InputError(
                    WHERE, "a segment must stop after it starts", got=f"{one.start} to {one.stop} s in segment {number}"
                )
            if number and one.start != self.segments[number - 1].stop:
                raise InputError(
                    WHERE,
                    "a segment must start where the one before it stops",
                    got=f"{one.start} s after {self.segments[number - 1].stop} s in segment {number}",
                )
        object.__setattr__(self, "starts", tuple(one.start for one in self.segments))

    @property
    def start(self) -> Fraction:
        """Output time of the first segment's start."""
        return self.segments[0].start

    @property
    def stop(self) -> Fraction:
        """Output time at which the last segment stops."""
        return self.segments[-1].stop

    def at(self, time: Fraction) -> Fraction | None:
        """Source time shown at an output time, or None where the layer is hidden.

        Example:
            >>> slow = Linear(start=Fraction(0), stop=Fraction(4), source_start=Fraction(0), source_stop=Fraction(2))
            >>> TimeMap(segments=(slow,), before=None, after=Fraction(2)).at(Fraction(1))
            Fraction(1, 2)
        """
        if time < self.start:
            return self.before
        if time >= self.stop:
            return self.after
        return self.segments[bisect_right(self.starts, time) - 1].at(time)


def identity_map(duration: Fraction) -> TimeMap:
    """The map that changes nothing over ``[0, duration)`` and stands still outside.

    Raises:
        InputError: the duration is not above 0.
    """
    return line_map(duration, source_start=Fraction(0), speed=Fraction(1))


def hold_map(duration: Fraction, *, source: Fraction) -> TimeMap:
    """The map that shows one source moment, always: a freeze."""
    segment = Hold(start=Fraction(0), stop=duration, source=source)
    return TimeMap(segments=(segment,), before=source, after=source)


def line_map(duration: Fraction, *, source_start: Fraction, speed: Fraction) -> TimeMap:
    """The map ``source_start + speed * time`` over ``[0, duration)``, standing still outside."""
    stop = source_start + speed * duration
    segment = Linear(start=Fraction(0), stop=duration, source_start=source_start, source_stop=stop)
    return TimeMap(segments=(segment,), before=source_start, after=stop)


def compose(outer: TimeMap, inner: TimeMap) -> TimeMap:
    """One map for two in a row: ``inner.at(outer.at(time))``.

    ``outer`` is the later edit: it is asked first, and what it answers is asked of ``inner``. Where ``outer`` runs
    backwards over a jump of ``inner``, the one moment of the jump itself falls to the side from which it is reached.

    Args:
        outer: From output time to the time in between.
        inner: From there to source time.
    """
    pieces: list[Linear | Hold | Hide] = []
    for one in outer.segments:
        if isinstance(one, Linear) and one.speed != 0:
            pieces.extend(_through(one, inner))
        else:
            pieces.append(_still(one.start, one.stop, _then(one.at(one.start), inner)))
    return TimeMap(segments=merged(pieces), before=_then(outer.before, inner), after=_then(outer.after, inner))


def sliced(time_map: TimeMap, *, start: Fraction, stop: Fraction) -> TimeMap:
    """The map within ``[start, stop)`` of output time, on the same clock; hidden outside.

    Raises:
        InputError: the range is empty.
    """
    if stop <= start:
        raise InputError(WHERE, "a range must stop after it starts", got=f"{start} to {stop} s")
    window = Linear(start=start, stop=stop, source_start=start, source_stop=stop)
    return compose(TimeMap(segments=(window,), before=None, after=None), time_map)


def shifted(time_map: TimeMap, *, by: Fraction) -> TimeMap:
    """The map ``by`` seconds later on the output clock; all of it, with what lies before and after."""
    moved = tuple(replace(one, start=one.start + by, stop=one.stop + by) for one in time_map.segments)
    return TimeMap(segments=moved, before=time_map.before, after=time_map.after)


def merged(segments: Sequence[Linear | Hold | Hide]) -> tuple[Linear | Hold | Hide, ...]:
    """The fewest segments that say the same."""
    row: list[Linear | Hold | Hide] = []
    for one in segments:
        last = row[-1] if row else None
        if isinstance(one, Linear) and one.speed == 0:
            one = Hold(start=one.start, stop=one.stop, source=one.source_start)
        if isinstance(last, Linear) and isinstance(one, Linear):
            goes_on = one.speed == last.speed and one.source_start == last.source_stop
            if goes_on:
                row[-1] = replace(last, stop=one.stop, source_stop=one.source_stop)
                continue
        elif (isinstance(last, Hide) and isinstance(one, Hide)) or (
            isinstance(last, Hold) and isinstance(one, Hold) and one.source == last.source
        ):
            row[-1] = replace(last, stop=one.stop)
            continue
        row.append(one)
    return tuple(row)


def _through(line: Linear, inner: TimeMap) -> list[Linear | Hold | Hide]:
    """The segments of ``inner`` that a line runs over, on the line's output clock."""
    low, high = min(line.source_start, line.source_stop), max(line.source_start, line.source_stop)
    cuts = [low, *(b for b in (*inner.starts, inner.stop) if low < b < high), high]
    spans = list(pairwise(cuts))
    if line.speed < 0:
        spans = [(b, a) for a, b in reversed(spans)]
    pieces: list[Linear | Hold | Hide] = []
    for first, last in spans:
        start = line.start + (first - line.source_start) / line.speed
        stop = line.start + (last - line.source_start) / line.speed
        middle = (first + last) / 2
        inside = inner.start <= middle < inner.stop
        one = inner.segments[bisect_right(inner.starts, middle) - 1] if inside else None
        if isinstance(one, Linear):
            pieces.append(Linear(start=start, stop=stop, source_start=one.at(first), source_stop=one.at(last)))
        else:
            pieces.append(_still(start, stop, inner.at(middle)))
    return pieces


def _still(start: Fraction, stop: Fraction, source: Fraction | None) -> Hold | Hide:
    return Hide(start=start, stop=stop) if source is None else Hold(start=start, stop=stop, source=source)


def _then(time: Fraction | None, inner: TimeMap) -> Fraction | None:
    return None if time is None else inner.at(time)
