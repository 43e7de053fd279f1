"""Stretches of a time map, each a curve of its own: even, standing still, nothing, smooth, drawn by handles.

Every one answers ``at(time)`` and ``speed_at(time)`` exactly. Only a Bézier curve has no rational formula: its
parameter is bisected to ``STEPS`` binary places, always the same ones, and the source time is exact at that parameter.
So all laws of time maps hold to the last digit for it, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from pydantic import ConfigDict

from polytempo.core.errors import InputError
from polytempo.edit.exact import Exact

WHERE = "edit.timemap"
STEPS = 40
"""Binary places to which the parameter of a Bézier curve is found: a picosecond in a second."""
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

    def speed_at(self, time: Fraction) -> Fraction:
        """Source seconds per output second, the same all along."""
        return self.speed


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

    def speed_at(self, time: Fraction) -> Fraction:
        """0."""
        return Fraction(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Hide:
    """Nothing is shown."""

    __pydantic_config__ = _STRICT
    kind: Literal["hide"] = "hide"
    start: Exact
    stop: Exact

    def at(self, time: Fraction) -> None:
        """Nothing."""

    def speed_at(self, time: Fraction) -> None:
        """Nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Smooth:
    """A cubic with given speeds at its ends (Hermite's form); a ramp whose speed changes evenly is one.

    Source: Fritsch and Carlson 1980, Eq. 1 (the form); which speeds keep it from turning back says ``smooth_map``.
    """

    __pydantic_config__ = _STRICT
    kind: Literal["smooth"] = "smooth"
    start: Exact
    stop: Exact
    source_start: Exact
    source_stop: Exact
    speed_start: Exact
    """Source seconds per output second at ``start``."""
    speed_stop: Exact
    """The same at ``stop``."""

    def at(self, time: Fraction) -> Fraction:
        """Source time at an output time."""
        length = self.stop - self.start
        x = (time - self.start) / length
        rise, slope = self.source_stop - self.source_start, self.speed_start * length
        bend = 3 * rise - 2 * slope - self.speed_stop * length
        turn = slope + self.speed_stop * length - 2 * rise
        return self.source_start + x * (slope + x * (bend + x * turn))

    def speed_at(self, time: Fraction) -> Fraction:
        """Source seconds per output second at an output time."""
        length = self.stop - self.start
        x = (time - self.start) / length
        rise, slope = self.source_stop - self.source_start, self.speed_start * length
        bend = 3 * rise - 2 * slope - self.speed_stop * length
        turn = slope + self.speed_stop * length - 2 * rise
        return (slope + x * (2 * bend + x * 3 * turn)) / length


@dataclass(frozen=True, kw_only=True, slots=True)
class Bezier:
    """A cubic Bézier curve between two keys, as editors draw it: each key has a handle.

    The handles may lie anywhere between the keys in time, so that the curve never asks for two source times at once;
    in source time they are free, and the curve may swing beyond its keys or turn back.
    """

    __pydantic_config__ = _STRICT
    kind: Literal["bezier"] = "bezier"
    start: Exact
    stop: Exact
    source_start: Exact
    source_stop: Exact
    leave: tuple[Exact, Exact]
    """Handle of the first key: output and source seconds from it onwards."""
    arrive: tuple[Exact, Exact]
    """Handle of the last key: output and source seconds from it back."""

    def __post_init__(self) -> None:
        for name, handle in (("leave", self.leave), ("arrive", self.arrive)):
            if not 0 <= handle[0] <= self.stop - self.start:
                raise InputError(
                    WHERE,
                    "a handle must lie between its two keys in time",
                    got=f"{name} {handle[0]} s in a segment of {self.stop - self.start} s",
                )

    def at(self, time: Fraction) -> Fraction:
        """Source time at an output time; outside the segment, its nearer end."""
        return _cubic(self._sources(), self._parameter(time))

    def speed_at(self, time: Fraction) -> Fraction:
        """Source seconds per output second; where the curve stands upright, that of the nearest place where not."""
        s = self._parameter(time)
        run, rise = _slope(self._times(), s), _slope(self._sources(), s)
        step = Fraction(1, 2**20)
        while run == 0:
            s = s + step if s < Fraction(1, 2) else s - step
            run, rise = _slope(self._times(), s), _slope(self._sources(), s)
        return rise / run

    def _times(self) -> tuple[Fraction, ...]:
        return self.start, self.start + self.leave[0], self.stop - self.arrive[0], self.stop

    def _sources(self) -> tuple[Fraction, ...]:
        return (
            self.source_start,
            self.source_start + self.leave[1],
            self.source_stop - self.arrive[1],
            self.source_stop,
        )

    def _parameter(self, time: Fraction) -> Fraction:
        if time <= self.start:
            return Fraction(0)
        if time >= self.stop:
            return Fraction(1)
        times, low, high = self._times(), 0, 2**STEPS
        while high - low > 1:
            middle = (low + high) // 2
            reached = _cubic(times, Fraction(middle, 2**STEPS))
            if reached == time:
                return Fraction(middle, 2**STEPS)
            low, high = (middle, high) if reached < time else (low, middle)
        return Fraction(low, 2**STEPS)


def _cubic(points: tuple[Fraction, ...], s: Fraction) -> Fraction:
    a, b, c, d = points
    r = 1 - s
    return r * r * r * a + 3 * r * r * s * b + 3 * r * s * s * c + s * s * s * d


def _slope(points: tuple[Fraction, ...], s: Fraction) -> Fraction:
    a, b, c, d = points
    r = 1 - s
    return 3 * (r * r * (b - a) + 2 * r * s * (c - b) + s * s * (d - c))
