"""Masks made elsewhere: DAVIS indexed PNG, folders of masks per subject, COCO run lengths in JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

from polytempo.core.errors import InputError, ShapeError
from polytempo.objects.indexed_png import read_indexed_png
from polytempo.objects.run_lengths import mask_from_run_lengths

WHERE = "objects.masks_import"
VOID = 255
"""Index of pixels that a DAVIS annotation leaves open; they belong to nobody."""


def import_masks(path: Path, *, n_frames: int, size: tuple[int, int]) -> dict[str, Bool[np.ndarray, "T H W"]]:
    """Modal masks by subject name, whatever of the known layouts ``path`` has.

    A JSON file holds COCO run lengths. A folder holds either one folder of PNG files a subject (``mask/01/0000.png``,
    grey, inside above 127) or the indexed PNG files of DAVIS (``00000.png``, one index a subject, 255 void). Files
    are taken in the order of the numbers in their names, which may start at any number.

    Args:
        path: File or folder.
        n_frames: Frames of the clip; as many masks must be there.
        size: ``(width, height)`` wanted. Masks of another size with the same aspect (to within 2 %) are resized.

    Raises:
        InputError: nothing there, an unknown layout, a damaged file, a wrong mode or count.
        ShapeError: a size whose aspect differs from the clip's, or run lengths that do not fill their picture.
    """
    if not path.exists():
        raise InputError(WHERE, "masks must be a file or folder that exists", todo="Check the path", path=path)
    if path.is_file():
        if path.suffix.lower() != ".json":
            raise InputError(
                WHERE, "masks in one file must be COCO run lengths in JSON", got=f"a {path.suffix or 'nameless'} file",
                todo="Give a .json file, or a folder of PNG files", path=path,
            )  # fmt: skip
        return _import_coco(path, n_frames=n_frames, size=size)
    inner = path / "mask" if (path / "mask").is_dir() else path
    folders = sorted(entry for entry in inner.iterdir() if entry.is_dir() and any(entry.glob("*.png")))
    if folders:
        return {folder.name: _import_folder(folder, n_frames=n_frames, size=size) for folder in folders}
    if any(inner.glob("*.png")):
        return _import_davis(inner, n_frames=n_frames, size=size)
    raise InputError(
        WHERE, "a mask folder must hold PNG files, or a folder of them for each subject", got="neither",
        todo="Point to the folder above 01, 02, …", path=path,
    )  # fmt: skip


def numbered_files(folder: Path, *, n_frames: int) -> list[Path]:
    """PNG files of a folder in the order of the last number in each name.

    Raises:
        InputError: a name without a number, a number twice, or a count other than ``n_frames``.
    """
    by_number: dict[int, Path] = {}
    for file in folder.glob("*.png"):
        found = re.findall(r"\d+", file.stem)
        if not found:
            raise InputError(WHERE, "mask files must carry their frame number", got=file.name, path=folder)
        number = int(found[-1])
        if number in by_number:
            raise InputError(
                WHERE, "each frame must have one mask file", got=f"{by_number[number].name} and {file.name}",
                todo="Remove one of them", path=folder,
            )  # fmt: skip
        by_number[number] = file
    if len(by_number) != n_frames:
        raise InputError(
            WHERE, "there must be one mask a frame", got=f"{len(by_number)} masks for {n_frames} frames",
            todo="Export the masks of the whole clip", path=folder,
        )  # fmt: skip
    return [by_number[number] for number in sorted(by_number)]


def _import_folder(folder: Path, *, n_frames: int, size: tuple[int, int]) -> NDArray[np.bool_]:
    out = np.zeros((n_frames, size[1], size[0]), bool)
    for t, file in enumerate(numbered_files(folder, n_frames=n_frames)):
        grey = _read_grey(file)
        out[t] = _fit(grey > 127, size=size, path=file)
    return out


def _import_davis(folder: Path, *, n_frames: int, size: tuple[int, int]) -> dict[str, NDArray[np.bool_]]:
    out: dict[int, NDArray[np.bool_]] = {}
    for t, file in enumerate(numbered_files(folder, n_frames=n_frames)):
        indices = read_indexed_png(file)
        for value in np.unique(indices):
            index = int(value)
            if index not in (0, VOID):
                mask = out.setdefault(index, np.zeros((n_frames, size[1], size[0]), bool))
                mask[t] = _fit(indices == index, size=size, path=file)
    if not out:
        raise InputError(WHERE, "indexed masks must show at least one subject", got="only background", path=folder)
    return {f"{index:02d}": out[index] for index in sorted(out)}


def _import_coco(path: Path, *, n_frames: int, size: tuple[int, int]) -> dict[str, NDArray[np.bool_]]:
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(
            WHERE, "run lengths must be a JSON file that can be read", got=str(error), path=path
        ) from error
    entries = _coco_entries(document, n_frames=n_frames, path=path)
    out: dict[str, NDArray[np.bool_]] = {}
    for name, frame, run_lengths in entries:
        mask = mask_from_run_lengths(run_lengths, path=path)
        field = out.setdefault(name, np.zeros((n_frames, size[1], size[0]), bool))
        field[frame] |= _fit(mask, size=size, path=path)
    if not out:
        raise InputError(WHERE, "run lengths must be given for at least one subject", got="none", path=path)
    return out


def _coco_entries(document: Any, *, n_frames: int, path: Path) -> list[tuple[str, int, Any]]:
    """Triples (subject, frame, run lengths) of either layout.

    ``{"subjects": {name: [rle | null per frame]}}``, or a COCO / YouTube-VIS document with ``annotations``: video ones
    hold ``segmentations`` (a list over frames), picture ones ``segmentation`` with ``image_id`` in the order of
    ``images``; subjects are told by ``track_id``, ``instance_id``, ``category_id`` or ``id``.
    """
    out: list[tuple[str, int, Any]] = []
    if not isinstance(document, dict):
        raise InputError(WHERE, "run lengths must be a JSON object", got=type(document).__name__, path=path)
    root = cast("dict[str, Any]", document)
    subjects = root.get("subjects")
    if isinstance(subjects, dict):
        for name, frames in cast("dict[str, Any]", subjects).items():
            out += _over_frames(str(name), frames, n_frames=n_frames, path=path)
        return out
    annotations = root.get("annotations")
    if not isinstance(annotations, list):
        raise InputError(
            WHERE, "the document must hold 'subjects' or 'annotations'", got=", ".join(map(str, root)) or "nothing",
            todo="See the guide to masks for both layouts", path=path,
        )  # fmt: skip
    frame_of = _frames_of_images(root.get("images"), n_frames=n_frames, path=path)
    for one in cast("list[Any]", annotations):
        if not isinstance(one, dict):
            raise InputError(WHERE, "every annotation must be an object", got=type(one).__name__, path=path)
        note = cast("dict[str, Any]", one)
        name = str(next((note[k] for k in ("track_id", "instance_id", "category_id", "id") if k in note), "1"))
        if "segmentations" in note:
            out += _over_frames(name, note["segmentations"], n_frames=n_frames, path=path)
        else:
            key = str(note.get("image_id"))
            if key not in frame_of:
                raise InputError(
                    WHERE, "image_id of every annotation must be one of 'images'", got=key, todo="Export again",
                    path=path,
                )  # fmt: skip
            out.append((name, frame_of[key], note.get("segmentation")))
    return out


def _frames_of_images(images: Any, *, n_frames: int, path: Path) -> dict[str, int]:
    if images is None:
        return {}
    listed = cast("list[Any]", images) if isinstance(images, list) else [None]
    ids: list[Any] = [cast("dict[str, Any]", one).get("id") if isinstance(one, dict) else None for one in listed]
    if any(one is None for one in ids):
        raise InputError(WHERE, "'images' must be a list of objects with an id", path=path)
    if len(ids) != n_frames:
        raise InputError(
            WHERE, "there must be one picture a frame", got=f"{len(ids)} images for {n_frames} frames", path=path
        )
    return {str(one): t for t, one in enumerate(ids)}


def _over_frames(name: str, frames: Any, *, n_frames: int, path: Path) -> list[tuple[str, int, Any]]:
    if not isinstance(frames, list) or len(cast("list[Any]", frames)) != n_frames:
        got = f"{len(cast('list[Any]', frames))} for {n_frames} frames" if isinstance(frames, list) else "no list"
        raise InputError(
            WHERE, f"subject {name!r} must have one entry a frame (null where absent)", got=got, todo="Export again",
            path=path,
        )  # fmt: skip
    return [(name, t, one) for t, one in enumerate(cast("list[Any]", frames)) if one is not None]


def _read_grey(file: Path) -> NDArray[np.uint8]:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError(WHERE, "a mask must be a file that can be read", got=str(error), path=file) from error
    picture: Any = None
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        try:
            picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        except cv2.error:
            picture = None
    if picture is None:
        raise InputError(
            WHERE, "a mask must be a whole PNG picture", got="a damaged file", todo="Export it again", path=file
        )
    array: NDArray[Any] = picture
    if array.ndim == 3:
        colour = array[..., :3]
        # Grey stored as colour is common; real colours mean that this is no mask.
        if not (np.array_equal(colour[..., 0], colour[..., 1]) and np.array_equal(colour[..., 1], colour[..., 2])):
            raise InputError(
                WHERE,
                "a mask must be grey",
                got="a coloured picture",
                todo="Export masks as black and white",
                path=file,
            )
        array = colour[..., 0]
    if array.dtype == np.uint16:
        array = array // 257
    return array.astype(np.uint8)


def _fit(mask: NDArray[np.bool_], *, size: tuple[int, int], path: Path) -> NDArray[np.bool_]:
    height, width = mask.shape
    if (width, height) == size:
        return mask
    if abs((width / height) / (size[0] / size[1]) - 1) > 0.02:
        raise ShapeError(
            WHERE, "masks must have the clip's aspect", got=f"{width}x{height} for a clip of {size[0]}x{size[1]}",
            todo="Export the masks at the clip's size", path=path,
        )  # fmt: skip
    # Area where it shrinks, so that thin limbs do not vanish between samples.
    way = cv2.INTER_AREA if width > size[0] else cv2.INTER_LINEAR
    return cv2.resize(mask.astype(np.float32), size, interpolation=way) >= 0.5
