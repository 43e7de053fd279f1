"""Cameras of an edit that the clip never had: moved over the one there is, along a path, or on the whole scene."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float64
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from polytempo.core.errors import InputError
from polytempo.edit.exact import Exact

_STRICT = ConfigDict(extra="forbid")
FARTHEST = 1e5
"""Pixels that a camera may be moved."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Whole:
    """The camera stands still and takes in all that the clip ever shows of the scene."""

    __pydantic_config__ = _STRICT
    kind: Literal["whole"] = "whole"


@dataclass(frozen=True, kw_only=True, slots=True)
class CameraKey:
    """How the camera is moved at a moment, against the camera it is laid over."""

    __pydantic_config__ = _STRICT
    at: Exact = Fraction(0)
    """Seconds of the output."""
    x: Annotated[float, Field(ge=-FARTHEST, le=FARTHEST, allow_inf_nan=False)] = 0.0
    """Pixels that it looks further to the right, at the layers' own size; the scene goes left."""
    y: Annotated[float, Field(ge=-FARTHEST, le=FARTHEST, allow_inf_nan=False)] = 0.0
    """And further down."""
    scale: Annotated[float, Field(ge=0.05, le=20, allow_inf_nan=False)] = 1.0
    """How much larger things are seen."""
    rotate: Annotated[float, Field(ge=-3600, le=3600, allow_inf_nan=False)] = 0.0
    """Degrees that it is turned clockwise; the scene turns the other way."""


def key_at(keys: Sequence[CameraKey], time: Fraction) -> CameraKey:
    """Where a camera is on a path: even between two keys, sizes by their ratio; held before the first, after the last.

    Args:
        keys: In order of time, at least one.
        time: Seconds of the output.
    """
    after = next((n for n, one in enumerate(keys) if one.at > time), len(keys))
    if after == 0 or after == len(keys):
        return keys[min(after, len(keys) - 1)]
    a, b = keys[after - 1], keys[after]
    share = float((time - a.at) / (b.at - a.at))

    def between(first: float, last: float) -> float:
        return first + share * (last - first)

    return CameraKey(
        at=time,
        x=between(a.x, b.x),
        y=between(a.y, b.y),
        scale=math.exp(between(math.log(a.scale), math.log(b.scale))),
        rotate=between(a.rotate, b.rotate),
    )


def read_camera_path(path: Path) -> tuple[CameraKey, ...]:
    """Read a path from a file: a JSON list of keys, ``[{"at": "0"}, {"at": "2", "x": 100, "scale": 1.5}]``.

    Raises:
        InputError: it cannot be read, or is no such list.
    """
    try:
        return tuple(_ADAPTER.validate_json(path.read_bytes()))
    except OSError as error:
        raise InputError(
            "edit.camera", "the path must be a readable file", got=str(error.strerror), path=path
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(
            "edit.camera", 'a path must be a JSON list of keys like {"at": "2", "x": 100, "scale": 1.5}',
            got=f"{place}: {first['msg']}", path=path,
        ) from error  # fmt: skip


def shown_from_base(key: CameraKey, size: tuple[int, int]) -> Float64[np.ndarray, "3 3"]:
    """Homography from the pixels of the camera that is moved to those of the one it becomes.

    Args:
        key: How it is moved; turned and enlarged about the middle of the picture, after the shift.
        size: ``(width, height)`` of the picture.

    Source: paper B, Section 4.5 (a view by scaled, shifted or rotated coordinates).
    """
    middle = (np.array(size) - 1) / 2
    angle = math.radians(-key.rotate)
    turned = key.scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    matrix = np.eye(3)
    matrix[:2, :2] = turned
    matrix[:2, 2] = middle - turned @ (middle + np.array([key.x, key.y]))
    return matrix


_ADAPTER = TypeAdapter(list[CameraKey])
