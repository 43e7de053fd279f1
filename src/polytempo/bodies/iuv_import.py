"""Part and UV found elsewhere: DensePose's IUV pictures and those of paper A's released system."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from numpy.typing import NDArray

from polytempo.bodies.limbs import N_PARTS
from polytempo.bodies.rasterise import BodyMap
from polytempo.core.errors import InputError, ShapeError

WHERE = "bodies.iuv_import"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class IuvPicture:
    """One picture as it is on disk."""

    part: UInt8[np.ndarray, "H W"]
    uv: Float32[np.ndarray, "H W 2"]
    person: UInt8[np.ndarray, "H W"] | None
    """Whose pixels, from 1, in the layout of four channels."""


def read_iuv(folder: Path, *, n_frames: int, size: tuple[int, int], person: int | None = None) -> BodyMap:
    """Part and UV of one subject from a folder of PNG files, one a frame, in the order of the numbers in their names.

    Two layouts are told apart by their channels. Three: DensePose's, I, U and V as OpenCV reads them (blue, green,
    red), I as it is. Four: the released system's, red ten times the part, green U, blue V, alpha 255 less the person.
    Missing frames are empty. Pictures of another size with the same aspect (to within 2 %) are resized to the nearest
    pixel.

    Args:
        folder: Of the files.
        n_frames: Frames of the clip.
        size: ``(width, height)`` wanted.
        person: Whose pixels, from 1, in the layout of four channels; all where not given.

    Raises:
        InputError: no files, a damaged one, a part above 24, a frame outside the clip, nobody at all.
        ShapeError: another number of channels, or another aspect.
    """
    files = sorted(folder.glob("*.png")) if folder.is_dir() else []
    if not files:
        raise InputError(WHERE, "IUV must be a folder of PNG files", got="none", path=folder)
    numbers = [frame_number(file) for file in files]
    first = 1 if min(numbers) >= 1 and max(numbers) == n_frames else 0
    part = np.zeros((n_frames, size[1], size[0]), np.uint8)
    uv = np.zeros((n_frames, size[1], size[0], 2), np.float16)
    for file, number in zip(files, numbers, strict=True):
        t = number - first
        if not 0 <= t < n_frames:
            raise InputError(
                WHERE, f"frames must lie in the clip, 0 to {n_frames - 1}", got=f"frame {number}", path=file
            )
        one = read_iuv_picture(file, size=size)
        mine = np.ones_like(one.part, bool) if person is None or one.person is None else one.person == person
        part[t] = one.part * mine
        uv[t] = one.uv * mine[..., None]
    if not part.any():
        whom = "anybody" if person is None else f"person {person}"
        raise InputError(WHERE, f"{whom} must be visible in some frame", got="no pixel", path=folder)
    return BodyMap(part=part, uv=uv)


def read_iuv_picture(file: Path, *, size: tuple[int, int] | None = None) -> IuvPicture:
    """One picture of either layout, at its own size where no ``(width, height)`` is wanted.

    Raises:
        InputError: a damaged file, or a part above 24.
        ShapeError: another number of channels, or another aspect.
    """
    channels = _read(file, size)
    if channels.shape[2] == 3:
        part, u, v, person = channels[..., 0], channels[..., 1], channels[..., 2], None
    else:
        part, u, v = np.rint(channels[..., 2] / 10).astype(np.uint8), channels[..., 1], channels[..., 0]
        person = 255 - channels[..., 3]
    if part.max() > N_PARTS:
        raise InputError(
            WHERE, f"parts must be 0 to {N_PARTS}", got=f"{int(part.max())} in frame {frame_number(file)}",
            todo="Give DensePose's _IUV.png files, or RGBA with ten times the part in red", path=file,
        )  # fmt: skip
    uv = np.where((part > 0)[..., None], np.stack([u, v], -1).astype(np.float32) / 255, np.float32(0))
    return IuvPicture(part=part, uv=uv, person=person)


def frame_number(file: Path) -> int:
    """The last number in a file's name.

    Raises:
        InputError: there is none.
    """
    found = re.findall(r"\d+", file.stem.removesuffix("_IUV"))
    if not found:
        raise InputError(WHERE, "IUV files must carry their frame number", got=file.name, path=file)
    return int(found[-1])


def _read(file: Path, size: tuple[int, int] | None) -> NDArray[np.uint8]:
    data = np.frombuffer(file.read_bytes(), np.uint8)
    read: Any = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if read is None:
        raise InputError(WHERE, "IUV must be a PNG file that can be read", path=file)
    if read.dtype != np.uint8 or read.ndim != 3 or read.shape[2] not in (3, 4):
        raise ShapeError(
            WHERE, "IUV must have three or four channels of 8 bits", got=f"{read.shape} {read.dtype}", path=file
        )
    if size is None:
        return read
    height, width = read.shape[:2]
    if abs(width / height / (size[0] / size[1]) - 1) > 0.02:
        raise ShapeError(
            WHERE, f"IUV must have the clip's aspect, {size[0]}x{size[1]}", got=f"{width}x{height}", path=file
        )
    if (width, height) != size:
        read = cv2.resize(read, size, interpolation=cv2.INTER_NEAREST)
    return read
