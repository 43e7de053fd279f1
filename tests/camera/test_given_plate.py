from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from polytempo.camera.given_plate import GIVEN, place_plate
from polytempo.camera.path import CameraPath, static_path
from polytempo.camera.plate import clean_plate
from polytempo.core.errors import InputError, ShapeError

SIZE = (48, 32)


def texture(width: int, height: int) -> np.ndarray:
    rough = np.random.default_rng(3).integers(40, 200, (height // 4, width // 4, 3), np.uint8)
    return np.kron(rough, np.ones((4, 4, 1), np.uint8))


def shaking(offsets: list[int], kind: str = "stabilised") -> tuple[CameraPath, np.ndarray, np.ndarray]:
    """Path, frames and canvas of a camera that moves sideways by whole pixels."""
    path = np.tile(np.eye(3), (len(offsets), 1, 1))
    path[:, 0, 2] = offsets
    canvas = texture(SIZE[0] + 8, SIZE[1])
    frames = np.stack([canvas[:, x : x + SIZE[0]] for x in offsets])
    camera = CameraPath(
        canvas_from_frame=path, canvas_size=(SIZE[0] + 8, SIZE[1]), frame_size=SIZE, kind=kind,  # type: ignore[arg-type]
        residual_px=np.zeros(len(offsets)),
    )  # fmt: skip
    return camera, frames, canvas


def unit(picture: np.ndarray) -> np.ndarray:
    return picture.astype(np.float32) / 255


def test_where_nobody_ever_saw_it_the_plate_shows_what_was_given() -> None:
    clean = texture(*SIZE)
    frames = np.stack([clean] * 5)
    ignore = np.zeros(frames.shape[:3], bool)
    ignore[:, 8:20, 10:20] = True
    frames[ignore] = 255
    camera = static_path(5, SIZE)
    given = place_plate(unit(clean), camera, frames=frames)
    found = clean_plate(frames, camera, ignore=ignore)
    assert (found.coverage[8:20, 10:20] == 0).all()
    plate = clean_plate(frames, camera, ignore=ignore, given=given)
    assert (plate.coverage == GIVEN).all()
    assert np.array_equal(plate.colour, unit(clean))
    assert np.abs(found.colour - unit(clean)).max() > 0.1


def test_transparent_places_keep_what_was_found() -> None:
    clean = texture(*SIZE)
    frames = np.stack([clean] * 4)
    picture = np.concatenate([unit(clean), np.zeros((*clean.shape[:2], 1), np.float32)], -1)
    picture[4:12, 4:12, 3] = 1
    given = place_plate(picture, static_path(4, SIZE), frames=frames)
    plate = clean_plate(frames, static_path(4, SIZE), ignore=np.zeros(frames.shape[:3], bool), given=given)
    assert (plate.coverage == GIVEN).sum() == 64
    assert plate.coverage[0, 0] == 4


@pytest.mark.parametrize("nth", [0, 1, 2, 3])
def test_a_frame_s_plate_lies_where_that_frame_does(nth: int) -> None:
    offsets = [0, 5, 2, 8]
    camera, frames, canvas = shaking(offsets)
    given = place_plate(unit(frames[nth]), camera, frames=frames)
    known = given.known
    assert known[16, offsets[nth] + 2 : offsets[nth] + SIZE[0] - 2].all()
    assert not known[:, : offsets[nth]].any()
    assert np.allclose(given.colour[known], unit(canvas)[known], atol=1e-3)


def test_a_plate_of_the_canvas_fits_any_camera() -> None:
    camera, frames, canvas = shaking([0, 4, 8], kind="panning")
    given = place_plate(unit(canvas), camera, frames=frames)
    assert given.known.all()
    half = camera.scaled((SIZE[0] // 2, SIZE[1] // 2))
    small = frames[:, ::2, ::2]
    plate = clean_plate(small, half, ignore=np.zeros(small.shape[:3], bool), given=given)
    assert (plate.coverage == GIVEN).all()


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("kind", "made", "named"),
    [
        ("panning", lambda frames, canvas: frames[0], "must have 56x32 pixels.*got 48x32"),
        ("stabilised", lambda frames, canvas: canvas[:-1], "must have 48x32 or 56x32 pixels.*got 56x31"),
        ("stabilised", lambda frames, canvas: 255 - frames[0] // 8, "behind the subjects of this clip"),
        ("panning", lambda frames, canvas: 255 - canvas // 8, "behind the subjects of this clip"),
        ("static", lambda frames, canvas: np.zeros((SIZE[1], SIZE[0], 4), np.uint8), "must show something"),
    ],
)
def test_what_does_not_fit_is_refused(
    kind: str, made: Callable[[np.ndarray, np.ndarray], np.ndarray], named: str
) -> None:
    camera, frames, canvas = shaking([0, 4, 8], kind=kind)
    with pytest.raises((InputError, ShapeError), match=named):
        place_plate(unit(made(frames, canvas)), camera, frames=frames)
