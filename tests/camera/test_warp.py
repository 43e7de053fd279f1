from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytempo.camera.canvas import canvas_path
from polytempo.camera.path import static_path
from polytempo.camera.warp import canvas_in_frame, canvas_window, frame_in_frame, frame_on_canvas, warp_picture
from polytempo.core.errors import InputError
from support.filmed import shifted, texture


def test_whole_pixel_shift_moves_pixels_exactly() -> None:
    picture = texture(40, 30)
    moved = warp_picture(picture, shifted(3, 2), (43, 32), interpolation="lanczos")
    assert (moved[2:, 3:] == picture).all()
    assert (moved[:2] == 0).all()


@pytest.mark.parametrize(
    ("shape", "dtype"), [((8, 9), "bool"), ((8, 9, 1), "uint8"), ((8, 9, 3), "float32"), ((8, 9, 4), "uint16")]
)
def test_shape_and_type_are_kept(shape: tuple[int, ...], dtype: str) -> None:
    warped = warp_picture(np.ones(shape, dtype), shifted(0.5, 0), (12, 10))
    assert warped.shape == (10, 12, *shape[2:])
    assert warped.dtype == np.dtype(dtype)


@given(st.floats(-20, 20), st.floats(-20, 20))
@settings(max_examples=20, deadline=None)
def test_there_and_back_is_the_picture(x: float, y: float) -> None:
    picture = texture(64, 48).astype(np.float32) / 255
    there = warp_picture(picture, shifted(x, y), (110, 96), border="replicate", interpolation="lanczos")
    there = warp_picture(picture, shifted(x + 24, y + 24), (112, 96), border="replicate", interpolation="lanczos")
    back = warp_picture(there, shifted(-x - 24, -y - 24), (64, 48), interpolation="lanczos")
    assert np.abs(back - picture)[8:-8, 8:-8].mean() < 0.02


def test_a_layer_follows_the_camera_through_the_canvas() -> None:
    camera = canvas_path(
        np.stack([shifted(0, 0), shifted(5, 1)]), frame_size=(40, 30), kind="panning", residual_px=np.zeros(2)
    )
    mask = np.zeros((30, 40), np.bool_)
    mask[10:14, 20:25] = True
    there = frame_in_frame(mask, camera, source=0, target=1)
    assert there[9:13, 15:20].all()
    assert there.sum() == mask.sum()
    on_canvas = frame_on_canvas(mask, camera, 1)
    assert on_canvas[11:15, 25:30].all()
    assert (canvas_in_frame(on_canvas, camera, 1) == mask).all()
    assert canvas_window(camera, 1)[:2] == (4, 0)


def test_static_camera_changes_nothing() -> None:
    picture = texture(40, 30)
    camera = static_path(3, (40, 30))
    assert (frame_in_frame(picture, camera, source=0, target=2) == picture).all()


@pytest.mark.refusal
def test_a_flat_homography_is_refused() -> None:
    with pytest.raises(InputError, match="homography must be finite and invertible"):
        warp_picture(np.zeros((4, 4), np.uint8), np.ones((3, 3)), (4, 4))
