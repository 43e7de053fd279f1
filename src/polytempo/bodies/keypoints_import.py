"""Keypoints found elsewhere: AlphaPose with and without PoseFlow, COCO-17, and the layout of our drawn scenes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np

from polytempo.bodies.keypoints import COCO_NAMES, Detection, Keypoints, checked_keypoints
from polytempo.core.errors import InputError

WHERE = "bodies.keypoints_import"
LABEL_SCORE = np.array([0.0, 0.5, 1.0], np.float32)
"""Scores for COCO's labels: 0 not labelled, 1 hidden, 2 seen."""
SCENE_SCORE = np.array([0.25, 0.5, 1.0], np.float32)
"""The same for drawn scenes, which know where a keypoint is outside the frame (0), too."""


def read_keypoints(
    path: Path, *, n_frames: int, clip_size: tuple[int, int], size: tuple[int, int]
) -> tuple[Detection, ...]:
    """People found in the frames of a clip, whatever of the known layouts the file has.

    Known are: AlphaPose's list of ``{"image_id", "keypoints", "score"}``, with ``"idx"`` where it tracked; PoseFlow's
    object of file name → list of ``{"keypoints", "idx"}``; COCO's object with ``"annotations"``; and the
    ``keypoints.json`` of scene folders.
    The frame is the last number in a file name, counted from 0 or, where the numbers are 1…``n_frames``, from 1.
    Scores above 1, as older AlphaPose gives, count as 1.

    Args:
        path: JSON file.
        n_frames: Frames of the clip.
        clip_size: ``(width, height)`` that the file's pixels are in.
        size: ``(width, height)`` wanted.

    Returns:
        Detections by frame, then as in the file, in pixels of ``size``.

    Raises:
        InputError: no file, no JSON, an unknown layout, keypoints in another order, a value that is no number, a frame
            outside the clip, one track twice in a frame, nobody at all.
        ShapeError: another count of keypoints.
    """
    document = _read_json(path)
    found = list(_entries(document, path))
    if not found:
        raise InputError(WHERE, "the file must hold at least one person", got="none", path=path)
    numbers = [number for number, _, _ in found]
    first = 1 if min(numbers) >= 1 and max(numbers) == n_frames else 0
    grow = np.array([size[0] / clip_size[0], size[1] / clip_size[1]])
    out: list[Detection] = []
    for number, points, track in found:
        frame = number - first
        if not 0 <= frame < n_frames:
            raise InputError(
                WHERE, f"frames must lie in the clip, 0 to {n_frames - 1}", got=f"frame {number}",
                todo="Give the keypoints of this clip", path=path,
            )  # fmt: skip
        moved = points.copy()
        moved[:, :2] = (points[:, :2] + 0.5) * grow - 0.5
        moved[:, 2] = np.minimum(points[:, 2], 1)
        moved[points[:, 2] == 0] = 0
        out.append(Detection(frame=frame, points=moved, track=track))
    out.sort(key=lambda one: one.frame)
    _refuse_doubled_tracks(out, path)
    return tuple(out)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(WHERE, "the file must be readable", got=error.strerror or "an error", path=path) from error
    except (ValueError, RecursionError) as error:
        raise InputError(WHERE, "keypoints must be a JSON file", got=str(error)[:120], path=path) from error


def _entries(document: Any, path: Path) -> Iterator[tuple[int, Keypoints, int | None]]:
    """Frame number as the file has it, keypoints, track."""
    if isinstance(document, dict):
        known = cast("dict[str, Any]", document)
        if "frames" in known:
            return _scene_entries(known, path)
        if "annotations" in known:
            return _coco_entries(known, path)
        if known and all(isinstance(value, list) for value in known.values()):
            rows = [(name, person) for name, people in known.items() for person in cast("list[Any]", people)]
            return _alphapose_entries(rows, path)
    if isinstance(document, list):
        return _alphapose_entries([(None, person) for person in cast("list[Any]", document)], path)
    raise InputError(
        WHERE, "the file must be AlphaPose, PoseFlow or COCO keypoints, or a scene's keypoints.json",
        got=type(document).__name__, path=path,
    )  # fmt: skip


def _alphapose_entries(rows: list[tuple[Any, Any]], path: Path) -> Iterator[tuple[int, Keypoints, int | None]]:
    for name, person in rows:
        fields = _fields(person, path)
        image = fields.get("image_id") if name is None else name
        frame = _number(image, path)
        yield frame, checked_keypoints(fields.get("keypoints"), frame=frame, path=path), _track(fields, path)


def _coco_entries(document: dict[str, Any], path: Path) -> Iterator[tuple[int, Keypoints, int | None]]:
    for category in document.get("categories", []):
        names = _fields(category, path).get("keypoints")
        if names is not None:
            _check_order(names, path)
    images = [_fields(one, path) for one in document.get("images", [])]
    frames = {one.get("id"): _number(one.get("file_name", one.get("id")), path) for one in images}
    for person in document["annotations"]:
        fields = _fields(person, path)
        image = fields.get("image_id")
        if images and image not in frames:
            raise InputError(WHERE, "every annotation must name an image of the file", got=repr(image), path=path)
        frame = frames[image] if images else _number(image, path)
        points = checked_keypoints(fields.get("keypoints"), frame=frame, path=path)
        if set(np.unique(points[:, 2])) <= {0.0, 1.0, 2.0}:
            points[:, 2] = LABEL_SCORE[points[:, 2].astype(int)]
        yield frame, points, _track(fields, path)


def _scene_entries(document: dict[str, Any], path: Path) -> Iterator[tuple[int, Keypoints, int | None]]:
    if "order" in document:
        _check_order(document["order"], path)
    if not isinstance(document["frames"], list):
        raise InputError(WHERE, "frames must be a list", got=type(document["frames"]).__name__, path=path)
    for frame, people in enumerate(cast("list[Any]", document["frames"])):
        for person in people if isinstance(people, list) else [people]:
            fields = _fields(person, path)
            points = checked_keypoints(fields.get("keypoints"), frame=frame, path=path)
            if not set(np.unique(points[:, 2])) <= {0.0, 1.0, 2.0}:
                raise InputError(
                    WHERE, "visibility must be 0, 1 or 2", got=f"{points[:, 2].max():g} in frame {frame}", path=path
                )
            points[:, 2] = SCENE_SCORE[points[:, 2].astype(int)]
            yield frame, points, _track(fields, path)


def _check_order(names: Any, path: Path) -> None:
    given = tuple(str(name).replace(" ", "_").lower() for name in names) if isinstance(names, list) else ()
    if given != COCO_NAMES:
        wrong = next((a for a, b in zip(given, COCO_NAMES, strict=False) if a != b), f"{len(given)} names")
        raise InputError(
            WHERE, "keypoints must come in COCO's order (nose, left_eye, right_eye … right_ankle)", got=wrong,
            todo="Export them in COCO-17 order", path=path,
        )  # fmt: skip


def _fields(value: Any, path: Path) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(WHERE, "people must be JSON objects", got=repr(value)[:60], path=path)
    return cast("dict[str, Any]", value)


def _number(image: Any, path: Path) -> int:
    found = re.findall(r"\d+", Path(image).stem if isinstance(image, str) else str(image))
    if image is None or isinstance(image, float) or not found:
        raise InputError(WHERE, "a person must say its frame by a number in image_id", got=repr(image), path=path)
    return int(found[-1])


def _track(fields: dict[str, Any], path: Path) -> int | None:
    value = next((fields[name] for name in ("idx", "track_id", "person") if name in fields), None)
    if isinstance(value, list) and len(cast("list[Any]", value)) == 1:  # some versions of AlphaPose write [3]
        value = cast("list[Any]", value)[0]
    if value is not None and not (isinstance(value, int | float) and float(value).is_integer()):
        raise InputError(WHERE, "a track must be a whole number", got=repr(value)[:40], path=path)
    return None if value is None else int(value)


def _refuse_doubled_tracks(found: list[Detection], path: Path) -> None:
    seen: set[tuple[int, int]] = set()
    for one in found:
        if one.track is not None:
            if (one.frame, one.track) in seen:
                raise InputError(
                    WHERE, "a track must have one person a frame", got=f"track {one.track} twice in frame {one.frame}",
                    path=path,
                )  # fmt: skip
            seen.add((one.frame, one.track))
