"""What is typed on a command line: who, when, how much.

========================  =====================================================
``girl``                  the instance named girl
``girl@1.2s``             at a moment
``girl@1.2s-3s``          over a range
``boy+10f``, ``boy-0.5s``  later, earlier
``boy=50%``               at half speed
``boy@1s-2s=200%``        at double speed over a range
``girl*3+5f:40,0``        three copies, 5 frames and 40 pixels from one to the next
========================  =====================================================

Times are seconds (``1.2``, ``1.2s``, ``1:02.5``) or frames of the clip (``36f``). Where a time of the output is meant,
it may lie beyond the clip as far as the output goes; frames are counted on there at the clip's nominal rate.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from polytempo.core.errors import InputError
from polytempo.core.time import seconds_from_text
from polytempo.video.clip import Clip

WHERE = "edit.selectors"
TIME = r"(?:\d+f|(?:\d+:){0,2}\d+(?:\.\d+)?s?|\d+/\d+s?)"
_MOMENT = re.compile(rf"(?P<name>[^@]+?)(?:@(?P<start>{TIME})(?:-(?P<stop>{TIME}))?)?")
_SHIFT = re.compile(rf"(?P<name>.+?)(?P<sign>[+-])(?P<time>{TIME})")
_SPEED = re.compile(r"(?P<who>.+?)=(?P<percent>\d+(?:\.\d+)?)%")
_COPIES = re.compile(
    rf"(?P<name>.+?)\*(?P<copies>\d+)(?:(?P<sign>[+-])(?P<time>{TIME}))?"
    r"(?::(?P<x>-?\d+(?:\.\d+)?),(?P<y>-?\d+(?:\.\d+)?))?"
)
_LONGEST = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Who, and when."""

    name: str
    start: Fraction | None = None
    """Seconds of the output; None when no time was given."""
    stop: Fraction | None = None
    """End of a range; None for a moment."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shift:
    """Who, and by how much later."""

    name: str
    by: Fraction
    """Seconds; negative is earlier."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeedChange:
    """Who, when, and how fast."""

    selection: Selection
    factor: Fraction


@dataclass(frozen=True, kw_only=True, slots=True)
class Copies:
    """Who, how often, and how far apart."""

    name: str
    copies: int
    delay: Fraction
    offset: tuple[float, float]


def parse_selection(text: str, *, clip: Clip, names: Sequence[str], output: Fraction | None = None) -> Selection:
    """Read ``girl``, ``girl@1.2s`` or ``girl@1.2s-3s``.

    Args:
        text: What was typed.
        clip: Gives meaning to frame numbers.
        names: Instances there are.
        output: Length of the output in seconds where times of the output are meant; left out, they are the clip's.

    Raises:
        InputError: it does not read so, names nobody there, or a time lies outside the clip or the output.
    """
    match = matched(_MOMENT, text, "NAME, NAME@TIME or NAME@TIME-TIME, like girl@1.2s-3s")
    name = known(match["name"], names)
    start = None if match["start"] is None else moment_from_text(match["start"], clip, text, output=output)
    stop = None if match["stop"] is None else moment_from_text(match["stop"], clip, text, output=output)
    if start is not None and stop is not None and stop <= start:
        raise InputError(WHERE, "a range must stop after it starts", got=repr(text))
    return Selection(name=name, start=start, stop=stop)


def parse_shift(text: str, *, clip: Clip, names: Sequence[str]) -> Shift:
    """Read ``boy+10f`` or ``boy-0.5s``.

    Raises:
        InputError: it does not read so, or names nobody there.
    """
    match = matched(_SHIFT, text, "NAME+TIME or NAME-TIME, like boy+10f")
    by = duration_from_text(match["time"], clip)
    return Shift(name=known(match["name"], names), by=-by if match["sign"] == "-" else by)


def parse_speed(text: str, *, clip: Clip, names: Sequence[str], output: Fraction | None = None) -> SpeedChange:
    """Read ``boy=50%`` or ``boy@1s-2s=200%``; arguments as for ``parse_selection``.

    Raises:
        InputError: it does not read so, names nobody there, or a time lies outside the clip or the output.
    """
    match = matched(_SPEED, text, "NAME=PERCENT% or NAME@TIME-TIME=PERCENT%, like boy=50%")
    selection = parse_selection(match["who"], clip=clip, names=names, output=output)
    return SpeedChange(selection=selection, factor=Fraction(match["percent"]) / 100)


def parse_copies(text: str, *, clip: Clip, names: Sequence[str]) -> Copies:
    """Read ``girl*3+5f`` or ``girl*3+5f:40,0``.

    Raises:
        InputError: it does not read so, or names nobody there.
    """
    match = matched(_COPIES, text, "NAME*COPIES, NAME*COPIES+TIME or NAME*COPIES+TIME:X,Y, like girl*3+5f:40,0")
    delay = Fraction(0) if match["time"] is None else duration_from_text(match["time"], clip)
    x, y = (0.0 if part is None else float(part) for part in (match["x"], match["y"]))
    if not (math.isfinite(x) and math.isfinite(y)):
        raise InputError(WHERE, "an offset must be finite", got=repr(text[:_LONGEST]))
    return Copies(
        name=known(match["name"], names),
        copies=int(match["copies"]),
        delay=-delay if match["sign"] == "-" else delay,
        offset=(x, y),
    )


def matched(pattern: re.Pattern[str], text: str, form: str) -> re.Match[str]:
    """Match the whole of a text.

    Raises:
        InputError: it does not match; the message shows the form.
    """
    match = pattern.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if match is None:
        raise InputError(WHERE, f"it must read {form}", got=repr(text[:_LONGEST]))
    return match


def known(name: str, names: Sequence[str]) -> str:
    """Give a name that is one of those there are.

    Raises:
        InputError: it is not; the message lists them.
    """
    if name not in names:
        raise InputError(
            WHERE,
            "there must be a layer of that name",
            got=repr(name),
            todo=f"There is: {', '.join(names) or 'none'}",
        )
    return name


def moment_from_text(text: str, clip: Clip, whole: str, *, output: Fraction | None = None) -> Fraction:
    """Give a point in time; a frame number means that frame's own time.

    Args:
        text: The time as typed.
        clip: Gives meaning to frame numbers.
        whole: All that was typed, for messages.
        output: Length of the output in seconds where a time of the output is meant, not one of the clip.

    Raises:
        InputError: it lies outside the clip, or the output.
    """
    clip_end = clip.time_of(clip.n_frames - 1) + 1 / clip.frame_rate
    end = clip_end if output is None else output
    in_frames = text.endswith("f")
    if in_frames:
        frame = int(text[:-1])
        beyond = clip_end + (frame - clip.n_frames) / clip.frame_rate
        time = clip.time_of(frame) if frame < clip.n_frames else beyond
        if 0 < time - end < 1 / (2 * clip.frame_rate):
            time = end  # lengths that are no whole number of frames
    else:
        time = seconds_from_text(text, where=WHERE)
    if time <= end:
        return time
    if output is None and in_frames:
        raise InputError(WHERE, f"frames must be 0 to {clip.n_frames - 1}", got=f"frame {text[:-1]} in {whole!r}")
    raise InputError(
        WHERE,
        f"times must be within the {'clip' if output is None else 'output'}, 0 to {float(end):g} s",
        got=f"{float(time):g} s in {whole!r}",
        todo="" if output is None else "Make the output longer first, with --extend",
    )


def duration_from_text(text: str, clip: Clip) -> Fraction:
    """Give a length of time; frames are counted at the clip's nominal rate.

    Raises:
        InputError: the text is no time.
    """
    if text.endswith("f"):
        return int(text[:-1]) / clip.frame_rate
    return seconds_from_text(text, where=WHERE)
