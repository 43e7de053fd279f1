"""Keypoints put right by hand, as a file: for any frame, any keypoint of any subject."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, cast

from polytempo.bodies.keypoints import COCO_NAMES, INDEX
from polytempo.core.errors import InputError

WHERE = "bodies.corrections"
Places = dict[int, dict[str, tuple[float, float] | None]]


def read_corrections(
    path: Path, *, n_frames: int, subjects: tuple[str, ...], clip_size: tuple[int, int], size: tuple[int, int]
) -> dict[str, Places]:
    """Corrections by subject, frame and keypoint, in pixels of ``size``; None takes a wrong keypoint away.

    The file reads ``{"girl": {"12": {"left_wrist": [310.5, 200], "nose": null}}}``: names of subjects, frames from 0,
    names of COCO's keypoints, the clip's pixels.

    Args:
        path: JSON file.
        n_frames: Frames of the clip.
        subjects: Names that are known.
        clip_size: ``(width, height)`` that the file's pixels are in.
        size: ``(width, height)`` wanted.

    Raises:
        InputError: no JSON of that form, an unknown subject, frame or keypoint, a place that is no pair of numbers.
    """
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(WHERE, "corrections must be a JSON file", got=str(error)[:100], path=path) from error
    grow = (size[0] / clip_size[0], size[1] / clip_size[1])
    out: dict[str, Places] = {}
    for subject, frames in _object(document, path).items():
        if subject not in subjects:
            raise InputError(
                WHERE, "corrections must name subjects of the clip", got=repr(subject),
                todo=f"There are {', '.join(subjects)}", path=path,
            )  # fmt: skip
        out[subject] = {}
        for frame, places in _object(frames, path).items():
            if not (frame.isascii() and frame.isdigit() and int(frame) < n_frames):
                raise InputError(WHERE, f"frames must be 0 to {n_frames - 1}", got=repr(frame), path=path)
            out[subject][int(frame)] = {
                _known(name, path): _place(value, grow, path) for name, value in _object(places, path).items()
            }
    return out


def _object(value: Any, path: Path) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(
            WHERE, 'corrections must read {"subject": {"frame": {"keypoint": [x, y]}}}', got=repr(value)[:60], path=path
        )
    return cast("dict[str, Any]", value)


def _known(name: str, path: Path) -> str:
    if name not in INDEX:
        raise InputError(
            WHERE, "corrections must name COCO keypoints", got=repr(name), todo=f"Known are {', '.join(COCO_NAMES)}",
            path=path,
        )  # fmt: skip
    return name


def _place(value: Any, grow: tuple[float, float], path: Path) -> tuple[float, float] | None:
    if value is None:
        return None
    pair = cast("list[Any]", value) if isinstance(value, list) else []
    if len(pair) != 2 or not all(isinstance(v, int | float) and math.isfinite(v) for v in pair):
        raise InputError(WHERE, "a place must be [x, y] or null", got=repr(value)[:60], path=path)
    x, y = ((float(v) + 0.5) * g - 0.5 for v, g in zip(pair, grow, strict=True))
    return x, y
