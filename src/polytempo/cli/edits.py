"""Edits as typed: ``--freeze girl@1.2s --remove boy``, done in the order in which they stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from polytempo.core.errors import InputError
from polytempo.edit.edl import Edl
from polytempo.edit.operations.delay import delay
from polytempo.edit.operations.duplicate import duplicate
from polytempo.edit.operations.freeze import freeze
from polytempo.edit.operations.remove import remove
from polytempo.edit.operations.solo import solo
from polytempo.edit.operations.speed import speed
from polytempo.edit.selectors import parse_copies, parse_selection, parse_shift, parse_speed
from polytempo.video.clip import Clip


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


def edited(edl: Edl, edits: Sequence[EditWord], *, clip: Clip) -> Edl:
    """Give an edit with further edits done to it.

    Args:
        edl: The edit so far.
        edits: What is to be done, in order; a later one sees what an earlier one did.
        clip: Gives meaning to frame numbers.

    Raises:
        InputError: one of them cannot be understood or done; the message shows it.
    """
    for one in edits:
        try:
            edl = OPERATIONS[one.operation](edl, one.text, clip)
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


def _freeze(edl: Edl, text: str, clip: Clip) -> Edl:
    who = parse_selection(text, clip=clip, names=_names(edl))
    if who.start is None:
        raise InputError("edit.freeze", "a moment must be given", got=repr(text), todo="Write for example girl@1.2s")
    return freeze(edl, who.name, at=who.start, until=who.stop)


def _remove(edl: Edl, text: str, clip: Clip) -> Edl:
    return remove(edl, _whole(edl, text, clip))


def _solo(edl: Edl, text: str, clip: Clip) -> Edl:
    return solo(edl, *(_whole(edl, part, clip) for part in text.split(",")))


def _delay(edl: Edl, text: str, clip: Clip) -> Edl:
    shift = parse_shift(text, clip=clip, names=_names(edl))
    return delay(edl, shift.name, by=shift.by)


def _speed(edl: Edl, text: str, clip: Clip) -> Edl:
    change = parse_speed(text, clip=clip, names=_names(edl))
    who = change.selection
    return speed(edl, who.name, factor=change.factor, start=who.start or edl.duration * 0, stop=who.stop)


def _duplicate(edl: Edl, text: str, clip: Clip) -> Edl:
    copies = parse_copies(text, clip=clip, names=_names(edl))
    return duplicate(edl, copies.name, copies=copies.copies, delay=copies.delay, offset=copies.offset)


def _whole(edl: Edl, text: str, clip: Clip) -> str:
    who = parse_selection(text, clip=clip, names=_names(edl))
    if who.start is not None:
        raise InputError(
            "edit", "only a name must be given here", got=repr(text), todo="A range cannot be taken out yet"
        )
    return who.name


OPERATIONS: dict[str, Callable[[Edl, str, Clip], Edl]] = {
    "freeze": _freeze,
    "remove": _remove,
    "delay": _delay,
    "speed": _speed,
    "duplicate": _duplicate,
    "solo": _solo,
}
