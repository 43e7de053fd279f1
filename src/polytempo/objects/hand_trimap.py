"""Trimaps drawn by hand for one frame and copied over a range of frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.camera.warp import warp_picture
from polytempo.core.errors import InputError, ShapeError

WHERE = "objects.hand_trimap"
LEAVE = 3
"""Value of places whose trimap stays what it was."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class HandTrimap:
    """What a layer surely is and surely is not, as somebody drew it."""

    layer: str
    """Name of the layer."""
    values: UInt8[np.ndarray, "H W"]
    """Twice the trimap, as the first frame of the range shows it: 0 surely not the layer, 1 unknown, 2 surely; or
    ``LEAVE``."""
    start: int
    stop: int
    """Frames that it holds for, half-open."""


def read_hand_trimap(path: Path, *, clip_size: tuple[int, int], size: tuple[int, int]) -> UInt8[np.ndarray, "H W"]:
    """Values of a drawn trimap: black surely not, grey unknown, white surely, transparent left as it was.

    Args:
        path: A PNG file of 8 bits.
        clip_size: ``(width, height)`` of the clip, whose aspect the file must have to within 2 %.
        size: ``(width, height)`` wanted, to the nearest pixel.

    Raises:
        InputError: no picture, one in colours, or one that is transparent everywhere.
        ShapeError: another aspect.
    """
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise InputError(
            WHERE, "a trimap must be a file that can be read", got=error.strerror or "an error", path=path
        ) from error
    read: Any = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if read is None or read.dtype != np.uint8:
        raise InputError(WHERE, "a trimap must be a PNG picture of 8 bits", got="something else", path=path)
    picture: NDArray[np.uint8] = read[..., None] if read.ndim == 2 else read
    grey = picture[..., 0]
    if picture.shape[2] >= 3 and np.ptp(picture[..., :3].astype(np.int16), axis=-1).max() > 8:
        raise InputError(WHERE, "a trimap must be black, grey and white", got="colours", path=path)
    height, width = grey.shape
    if abs(width / height / (clip_size[0] / clip_size[1]) - 1) > 0.02:
        raise ShapeError(
            WHERE, f"a trimap must have the clip's aspect, {clip_size[0]}x{clip_size[1]}", got=f"{width}x{height}",
            todo="Draw it over a frame of the clip", path=path,
        )  # fmt: skip
    values = np.digitize(grey, (64, 192)).astype(np.uint8)
    if picture.shape[2] in (2, 4):
        values[picture[..., -1] < 128] = LEAVE
    if (values == LEAVE).all():
        raise InputError(WHERE, "a trimap must say something", got="a picture transparent everywhere", path=path)
    if (width, height) != size:
        values = np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    return values


def with_hand_trimaps(
    trimap: UInt8[np.ndarray, "T L H W"], drawn: Sequence[HandTrimap], *, layers: Sequence[str], camera: CameraPath
) -> UInt8[np.ndarray, "T L H W"]:
    """Trimaps with drawn ones over them, the later over the earlier.

    A copy stays where it was drawn on the background: it moves with the camera. What comes into view beyond the edge of
    the frame that it was drawn on is left as it was.

    Args:
        trimap: Twice the trimaps, as ``LayerMaps`` has them.
        drawn: At the same size.
        layers: Names of the layers along ``L``.
        camera: At the same size.

    Raises:
        InputError: a layer that there is not, or a range outside the clip.

    Source: LNR, Section 6 and Figure 12 (a user's trimap, copied over frames, repairs an assignment).
    """
    out, n_frames = trimap.copy(), len(trimap)
    for one in drawn:
        if one.layer not in layers:
            raise InputError(
                WHERE, "a trimap must be drawn for a layer that there is", got=repr(one.layer),
                todo=f"There is: {', '.join(layers)}",
            )  # fmt: skip
        if not 0 <= one.start < one.stop <= n_frames:
            raise InputError(
                WHERE, f"frames of a trimap must lie in the clip, 0 to {n_frames}", got=f"{one.start} to {one.stop}"
            )
        field = out[:, layers.index(one.layer)]
        for t in range(one.start, one.stop):
            moved = camera.frame_from_frame(t, one.start)
            for value in (0, 1, 2):
                field[t][warp_picture(one.values == value, moved, camera.frame_size)] = value
    return out
