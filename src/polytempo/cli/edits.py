"""Edits as typed: ``--freeze girl@1.2s --remove boy``, done in the order in which they stand."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast, get_args

from polytempo.cli.align_edits import align_edit, beat_edit, hold_on_exit_edit, photo_finish_edit
from polytempo.cli.scene import Scene
from polytempo.core.errors import InputError
from polytempo.core.time import fraction_from_text
from polytempo.edit.camera import CameraKey, read_camera_path
from polytempo.edit.edl import Between, Edl
from polytempo.edit.operations.delay import delay
from polytempo.edit.operations.duplicate import duplicate
from polytempo.edit.operations.freeze import freeze
from polytempo.edit.operations.keys import remap
from polytempo.edit.operations.light import BACKGROUND, relight
from polytempo.edit.operations.loop import loop
from polytempo.edit.operations.picture import (
    at_frame_rate,
    frame_camera,
    free_camera,
    interpolate,
    keep_grain,
    lock_camera,
    move_camera,
    put_at_level,
    widen_camera,
)
from polytempo.edit.operations.ramp import ramp
from polytempo.edit.operations.remove import remove
from polytempo.edit.operations.retime import Outside, Then
from polytempo.edit.operations.reverse import reverse
from polytempo.edit.operations.solo import solo
from polytempo.edit.operations.speed import speed
from polytempo.edit.operations.stagger import stagger, swap
from polytempo.edit.operations.trim import Then as Longer
from polytempo.edit.operations.trim import extend, trim
from polytempo.edit.phrases import (
    parse_camera_keys,
    parse_choice,
    parse_keys,
    parse_level,
    parse_light,
    parse_names,
    parse_ramp,
    parse_row,
)
from polytempo.edit.selectors import duration_from_text, parse_copies, parse_selection, parse_shift, parse_speed
from polytempo.edit.timemap import Round

Operation = Callable[[Edl, str, Scene], Edl]
ZERO = Fraction(0)
HALF_OPEN = 0.5
"""Shutter of motion blur: half a frame, as film cameras mostly have it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EditWord:
    """One edit as typed."""

    operation: str
    """Option without its dashes, e.g. ``"freeze"``."""
    text: str
    """What stood behind it, e.g. ``"girl@1.2s"``."""


def edit_words(words: Sequence[str]) -> list[EditWord]:
    """Pick the edits out of a command line, in order.

    The parser of options keeps the order within an option only; between a freeze and a delay of the same subject the
    order matters.

    Example:
        >>> [(one.operation, one.text) for one in edit_words(["c.mp4", "--delay=boy+3f", "--freeze", "boy@1s"])]
        [('delay', 'boy+3f'), ('freeze', 'boy@1s')]
    """
    out: list[EditWord] = []
    rest = iter(words)
    for word in rest:
        name, found, text = word.removeprefix("--").partition("=")
        if word.startswith("--") and name in OPERATIONS:
            out.append(EditWord(operation=name, text=text if found else next(rest, "")))
    return out


def edited(edl: Edl, edits: Sequence[EditWord], *, scene: Scene) -> Edl:
    """Give an edit with further edits done to it.

    Args:
        edl: The edit so far.
        edits: What is to be done, in order; a later one sees what an earlier one did.
        scene: Gives meaning to frame numbers, and the motions to those edits that look at them.

    Raises:
        InputError: one of them cannot be understood or done; the message shows it.
    """
    for one in edits:
        try:
            edl = OPERATIONS[one.operation](edl, one.text, scene)
        except InputError as error:
            raise InputError(
                f"--{one.operation} {one.text}: {error.where}",
                error.must,
                got=error.got,
                todo=error.todo,
                path=error.path,
            ) from error
    return edl


def _names(edl: Edl) -> list[str]:
    return [one.name for one in edl.instances]


def _told(text: str, words: Sequence[str]) -> tuple[str, str]:
    """What was typed without the word behind its last colon, and that word; the first of them when there is none."""
    match = re.fullmatch(r"(.*):\s*([a-z-]+)\s*", text)
    if match is None:
        return text, words[0]
    if match[2] not in words:
        raise InputError("edit", f"the word at the end must be one of {', '.join(words)}", got=repr(match[2]))
    return match[1], match[2]


def _freeze(edl: Edl, text: str, scene: Scene) -> Edl:
    given, then = _told(text, get_args(Then))
    who = parse_selection(given, clip=scene.clip, names=_names(edl), output=edl.duration)
    if who.start is None:
        raise InputError("edit.freeze", "a moment must be given", got=repr(text), todo="Write for example girl@1.2s")
    return freeze(edl, who.name, at=who.start, until=who.stop, then=cast("Then", then))


def _remove(edl: Edl, text: str, scene: Scene) -> Edl:
    who = parse_selection(text, clip=scene.clip, names=_names(edl), output=edl.duration)
    return remove(edl, who.name, start=who.start, stop=who.stop)


def _solo(edl: Edl, text: str, scene: Scene) -> Edl:
    return solo(edl, *(_whole(edl, part, scene) for part in text.split(",")))


def _delay(edl: Edl, text: str, scene: Scene) -> Edl:
    given, outside = _told(text, get_args(Outside))
    shift = parse_shift(given, clip=scene.clip, names=_names(edl))
    return delay(edl, shift.name, by=shift.by, outside=cast("Outside", outside))


def _speed(edl: Edl, text: str, scene: Scene) -> Edl:
    given, then = _told(text, get_args(Then))
    change = parse_speed(given, clip=scene.clip, names=_names(edl), output=edl.duration)
    start, stop = change.selection.start or ZERO, change.selection.stop
    return speed(edl, change.selection.name, factor=change.factor, start=start, stop=stop, then=cast("Then", then))


def _ramp(edl: Edl, text: str, scene: Scene) -> Edl:
    given, then = _told(text, get_args(Then))
    change = parse_ramp(given, clip=scene.clip, names=_names(edl), output=edl.duration)
    who, first, last = change.selection, change.first, change.last
    return ramp(edl, who.name, first=first, last=last, start=who.start or ZERO, stop=who.stop, then=cast("Then", then))


def _reverse(edl: Edl, text: str, scene: Scene) -> Edl:
    who = parse_selection(text, clip=scene.clip, names=_names(edl), output=edl.duration)
    return reverse(edl, who.name, frame=scene.frame, start=who.start or ZERO, stop=who.stop)


def _round(mode: Round) -> Operation:
    def operation(edl: Edl, text: str, scene: Scene) -> Edl:
        who = parse_selection(text, clip=scene.clip, names=_names(edl), output=edl.duration)
        if who.start is None or who.stop is None:
            raise InputError("edit.loop", "a range must be given", got=repr(text), todo="Write for example girl@1s-2s")
        return loop(edl, who.name, start=who.start, stop=who.stop, frame=scene.frame, mode=mode)

    return operation


def _duplicate(edl: Edl, text: str, scene: Scene) -> Edl:
    given, outside = _told(text, get_args(Outside))
    made = parse_copies(given, clip=scene.clip, names=_names(edl))
    return duplicate(
        edl,
        made.name,
        copies=made.copies,
        delay=made.delay,
        offset=made.offset,
        outside=cast("Outside", outside),
    )


def _stagger(edl: Edl, text: str, scene: Scene) -> Edl:
    given, outside = _told(text, get_args(Outside))
    names, step = parse_row(given, clip=scene.clip, names=_names(edl))
    return stagger(edl, names, step=step, outside=cast("Outside", outside))


def _swap(edl: Edl, text: str, scene: Scene) -> Edl:
    names = parse_names(text, names=_names(edl))
    if len(names) != 2:
        raise InputError("edit.swap", "two must be named", got=repr(text), todo="Write for example girl,boy")
    return swap(edl, *names)


def _keys(edl: Edl, text: str, scene: Scene) -> Edl:
    name, keys = parse_keys(text, clip=scene.clip, names=_names(edl), output=edl.duration)
    return remap(edl, name, keys)


def _trim(edl: Edl, text: str, scene: Scene) -> Edl:
    # A range without a name reads like one with the name of the whole.
    try:
        who = parse_selection(f"all@{text}", clip=scene.clip, names=["all"], output=edl.duration)
    except InputError as error:
        got = (error.got or "").replace("all@", "")
        raise InputError(error.where, error.must.replace("NAME@", ""), got=got, todo=error.todo) from error
    if who.stop is None:
        raise InputError("edit.trim", "a range must be given", got=repr(text), todo="Write for example 1s-3s")
    return trim(edl, start=who.start or ZERO, stop=who.stop)


def _extend(edl: Edl, text: str, scene: Scene) -> Edl:
    given, then = _told(text, get_args(Longer))
    return extend(edl, duration=duration_from_text(given.strip(), scene.clip), then=cast("Longer", then))


def _level(edl: Edl, text: str, scene: Scene) -> Edl:
    who, level = parse_level(text, clip=scene.clip, names=_names(edl), output=edl.duration)
    return put_at_level(edl, who.name, level=level, start=who.start, stop=who.stop)


def _slow(edl: Edl, text: str, scene: Scene) -> Edl:
    name, word = parse_choice(text, names=_names(edl), words=get_args(Between))
    return interpolate(edl, name, between=cast("Between", word), shutter=edl.instance(name).shutter)


def _blur(edl: Edl, text: str, scene: Scene) -> Edl:
    name = _whole(edl, text, scene)
    return interpolate(edl, name, between=edl.instance(name).between, shutter=HALF_OPEN)


def _camera(edl: Edl, text: str, scene: Scene) -> Edl:
    base, _, moves = text.partition(":")
    keys: tuple[CameraKey, ...] = ()
    if moves.startswith("path:"):
        keys = read_camera_path(Path(moves.removeprefix("path:")))
    elif moves:
        base, keys = parse_camera_keys(text, clip=scene.clip, output=edl.duration)
    if base in ("original", "whole"):
        edl = free_camera(edl) if base == "original" else widen_camera(edl)
    elif base.startswith("locked"):
        at = parse_selection(base, clip=scene.clip, names=["locked"]).start
        edl = lock_camera(edl, at=at or ZERO)
    else:
        edl = frame_camera(edl, _whole(edl, base, scene))
    return move_camera(edl, *keys)


def _light(edl: Edl, text: str, scene: Scene) -> Edl:
    name, light = parse_light(text, clip=scene.clip, names=list(dict.fromkeys([*_names(edl), BACKGROUND])))
    return relight(edl, name, light if light.changes else None)


def _grain(edl: Edl, text: str, scene: Scene) -> Edl:
    match = re.fullmatch(r"(\d{1,3})%", text.strip())
    if match is None:
        raise InputError("edit.grain", "it must read PERCENT%, like 100%", got=repr(text[:60]))
    return keep_grain(edl, share=int(match[1]) / 100)


def _rate(edl: Edl, text: str, scene: Scene) -> Edl:
    return at_frame_rate(edl, fraction_from_text(text, where="edit.rate"))


def _whole(edl: Edl, text: str, scene: Scene) -> str:
    who = parse_selection(text, clip=scene.clip, names=_names(edl), output=edl.duration)
    if who.start is not None:
        raise InputError(
            "edit", "only a name must be given here", got=repr(text), todo="A range cannot be taken out yet"
        )
    return who.name


OPERATIONS: dict[str, Operation] = {
    "freeze": _freeze,
    "remove": _remove,
    "delay": _delay,
    "speed": _speed,
    "ramp": _ramp,
    "reverse": _reverse,
    "loop": _round("loop"),
    "ping-pong": _round("ping-pong"),
    "duplicate": _duplicate,
    "solo": _solo,
    "stagger": _stagger,
    "swap": _swap,
    "keys": _keys,
    "hold-on-exit": hold_on_exit_edit,
    "align": align_edit,
    "photo-finish": photo_finish_edit,
    "beat": beat_edit,
    "trim": _trim,
    "extend": _extend,
    "level": _level,
    "slow-motion": _slow,
    "motion-blur": _blur,
    "camera": _camera,
    "light": _light,
    "grain": _grain,
    "frame-rate": _rate,
}
