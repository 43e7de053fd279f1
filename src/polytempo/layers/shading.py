"""Where a layer's pixels lie in its atlas, and what light falls there: what edits of look and light need, kept small.

Both are smooth, so both are kept coarse: UV at nodes a few pixels apart, light at the cells in which it was learned.
They need not grow with the size of the clip.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import Float, Float32
from numpy.typing import NDArray

from polytempo.core.errors import ShapeError


@runtime_checkable
class Arrays(Protocol):
    """Arrays of numbers by frame, all of one shape. A numpy array ``[T, …]`` is one."""

    def __len__(self) -> int:
        """Number of frames."""
        ...

    def __getitem__(self, index: int, /) -> Any:
        """One frame's; indices run from 0."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Shading:
    """Of one layer.

    Source: paper B, Eq. 3 (mapping) and Eq. 4 (residual).
    """

    uv: Arrays
    """``uv[t]``: float32 ``[h, w, 2]``, −1…1 inside the atlas; nodes lie evenly from the frame's outer left and upper
    edge to its outer right and lower one."""
    light: Arrays
    """``light[t]``: float32 ``[S, S, 3]``, factors on the layer's colour at time ``t`` over all of its atlas; where
    nothing is known at that time, as around there."""


def texels(uv: Float[np.ndarray, "*S"], side_px: int) -> Float[np.ndarray, "*S"]:
    """Places in an atlas picture, in texels with centres at whole numbers.

    Example:
        >>> texels(np.array([-1.0, 1.0]), 4).tolist()
        [-0.5, 3.5]
    """
    return (uv + 1) * (side_px / 2) - 0.5


def atlas_sampled(
    picture: Float32[np.ndarray, "S S C"], uv: Float32[np.ndarray, "H W 2"]
) -> Float32[np.ndarray, "H W C"]:
    """An atlas picture as the pixels of a frame see it, bilinear; beyond its border the nearest texel."""
    place = texels(uv, len(picture)).astype(np.float32)
    found = cv2.remap(picture, place[..., 0], place[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32).reshape(*uv.shape[:2], picture.shape[2])


def node_places(n_nodes: int, n_pixels: int) -> Float32[np.ndarray, " N"]:
    """Where nodes lie along an axis of a frame, in its pixels.

    Example:
        >>> node_places(3, 8).tolist()
        [-0.5, 3.5, 7.5]
    """
    return np.linspace(0, n_pixels, n_nodes, dtype=np.float32) - np.float32(0.5)


def at_pixels(
    nodes: Float32[np.ndarray, "h w C"], size: tuple[int, int], *, box: tuple[int, int, int, int] | None = None
) -> Float32[np.ndarray, "H W C"]:
    """What nodes say of pixels, bilinear.

    Args:
        nodes: Values at nodes.
        size: ``(width, height)`` of the frame that they span.
        box: ``(left, top, width, height)`` of the part that is wanted, in pixels; the whole frame when left out.

    Raises:
        ShapeError: there are fewer than two nodes along an axis.
    """
    rows, columns = nodes.shape[:2]
    if min(rows, columns) < 2:
        raise ShapeError("layers.shading", "there must be two nodes or more along an axis", got=str(nodes.shape))
    left, top, width, height = box or (0, 0, *size)
    across = _between(np.arange(left, left + width), columns, size[0])
    down = _between(np.arange(top, top + height), rows, size[1])
    x, y = np.meshgrid(across, down)
    found = cv2.remap(nodes, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32).reshape(height, width, nodes.shape[2])


def _between(pixels: NDArray[np.int64], n_nodes: int, n_pixels: int) -> NDArray[np.float32]:
    return ((pixels + 0.5) * ((n_nodes - 1) / n_pixels)).astype(np.float32)
