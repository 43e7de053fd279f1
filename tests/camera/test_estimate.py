from __future__ import annotations

import cv2
import numpy as np
import pytest

from polytempo.camera.estimate import CameraConfig, estimate_camera
from polytempo.core.errors import InputError, ShapeError
from support.filmed import corner_error, filmed, shifted, texture

SIZE = (192, 128)


@pytest.fixture(scope="module")
def world() -> np.ndarray:
    return texture(520, 260, seed=5)


def _walker(frames: np.ndarray) -> np.ndarray:
    """Let a textured block walk through the frames; its mask."""
    block = texture(40, 60, seed=9)
    mask = np.zeros(frames.shape[:3], np.bool_)
    for t in range(len(frames)):
        x = 10 + 9 * t
        mask[t, 40:100, x : x + 40] = True
        frames[t, 40:100, x : x + 40] = block[:, : frames.shape[2] - x]
    return mask


def test_a_still_camera_is_exactly_the_identity(world: np.ndarray) -> None:
    frames = filmed(world, [shifted(100, 60)] * 6, SIZE, noise=2)
    _walker(frames)
    camera = estimate_camera(frames)
    assert camera.kind == "static"
    assert np.array_equal(camera.canvas_from_frame, np.tile(np.eye(3), (6, 1, 1)))
    assert camera.canvas_size == SIZE
    assert not camera.residual_px.any()


@pytest.mark.parametrize("masked", [True, False])
def test_shake_is_followed_to_a_fraction_of_a_pixel(world: np.ndarray, masked: bool) -> None:
    random = np.random.default_rng(2)
    truth = [shifted(*(100 + random.uniform(-5, 5, 2)), turn=random.uniform(-0.01, 0.01)) for _ in range(8)]
    frames = filmed(world, truth, SIZE, noise=1.5)
    mask = _walker(frames)
    camera = estimate_camera(frames, ignore=mask if masked else None)
    assert camera.kind == "stabilised"
    assert corner_error(camera, truth, reference=4) < 0.22
    assert camera.warnings == ()


def test_a_pan_meets_on_one_canvas(world: np.ndarray) -> None:
    truth = [shifted(10 + 14.3 * t, 60 + 0.7 * t, turn=0.003 * t, tilt=2e-5 * t) for t in range(12)]
    frames = filmed(world, truth, SIZE)
    camera = estimate_camera(frames)
    assert camera.kind == "panning"
    assert camera.canvas_size[0] > 330
    assert corner_error(camera, truth, reference=6) < 0.3
    assert 0 < camera.residual_px.max() < 0.6


def test_a_blurred_frame_lies_between_its_neighbours(world: np.ndarray) -> None:
    truth = [shifted(60 + 4 * t, 60) for t in range(9)]
    frames = filmed(world, truth, SIZE)
    frames[5] = cv2.GaussianBlur(frames[5], (0, 0), 25)
    camera = estimate_camera(frames)
    assert any("frame 5" in warning for warning in camera.warnings)
    assert corner_error(camera, truth, reference=4) < 3


def test_nothing_to_hold_on_to_is_said(world: np.ndarray) -> None:
    camera = estimate_camera(np.full((4, 96, 128, 3), 90, np.uint8))
    assert camera.kind == "static"
    assert "taken to stand still" in camera.warnings[0]


def test_a_cut_is_named(world: np.ndarray) -> None:
    other = texture(520, 260, seed=77)
    frames = np.concatenate(
        [
            filmed(world, [shifted(100 + t, 60) for t in range(4)], SIZE),
            filmed(other, [shifted(40 + t, 60) for t in range(4)], SIZE),
        ]
    )
    assert any("a cut" in warning and "frame 4" in warning for warning in estimate_camera(frames).warnings)


def test_parallax_is_named() -> None:
    near, far = texture(520, 260, seed=6), texture(520, 260, seed=7)
    frames = filmed(far, [shifted(100 + 1.0 * t, 60) for t in range(6)], SIZE)
    front = filmed(near, [shifted(100 + 5.0 * t, 60) for t in range(6)], SIZE)
    frames[:, 70:] = front[:, 70:]
    assert any(
        "parallax" in warning
        for warning in estimate_camera(frames, ignore=np.zeros(frames.shape[:3], np.bool_)).warnings
    )


def test_one_frame_is_a_still_camera(world: np.ndarray) -> None:
    assert estimate_camera(filmed(world, [shifted(0, 0)], SIZE)).kind == "static"


@pytest.mark.refusal
def test_refusals(world: np.ndarray) -> None:
    frames = filmed(world, [shifted(0, 0)] * 2, SIZE)
    with pytest.raises(ShapeError, match="the ignore masks must have the frames' count and size"):
        estimate_camera(frames, ignore=np.zeros((3, 128, 192), np.bool_))
    with pytest.raises(InputError, match="at least one frame"):
        estimate_camera(frames[:0])
    pan = filmed(world, [shifted(30 * t, 60) for t in range(6)], SIZE)
    with pytest.raises(InputError, match="the canvas must not exceed"):
        estimate_camera(pan, config=CameraConfig(most_canvas_pixels=30_000))
