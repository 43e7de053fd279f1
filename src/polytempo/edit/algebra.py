"""Doing things to time maps: one after the other, a part, moved, cut in two, turned round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from polytempo.core.errors import InputError
from polytempo.edit.segments import WHERE, Bezier, Hide, Hold, Linear, Smooth
from polytempo.edit.timemap import Nested, Round, Segment, TimeMap


def compose(outer: TimeMap, inner: TimeMap) -> TimeMap:
    """One map for two in a row: ``inner.at(outer.at(time))``, exactly.

    ``outer`` is the later edit: it is asked first, and what it answers is asked of ``inner``. Where ``outer`` runs
    backwards over a jump of ``inner``, the one moment of the jump itself falls to the side from which it is reached.
    Pieces of curves and curves of curves are kept as they are (``Nested``), so nothing is approximated.

    Args:
        outer: From output time to the time in between.
        inner: From there to source time.

    Raises:
        InputError: more curves would be chained than ``MOST_NESTED``.
    """
    pieces: list[Segment] = []
    for one in outer.segments:
        if isinstance(one, Linear) and one.speed != 0:
            pieces.extend(_through(one, inner))
        elif isinstance(one, Smooth | Bezier | Nested):
            pieces.append(_curve_of(one, inner))
        else:
            pieces.append(_still(one.start, one.stop, _then(one.at(one.start), inner)))
    before, after = _outside(outer.before, inner), _outside(outer.after, inner)
    return TimeMap(segments=merged(pieces), before=before, after=after)


def sliced(time_map: TimeMap, *, start: Fraction, stop: Fraction) -> TimeMap:
    """The map within ``[start, stop)`` of output time, on the same clock; hidden outside.

    Raises:
        InputError: the range is empty.
    """
    if stop <= start:
        raise InputError(WHERE, "a range must stop after it starts", got=f"{start} to {stop} s")
    window = Linear(start=start, stop=stop, source_start=start, source_stop=stop)
    return compose(TimeMap(segments=(window,), before=None, after=None), time_map)


def split(time_map: TimeMap, *, at: Fraction) -> tuple[TimeMap, TimeMap]:
    """The map cut in two at a moment of the output, each hidden on the other's side.

    What stands still before and after stays; what goes round there is a thing of the whole map and is left out.

    Raises:
        InputError: the moment does not lie within the segments.
    """
    if not time_map.start < at < time_map.stop:
        raise InputError(
            WHERE,
            f"a cut must lie within the map, {float(time_map.start):g} to {float(time_map.stop):g} s",
            got=f"{float(at):g} s",
        )
    first = replace(sliced(time_map, start=time_map.start, stop=at), before=_held(time_map.before))
    last = replace(sliced(time_map, start=at, stop=time_map.stop), after=_held(time_map.after))
    return first, last


def shifted(time_map: TimeMap, *, by: Fraction) -> TimeMap:
    """The map ``by`` seconds later on the output clock; all of it, with what lies before and after."""
    moved = tuple(_moved(one, by) for one in time_map.segments)
    return TimeMap(segments=moved, before=time_map.before, after=time_map.after)


def inverse(time_map: TimeMap) -> TimeMap:
    """The map from source time to output time, hidden where the map shows nothing.

    Straight lines are turned round exactly; smooth and Bézier curves become the Bézier curve with its axes exchanged.

    Raises:
        InputError: a source time is shown twice (a hold, a turn) or jumped over, or a curve has no inverse of its
            kind.
    """
    turned: list[Linear | Bezier] = []
    for number, one in enumerate(time_map.segments):
        if not isinstance(one, Linear | Smooth | Bezier) or one.source_start == one.source_stop:
            raise _no_inverse(f"{'a curve of curves' if isinstance(one, Nested) else one.kind} in segment {number}")
        if number and time_map.segments[number - 1].at(one.start) != one.source_start:
            raise _no_inverse(f"a jump at {float(one.start):g} s")
        turned.append(_turned(one, number))
    signs = {
        one.source_stop > one.source_start for one in time_map.segments if isinstance(one, Linear | Smooth | Bezier)
    }
    if len(signs) > 1:
        raise _no_inverse("a map that runs both ways")
    return TimeMap(segments=tuple(turned if True in signs else reversed(turned)), before=None, after=None)


def merged(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """The fewest segments that say the same."""
    row: list[Segment] = []
    for one in segments:
        if isinstance(one, Linear) and one.speed == 0:
            one = Hold(start=one.start, stop=one.stop, source=one.source_start)
        joined = _joined(row[-1], one) if row else None
        if joined is None:
            row.append(one)
        else:
            row[-1] = joined
    return tuple(_plain(one) if isinstance(one, Nested) else one for one in row)


def _joined(last: Segment, one: Segment) -> Segment | None:
    """Two neighbours as one segment, where they are one."""
    match last, one:
        case Linear(), Linear() if one.speed == last.speed and one.source_start == last.source_stop:
            return replace(last, stop=one.stop, source_stop=one.source_stop)
        case Hide(), Hide():
            return replace(last, stop=one.stop)
        case Hold(), Hold() if one.source == last.source:
            return replace(last, stop=one.stop)
        case Nested(inner=a), Nested(inner=b) if a == b:
            outer = _joined(last.outer, one.outer)
            return None if outer is None else Nested(outer=outer, inner=last.inner)
        case _:
            return None


def _plain(one: Nested) -> Segment:
    """A line that runs once through the whole of a single curve is that curve, stretched."""
    line, inner = one.outer, one.inner
    curve = inner.segments[-1]
    if not isinstance(line, Linear) or len(inner.segments) > 1:
        return one
    if (line.source_start, line.source_stop) != (curve.start, curve.stop):
        return one
    match curve:
        case Smooth():
            factor = line.speed
            return replace(
                curve,
                start=line.start,
                stop=line.stop,
                speed_start=curve.speed_start * factor,
                speed_stop=curve.speed_stop * factor,
            )
        case Bezier():
            leave, arrive = curve.leave, curve.arrive
            return replace(
                curve,
                start=line.start,
                stop=line.stop,
                leave=(leave[0] / line.speed, leave[1]),
                arrive=(arrive[0] / line.speed, arrive[1]),
            )
        case _:
            return one


def _through(line: Linear, inner: TimeMap) -> list[Segment]:
    """The segments of ``inner`` that a line runs over, on the line's output clock."""
    low, high = min(line.source_start, line.source_stop), max(line.source_start, line.source_stop)
    cuts = [low, *(b for b in (*inner.starts, inner.stop) if low < b < high), high]
    spans = list(pairwise(cuts))
    if line.speed < 0:
        spans = [(b, a) for a, b in reversed(spans)]
    pieces: list[Segment] = []
    for first, last in spans:
        start = line.start + (first - line.source_start) / line.speed
        stop = line.start + (last - line.source_start) / line.speed
        middle = (first + last) / 2
        asked = Linear(start=start, stop=stop, source_start=first, source_stop=last)
        inside = inner.start <= middle < inner.stop
        one = inner.segment_at(middle) if inside else None
        match one:
            case Linear():
                pieces.append(replace(asked, source_start=one.at(first), source_stop=one.at(last)))
            case Smooth() | Bezier():
                alone = TimeMap(segments=(one,), before=one.source_start, after=one.source_stop)
                pieces.append(_plain(Nested(outer=asked, inner=alone)))
            case Nested(outer=Linear() as window):
                through = replace(asked, source_start=window.at(first), source_stop=window.at(last))
                pieces.append(_plain(Nested(outer=through, inner=one.inner)))
            case Nested():
                alone = TimeMap(segments=(one,), before=None, after=one.at(one.stop))
                pieces.append(Nested(outer=asked, inner=alone))
            case None if not inside and isinstance(inner.before if middle < inner.start else inner.after, str):
                pieces.append(Nested(outer=asked, inner=inner))
            case _:
                pieces.append(_still(start, stop, inner.at(middle)))
    return pieces


def _curve_of(curve: Smooth | Bezier | Nested, inner: TimeMap) -> Segment:
    """What ``inner`` shows along a curve."""
    line = inner.segments[0]
    reach = _reach(curve)
    if reach is not None and len(inner.segments) == 1 and isinstance(line, Linear):
        low, high = reach
        if inner.start <= low and high < inner.stop:
            return _stretched(curve, line)
    return Nested(outer=curve, inner=inner)


def _reach(curve: Smooth | Bezier | Nested) -> tuple[Fraction, Fraction] | None:
    """Bounds on the source times of a curve, from its control points; None where there are none."""
    if isinstance(curve, Nested):
        return None
    if isinstance(curve, Smooth):
        third = (curve.stop - curve.start) / 3
        inner = (curve.source_start + curve.speed_start * third, curve.source_stop - curve.speed_stop * third)
    else:
        inner = (curve.source_start + curve.leave[1], curve.source_stop - curve.arrive[1])
    points = (curve.source_start, *inner, curve.source_stop)
    return min(points), max(points)


def _stretched(curve: Smooth | Bezier | Nested, line: Linear) -> Segment:
    """A curve whose answers go through a line."""
    assert not isinstance(curve, Nested)  # it has no bounds
    ends = {"source_start": line.at(curve.source_start), "source_stop": line.at(curve.source_stop)}
    if isinstance(curve, Smooth):
        return replace(
            curve, **ends, speed_start=curve.speed_start * line.speed, speed_stop=curve.speed_stop * line.speed
        )
    leave, arrive = curve.leave, curve.arrive
    return replace(curve, **ends, leave=(leave[0], leave[1] * line.speed), arrive=(arrive[0], arrive[1] * line.speed))


def _turned(one: Linear | Smooth | Bezier, number: int) -> Linear | Bezier:
    """A segment with its axes exchanged, running forwards on its new clock."""
    if isinstance(one, Linear):
        turned = Linear(start=one.source_start, stop=one.source_stop, source_start=one.start, source_stop=one.stop)
        if one.speed > 0:
            return turned
        return Linear(start=one.source_stop, stop=one.source_start, source_start=one.stop, source_stop=one.start)
    third = (one.stop - one.start) / 3
    leave = (third, one.speed_start * third) if isinstance(one, Smooth) else one.leave
    arrive = (third, one.speed_stop * third) if isinstance(one, Smooth) else one.arrive
    rise = one.source_stop - one.source_start
    if not (0 <= leave[1] / rise <= 1 and 0 <= arrive[1] / rise <= 1):
        raise _no_inverse(f"a curve that turns or has steep ends in segment {number}")
    if rise > 0:
        return Bezier(
            start=one.source_start,
            stop=one.source_stop,
            source_start=one.start,
            source_stop=one.stop,
            leave=(leave[1], leave[0]),
            arrive=(arrive[1], arrive[0]),
        )
    return Bezier(
        start=one.source_stop,
        stop=one.source_start,
        source_start=one.stop,
        source_stop=one.start,
        leave=(-arrive[1], -arrive[0]),
        arrive=(-leave[1], -leave[0]),
    )


def _no_inverse(got: str) -> InputError:
    return InputError(
        WHERE,
        "only a map that shows every source time once, without jumps, can be turned round",
        got=got,
        todo="Cut it into parts that can",
    )


def _moved(one: Segment, by: Fraction) -> Segment:
    if isinstance(one, Nested):
        return Nested(outer=_moved(one.outer, by), inner=one.inner)
    return replace(one, start=one.start + by, stop=one.stop + by)


def _still(start: Fraction, stop: Fraction, source: Fraction | None) -> Hold | Hide:
    return Hide(start=start, stop=stop) if source is None else Hold(start=start, stop=stop, source=source)


def _then(time: Fraction | None, inner: TimeMap) -> Fraction | None:
    return None if time is None else inner.at(time)


def _outside(rule: Fraction | Round | None, inner: TimeMap) -> Fraction | Round | None:
    # What goes round before another map is asked goes round after it, too.
    return rule if isinstance(rule, str) else _then(rule, inner)


def _held(rule: Fraction | Round | None) -> Fraction | None:
    return rule if isinstance(rule, Fraction) else None
