"""A clean plate that the user made, kept in the project so that the file it came from may go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from polytempo.camera.given_plate import GivenPlate, place_plate
from polytempo.camera.path import CameraPath
from polytempo.core.errors import InputError
from polytempo.core.files import file_digest, write_bytes
from polytempo.core.pictures import Pictures
from polytempo.project.folder import Project

FILE = "plate.png"


def keep_plate(project: Project, path: Path) -> None:
    """Take a picture of 8 or 16 bits into the project as its clean plate.

    Whether it fits the clip is known once the camera is: ``given_plate`` tells.

    Raises:
        InputError: it cannot be read or is no colour picture; the project then stays as it was.
    """
    write_bytes(project.root / FILE, cv2.imencode(".png", _read(path))[1].tobytes())


def forget_plate(project: Project) -> None:
    """Go on with the plate that is found in the clip."""
    (project.root / FILE).unlink(missing_ok=True)


def plate_key(project: Project) -> str | None:
    """Hash of the plate that the project was given; nothing where there is none."""
    path = project.root / FILE
    return file_digest(path) if path.is_file() else None


def given_plate(project: Project, camera: CameraPath, *, frames: Pictures) -> GivenPlate | None:
    """The user's plate on the canvas; nothing where the project was given none.

    Args:
        project: Where it is kept.
        camera: At clip size.
        frames: Of any size with the clip's aspect.

    Raises:
        InputError: it does not belong to the clip (``place_plate``).
    """
    path = project.root / FILE
    if not path.is_file():
        return None
    read = _read(path)
    picture = read.astype(np.float32) / np.float32(np.iinfo(read.dtype).max)
    picture[..., :3] = picture[..., 2::-1].copy()  # OpenCV's blue comes first
    try:
        return place_plate(picture, camera, frames=frames)
    except InputError as error:
        todo = f"{error.todo}, or say --plate none"
        raise type(error)(error.where, error.must, got=error.got, todo=todo, path=path) from error


def _read(path: Path) -> NDArray[Any]:
    """Blue, green, red and perhaps alpha ``[H, W, 3 or 4]``, ``uint8`` or ``uint16``."""
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise InputError(
            "project", "the plate must be a file that can be read", got=error.strerror or "an error", path=path
        ) from error
    read: Any = None
    try:
        read = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    except cv2.error:
        read = None
    if read is None or read.dtype not in (np.uint8, np.uint16) or read.ndim != 3 or read.shape[2] not in (3, 4):
        got = "no picture" if read is None else f"{read.shape} {read.dtype}"
        raise InputError("project", "the plate must be a picture in colours of 8 or 16 bits", got=got,
                         todo="Give a PNG, TIFF or JPEG file", path=path)  # fmt: skip
    return read
