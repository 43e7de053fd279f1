"""Reverse: time runs backwards."""

from __future__ import annotations

from fractions import Fraction

from polytempo.core.errors import InputError
from polytempo.edit.edl import Edl
from polytempo.edit.operations.retime import line, map_of_segments, require_range, retime
from polytempo.edit.segments import Hold

WHERE = "edit.reverse"


def reverse(
    edl: Edl, name: str, *, frame: Fraction, start: Fraction = Fraction(0), stop: Fraction | None = None
) -> Edl:
    """An edit in which an instance does a range backwards: its last frame first, its first frame last.

    Args:
        edl: The edit.
        name: The instance.
        frame: Length of a frame in seconds; a frame is on screen *from* its time on, so that turning time round alone
            would show every frame one too early.
        start: Start of the range in the output.
        stop: Its end; the end of the edit when left out.

    Raises:
        InputError: there is no such instance, the range leaves the edit or is shorter than a frame.
    """
    until = edl.duration if stop is None else stop
    require_range(WHERE, start=start, stop=until, duration=edl.duration)
    require_frame(WHERE, frame=frame, start=start, stop=until)
    last = until - frame
    return retime(
        edl,
        name,
        outer=map_of_segments(
            [
                line(Fraction(0), start, Fraction(0)),
                line(start, last, last, speed=Fraction(-1)),
                Hold(start=last, stop=until, source=start),
                line(until, edl.duration, until),
            ]
        ),
    )


def require_frame(where: str, *, frame: Fraction, start: Fraction, stop: Fraction) -> None:
    """Refuse a range that does not hold a frame.

    Raises:
        InputError: it does not, or a frame has no length.
    """
    if not 0 < frame <= stop - start:
        raise InputError(
            where,
            "the range must be at least one frame long",
            got=f"{float(stop - start):g} s with frames of {float(frame):g} s",
        )
