"""Shadows that dwell: lifted where they swing, left alone where nothing does."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from polytempo.camera.path import static_path
from polytempo.camera.plate import clean_plate
from polytempo.decompose.lnr.dwelling import DwellingConfig, lifted_plate

SIZE = (96, 64)
N_FRAMES = 24
UMBRA = 0.5


def _swinging_shadow(seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.bool_]]:
    """A shadow 24 px long whose far end is left only in the first eight frames, and a body above that never moves."""
    rng = np.random.default_rng(seed)
    ground = np.full((SIZE[1], SIZE[0], 3), (120, 140, 90), np.float32)
    light = np.ones((N_FRAMES, SIZE[1], SIZE[0], 1), np.float32)
    light[:, 30:44, 20:44] = UMBRA
    light[:5, 30:44, 30:44] = 1
    noise = rng.normal(0, 1.5, (N_FRAMES, SIZE[1], SIZE[0], 3))
    bodies = np.zeros((N_FRAMES, SIZE[1], SIZE[0]), bool)
    bodies[:, 4:20, 20:30] = True
    return np.clip(ground * light + noise + 0.5, 0, 255).astype(np.uint8), ground / 255, bodies


def test_a_shadow_left_seldom_is_lifted_to_the_ground() -> None:
    pictures, ground, bodies = _swinging_shadow()
    camera = static_path(N_FRAMES, SIZE)
    plate = clean_plate(pictures, camera, ignore=bodies)
    lifted = lifted_plate(pictures, plate, camera, bodies=bodies)
    swung = np.s_[33:41, 33:41]
    assert np.abs(plate.colour[swung] - ground[swung]).mean() > 0.1
    assert np.abs(lifted.colour[swung] - ground[swung]).mean() < 0.025


def test_what_the_shadow_never_leaves_takes_over_its_neighbours_ratio() -> None:
    pictures, ground, bodies = _swinging_shadow()
    camera = static_path(N_FRAMES, SIZE)
    plate = clean_plate(pictures, camera, ignore=bodies)
    lifted = lifted_plate(pictures, plate, camera, bodies=bodies)
    never = np.s_[33:41, 23:28]
    before, after = (np.abs(one.colour[never] - ground[never]).mean() for one in (plate, lifted))
    assert before > 0.2
    assert after < 0.4 * before


def test_the_plate_never_becomes_darker_and_keeps_its_facts() -> None:
    pictures, _, bodies = _swinging_shadow(1)
    camera = static_path(N_FRAMES, SIZE)
    plate = clean_plate(pictures, camera, ignore=bodies)
    lifted = lifted_plate(pictures, plate, camera, bodies=bodies)
    assert lifted.colour.shape == plate.colour.shape
    assert lifted.colour.dtype == np.float32
    assert (lifted.colour >= plate.colour - 1e-6).all()
    assert lifted.noise is plate.noise
    assert lifted.coverage is plate.coverage


@pytest.mark.parametrize("gain", [1.0, 2.2])
def test_a_still_set_and_a_passing_light_are_left_alone(gain: float) -> None:
    rng = np.random.default_rng(3)
    ground = rng.uniform(60, 110, (SIZE[1], SIZE[0], 3))
    pictures = np.clip(ground + rng.normal(0, 1.5, (N_FRAMES, *ground.shape)), 0, 255)
    for t in range(N_FRAMES):
        pictures[t, 20:34, 3 * t : 3 * t + 12] *= gain
    bodies = np.zeros((N_FRAMES, SIZE[1], SIZE[0]), bool)
    camera = static_path(N_FRAMES, SIZE)
    pictures = np.clip(pictures, 0, 255).astype(np.uint8)
    plate = clean_plate(pictures, camera, ignore=bodies)
    assert lifted_plate(pictures, plate, camera, bodies=bodies) is plate


def test_frames_larger_than_working_width_are_lifted_alike() -> None:
    pictures, ground, bodies = _swinging_shadow()
    large = pictures.repeat(2, 1).repeat(2, 2)
    camera = static_path(N_FRAMES, (SIZE[0] * 2, SIZE[1] * 2))
    plate = clean_plate(large, camera, ignore=bodies.repeat(2, 1).repeat(2, 2))
    lifted = lifted_plate(large, plate, camera, bodies=bodies, config=DwellingConfig(working_width=SIZE[0]))
    swung = np.s_[66:82, 66:82]
    assert np.abs(plate.colour[swung] - ground[34, 34]).mean() > 0.1
    assert np.abs(lifted.colour[swung] - ground[34, 34]).mean() < 0.03
