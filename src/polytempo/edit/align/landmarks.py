"""Landmarks: moments of two subjects that shall fall together, marked by the user or found."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from polytempo.core.errors import InputError
from polytempo.edit.align.warp import map_of_pairs
from polytempo.edit.timemap import TimeMap

WHERE = "edit.align.landmarks"
FASTEST = Fraction(8)
"""Speed between two landmarks that is still taken for one that was meant; its inverse is the slowest."""


def landmark_map(
    pairs: Sequence[tuple[Fraction, Fraction]], *, duration: Fraction, source_duration: Fraction
) -> TimeMap:
    """The map through pairs ``(moment, source moment)``: evenly between them, at normal speed before and after.

    Where normal speed would leave the source, its first or last moment stands still.

    Args:
        pairs: In seconds, both rising. The first is a moment of the clock that leads: the output, or another subject's
            source time.
        duration: Length of the leading clock.
        source_duration: Length of the clip.

    Raises:
        InputError: there is no pair, a moment lies outside, they do not rise, or the speed between two is not from an
            eighth to eight.

    Source: paper A, Section 6.2 (several alignment points were enough for its pool clip).
    """
    if not pairs:
        raise InputError(WHERE, "there must be at least one landmark", got="none")
    for moment, source in pairs:
        for value, end in ((moment, duration), (source, source_duration)):
            if not 0 <= value <= end:
                raise InputError(WHERE, f"landmarks must lie within 0 to {float(end):g} s", got=f"{float(value):g} s")
    for (a, p), (b, q) in pairwise(pairs):
        if b <= a or q <= p:
            raise InputError(
                WHERE,
                "landmarks must rise on both sides",
                got=f"{float(a):g} s with {float(p):g} s, then {float(b):g} s with {float(q):g} s",
                todo="Put them in order, each moment once",
            )
        if not 1 / FASTEST <= (q - p) / (b - a) <= FASTEST:
            raise InputError(
                WHERE,
                f"the speed between two landmarks must be from {float(1 / FASTEST):.1%} to {float(FASTEST):.0%}",
                got=f"{float((q - p) / (b - a)):.1%} from {float(a):g} to {float(b):g} s",
                todo="Take one of them away",
            )
    return map_of_pairs([*_head(*pairs[0]), *pairs, *_tail(*pairs[-1], duration, source_duration)])


def _head(moment: Fraction, source: Fraction) -> list[tuple[Fraction, Fraction]]:
    zero = Fraction(0)
    if source >= moment:
        return [(zero, source - moment)]
    return [(zero, zero), (moment - source, zero)]


def _tail(
    moment: Fraction, source: Fraction, duration: Fraction, source_duration: Fraction
) -> list[tuple[Fraction, Fraction]]:
    left, room = duration - moment, source_duration - source
    if room >= left:
        return [(duration, source + left)]
    return [(moment + room, source_duration), (duration, source_duration)]
