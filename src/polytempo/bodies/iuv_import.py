"""Part and UV found elsewhere: DensePose's IUV pictures and those of paper A's released system."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from polytempo.bodies.limbs import N_PARTS
from polytempo.bodies.rasterise import BodyMap
from polytempo.core.errors import InputError, ShapeError

WHERE = "bodies.iuv_import"


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
    numbers = [_number(file) for file in files]
    first = 1 if min(numbers) >= 1 and max(numbers) == n_frames else 0
    part = np.zeros((n_frames, size[1], size[0]), np.uint8)
    uv = np.zeros((n_frames, size[1], size[0], 2), np.float16)
    for file, number in zip(files, numbers, strict=True):
        t = number - first
        if not 0 <= t < n_frames:
            raise InputError(
                WHERE, f"frames must lie in the clip, 0 to {n_frames - 1}", got=f"frame {number}", path=file
            )
        channels = _read(file, size)
        found, u, v = _decoded(channels, person)
        if found.max() > N_PARTS:
            raise InputError(
                WHERE, f"parts must be 0 to {N_PARTS}", got=f"{int(found.max())} in frame {number}",
                todo="Give DensePose's _IUV.png files, or RGBA with ten times the part in red", path=file,
            )  # fmt: skip
        part[t] = found
        uv[t] = np.where((found > 0)[..., None], np.stack([u, v], -1).astype(np.float32) / 255, 0)
    if not part.any():
        whom = "anybody" if person is None else f"person {person}"
        raise InputError(WHERE, f"{whom} must be visible in some frame", got="no pixel", path=folder)
    return BodyMap(part=part, uv=uv)


def _decoded(
    channels: UInt8[np.ndarray, "H W C"], person: int | None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Part, U and V of a picture in OpenCV's order of channels."""
    if channels.shape[2] == 3:
        return channels[..., 0], channels[..., 1], channels[..., 2]
    blue, green, red, alpha = (channels[..., i] for i in range(4))
    part = np.rint(red / 10).astype(np.uint8)
    if person is not None:
        part[alpha != 255 - person] = 0
    return part, green, blue


def _read(file: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    data = np.frombuffer(file.read_bytes(), np.uint8)
    read: Any = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if read is None:
        raise InputError(WHERE, "IUV must be a PNG file that can be read", path=file)
    if read.dtype != np.uint8 or read.ndim != 3 or read.shape[2] not in (3, 4):
        raise ShapeError(
            WHERE, "IUV must have three or four channels of 8 bits", got=f"{read.shape} {read.dtype}", path=file
        )
    height, width = read.shape[:2]
    if abs(width / height / (size[0] / size[1]) - 1) > 0.02:
        raise ShapeError(
            WHERE, f"IUV must have the clip's aspect, {size[0]}x{size[1]}", got=f"{width}x{height}", path=file
        )
    if (width, height) != size:
        read = cv2.resize(read, size, interpolation=cv2.INTER_NEAREST)
    return read


def _number(file: Path) -> int:
    found = re.findall(r"\d+", file.stem.removesuffix("_IUV"))
    if not found:
        raise InputError(WHERE, "IUV files must carry their frame number", got=file.name, path=file)
    return int(found[-1])
