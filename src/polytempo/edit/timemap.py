"""Time maps: which moment of the source does this moment of the output show?

A map is *pulled*: the renderer asks with an output time and gets a source time, or nothing where the layer is hidden.
Both are exact seconds since the first frame of output and source. A map is a row of segments without gaps; before the
first and after the last it stands still, is hidden, or goes round and round as it is told.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from polytempo.core.errors import InputError
from polytempo.edit.exact import Exact
from polytempo.edit.segments import WHERE, Bezier, Hide, Hold, Linear, Smooth

MOST_NESTED = 6
"""Curves that may be chained into one another; each triples the digits of an exact answer."""
_STRICT = ConfigDict(extra="forbid")

Round = Literal["loop", "ping-pong"]
"""Beyond the segments: start again at the other end, or run back and forth."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Nested:
    """What another map shows at the times that a segment asks for: a piece of a curve, or a curve of a curve."""

    __pydantic_config__ = _STRICT
    kind: Literal["nested"] = "nested"
    outer: Segment
    """Asked first; it says when this segment starts and stops."""
    inner: TimeMap
    """Asked with what ``outer`` answers."""

    def __post_init__(self) -> None:
        if self.depth > MOST_NESTED:
            raise InputError(
                WHERE,
                f"at most {MOST_NESTED} curves may be chained into one another",
                got=str(self.depth),
                todo="Replace the time map by one curve",
            )

    @property
    def depth(self) -> int:
        """How many maps stand behind each other here."""
        outer = self.outer.depth if isinstance(self.outer, Nested) else 0
        return 1 + max([outer, *(one.depth for one in self.inner.segments if isinstance(one, Nested))])

    @property
    def start(self) -> Fraction:
        """Output time of its first moment, in seconds."""
        return self.outer.start

    @property
    def stop(self) -> Fraction:
        """Output time at which the next segment begins."""
        return self.outer.stop

    def at(self, time: Fraction) -> Fraction | None:
        """Source time at an output time, or None where either is hidden."""
        between = self.outer.at(time)
        return None if between is None else self.inner.at(between)

    def speed_at(self, time: Fraction) -> Fraction | None:
        """Source seconds per output second: the product of both speeds."""
        between, first = self.outer.at(time), self.outer.speed_at(time)
        second = None if between is None else self.inner.speed_at(between)
        return None if first is None or second is None else first * second


Segment = Annotated[Linear | Hold | Hide | Smooth | Bezier | Nested, Field(discriminator="kind")]
"""A stretch of output time ``[start, stop)``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeMap:
    """A row of segments, each beginning where the one before stops."""

    __pydantic_config__ = _STRICT
    segments: tuple[Segment, ...]
    before: Exact | Round | None
    """Before the first segment: the source time that stands still, ``"loop"``, ``"ping-pong"``, or None for hidden."""
    after: Exact | Round | None
    """The same from the end of the last segment on."""
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
            >>> TimeMap(segments=(slow,), before=None, after="ping-pong").at(Fraction(5))
            Fraction(3, 2)
        """
        outside = self.outside(time)
        if outside is None or isinstance(outside, Fraction):
            return outside
        inside, _ = outside
        return self.segment_at(inside).at(inside)

    def speed_at(self, time: Fraction) -> Fraction | None:
        """Source seconds per output second at a moment: 1 is normal, 0 stands still, None is hidden.

        Where two segments meet it is the speed of the later one.
        """
        outside = self.outside(time)
        if outside is None or isinstance(outside, Fraction):
            return None if outside is None else Fraction(0)
        inside, direction = outside
        speed = self.segment_at(inside).speed_at(inside)
        return None if speed is None else direction * speed

    def outside(self, time: Fraction) -> Fraction | tuple[Fraction, int] | None:
        """What is asked of the segments at a time.

        Returns:
            A source time that is held, None where hidden, or the time within the segments and the direction (1 or -1)
            in which it runs.
        """
        rule = self.before if time < self.start else self.after if time >= self.stop else "inside"
        if rule is None or isinstance(rule, Fraction):
            return rule
        if rule == "inside":
            return time, 1
        length = self.stop - self.start
        phase = (time - self.start) % (length if rule == "loop" else 2 * length)
        return (self.start + phase, 1) if phase < length else (self.start + 2 * length - phase, -1)

    def segment_at(self, time: Fraction) -> Segment:
        """The segment that a time lies in; the end of the map belongs to the last."""
        return self.segments[bisect_right(self.starts, time) - 1]


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


def keyed_map(keys: Sequence[tuple[Fraction, Fraction]]) -> TimeMap:
    """The map of straight lines between keys ``(output time, source time)``, standing still outside.

    Raises:
        InputError: there are fewer than two keys, or their output times do not rise.
    """
    _require_keys(keys)
    return _still_outside(
        [
            Hold(start=a, stop=b, source=p) if p == q else Linear(start=a, stop=b, source_start=p, source_stop=q)
            for (a, p), (b, q) in pairwise(keys)
        ]
    )


def smooth_map(keys: Sequence[tuple[Fraction, Fraction]]) -> TimeMap:
    """The smooth map through keys ``(output time, source time)`` that never swings beyond them.

    Between two keys it rises or falls all the way, or stands still; speed has no jumps.

    Raises:
        InputError: there are fewer than two keys, or their output times do not rise.

    Source: Fritsch and Butland 1984 (weighted harmonic mean of the neighbours' slopes, 0 where they differ in sign),
        which fulfils the condition of Fritsch and Carlson 1980.
    """
    _require_keys(keys)
    steps = [b - a for (a, _), (b, _) in pairwise(keys)]
    slopes = [(q - p) / step for ((_, p), (_, q)), step in zip(pairwise(keys), steps, strict=True)]
    speeds = [slopes[0], *(_harmonic(steps[n : n + 2], slopes[n : n + 2]) for n in range(len(slopes) - 1)), slopes[-1]]
    return _still_outside(
        [
            Smooth(start=a, stop=b, source_start=p, source_stop=q, speed_start=speeds[n], speed_stop=speeds[n + 1])
            for n, ((a, p), (b, q)) in enumerate(pairwise(keys))
        ]
    )


def _harmonic(steps: Sequence[Fraction], slopes: Sequence[Fraction]) -> Fraction:
    if slopes[0] * slopes[1] <= 0:
        return Fraction(0)
    first, second = 2 * steps[1] + steps[0], steps[1] + 2 * steps[0]
    return (first + second) / (first / slopes[0] + second / slopes[1])


def _still_outside(segments: Sequence[Linear | Hold | Smooth]) -> TimeMap:
    first, last = segments[0], segments[-1]
    return TimeMap(segments=tuple(segments), before=first.at(first.start), after=last.at(last.stop))


def _require_keys(keys: Sequence[tuple[Fraction, Fraction]]) -> None:
    if len(keys) < 2:
        raise InputError(WHERE, "there must be at least two keys", got=str(len(keys)))
    for number, ((a, _), (b, _)) in enumerate(pairwise(keys), start=1):
        if b <= a:
            raise InputError(
                WHERE,
                "output times of keys must rise",
                got=f"{float(a):g} s then {float(b):g} s at keys {number - 1} and {number}",
                todo="Put the keys in order, no two at one time",
            )
