"""Loop: a range again and again, round or to and fro."""

from __future__ import annotations

from fractions import Fraction

from polytempo.edit.edl import Edl
from polytempo.edit.operations.retime import line, map_of_segments, require_range, retime
from polytempo.edit.operations.reverse import require_frame
from polytempo.edit.timemap import Nested, Round, TimeMap

WHERE = "edit.loop"


def loop(
    edl: Edl,
    name: str,
    *,
    start: Fraction,
    stop: Fraction,
    frame: Fraction,
    mode: Round = "loop",
    until: Fraction | None = None,
) -> Edl:
    """An edit in which an instance does a range again and again from its first time on.

    Args:
        edl: The edit.
        name: The instance.
        start: Start of the range in the output.
        stop: Its end.
        frame: Length of a frame in seconds; to and fro, the first and the last frame are not shown twice in a row.
        mode: Start over at the end (``"loop"``), or turn round at both ends (``"ping-pong"``).
        until: Go on from there as if nothing had been; to the end of the edit when left out.

    Raises:
        InputError: there is no such instance, a range leaves the edit or is shorter than a frame.
    """
    end = edl.duration if until is None else until
    require_range(WHERE, start=start, stop=stop, duration=edl.duration)
    require_range(WHERE, start=start, stop=end, duration=edl.duration)
    require_frame(WHERE, frame=frame, start=start, stop=stop)
    turn = stop if mode == "loop" or stop - start == frame else stop - frame
    window = line(start, turn, start)
    rounds = TimeMap(segments=(window,), before=start, after=mode if stop - start > frame else start)
    return retime(
        edl,
        name,
        outer=map_of_segments(
            [
                line(Fraction(0), start, Fraction(0)),
                Nested(outer=line(start, end, start), inner=rounds),
                line(end, edl.duration, end),
            ]
        ),
    )
