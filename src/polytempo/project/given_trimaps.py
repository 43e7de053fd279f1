"""Trimaps drawn by hand, kept in the project so that the files they came from may go."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from polytempo.core.errors import InputError
from polytempo.core.files import write_bytes
from polytempo.edit.selectors import moment_from_text
from polytempo.objects.hand_trimap import HandTrimap, read_hand_trimap
from polytempo.objects.prompts import check_name
from polytempo.project.folder import Project
from polytempo.project.request import files_key
from polytempo.video.clip import Clip

FOLDER = "trimaps"
_FORM = "a trimap must be given as NAME=FILE or NAME=FILE@FROM-TO, e.g. girl=t.png@12f-40f"
_NAME = re.compile(r"(\d{4})-(.+)-(\d+)-(\d+)\.png")


def keep_trimap(project: Project, clip: Clip, text: str) -> None:
    """Take a drawn trimap into the project, as ``girl=FILE`` or ``girl=FILE@12f-40f``; a later one goes over it.

    Raises:
        InputError: it does not read so, cannot be read or does not fit the clip; the project then stays as it was.
    """
    name, found, rest = (one.strip() for one in text.partition("="))
    place, ranged, span = rest, "", ""
    if (match := re.fullmatch(r"(.+)@([\d./:]+[fs]?-[\d./:]+[fs]?)", rest)) is not None:
        place, ranged, span = match[1], "@", match[2]
    if not found or not place:
        raise InputError("cli.trimap", _FORM, got=repr(text))
    check_name(name)
    start, stop = _frames(span, clip, text) if ranged else (0, clip.n_frames)
    path, size = Path(place), (clip.width, clip.height)
    read_hand_trimap(path, clip_size=size, size=size)
    last = max((int(one.name[:4]) for one in _files(project)), default=0)
    write_bytes(project.root / FOLDER / f"{last + 1:04d}-{name}-{start}-{stop}.png", path.read_bytes())


def forget_trimaps(project: Project) -> None:
    """Go on with the trimaps that are made from masks and bodies."""
    shutil.rmtree(project.root / FOLDER, ignore_errors=True)


def trimaps_key(project: Project) -> str | None:
    """Hash of all trimaps that the project was given; nothing where there are none."""
    return files_key(project.root / FOLDER) if _files(project) else None


def given_trimaps(
    project: Project, clip: Clip, *, layers: Sequence[str], size: tuple[int, int]
) -> tuple[HandTrimap, ...]:
    """The drawn trimaps in the order in which they were given.

    Args:
        project: Where they are kept.
        clip: The clip.
        layers: Names of the layers that there are.
        size: ``(width, height)`` wanted, of about the clip's aspect.

    Raises:
        InputError: one does not fit the clip, or is drawn for a layer that there is not.
    """
    out: list[HandTrimap] = []
    for file in _files(project):
        match = _NAME.fullmatch(file.name)
        assert match is not None  # by the choice of files
        if match[2] not in layers:
            raise InputError(
                "project", "a trimap must be drawn for a layer that there is", got=repr(match[2]),
                todo=f"There is: {', '.join(layers)}; start again with --trimap none", path=file,
            )  # fmt: skip
        values = read_hand_trimap(file, clip_size=(clip.width, clip.height), size=size)
        out.append(HandTrimap(layer=match[2], values=values, start=int(match[3]), stop=int(match[4])))
    return tuple(out)


def _files(project: Project) -> list[Path]:
    return sorted(one for one in (project.root / FOLDER).glob("*.png") if _NAME.fullmatch(one.name))


def _frames(span: str, clip: Clip, text: str) -> tuple[int, int]:
    """Frames of a range: those whose time lies in it."""
    start, stop = (moment_from_text(one, clip, text) for one in span.split("-"))
    first, last = _first_at(start, clip), _first_at(stop, clip)
    if first >= last:
        raise InputError("cli.trimap", "the range of a trimap must hold a frame", got=repr(text))
    return first, last


def _first_at(time: Fraction, clip: Clip) -> int:
    return next((t for t in range(clip.n_frames) if clip.time_of(t) >= time), clip.n_frames)
