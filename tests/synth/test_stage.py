"""Where people stand and how the camera sees them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from polytempo.synth.pose import INDEX
from polytempo.synth.scene import CameraMove, Person, SceneSpec
from polytempo.synth.stage import camera_path, moment

WALKER = Person(name="w", start=(0.1, 0.8), stop=(0.9, 0.8))
SPEC = SceneSpec(name="s", people=(WALKER,), size=(200, 100), n_frames=11)


def test_feet_follow_the_path_and_size_the_horizon() -> None:
    now = moment(SPEC, WALKER, 5.0)
    assert np.allclose(now.feet, (100, 80))
    assert np.isclose(now.unit, 80 - 36)  # eyes at the horizon: a body height is the way down to the feet
    assert np.isclose(np.degrees(now.turn), 0)


def test_who_walks_left_looks_left_and_who_stands_looks_at_us() -> None:
    left = replace(WALKER, start=(0.9, 0.8), stop=(0.1, 0.8))
    still = replace(WALKER, stop=(0.1, 0.8))
    assert np.isclose(abs(np.degrees(moment(SPEC, left, 0.0).turn)), 180)
    assert np.isclose(np.degrees(moment(SPEC, still, 0.0).turn), 90)


def test_the_mirror_picture_hangs_below_the_feet() -> None:
    now = moment(SPEC, WALKER, 2.0)
    upright, mirrored = now.points(), now.points(mirrored=True)
    head = INDEX["head"]
    assert upright[head, 1] < now.feet[1] < mirrored[head, 1]
    assert np.allclose(upright[:, 0], mirrored[:, 0])


def test_a_camera_at_rest_is_static() -> None:
    path, corner = camera_path(SPEC)
    assert path.kind == "static"
    assert corner == (0.0, 0.0)
    assert np.array_equal(path.canvas_from_frame[7], np.eye(3))


@given(degrees=st.floats(-40.0, 40.0), shake=st.floats(0.1, 3))
@settings(max_examples=15, deadline=None)
def test_the_canvas_holds_every_frame(degrees: float, shake: float) -> None:
    spec = replace(SPEC, camera=CameraMove(pan_degrees=degrees, shake_px=shake))
    path, corner = camera_path(spec)
    corners = np.array([[0, 0, 1], [199, 0, 1], [199, 99, 1], [0, 99, 1.0]]).T
    seen = path.canvas_from_frame @ corners
    xy = seen[:, :2] / seen[:, 2:]
    assert xy.min() >= 0
    assert (xy.max((0, 2)) <= np.array(path.canvas_size) - 1).all()
    middle = path.canvas_from_frame[5] @ [99.5, 49.5, 1]  # the middle frame is the reference frame
    assert np.allclose(middle[:2] / middle[2], np.add(corner, (99.5, 49.5)), atol=2 + 12 * shake)


def test_cameras_turn_about_one_point() -> None:
    path, _ = camera_path(replace(SPEC, camera=CameraMove(pan_degrees=20.0)))
    # A pure pan keeps the picture's middle row level.
    seen = path.canvas_from_frame @ np.array([99.5, 49.5, 1])
    rows = seen[:, 1] / seen[:, 2]
    assert np.ptp(rows) < 1e-6
