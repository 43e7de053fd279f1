"""The fast *over* against the slow one, and crops carried by homographies."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from polytempo.core.errors import ShapeError
from polytempo.layers.over import over
from polytempo.layers.sparse import Crop, crop_of_picture
from polytempo.render.compose import Movable, lay_over, opaque, whole_shift


def drawn_layer(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Premultiplied bytes with empty, opaque and half-covered pixels."""
    alpha = rng.integers(0, 256, (height, width, 1)) * rng.integers(0, 2, (height, width, 1))
    alpha[rng.random((height, width)) < 0.2] = 255
    colour = rng.integers(0, 256, (height, width, 3)) * alpha // 255
    return np.concatenate([colour, alpha], axis=2).astype(np.uint8)


def slow_over(picture: np.ndarray, layer: np.ndarray, opacity: float) -> np.ndarray:
    front = torch.from_numpy(layer.astype(np.float64) / 255).permute(2, 0, 1) * (round(opacity * 255) / 255)
    back = torch.from_numpy(picture.astype(np.float64) / 255).permute(2, 0, 1)
    return (over(front, back).permute(1, 2, 0).numpy() * 255).clip(0, 255)


@given(
    seed=st.integers(0, 2**31), opacity=st.sampled_from([1.0, 0.5, 0.013, 0.0]), behind=st.sampled_from("frame layer")
)
@settings(max_examples=40, deadline=None)
def test_fast_equals_slow_to_within_rounding(seed: int, opacity: float, behind: str) -> None:
    rng = np.random.default_rng(seed)
    layer = drawn_layer(rng, 9, 37)
    back = drawn_layer(rng, 9, 37) if behind == "layer" else opaque(rng.integers(0, 256, (9, 37, 3)).astype(np.uint8))
    expected = slow_over(back, layer, opacity)
    lay_over(back, Crop(x=0, y=0, picture=layer), opacity=opacity)
    assert np.abs(back - expected).max() <= 0.5 + 1e-6
    assert behind == "layer" or (back[..., 3] == 255).all()


def test_every_colour_under_every_alpha() -> None:
    """All that two bytes can be, so that no product is rounded otherwise."""
    under, alpha = (one.astype(np.uint8) for one in np.meshgrid(np.arange(256), np.arange(256)))
    front = np.dstack([alpha // 2, alpha, np.zeros_like(alpha), alpha])
    back = opaque(np.dstack([under, under, under]))
    expected = np.minimum(np.rint(front + (255.0 - alpha[..., None]) * back / 255), 255)
    lay_over(back, Crop(x=0, y=0, picture=front))
    assert np.array_equal(back, expected)


def test_an_opaque_pixel_is_taken_and_an_empty_one_is_not() -> None:
    frame = opaque(np.full((1, 2, 3), 7, np.uint8))
    lay_over(frame, Crop(x=0, y=0, picture=np.array([[[1, 2, 3, 255], [0, 0, 0, 0]]], np.uint8)))
    assert frame[..., :3].tolist() == [[[1, 2, 3], [7, 7, 7]]]


def test_light_without_alpha_is_added_and_cut_at_white() -> None:
    frame = opaque(np.full((1, 1, 3), 200, np.uint8))
    lay_over(frame, Crop(x=0, y=0, picture=np.array([[[40, 90, 0, 0]]], np.uint8)))
    assert frame.tolist() == [[[240, 255, 200, 255]]]


@pytest.mark.parametrize(("x", "y"), [(-3, -2), (5, 4), (-30, 0), (0, 40), (2, 1)])
def test_crops_may_lie_anywhere(x: int, y: int) -> None:
    rng = np.random.default_rng(1)
    frame = opaque(rng.integers(0, 256, (8, 9, 3)).astype(np.uint8))
    layer = drawn_layer(rng, 6, 7)
    whole = np.zeros((90, 90, 4), np.uint8)
    whole[y + 35 : y + 41, x + 35 : x + 42] = layer
    for opacity in (1.0, 0.4):
        expected, laid = frame.copy(), frame.copy()
        lay_over(expected, Crop(x=0, y=0, picture=whole[35:43, 35:44]), opacity=opacity)
        lay_over(laid, Crop(x=x, y=y, picture=layer), opacity=opacity)
        assert np.array_equal(laid, expected)


def test_a_moved_crop_is_the_moved_picture() -> None:
    rng = np.random.default_rng(2)
    picture = np.zeros((60, 80, 4), np.uint8)
    picture[20:40, 30:55] = cv2.GaussianBlur(drawn_layer(rng, 20, 25), (0, 0), 2)
    picture = cv2.GaussianBlur(picture, (0, 0), 1.5)
    matrix = np.array([[1.02, 0.03, -4.3], [-0.02, 0.97, 6.8], [1e-4, -5e-5, 1.0]])
    whole = cv2.warpPerspective(picture, matrix, (80, 60), flags=cv2.INTER_CUBIC)
    crop = Movable(crop_of_picture(picture)).moved(matrix, (80, 60))
    assert crop.picture.shape[0] < 40
    pasted = np.zeros_like(picture)
    pasted[crop.y : crop.y + crop.picture.shape[0], crop.x : crop.x + crop.picture.shape[1]] = crop.picture
    assert np.abs(pasted.astype(int) - whole).max() <= 4  # another kernel, but nearly the same


def test_whole_shifts_touch_no_pixel() -> None:
    picture = drawn_layer(np.random.default_rng(3), 6, 7)
    crop = Movable(Crop(x=2, y=3, picture=picture)).moved(np.array([[2, 0, 10], [0, 2, -8], [0, 0, 2.0]]), (40, 40))
    assert (crop.x, crop.y) == (7, -1)
    assert crop.picture is picture


def test_crops_that_leave_the_frame_or_pass_behind_the_camera_are_empty() -> None:
    crop = Crop(x=0, y=0, picture=np.ones((6, 7, 4), np.uint8))
    assert Movable(crop).moved(np.array([[1, 0, 500.5], [0, 1, 0], [0, 0, 1.0]]), (40, 40)).picture.size == 0
    assert Movable(crop).moved(np.array([[1, 0, 0], [0, 1, 0], [-0.5, 0, 1.0]]), (40, 40)).picture.size == 0
    assert Movable(Crop(x=0, y=0, picture=np.zeros((0, 0, 4), np.uint8))).moved(np.eye(3), (4, 4)).picture.size == 0


def test_whole_shift_by_hand() -> None:
    assert whole_shift(np.array([[1, 0, 3.0004], [0, 1, -2], [0, 0, 1]])) == (3, -2)
    assert whole_shift(np.array([[1, 0, 3.01], [0, 1, -2], [0, 0, 1]])) is None
    assert whole_shift(np.array([[1.0001, 0, 3], [0, 1, -2], [0, 0, 1]])) is None


@pytest.mark.refusal
@pytest.mark.parametrize(
    "picture", [np.zeros((4, 4, 4)), np.zeros((4, 4, 3), np.uint8), np.zeros((4, 8, 4), np.uint8)[:, ::2]]
)
def test_pictures_of_another_kind_are_refused(picture: np.ndarray) -> None:
    with pytest.raises(ShapeError, match=r"must be contiguous uint8 \[H, W, 4\]; got"):
        lay_over(picture, Crop(x=0, y=0, picture=np.zeros((1, 1, 4), np.uint8)))
