"""Pictures and masks carried by a homography: frame to canvas, canvas to frame, frame to frame."""

from __future__ import annotations

from typing import Any, Literal, TypeVar, cast

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.core.errors import InputError

WHERE = "camera.warp"

A = TypeVar("A", bound=np.generic)

Border = Literal["constant", "replicate"]
Interpolation = Literal["linear", "nearest", "cubic", "lanczos"]

_FLAGS = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}
_BORDERS = {"constant": cv2.BORDER_CONSTANT, "replicate": cv2.BORDER_REPLICATE}


def warp_picture(
    picture: NDArray[A],
    b_from_a: Float64[np.ndarray, "3 3"],
    size: tuple[int, int],
    *,
    border: Border = "constant",
    interpolation: Interpolation = "linear",
) -> NDArray[A]:
    """Picture A as seen in B.

    Args:
        picture: ``[H, W]`` or ``[H, W, C]`` in uint8, uint16, float32 or bool; bool is always sampled nearest.
        b_from_a: Homography from A's pixels to B's.
        size: ``(width, height)`` of B.
        border: What lies outside A: 0, or its nearest edge pixel.
        interpolation: ``"cubic"`` and ``"lanczos"`` keep fine texture through repeated warps, ``"linear"`` blurs it.

    Returns:
        ``[size[1], size[0]]`` or with channels, same type as ``picture``.

    Raises:
        InputError: the homography cannot be inverted.
    """
    require_invertible(b_from_a, where=WHERE)
    is_mask = picture.dtype == np.bool_
    source: Any = picture.view(np.uint8) if is_mask else picture
    if np.array_equal(b_from_a, np.eye(3)) and (picture.shape[1], picture.shape[0]) == size:
        return picture.copy()
    flags = _FLAGS["nearest" if is_mask else interpolation]
    warped = cast(
        "NDArray[Any]",
        cv2.warpPerspective(source, b_from_a, size, flags=flags, borderMode=_BORDERS[border], borderValue=0),
    )
    if picture.ndim == 3 and warped.ndim == 2:
        warped = warped[..., None]
    return cast("NDArray[A]", warped.view(np.bool_) if is_mask else warped)


def frame_in_frame(
    picture: NDArray[A],
    camera: CameraPath,
    *,
    source: int,
    target: int,
    border: Border = "constant",
    interpolation: Interpolation = "cubic",
) -> NDArray[A]:
    """Picture or mask of frame ``source`` as the camera of frame ``target`` would show it.

    Source: paper A, Section 4.6: to the common coordinates by the source's homography, back by the target's inverse.
    """
    return warp_picture(
        picture,
        camera.frame_from_frame(target, source),
        camera.frame_size,
        border=border,
        interpolation=interpolation,
    )


def frame_on_canvas(
    picture: NDArray[A], camera: CameraPath, frame: int, *, interpolation: Interpolation = "cubic"
) -> NDArray[A]:
    """Picture or mask of a frame on the canvas, 0 where the frame does not reach."""
    return warp_picture(picture, camera.canvas_from_frame[frame], camera.canvas_size, interpolation=interpolation)


def canvas_in_frame(
    picture: NDArray[A],
    camera: CameraPath,
    frame: int,
    *,
    border: Border = "replicate",
    interpolation: Interpolation = "cubic",
) -> NDArray[A]:
    """Picture or mask on the canvas as a frame's camera shows it."""
    frame_from_canvas = np.linalg.inv(camera.canvas_from_frame[frame])
    return warp_picture(picture, frame_from_canvas, camera.frame_size, border=border, interpolation=interpolation)


def canvas_window(camera: CameraPath, frame: int) -> tuple[int, int, int, int]:
    """Canvas columns and rows ``(left, top, right, bottom)``, half-open, that hold all a frame shows."""
    reached = moved_points(frame_corners(camera.frame_size), camera.canvas_from_frame[frame])
    low = np.maximum(np.floor(reached.min(0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(reached.max(0)).astype(int) + 2, camera.canvas_size)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def frame_reach(camera: CameraPath, frame: int) -> Bool[np.ndarray, "Hc Wc"]:
    """Canvas pixels that a frame shows, the half pixel at its edge left out."""
    width, height = camera.frame_size
    inside = np.ones((height, width), dtype=np.bool_)
    return frame_on_canvas(inside, camera, frame)


def moved_points(points: Float64[np.ndarray, "N 2"], b_from_a: Float64[np.ndarray, "3 3"]) -> NDArray[np.float64]:
    """Points ``(x, y)`` of A in pixels of B, ``[N, 2]``; infinite where a point lies on the horizon."""
    moved = points @ b_from_a[:, :2].T + b_from_a[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        return moved[:, :2] / moved[:, 2:]


def frame_corners(size: tuple[int, int]) -> NDArray[np.float64]:
    """Centres of the four corner pixels, ``[4, 2]``, clockwise from the upper left."""
    right, bottom = size[0] - 1.0, size[1] - 1.0
    return np.array([[0.0, 0.0], [right, 0.0], [right, bottom], [0.0, bottom]])


def require_invertible(b_from_a: Float64[np.ndarray, "3 3"], *, where: str) -> None:
    """Refuse a homography that squeezes the plane onto a line.

    Raises:
        InputError: it is not finite or cannot be inverted.
    """
    if not np.isfinite(b_from_a).all() or abs(np.linalg.det(b_from_a)) < 1e-9 * max(np.abs(b_from_a).max() ** 3, 1e-30):
        raise InputError(
            where,
            "a homography must be finite and invertible",
            got=f"{np.array2string(b_from_a, precision=4).replace(chr(10), '')}",
            todo="Estimate the camera again or mend the homographies file",
        )


def exposed(picture: Float32[np.ndarray, "H W 3"], gain: Float32[np.ndarray, " 3"]) -> Float32[np.ndarray, "H W 3"]:
    """Picture under another exposure, clipped to 0…1; unchanged where the gain is 1."""
    return picture if bool((gain == 1).all()) else np.clip(picture * gain, 0, 1)
