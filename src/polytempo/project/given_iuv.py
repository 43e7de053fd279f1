"""Part and UV that another program found, kept in the project so that the files they came from may go."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from polytempo.bodies.iuv_import import read_iuv
from polytempo.bodies.rasterise import BodyMap
from polytempo.core.errors import InputError
from polytempo.core.files import atomic_path, digest, write_json
from polytempo.objects.cast import Cast
from polytempo.objects.prompts import check_name
from polytempo.project.damaged import damaged_result
from polytempo.project.folder import Project
from polytempo.project.request import files_key
from polytempo.video.clip import Clip

FOLDER = "iuv"
_WHOSE = "subject.json"
_CHECKED_PX = 256
"""Width at which files are looked at when they are given; they are kept as they are."""


def keep_iuv(project: Project, clip: Clip, text: str) -> None:
    """Take a folder of IUV pictures into the project, as ``girl=FOLDER`` or, of several people, ``girl:2=FOLDER``.

    Raises:
        InputError: it does not read so, cannot be read or does not belong to the clip; what was given before stays.
    """
    whose, found, place = text.partition("=")
    name, of_several, number = whose.strip().partition(":")
    if not found or not place.strip() or (of_several and not (number.isascii() and number.isdigit())):
        raise InputError("cli.iuv", "IUV must be given as NAME=FOLDER or NAME:PERSON=FOLDER", got=repr(text))
    check_name(name)
    person, folder = int(number) if of_several else None, Path(place.strip())
    _read(folder, clip, width=min(_CHECKED_PX, clip.width), person=person)
    with atomic_path(project.root / FOLDER / name) as partial:
        partial.mkdir(parents=True)
        for file in sorted(folder.glob("*.png")):
            shutil.copyfile(file, partial / file.name)
        write_json(partial / _WHOSE, {"person": person})


def forget_iuv(project: Project) -> None:
    """Go on without IUV of others."""
    shutil.rmtree(project.root / FOLDER, ignore_errors=True)


def iuv_key(project: Project) -> str | None:
    """Hash of all IUV that the project was given; nothing where there is none."""
    folders = _folders(project)
    return digest(*(part for one in folders for part in (one.name, files_key(one)))) if folders else None


def given_iuv(project: Project, clip: Clip, cast: Cast, *, size: tuple[int, int]) -> dict[int, BodyMap]:
    """Part and UV by subject id, for those whose IUV the project was given.

    Args:
        project: Where they are kept.
        clip: The clip.
        cast: Who is in it.
        size: ``(width, height)`` wanted, of about the clip's aspect.

    Raises:
        InputError: it was given for nobody of the cast, or does not belong to the clip.
        DamagedProjectError: what the project keeps is damaged.
    """
    ids = {one.name: one.subject_id for one in cast.subjects}
    out: dict[int, BodyMap] = {}
    for inner in _folders(project):
        if inner.name not in ids:
            raise InputError(
                "project", "IUV must be given for subjects of the clip", got=repr(inner.name),
                todo=f"Known are {', '.join(ids)}; start again with --iuv none", path=inner,
            )  # fmt: skip
        try:
            person = json.loads((inner / _WHOSE).read_text(encoding="utf-8"))["person"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise damaged_result(inner, type(error).__name__) from error
        found = _read(inner, clip, width=size[0], person=person)
        out[ids[inner.name]] = BodyMap(part=_resized(found.part, size), uv=_resized(found.uv, size))
    return out


def over_bodies(bodies: Mapping[int, BodyMap], iuv: Mapping[int, BodyMap]) -> dict[int, BodyMap]:
    """IUV in place of bodies made from keypoints; those stay in frames that the IUV leaves empty."""
    out = {**bodies, **iuv}
    for who in bodies.keys() & iuv.keys():
        part, uv = bodies[who].part.copy(), bodies[who].uv.copy()
        seen = np.flatnonzero(iuv[who].part.any((1, 2)))
        part[seen], uv[seen] = iuv[who].part[seen], iuv[who].uv[seen]
        out[who] = BodyMap(part=part, uv=uv)
    return out


def _folders(project: Project) -> list[Path]:
    """Folder of everybody whose IUV was given; what a killed process left begins with a dot."""
    return sorted(one for one in (project.root / FOLDER).glob("*") if not one.name.startswith("."))


def _read(folder: Path, clip: Clip, *, width: int, person: int | None) -> BodyMap:
    # Working sizes lie on a grid and may be off the clip's aspect by a few percent; files are held to the clip's own.
    size = (width, max(1, round(width * clip.height / clip.width)))
    return read_iuv(folder, n_frames=clip.n_frames, size=size, person=person)


def _resized(values: NDArray[np.generic], size: tuple[int, int]) -> NDArray[np.generic]:
    """Every frame to the nearest pixel of another size."""
    if (values.shape[2], values.shape[1]) == size:
        return values
    exact = values.astype(np.float32)  # halves are no type of OpenCV's
    moved = [cv2.resize(one, size, interpolation=cv2.INTER_NEAREST) for one in exact]
    return np.stack(moved).astype(values.dtype)
