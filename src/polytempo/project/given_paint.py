"""Paint on atlases, kept in the project so that the files it came from may go."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8

from polytempo.atlas.edit import BACKGROUND, AtlasEdit, overlay_edit, repainted_edit
from polytempo.atlas.picture import AtlasPicture, atlas_pictures
from polytempo.core.errors import InputError
from polytempo.core.files import write_bytes
from polytempo.core.progress import Report
from polytempo.decompose.nvd.model import AtlasModel
from polytempo.objects.cast import Cast
from polytempo.project.folder import Project
from polytempo.project.request import files_key

FOLDER = "paint"
BACKGROUND_NAME = "background"


def keep_paint(project: Project, text: str) -> None:
    """Take paint into the project, as ``girl=FILE`` or ``background=FILE``; it takes the place of that layer's earlier.

    Whether it fits is known once there are atlases: ``given_edits`` tells.

    Raises:
        InputError: it does not read so or is no square picture; the project then stays as it was.
    """
    name, found, place = (one.strip() for one in text.partition("="))
    if not found or not name or not place or "/" in name:
        raise InputError("cli.paint", "paint must be given as NAME=FILE, e.g. background=wall.png", got=repr(text))
    _read(Path(place))
    write_bytes(project.root / FOLDER / f"{name}.png", Path(place).read_bytes())


def forget_paint(project: Project) -> None:
    """Go on with the atlases as they are."""
    shutil.rmtree(project.root / FOLDER, ignore_errors=True)


def paint_key(project: Project) -> str | None:
    """Hash of all paint that the project was given; nothing where there is none."""
    return files_key(project.root / FOLDER) if _files(project) else None


def given_edits(project: Project, model: AtlasModel, cast: Cast, *, report: Report) -> Mapping[int, AtlasEdit]:
    """What the paint does to the layers, by layer id.

    A picture with alpha is laid over the atlas; one without is the atlas painted anew.

    Args:
        project: Where it is kept.
        model: Trained.
        cast: Whose layers there are.
        report: Told as coverage is looked at.

    Raises:
        InputError: paint is for a layer that there is not, or lies where nothing is seen.
    """
    ids = {BACKGROUND_NAME: BACKGROUND} | {plan.name: plan.layer_id for plan in cast.layers}
    places = {plan.layer_id: place for place, plan in enumerate(cast.layers)} | {BACKGROUND: len(cast.layers)}
    atlases: dict[int, list[AtlasPicture]] = {}
    edits: dict[int, AtlasEdit] = {}
    for file in _files(project):
        if file.stem not in ids:
            raise InputError(
                "project", "paint must be for a layer that there is", got=repr(file.stem),
                todo=f"There is: {', '.join(ids)}; start again with --paint none", path=file,
            )  # fmt: skip
        painted = _read(file)
        side = len(painted)
        if side not in atlases:
            atlases[side] = atlas_pictures(model, side_px=side, report=report)
        picture = atlases[side][places[ids[file.stem]]]
        make = overlay_edit if painted.shape[2] == 4 else repainted_edit
        try:
            edits[ids[file.stem]] = make(picture, painted)
        except InputError as error:
            raise type(error)(error.where, error.must, got=error.got, todo=error.todo, path=file) from error
    return edits


def _files(project: Project) -> list[Path]:
    return sorted((project.root / FOLDER).glob("*.png"))


def _read(path: Path) -> UInt8[np.ndarray, "S S C"]:
    """RGB or straight RGBA, square."""
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise InputError(
            "project", "paint must be a file that can be read", got=str(error.strerror), path=path
        ) from error
    read: Any = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if read is None or read.dtype != np.uint8 or read.ndim != 3 or read.shape[0] != read.shape[1]:
        got = "no picture" if read is None else f"{read.dtype} {read.shape}"
        raise InputError(
            "project", "paint must be a square picture of 8 bits in colours, with or without alpha", got=got,
            todo="Paint on a picture that `polytempo atlas` wrote, and save it as PNG", path=path,
        )  # fmt: skip
    return np.ascontiguousarray(read[..., [2, 1, 0, 3][: read.shape[2]]])
