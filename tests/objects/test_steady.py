"""The upper body's place to a fraction of a pixel, whatever the legs and the masks do."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from polytempo.camera.path import static_path
from polytempo.objects.matching import correlate, lowest
from polytempo.objects.registration import BodyPath, body_path
from polytempo.objects.steady import steady_centres, steady_path

SIZE = (160, 96)
N_FRAMES = 20
CAMERA = static_path(N_FRAMES, SIZE)
WHOLE = np.ones(N_FRAMES, bool)


def _walker(seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.float64]]:
    """A striped chest that moves 3.3 px a frame over legs that open and close, with masks that err at the outline.

    Returns pictures, masks and the chest's true centre.
    """
    rng = np.random.default_rng(seed)
    ground = cv2.resize(rng.uniform(60, 140, (12, 20, 3)), SIZE, interpolation=cv2.INTER_CUBIC)
    grown = 8
    pictures, masks, chest = [], [], []
    for t in range(N_FRAMES):
        x, y = 30 + 3.3 * t, 34 + 0.8 * np.sin(1.3 * t)
        stride = 12 * np.sin(0.7 * t)
        large = cv2.resize(ground, None, fx=grown, fy=grown, interpolation=cv2.INTER_CUBIC)
        mask = np.zeros(large.shape[:2], np.uint8)
        for row in range(6):
            top, left = round((y - 14 + 4 * row) * grown), round((x - 7) * grown)
            part = np.s_[top : top + 4 * grown, left : left + 14 * grown]
            large[part] = ((210, 210, 220), (40, 60, 150))[row % 2]
            mask[part] = 1
        for side in (-1, 1):
            foot = x + side * stride
            corners = np.array([[x - 3, y + 10], [x + 3, y + 10], [foot + 3, y + 44], [foot - 3, y + 44]])
            cv2.fillConvexPoly(large, np.round(corners * grown).astype(np.int32), (110, 90, 60))
            cv2.fillConvexPoly(mask, np.round(corners * grown).astype(np.int32), 1)
        picture = cv2.resize(large, SIZE, interpolation=cv2.INTER_AREA) + rng.normal(0, 2, (SIZE[1], SIZE[0], 3))
        rough = cv2.resize(mask.astype(np.float32), SIZE, interpolation=cv2.INTER_AREA)
        wobble = cv2.GaussianBlur(rng.normal(0, 1, SIZE[::-1]), (0, 0), 4) * 8
        pictures.append(np.clip(picture, 0, 255).astype(np.uint8))
        masks.append(cv2.GaussianBlur(rough, (0, 0), 2) + 0.15 * wobble > 0.5)
        # A pixel's centre is at its index: half of the shrinking lies before it.
        chest.append((x - 0.5, y - 0.5))
    return np.stack(pictures), np.stack(masks), np.array(chest)


def _wander(centre: NDArray[np.float64], chest: NDArray[np.float64]) -> float:
    """How far centres stray from a fixed place relative to the chest, standard deviation in pixels."""
    return float(np.sqrt(((centre - chest - (centre - chest).mean(0)) ** 2).sum(1).mean()))


@pytest.fixture(scope="module")
def walker() -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.float64]]:
    return _walker()


def test_the_chest_stands_still_where_the_silhouettes_middle_does_not(
    walker: tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.float64]],
) -> None:
    pictures, masks, chest = walker
    middles = np.array([[one.mean() for one in np.nonzero(mask)[::-1]] for mask in masks])
    path = body_path(masks, CAMERA, whole=WHOLE)
    steady = steady_centres(masks, pictures, CAMERA, path, frames=WHOLE)
    assert _wander(middles, chest) > 0.8
    assert _wander(path.centre, chest) > 0.5
    assert _wander(steady, chest) < 0.3


def test_other_frames_keep_their_place_on_the_path(
    walker: tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.float64]],
) -> None:
    pictures, masks, _ = walker
    path = body_path(masks, CAMERA, whole=WHOLE)
    frames = WHOLE.copy()
    frames[7:11] = False
    steady = steady_centres(masks, pictures, CAMERA, path, frames=frames)
    assert np.array_equal(steady[7:11], path.centre[7:11])
    assert not np.array_equal(steady[:7], path.centre[:7])
    few = np.zeros(N_FRAMES, bool)
    few[:2] = True
    assert np.array_equal(steady_centres(masks, pictures, CAMERA, path, frames=few), path.centre)


def test_a_path_over_a_gap_meets_the_body_behind_it(
    walker: tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.float64]],
) -> None:
    pictures, masks, chest = walker
    whole = WHOLE.copy()
    whole[8:13] = False
    hidden = masks.copy()
    hidden[8:13] = False
    path = steady_path(hidden, pictures, CAMERA, whole=whole)
    assert isinstance(path, BodyPath)
    away = path.centre - chest - (path.centre - chest)[whole].mean(0)
    assert np.abs(away[8:13, 0]).max() < 0.6
    assert np.abs(away[8:13, 1]).max() < 1.5
    assert np.isfinite(path.scale).all()


def test_a_template_correlates_most_where_it_was_cut() -> None:
    rng = np.random.default_rng(2)
    field = rng.normal(0, 1, (20, 24, 3)).astype(np.float32)
    found = correlate(field, field[5:13, 9:17])
    assert found.shape == (13, 17)
    assert np.unravel_index(found.argmax(), found.shape) == (5, 9)
    assert np.isclose(found[5, 9], (field[5:13, 9:17].astype(float) ** 2).sum(), rtol=1e-4)


def test_the_lowest_place_at_a_border_is_not_moved() -> None:
    cost = np.arange(12.0).reshape(3, 4)
    assert lowest(cost) == (0.0, 0.0)
