"""A camera that stands still under lights that wander, and one that does move by a little."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from polytempo.camera.canvas import canvas_path
from polytempo.camera.estimate import estimate_camera
from polytempo.camera.path import CameraPath, static_path
from polytempo.camera.still import plate_error, stands_still
from support.filmed import corner_error, filmed, shifted, texture

SIZE = (192, 128)


@pytest.fixture(scope="module")
def world() -> np.ndarray:
    return texture(520, 260, seed=5)


def _lit(frames: np.ndarray) -> np.ndarray:
    """Three coloured spots wander over the picture."""
    x, y = np.meshgrid(np.arange(frames.shape[2]), np.arange(frames.shape[1]))
    out = np.empty_like(frames)
    for t, frame in enumerate(frames):
        light = np.full(frame.shape, 0.3)
        for k in range(3):
            away = np.hypot(x - (40 + 12 * t + 60 * k) % frames.shape[2], y - 64 - 35 * np.sin(t / 2 + k))
            light[..., k] += 0.9 / (1 + np.exp((away - 28) / 3))
        out[t] = np.clip(frame * light, 0, 255)
    return out


def _on_canvas(path: np.ndarray) -> CameraPath:
    return canvas_path(path, frame_size=SIZE, kind="panning", residual_px=np.zeros(len(path)))


@pytest.mark.parametrize("smooth", [False, True])
def test_lights_that_wander_are_no_camera_motion(world: np.ndarray, smooth: bool) -> None:
    if smooth:  # detail in one place alone: little to hold on to but the lights
        detail = world[60:130, 100:180].copy()
        world = cv2.GaussianBlur(world, (0, 0), 12)
        world[60:130, 100:180] = detail
    assert estimate_camera(_lit(filmed(world, [shifted(100, 60)] * 10, SIZE, noise=1.5))).kind == "static"


@pytest.mark.parametrize("lit", [False, True])
def test_a_small_shake_is_still_followed(world: np.ndarray, lit: bool) -> None:
    random = np.random.default_rng(4)
    truth = [shifted(*(np.array([100, 60]) + random.normal(0, 0.4, 2))) for _ in range(10)]
    frames = filmed(world, truth, SIZE, noise=1.5)
    camera = estimate_camera(_lit(frames) if lit else frames)
    assert camera.kind == "stabilised"
    assert lit or corner_error(camera, truth, reference=5) < 0.2


def test_frames_are_held_against_the_plate_where_there_is_detail(world: np.ndarray) -> None:
    still = filmed(world, [shifted(100, 60)] * 5, SIZE, noise=2)
    greys = [np.asarray(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY)) for one in still]
    nobody = [None] * 5
    error = plate_error(greys, nobody, static_path(5, SIZE))
    assert 0.3 < error < 2  # the noise
    brighter = [np.clip(one.astype(int) + 9 * (t == 2), 0, 255).astype(np.uint8) for t, one in enumerate(greys)]
    assert plate_error(brighter, nobody, static_path(5, SIZE)) < 1.2 * error
    moved = [np.roll(one, t % 2, 1) for t, one in enumerate(greys)]
    assert plate_error(moved, nobody, static_path(5, SIZE)) > 2 * error
    everywhere = [np.ones(one.shape, np.bool_) for one in greys]
    assert plate_error(greys, everywhere, static_path(5, SIZE)) == 0


def test_a_motion_that_no_light_could_feign_is_believed(world: np.ndarray) -> None:
    greys = [np.zeros((SIZE[1], SIZE[0]), np.uint8)] * 3
    path = np.tile(np.eye(3), (3, 1, 1))
    assert stands_still(greys, [None] * 3, path, on_canvas=_on_canvas)
    path[:, 0, 2] = (-20, 0, 20)
    assert not stands_still(greys, [None] * 3, path, on_canvas=_on_canvas)
