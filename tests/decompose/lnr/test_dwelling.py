"""Shadows that dwell: lifted where they swing and in what they never leave, left alone where nothing of the kind is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath, static_path
from polytempo.camera.plate import CleanPlate, agreed_plate, clean_plate
from polytempo.decompose.lnr.dwelling import (
    DwellingConfig,
    dwelling_in_frames,
    dwelling_light,
    lifted,
    with_dwelling,
)

SIZE = (120, 72)
N_FRAMES = 36
UMBRA = 0.4
SWEPT = np.s_[39:49, 62:70]
NEVER_LEFT = np.s_[39:49, 54:58]
CAMERA = static_path(N_FRAMES, SIZE)
NOBODY = np.zeros((N_FRAMES, SIZE[1], SIZE[0]), bool)


def _ground(seed: int) -> NDArray[np.float32]:
    """A striped mat, 0…255: edges of material inside and outside the shadow."""
    rng = np.random.default_rng(seed)
    ground = np.full((SIZE[1], SIZE[0], 3), (150, 170, 110), np.float32)
    ground[:, ::12] = (170, 120, 90)
    return ground + rng.normal(0, 2, ground.shape).astype(np.float32)


def _swinging_shadow(seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A band of shadow whose right end swings to and fro; left of about x = 56 it never goes away."""
    rng = np.random.default_rng(seed)
    ground = _ground(seed)
    x = np.arange(SIZE[0])
    pictures = np.empty((N_FRAMES, *ground.shape), np.float32)
    for t in range(N_FRAMES):
        end = 80 - 20 * max(0.0, float(np.sin(0.9 * t))) ** 3
        shade = np.clip((x - 50) / 3, 0, 1) * np.clip((end - x) / 8, 0, 1)
        light = np.ones(SIZE[::-1], np.float32)
        light[36:52] = 1 - (1 - UMBRA) * shade
        pictures[t] = ground * light[..., None] + rng.normal(0, 1.5, ground.shape)
    return np.clip(pictures + 0.5, 0, 255).astype(np.uint8), ground / 255


def _plate(pictures: NDArray[np.uint8], camera: CameraPath = CAMERA) -> CleanPlate:
    masks = np.zeros(pictures.shape[:3], bool)
    return clean_plate(pictures, camera, ignore=masks)


def test_what_swings_and_what_is_never_left_are_lit_again() -> None:
    pictures, ground = _swinging_shadow()
    plate = _plate(pictures)
    after = lifted(plate, dwelling_light(pictures, plate, CAMERA, bodies=NOBODY))
    for place, left in ((SWEPT, 0.15), (NEVER_LEFT, 0.6)):
        wrong = np.abs(plate.colour[place] - ground[place]).mean()
        assert wrong > 0.2
        assert np.abs(after.colour[place] - ground[place]).mean() < left * wrong


def test_the_plate_never_becomes_darker_and_keeps_its_facts() -> None:
    pictures, _ = _swinging_shadow(1)
    plate = _plate(pictures)
    after = lifted(plate, dwelling_light(pictures, plate, CAMERA, bodies=NOBODY))
    assert after.colour.shape == plate.colour.shape
    assert after.colour.dtype == np.float32
    assert (after.colour >= plate.colour - 1e-6).all()
    assert (after.colour > plate.colour + 0.05).any()
    assert after.noise is plate.noise
    assert after.coverage is plate.coverage
    far = np.s_[:24]
    assert np.array_equal(after.colour[far], plate.colour[far])


@pytest.mark.parametrize("gain", [(1.0, 1.0, 1.0), (2.0, 2.0, 2.0), (1.2, 1.6, 2.2)], ids=["still", "light", "tinted"])
def test_a_still_set_and_a_passing_light_are_left_alone(gain: tuple[float, float, float]) -> None:
    rng = np.random.default_rng(3)
    ground = _ground(3) * 0.5
    pictures = np.tile(ground, (N_FRAMES, 1, 1, 1)) + rng.normal(0, 1.5, (N_FRAMES, *ground.shape))
    for t in range(N_FRAMES):
        pictures[t, 20:40, 3 * t : 3 * t + 14] *= gain
    bytes_ = np.clip(pictures, 0, 255).astype(np.uint8)
    plate = _plate(bytes_)
    assert dwelling_light(bytes_, plate, CAMERA, bodies=NOBODY) is None
    assert lifted(plate, None) is plate


def test_one_odd_frame_is_no_evidence() -> None:
    pictures, _ = _swinging_shadow()
    steady = pictures.copy()
    steady[:] = pictures[:1]
    steady[7, 36:52, 50:90] = 230
    assert dwelling_light(steady, _plate(steady), CAMERA, bodies=NOBODY) is None


def _passer_by(bright_at: tuple[int, ...]) -> NDArray[np.uint8]:
    """A floor with a soft dark patch that is lit for four frames at each time, and darker still in every fifth."""
    rng = np.random.default_rng(4)
    pictures = np.tile(_ground(4), (N_FRAMES, 1, 1, 1))
    x = np.arange(SIZE[0])
    soft = np.clip((x - 48) / 14, 0, 1) * np.clip((80 - x) / 6, 0, 1)
    for t in range(N_FRAMES):
        if not any(0 <= t - start < 4 for start in bright_at):
            pictures[t, 36:52] *= (1 - (0.65 if t % 5 == 0 else 0.45) * soft)[None, :, None]
    return np.clip(pictures + rng.normal(0, 1.5, pictures.shape), 0, 255).astype(np.uint8)


def test_what_is_bright_once_is_somebody_passing() -> None:
    once, twice = _passer_by((12,)), _passer_by((6, 24))
    assert dwelling_light(once, _plate(once), CAMERA, bodies=NOBODY) is None
    lax = DwellingConfig(least_visits=1)
    assert dwelling_light(once, _plate(once), CAMERA, bodies=NOBODY, config=lax) is not None
    assert dwelling_light(twice, _plate(twice), CAMERA, bodies=NOBODY) is not None


def test_what_is_pushed_to_and_fro_is_no_shadow() -> None:
    rng = np.random.default_rng(0)
    x = np.arange(SIZE[0])
    pictures = np.empty((N_FRAMES, SIZE[1], SIZE[0], 3), np.float32)
    for t in range(N_FRAMES):
        moved = 0 if t % 12 < 8 else 4
        weave = np.where((x - moved) % 8 < 4, 0.45, 1.0)
        light = np.ones(SIZE[::-1], np.float32)
        light[30:54, 40:76] = weave[40:76]
        pictures[t] = (180, 175, 165) * cv2.GaussianBlur(light, (0, 0), 1.2)[..., None]
    pictures = np.clip(pictures + rng.normal(0, 1.5, pictures.shape) + 0.5, 0, 255).astype(np.uint8)
    plate = agreed_plate(_plate(pictures), pictures, CAMERA, ignore=NOBODY)
    anything = DwellingConfig(moved_share=2.0)
    assert dwelling_light(pictures, plate, CAMERA, bodies=NOBODY, config=anything) is not None
    assert dwelling_light(pictures, plate, CAMERA, bodies=NOBODY) is None


def test_frames_larger_than_working_width_are_lit_alike() -> None:
    pictures, ground = _swinging_shadow()
    large = pictures.repeat(2, 1).repeat(2, 2)
    camera = static_path(N_FRAMES, (SIZE[0] * 2, SIZE[1] * 2))
    plate = _plate(large, camera)
    light = dwelling_light(large, plate, camera, bodies=NOBODY, config=DwellingConfig(working_width=SIZE[0]))
    assert light is not None
    assert light.shape == plate.colour.shape
    wrong = np.abs(plate.colour[::2, ::2][SWEPT] - ground[SWEPT]).mean()
    assert np.abs(lifted(plate, light).colour[::2, ::2][SWEPT] - ground[SWEPT]).mean() < 0.4 * wrong


def test_light_is_found_again_in_frames_that_move() -> None:
    light = np.zeros((40, 60, 3), np.float32)
    light[10:20, 30:40] = 0.5
    shift = np.array([[1, 0, 8], [0, 1, 4], [0, 0, 1.0]])
    camera = CameraPath(
        canvas_from_frame=np.stack([np.eye(3), shift]),
        canvas_size=(60, 40),
        frame_size=(48, 32),
        kind="panning",
        residual_px=np.zeros(2),
    )
    found = dwelling_in_frames(light, camera, (48, 32))
    assert found.shape == (2, 32, 48)
    for t, (x, y) in enumerate(((30, 10), (22, 6))):
        expected = np.zeros((32, 48), bool)
        expected[y : y + 10, x : x + 10] = True
        assert np.array_equal(found[t] > 127, expected)


def test_a_dwelling_shadow_goes_to_who_claims_most_nearby() -> None:
    probability = np.full((2, 40, 40), 0.001, np.float32)
    probability[0, 10:14, 10:30] = 0.2
    probability[1, 30:34, 10:30] = 0.2
    dwelling = np.zeros((40, 40), np.uint8)
    dwelling[14:18, 10:30] = 255
    out = with_dwelling(probability, dwelling)
    assert (out[0, 14:18, 12:28] > 0.95).all()
    assert (out[1, 14:18, 12:28] < 0.05).all()
    assert np.array_equal(out[:, 30:], probability[:, 30:])
    assert with_dwelling(probability, np.zeros_like(dwelling)) is probability
