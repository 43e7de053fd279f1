"""The background under a moving camera."""

from __future__ import annotations

import cv2
import numpy as np

from polytempo.camera.path import CameraPath
from polytempo.layers.stack import Background, LayerStack
from polytempo.render.plate import PlateView


def stack_with(matrices: np.ndarray, *, canvas: tuple[int, int] = (60, 40)) -> LayerStack:
    rng = np.random.default_rng(0)
    colour = cv2.GaussianBlur(rng.integers(0, 256, (canvas[1], canvas[0], 3)).astype(np.uint8), (0, 0), 1.5)
    return LayerStack(
        background=Background(colour=colour, coverage=np.ones(colour.shape[:2], np.uint16)),
        layers=(),
        order=((),) * len(matrices),
        camera=CameraPath(
            canvas_from_frame=matrices,
            canvas_size=canvas,
            frame_size=(32, 20),
            kind="panning",
            residual_px=np.zeros(len(matrices)),
        ),
    )


def shift(x: float, y: float) -> np.ndarray:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def test_whole_shifts_are_cut_out() -> None:
    stack = stack_with(np.stack([shift(5, 7), shift(28, 20)]))
    plates = PlateView(stack)
    assert np.array_equal(plates.frame(0)[..., :3], stack.background.colour[7:27, 5:37])
    assert np.array_equal(plates.frame(1)[..., :3], stack.background.colour[20:40, 28:60])


def test_a_kept_plate_cannot_be_spoilt() -> None:
    plates = PlateView(stack_with(np.stack([shift(5, 7), shift(5, 7)])))
    first = plates.frame(0)
    kept = first.copy()
    first[:] = 0
    assert np.array_equal(plates.frame(1), kept)


def test_other_views_are_as_good_as_a_cubic_warp() -> None:
    matrix = np.array([[0.98, 0.05, 8.3], [-0.04, 1.01, 6.6], [2e-4, -1e-4, 1.0]])
    stack = stack_with(matrix[None])
    plain = cv2.warpPerspective(stack.background.colour, matrix, (32, 20), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
    difference = PlateView(stack).frame(0)[..., :3].astype(int) - plain
    assert np.abs(difference).max() <= 4
    assert np.abs(difference).mean() < 0.6


def test_beyond_the_canvas_its_edge_goes_on() -> None:
    stack = stack_with(shift(50, 0)[None])
    frame = PlateView(stack).frame(0)[..., :3]
    assert np.abs(frame[:, 12:].astype(int) - stack.background.colour[:20, 59:60]).max() <= 1
