from __future__ import annotations

import numpy as np
import pytest

from polytempo.camera.canvas import canvas_path
from polytempo.core.errors import InputError
from support.filmed import shifted


def _path(homographies: list[np.ndarray], **options: float):
    return canvas_path(
        np.stack(homographies), frame_size=(40, 30), kind="panning", residual_px=np.zeros(len(homographies)), **options
    )


def test_the_offset_is_baked_in() -> None:
    camera = _path([shifted(0, 0), shifted(-10.5, 4)])
    assert camera.canvas_size == (51, 34)
    assert camera.canvas_from_frame[0] == pytest.approx(shifted(11, 0))
    assert camera.canvas_from_frame[1] == pytest.approx(shifted(0.5, 4))


@pytest.mark.refusal
def test_a_canvas_beyond_its_bound_is_refused() -> None:
    with pytest.raises(InputError, match="must not exceed 1 million pixels; got 20040x130"):
        _path([shifted(0, 0), shifted(20000, 100)], most_pixels=1e6)


@pytest.mark.refusal
def test_a_camera_that_looks_behind_itself_is_refused() -> None:
    with pytest.raises(InputError, match="turns too far at frame 1"):
        _path([shifted(0, 0), shifted(0, 0, tilt=-0.1)])
