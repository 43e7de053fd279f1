"""A clean plate that the user made: where it lies on the canvas, and how it goes over the one that was found."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.camera.warp import canvas_in_frame, frame_on_canvas, frame_reach
from polytempo.core.errors import InputError, ShapeError
from polytempo.core.pictures import Pictures

WHERE = "camera.given_plate"
GIVEN = 65535
"""Coverage of places whose colour the user gave."""
MOST_UNLIKE = 40 / 255
"""Median difference from a frame above which a plate shows something else."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class GivenPlate:
    """The user's clean plate on the canvas."""

    colour: Float32[np.ndarray, "Hc Wc 3"]
    """0…1, coded RGB; 0 where it is not known."""
    known: Bool[np.ndarray, "Hc Wc"]
    """Where the plate says what is there."""


def place_plate(picture: Float32[np.ndarray, "H W C"], camera: CameraPath, *, frames: Pictures) -> GivenPlate:
    """Lay the user's plate on the canvas.

    A picture of the canvas's size lies where it is. One of the frames' size lies where the frame does that it is most
    like, which a camera that shakes leaves open otherwise; beside it the plate found in the clip goes on.

    Args:
        picture: 0…1, RGB or RGBA; transparent places keep the plate that is found in the clip.
        camera: Not at working size, but at the clip's.
        frames: Of any size with the clip's aspect.

    Raises:
        ShapeError: another size than the canvas's and, unless the camera pans, the frames'.
        InputError: it shows something else than the clip, or nothing at all.
    """
    size = (picture.shape[1], picture.shape[0])
    whole = size == camera.canvas_size
    if not whole and (camera.kind == "panning" or size != camera.frame_size):
        sizes = [camera.canvas_size] if camera.kind == "panning" else sorted({camera.frame_size, camera.canvas_size})
        raise ShapeError(
            WHERE, f"a plate must have {' or '.join(f'{w}x{h}' for w, h in sizes)} pixels, as the clip or its canvas",
            got=f"{size[0]}x{size[1]}", todo="Resize it, or lay it out on the canvas",
        )  # fmt: skip
    colour = np.ascontiguousarray(picture[..., :3])
    solid = np.ones(colour.shape[:2], bool) if picture.shape[2] == 3 else picture[..., 3] > 0.5
    if not solid.any():
        raise InputError(WHERE, "a plate must show something", got="a picture that is transparent everywhere")
    if whole:
        chosen = range(0, len(frames), max(1, len(frames) // 8))
        unlike = min(_unlike(_view(colour, camera, t), _view(solid, camera, t), frames[t]) for t in chosen)
        _require_alike(unlike)
        return GivenPlate(colour=np.where(solid[..., None], colour, 0), known=solid)
    differences = [_unlike(colour, solid, frames[t]) for t in range(len(frames))]
    likest = int(np.argmin(differences))
    _require_alike(differences[likest])
    # Pixels half outside the frame would be mixed with black.
    inner = np.asarray(cv2.erode(solid.astype(np.uint8), np.ones((3, 3), np.uint8)), bool)
    known = frame_on_canvas(inner, camera, likest) & frame_reach(camera, likest)
    placed = np.clip(frame_on_canvas(colour, camera, likest), 0, 1)
    if camera.kind == "static":
        known, placed = solid, colour
    return GivenPlate(colour=np.where(known[..., None], placed, 0).astype(np.float32), known=known)


def over_found(
    given: GivenPlate, colour: Float32[np.ndarray, "Hc Wc 3"], coverage: NDArray[np.uint16]
) -> tuple[NDArray[np.float32], NDArray[np.uint16]]:
    """Colour and coverage of the plate that was found, with the user's over them at their size."""
    height, width = coverage.shape
    top, known = given.colour, given.known
    if known.shape != coverage.shape:
        way = cv2.INTER_AREA if known.shape[1] > width else cv2.INTER_CUBIC
        share = np.asarray(cv2.resize(known.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA))
        known = share > 0.999  # half-known pixels would be mixed with black
        top = np.clip(np.asarray(cv2.resize(top, (width, height), interpolation=way), np.float32), 0, 1)
    return np.where(known[..., None], top, colour), np.where(known, np.uint16(GIVEN), coverage)


def _view(values: NDArray[np.generic], camera: CameraPath, t: int) -> NDArray[np.generic]:
    return canvas_in_frame(values, camera, t, interpolation="linear")


def _unlike(colour: NDArray[np.generic], solid: NDArray[np.generic], frame: NDArray[np.uint8]) -> float:
    """Median difference over the places that are known, 0…1; people in the frame hardly move it."""
    size = (frame.shape[1], frame.shape[0])
    small = np.asarray(cv2.resize(colour.astype(np.float32), size, interpolation=cv2.INTER_AREA))
    shown = np.asarray(cv2.resize(solid.astype(np.float32), size, interpolation=cv2.INTER_AREA)) > 0.5
    difference = np.abs(small - frame.astype(np.float32) / 255).mean(-1)
    return float(np.median(difference[shown])) if shown.any() else 1.0


def _require_alike(unlike: float) -> None:
    if unlike > MOST_UNLIKE:
        raise InputError(
            WHERE, "a plate must show what is behind the subjects of this clip, in the same light",
            got=f"a picture {unlike * 255:.0f} of 255 levels off the frame that is most like it",
            todo="Give the plate of this clip",
        )  # fmt: skip
