"""What is typed for the longer edits: ramps, loops, keys, alignments, finish lines.

===========================  =================================================
``girl@1s-2s=100%..25%``     a ramp
``girl@1s-2s``               a range that loops or runs backwards
``girl,boy+10f``             several, each ten frames behind the one before
``girl@0s=0s,1s=2s``         keys: at 0 s show 0 s, at 1 s show 2 s
``girl,dad=boy``             girl and dad in time with boy
``girl=boy:events``          by a method named
``girl@3s-6s=boy``           over a range of the output
``girl=boy:1s=1.2s,2s=2.5s``  by landmarks: the girl's moment, the boy's moment
``girl,boy:40,200,300,210@1s``  a finish line, as drawn in the frame at 1 s
``girl=output,gain:1.5``     light of the output's moment, half as strong again
``whole:scale:1.2,x:-40``    a camera that is moved; ``x:0@0s;x:90@2s`` along a path
===========================  =================================================
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from polytempo.core.errors import InputError
from polytempo.edit.camera import CameraKey
from polytempo.edit.light import Light
from polytempo.edit.selectors import (
    TIME,
    Selection,
    duration_from_text,
    known,
    matched,
    moment_from_text,
    parse_selection,
)
from polytempo.video.clip import Clip

WHERE = "edit.phrases"
_RAMP = re.compile(r"(?P<who>.+?)=(?P<first>\d+(?:\.\d+)?)%\.\.(?P<last>\d+(?:\.\d+)?)%")
_ROW = re.compile(rf"(?P<names>.+?)(?P<sign>[+-])(?P<time>{TIME})")
_KEYS = re.compile(rf"(?P<name>[^@]+)@(?P<keys>{TIME}={TIME}(?:,{TIME}={TIME})*)")
_PAIR = re.compile(rf"(?P<a>{TIME})=(?P<b>{TIME})")
_ALIGN = re.compile(rf"(?P<names>[^@=:]+)(?:@(?P<start>{TIME})-(?P<stop>{TIME}))?=(?P<to>[^:]+?)(?::(?P<how>.+))?")
_NUMBER = r"-?\d+(?:\.\d+)?"
_LINE = re.compile(rf"(?P<names>[^:@]+):(?P<line>{_NUMBER}(?:,{_NUMBER}){{3}})(?:@(?P<time>{TIME}))?")
_LEVEL = re.compile(r"(?P<who>.+?)=(?P<level>[+-]?\d{1,4})")
_LIGHT = re.compile(r"(?P<name>.+?)=(?P<parts>[a-z0-9:.,/]+)")
_MOVED = re.compile(rf"(?P<base>[^:]+):(?P<keys>(?:(?:x|y|scale|rotate):{_NUMBER}[,;]?(?:@{TIME};?)?)+)")
_CHOICE = re.compile(r"(?P<name>.+?)=(?P<word>[a-z-]+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class RampPhrase:
    """Who, when, from which speed to which."""

    selection: Selection
    first: Fraction
    last: Fraction


@dataclass(frozen=True, kw_only=True, slots=True)
class AlignPhrase:
    """Who follows whom, when and how."""

    names: tuple[str, ...]
    to: str
    start: Fraction | None
    stop: Fraction | None
    method: str
    """Word behind the colon; ``"auto"`` when there is none."""
    landmarks: tuple[tuple[Fraction, Fraction], ...]
    """Moments of the follower and of the leader, instead of a method."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LinePhrase:
    """Who crosses which line, and when it was drawn."""

    names: tuple[str, ...]
    line: tuple[tuple[float, float], tuple[float, float]]
    at: Fraction


def parse_ramp(text: str, *, clip: Clip, names: Sequence[str], output: Fraction | None = None) -> RampPhrase:
    """Read ``girl@1s-2s=100%..25%``; arguments as for ``parse_selection``.

    Raises:
        InputError: it does not read so, names nobody there, or a time lies outside the clip or the output.
    """
    match = matched(_RAMP, text, "NAME@TIME-TIME=PERCENT%..PERCENT%, like girl@1s-2s=100%..25%")
    selection = parse_selection(match["who"], clip=clip, names=names, output=output)
    return RampPhrase(selection=selection, first=Fraction(match["first"]) / 100, last=Fraction(match["last"]) / 100)


def parse_row(text: str, *, clip: Clip, names: Sequence[str]) -> tuple[tuple[str, ...], Fraction]:
    """Read ``girl,boy+10f``: names and the step between them in seconds.

    Raises:
        InputError: it does not read so, or names somebody who is not there.
    """
    match = matched(_ROW, text, "NAME,NAME+TIME, like girl,boy+10f")
    step = duration_from_text(match["time"], clip)
    return _row(match["names"], names), -step if match["sign"] == "-" else step


def parse_names(text: str, *, names: Sequence[str]) -> tuple[str, ...]:
    """Read ``girl,boy``.

    Raises:
        InputError: somebody named is not there.
    """
    return _row(text, names)


def parse_keys(
    text: str, *, clip: Clip, names: Sequence[str], output: Fraction | None = None
) -> tuple[str, list[tuple[Fraction, Fraction]]]:
    """Read ``girl@0s=0s,1s=2s``: output time and source time of each key; arguments as for ``parse_selection``.

    Raises:
        InputError: it does not read so, names nobody there, an output time lies outside the output, or a source time
            outside the clip.
    """
    match = matched(_KEYS, text, "NAME@TIME=TIME,TIME=TIME, like girl@0s=0s,1s=2s")
    return known(match["name"], names), _pairs(match["keys"], clip, text, output=output)


def parse_align(text: str, *, clip: Clip, names: Sequence[str], output: Fraction | None = None) -> AlignPhrase:
    """Read ``girl,dad=boy``, ``girl@3s-6s=boy:cow`` or ``girl=boy:1s=1.2s,2s=2.5s``.

    The range is one of the output, landmarks are moments of the clip; arguments as for ``parse_selection``.

    Raises:
        InputError: it does not read so, names somebody who is not there, or a time lies outside the clip or the output.
    """
    match = matched(_ALIGN, text, "NAME=LEADER, NAME=LEADER:METHOD or NAME=LEADER:TIME=TIME, like girl=boy:events")
    how = match["how"] or "auto"
    landmarks = tuple(_pairs(how, clip, text)) if "=" in how else ()
    return AlignPhrase(
        names=_row(match["names"], names),
        to=known(match["to"], names),
        start=None if match["start"] is None else moment_from_text(match["start"], clip, text, output=output),
        stop=None if match["stop"] is None else moment_from_text(match["stop"], clip, text, output=output),
        method="landmarks" if landmarks else how,
        landmarks=landmarks,
    )


def parse_line(text: str, *, clip: Clip, names: Sequence[str]) -> LinePhrase:
    """Read ``girl,boy:40,200,300,210@1s``.

    Raises:
        InputError: it does not read so, names somebody who is not there, or the time lies outside the clip.
    """
    match = matched(_LINE, text, "NAME,NAME:X0,Y0,X1,Y1@TIME, like girl,boy:40,200,300,210@1s")
    x0, y0, x1, y1 = (float(part) for part in match["line"].split(","))
    at = Fraction(0) if match["time"] is None else moment_from_text(match["time"], clip, text)
    return LinePhrase(names=_row(match["names"], names), line=((x0, y0), (x1, y1)), at=at)


def parse_level(
    text: str, *, clip: Clip, names: Sequence[str], output: Fraction | None = None
) -> tuple[Selection, int]:
    """Read ``girl=1`` or ``girl@1s-2s=-1``; arguments as for ``parse_selection``.

    Raises:
        InputError: it does not read so, names nobody there, or a time lies outside the clip or the output.
    """
    match = matched(_LEVEL, text, "NAME=LEVEL or NAME@TIME-TIME=LEVEL, like girl@1s-2s=1")
    return parse_selection(match["who"], clip=clip, names=names, output=output), int(match["level"])


def parse_choice(text: str, *, names: Sequence[str], words: Sequence[str]) -> tuple[str, str]:
    """Read ``girl=flow``: a name and one of some words.

    Raises:
        InputError: it does not read so, names nobody there, or the word is another.
    """
    match = matched(_CHOICE, text, f"NAME=WORD, like girl={words[-1]}")
    if match["word"] not in words:
        raise InputError(WHERE, f"the word must be one of {', '.join(words)}", got=repr(match["word"]))
    return known(match["name"], names), match["word"]


def parse_light(text: str, *, clip: Clip, names: Sequence[str]) -> tuple[str, Light]:
    """Read ``girl=output``, ``girl=time:2s,gain:1.5``, ``girl=output,background`` or ``girl=off``.

    Raises:
        InputError: it does not read so, names nobody there, or a time lies outside the clip.
    """
    match = matched(
        _LIGHT, text, "NAME=PART,PART of output, own, time:TIME, gain:NUMBER, off, background, like girl=output"
    )
    light = Light()
    for part in match["parts"].split(","):
        word, told, value = part.partition(":")
        if word == "time" and re.fullmatch(TIME, value):
            light = replace(light, of=moment_from_text(value, clip, text))
        elif word == "gain" and re.fullmatch(r"\d+(\.\d+)?", value):
            light = replace(light, gain=float(value))
        elif told:
            raise InputError(WHERE, "light must read time:TIME or gain:NUMBER, like gain:1.5", got=repr(part))
        elif word in ("own", "output"):
            light = replace(light, of=word)
        elif word == "off":
            light = replace(light, gain=0.0)
        elif word in ("layer", "background"):
            light = replace(light, by=word)
        else:
            raise InputError(
                WHERE, "light must be of output, own, time:TIME, gain:NUMBER, off, layer, background", got=repr(part)
            )
    return known(match["name"], names), light


def parse_camera_keys(text: str, *, clip: Clip, output: Fraction) -> tuple[str, tuple[CameraKey, ...]]:
    """Read ``whole:scale:1.2,x:-40`` or ``original:x:0@0s;x:90,rotate:5@2s``: a camera, and how it is moved.

    Raises:
        InputError: it does not read so, or a time lies outside the output.
    """
    match = matched(_MOVED, text, "CAMERA:x:PX,y:PX,scale:FACTOR,rotate:DEGREES, with @TIME; between keys of a path")
    keys: list[CameraKey] = []
    for part in match["keys"].rstrip(";").split(";"):
        told, timed, moment = part.partition("@")
        values = {word: float(value) for word, _, value in (one.partition(":") for one in told.split(",") if one)}
        at = moment_from_text(moment, clip, text, output=output) if timed else Fraction(0)
        keys.append(CameraKey(at=at, **values))
    return match["base"], tuple(keys)


def _row(text: str, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(known(one.strip(), names) for one in text.split(","))


def _pairs(text: str, clip: Clip, whole: str, *, output: Fraction | None = None) -> list[tuple[Fraction, Fraction]]:
    out: list[tuple[Fraction, Fraction]] = []
    for part in text.split(","):
        match = matched(_PAIR, part, "TIME=TIME, like 1s=1.2s")
        first = moment_from_text(match["a"], clip, whole, output=output)
        out.append((first, moment_from_text(match["b"], clip, whole)))
    return out
