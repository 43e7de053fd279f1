"""What the user points at: boxes, points, scribbles and masks per subject and frame, from a file or the command line.

The file is JSON::

    {
      "size": [960, 540],
      "subjects": {
        "girl": {
          "0": [312, 0, 515, 387],
          "12": {"points": [[400, 120], [410, 250]], "not_points": [[300, 200]]},
          "40": {"scribble": [[[400, 80], [410, 200]]], "not_scribble": [[[300, 90], [310, 210]]]},
          "90": {"mask": "girl_0090.png"},
          "150": {"absent": true}
        }
      }
    }

Keys of a subject are frame numbers from 0. A bare list of four numbers is a box ``x0, y0, x1, y1``, half-open, in
pixels of the clip (x right, y down); boxes may be loose and may cut a little off. The keys of the longer form may be
combined: ``box``, ``points``, ``not_points``, ``scribble`` and ``not_scribble`` (lists of polylines), ``mask`` (a
picture of the clip's size, beside the JSON file; above half is the subject), ``absent`` (the subject is not to be seen
in this frame). ``size`` is the size the numbers were read at; left out, it is the clip's. ``clip`` and ``note`` may say
what the file is for.

On the command line: ``girl=box:312,0,515,387@0``, ``girl=point:400,120@12``, ``girl=not:300,200@12``,
``girl=scribble:400,80;410,200@40``, ``girl=mask:girl.png@90``, ``girl=absent@150``; the same name may come again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool

from polytempo.core.errors import InputError, PolytempoError
from polytempo.objects.prompts_json import load_json
from polytempo.objects.prompts_json import short as _short

WHERE = "objects.prompts"
MAX_FILE_BYTES = 32 * 2**20
FILE_KEYS = ("clip", "size", "note", "version", "subjects")
PROMPT_KEYS = ("box", "points", "not_points", "scribble", "not_scribble", "mask", "absent")

Point = tuple[float, float]
Line = tuple[Point, ...]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Prompt:
    """What is said of one subject on one frame, in pixels of ``Prompts.size``."""

    frame: int
    box: tuple[float, float, float, float] | None = None
    """``x0, y0, x1, y1``, half-open."""
    lines: tuple[Line, ...] = ()
    """Points (lines of one point) and scribbles on the subject."""
    not_lines: tuple[Line, ...] = ()
    """Points and scribbles that are not on it."""
    mask: Bool[np.ndarray, "H W"] | None = None
    """The whole visible body."""
    absent: bool = False
    """The subject is not to be seen in this frame."""

    @property
    def says_where(self) -> bool:
        """True when it tells where the subject is, not only where it is not."""
        return self.box is not None or bool(self.lines) or self.mask is not None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SubjectPrompts:
    """All prompts of one subject, by frame."""

    name: str
    prompts: tuple[Prompt, ...]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Prompts:
    """Prompts for every subject to be separated; order of subjects is order of ids."""

    subjects: tuple[SubjectPrompts, ...]
    size: tuple[int, int]
    """``(width, height)`` in pixels that the coordinates are in."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the subjects."""
        return tuple(subject.name for subject in self.subjects)

    def scaled(self, size: tuple[int, int]) -> Prompts:
        """Give the same prompts for pictures of another size."""
        sx, sy = size[0] / self.size[0], size[1] / self.size[1]

        def move(line: Line) -> Line:
            # Centres are whole numbers, so points scale about (-0.5, -0.5); half-open boxes scale about 0.
            return tuple(((x + 0.5) * sx - 0.5, (y + 0.5) * sy - 0.5) for x, y in line)

        def scale(prompt: Prompt) -> Prompt:
            mask = prompt.mask
            if mask is not None and (mask.shape[1], mask.shape[0]) != size:
                mask = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5
            box = prompt.box
            return replace(
                prompt,
                box=None if box is None else (box[0] * sx, box[1] * sy, box[2] * sx, box[3] * sy),
                lines=tuple(move(line) for line in prompt.lines),
                not_lines=tuple(move(line) for line in prompt.not_lines),
                mask=mask,
            )

        return Prompts(
            subjects=tuple(
                SubjectPrompts(name=subject.name, prompts=tuple(scale(one) for one in subject.prompts))
                for subject in self.subjects
            ),
            size=size,
        )


def read_prompts(path: Path, *, clip_size: tuple[int, int], n_frames: int) -> Prompts:
    """Read a prompt file (see the top of this module).

    Args:
        path: JSON file.
        clip_size: ``(width, height)`` of the clip in pixels.
        n_frames: Frames in the clip.

    Raises:
        InputError: the file cannot be read, is no such document, or something in it cannot be meant.
    """
    document = load_json(path, where=WHERE, max_bytes=MAX_FILE_BYTES)
    try:
        return prompts_from_document(document, clip_size=clip_size, n_frames=n_frames, folder=path.parent)
    except PolytempoError as error:
        if error.path is not None:
            raise
        raise InputError(error.where, error.must, got=error.got, todo=error.todo, path=path) from error


def prompts_from_document(document: Any, *, clip_size: tuple[int, int], n_frames: int, folder: Path) -> Prompts:
    """Check a parsed prompt document; mask files are looked for in ``folder``.

    Raises:
        InputError: as ``read_prompts``.
    """
    if not isinstance(document, dict):
        raise InputError(WHERE, "the file must hold a JSON object with a key subjects", got=type(document).__name__)
    _refuse_unknown(document, FILE_KEYS, "the file")
    size = _size(document.get("size"), clip_size)
    subjects = document.get("subjects")
    if not isinstance(subjects, dict) or not subjects:
        raise InputError(WHERE, "subjects must name at least one subject", got=_short(subjects))
    out: list[SubjectPrompts] = []
    for name, frames in subjects.items():
        check_name(name)
        if not isinstance(frames, dict) or not frames:
            raise InputError(WHERE, f"{name} must have at least one prompt by frame number", got=_short(frames))
        seen: dict[int, Prompt] = {}
        for key, value in frames.items():
            if not re.fullmatch(r"[0-9]{1,9}", key):
                raise InputError(WHERE, f"frame numbers of {name} must be whole and not negative", got=_short(key))
            if int(key) in seen:
                raise InputError(WHERE, f"{name} must have one entry a frame", got=f"frame {int(key)} twice")
            seen[int(key)] = _prompt(int(key), value, name=name, size=size, folder=folder)
        out.append(SubjectPrompts(name=name, prompts=tuple(seen[key] for key in sorted(seen))))
    prompts = Prompts(subjects=tuple(out), size=size)
    check_prompts(prompts, n_frames=n_frames)
    return prompts if size == clip_size else prompts.scaled(clip_size)


def prompts_from_text(texts: Sequence[str], *, clip_size: tuple[int, int], n_frames: int) -> Prompts:
    """Read prompts as given on the command line: ``NAME=KIND:NUMBERS@FRAME``.

    Raises:
        InputError: a text is not of that form, or what it says cannot be meant.
    """
    entries: dict[str, dict[str, dict[str, Any]]] = {}
    for text in texts:
        found = re.fullmatch(r"([^=]+)=([a-z]+)(?::(.*))?@([0-9]{1,9})", text.strip(), re.DOTALL)
        if found is None:
            raise InputError(
                WHERE,
                "a prompt must be written NAME=KIND:NUMBERS@FRAME",
                got=_short(text),
                todo="For example girl=box:312,0,515,387@0 or girl=point:400,120@0",
            )
        name, kind, body, frame = found[1].strip(), found[2], found[3] or "", str(int(found[4]))
        entry = entries.setdefault(name, {}).setdefault(frame, {})
        if kind in ("box", "mask", "absent"):
            if kind in entry:
                raise InputError(WHERE, f"{name} must have one {kind} a frame", got=f"two on frame {frame}")
            entry[kind] = body if kind == "mask" else True if kind == "absent" else _numbers(body, text)[0]
            if kind == "absent" and body:
                raise InputError(WHERE, "absent must stand alone, like boy=absent@5", got=_short(text))
        elif kind in ("point", "points", "not"):
            key = "not_points" if kind == "not" else "points"
            entry.setdefault(key, []).extend(_numbers(body, text))
        elif kind in ("scribble", "notscribble"):
            key = "scribble" if kind == "scribble" else "not_scribble"
            entry.setdefault(key, []).append(_numbers(body, text))
        else:
            kinds = "box, point, not, scribble, notscribble, mask or absent"
            raise InputError(WHERE, f"the kind of a prompt must be {kinds}", got=_short(text))
    if not entries:
        raise InputError(WHERE, "at least one subject must be given", todo="Pass prompts, or pick proposed subjects")
    return prompts_from_document({"subjects": entries}, clip_size=clip_size, n_frames=n_frames, folder=Path())


def merge_prompts(parts: Iterable[Prompts]) -> Prompts:
    """Put prompts from several places together; sizes must agree.

    Raises:
        InputError: two parts name the same subject, or sizes differ.
    """
    subjects: list[SubjectPrompts] = []
    sizes: set[tuple[int, int]] = set()
    for part in parts:
        sizes.add(part.size)
        for subject in part.subjects:
            if subject.name in {one.name for one in subjects}:
                raise InputError(WHERE, "every subject must be named once", got=f"{subject.name} in two places")
            subjects.append(subject)
    if len(sizes) != 1:
        raise InputError(WHERE, "prompts put together must be for one picture size", got=_short(sorted(sizes)))
    return Prompts(subjects=tuple(subjects), size=sizes.pop())


def check_name(name: str) -> None:
    """Refuse a subject name that could not stand on the command line or as a folder.

    Raises:
        InputError: the name is empty, too long, reserved, or has other characters than letters, digits, ``-``, ``_``.
    """
    if not re.fullmatch(r"[^\W_][\w-]{0,39}", name) or name.lower() == "background":
        raise InputError(
            WHERE,
            "a subject's name must be 1 to 40 letters, digits, - or _, begin with no sign, and not be background",
            got=_short(name),
        )


def check_prompts(prompts: Prompts, *, n_frames: int) -> None:
    """Refuse prompts that lie outside the clip or say nothing.

    Raises:
        InputError: see the messages.
    """
    width, height = prompts.size
    if not prompts.subjects:
        raise InputError(WHERE, "at least one subject must be given", todo="Pass prompts, or pick proposed subjects")
    lowered = [name.lower() for name in prompts.names]
    for name in prompts.names:
        check_name(name)
        if lowered.count(name.lower()) > 1:
            raise InputError(WHERE, "every subject must be named once (case does not count)", got=name)
    for subject in prompts.subjects:
        if not any(one.says_where for one in subject.prompts):
            raise InputError(WHERE, f"{subject.name} must have a box, point, scribble or mask on some frame")
        for one in subject.prompts:
            place = f"{subject.name}, frame {one.frame}"
            if one.frame >= n_frames:
                raise InputError(WHERE, f"prompts must lie in the clip's frames 0 to {n_frames - 1}", got=place)
            if one.absent and one.says_where:
                raise InputError(WHERE, "a subject cannot be absent and shown in one frame", got=place)
            if one.box is not None:
                x0, y0, x1, y1 = one.box
                if x1 - x0 < 1 or y1 - y0 < 1:
                    raise InputError(
                        WHERE, "a box x0, y0, x1, y1 must be a pixel wide and high or more", got=f"{one.box} ({place})"
                    )
                if min(x1, width) - max(x0, 0) < 1 or min(y1, height) - max(y0, 0) < 1:
                    raise InputError(
                        WHERE, f"a box must lie in the picture of {width}x{height}", got=f"{one.box} ({place})"
                    )
            for x, y in (point for line in one.lines + one.not_lines for point in line):
                if not (-0.5 <= x < width and -0.5 <= y < height):
                    raise InputError(
                        WHERE, f"points must lie in the picture of {width}x{height}", got=f"({x:g}, {y:g}) ({place})"
                    )
            if one.mask is not None and not one.mask.any():
                raise InputError(
                    WHERE,
                    "a mask must mark some pixels",
                    got=f"an empty mask ({place})",
                    todo='Say "absent": true where the subject is not to be seen',
                )


def _prompt(frame: int, value: Any, *, name: str, size: tuple[int, int], folder: Path) -> Prompt:
    place = f"{name}, frame {frame}"
    if isinstance(value, list):
        value = {"box": value}
    if not isinstance(value, dict) or not value:
        raise InputError(WHERE, "a prompt must be a box of four numbers or an object", got=f"{_short(value)} ({place})")
    _refuse_unknown(value, PROMPT_KEYS, place)
    box = None
    if "box" in value:
        numbers = value["box"]
        if not isinstance(numbers, list) or len(numbers) != 4:
            raise InputError(WHERE, "a box must be four numbers x0, y0, x1, y1", got=f"{_short(numbers)} ({place})")
        x0, y0, x1, y1 = (_number(one, place) for one in numbers)
        box = (x0, y0, x1, y1)
    lines: dict[str, list[Line]] = {"on": [], "off": []}
    for key, side in (("points", "on"), ("not_points", "off")):
        lines[side] += [(point,) for point in _line(value.get(key, []), f"{key} of {place}", least=0)]
    for key, side in (("scribble", "on"), ("not_scribble", "off")):
        strokes = value.get(key, [])
        if not isinstance(strokes, list):
            raise InputError(WHERE, f"{key} must be a list of polylines", got=f"{_short(strokes)} ({place})")
        lines[side] += [_line(stroke, f"{key} of {place}", least=1) for stroke in strokes]
    absent = value.get("absent", False)
    if not isinstance(absent, bool):
        raise InputError(WHERE, "absent must be true or false", got=f"{_short(absent)} ({place})")
    mask = None
    if "mask" in value:
        if not isinstance(value["mask"], str) or not value["mask"]:
            raise InputError(WHERE, "mask must be a file name", got=f"{_short(value['mask'])} ({place})")
        mask = read_mask_picture(folder / value["mask"], size=size)
    prompt = Prompt(
        frame=frame, box=box, lines=tuple(lines["on"]), not_lines=tuple(lines["off"]), mask=mask, absent=absent
    )
    if not (prompt.says_where or prompt.not_lines or absent):
        raise InputError(WHERE, "a prompt must say something", got=f"{_short(value)} ({place})")
    return prompt


def read_mask_picture(path: Path, *, size: tuple[int, int]) -> Bool[np.ndarray, "H W"]:
    """Read a mask picture: above half of its range is the subject.

    Raises:
        InputError: the file cannot be read as a picture, or its size is not ``size``.
    """
    try:
        data = np.fromfile(path, np.uint8)
    except (OSError, ValueError) as error:
        raise InputError(WHERE, "a mask file must be readable", got=str(error), path=path) from error
    try:
        picture = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if data.size else None
    except cv2.error:
        picture = None
    if picture is None:
        raise InputError(WHERE, "a mask must be a picture (PNG)", got="a file that is none", path=path)
    if (picture.shape[1], picture.shape[0]) != size:
        got = f"{picture.shape[1]}x{picture.shape[0]}"
        raise InputError(WHERE, f"a mask must have the size of the prompts, {size[0]}x{size[1]}", got=got, path=path)
    return np.asarray(picture > 127)


def _size(value: Any, clip_size: tuple[int, int]) -> tuple[int, int]:
    if value is None:
        return clip_size
    ok = isinstance(value, list) and len(value) == 2 and all(type(one) is int and 0 < one <= 65536 for one in value)
    if not ok:
        raise InputError(WHERE, "size must be two whole numbers, width and height", got=_short(value))
    width, height = value
    # A prompt file drawn on a smaller copy of the clip fits; one of another aspect is for another clip.
    if abs(width * clip_size[1] - height * clip_size[0]) > max(width, height, *clip_size):
        raise InputError(
            WHERE, f"size must have the aspect of the clip, {clip_size[0]}x{clip_size[1]}", got=f"{width}x{height}"
        )
    return (width, height)


def _line(value: Any, place: str, *, least: int) -> Line:
    if not isinstance(value, list) or len(value) < least:
        raise InputError(WHERE, "points must be a list of [x, y]", got=f"{_short(value)} ({place})")
    points: list[Point] = []
    for point in value:
        if not isinstance(point, list) or len(point) != 2:
            raise InputError(WHERE, "a point must be [x, y]", got=f"{_short(point)} ({place})")
        points.append((_number(point[0], place), _number(point[1], place)))
    return tuple(points)


def _number(value: Any, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > 1e6:
        raise InputError(WHERE, "coordinates must be numbers in pixels", got=f"{_short(value)} ({place})")
    return float(value)


def _numbers(body: str, text: str) -> list[list[float]]:
    try:
        return [[float(one) for one in part.split(",")] for part in body.split(";")]
    except ValueError as error:
        todo = "Write x,y pairs parted by ; or a box x0,y0,x1,y1"
        raise InputError(WHERE, "the numbers of a prompt must be numbers", got=_short(text), todo=todo) from error


def _refuse_unknown(found: dict[str, Any], known: Sequence[str], place: str) -> None:
    unknown = sorted(set(found) - set(known))
    if unknown:
        raise InputError(WHERE, f"keys must be among {', '.join(known)}", got=f"{_short(unknown[0])} ({place})")
