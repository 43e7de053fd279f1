"""Motion beyond the camera's."""

from __future__ import annotations

import numpy as np

from polytempo.camera.path import CameraPath, static_path
from polytempo.objects.flow import FlowField
from polytempo.objects.moving import camera_flow, moving_pixels


def test_camera_flow_of_a_shift() -> None:
    shift = np.array([[1, 0, 2.5], [0, 1, -1], [0, 0, 1.0]])
    np.testing.assert_allclose(camera_flow(shift, (5, 4)), np.broadcast_to((2.5, -1), (4, 5, 2)))


def flow_of(field: np.ndarray) -> FlowField:
    return FlowField(to_next=field.astype(np.float16)[None], to_previous=-field.astype(np.float16)[None])


def test_only_what_the_camera_does_not_explain_moves() -> None:
    field = np.zeros((20, 30, 2))
    field[8:12, 8:12] = (3, 0)
    moving = moving_pixels(flow_of(field), static_path(2, (30, 20)), grow_px=1)
    assert moving.shape == (2, 20, 30)
    assert moving[0, 9, 9]
    assert not moving[0, 2, 2]

    pan = np.zeros((20, 30, 2))
    pan[...] = (3, 0)
    path = static_path(2, (30, 20))
    path = CameraPath(
        canvas_from_frame=np.stack([np.eye(3), np.array([[1, 0, -3.0], [0, 1, 0], [0, 0, 1]])]),
        canvas_size=(33, 20),
        frame_size=(30, 20),
        kind="panning",
        residual_px=np.zeros(2),
    )
    assert not moving_pixels(flow_of(pan), path).any()
