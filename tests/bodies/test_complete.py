from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytempo.bodies.complete import completed_track
from polytempo.bodies.keypoints import INDEX
from polytempo.camera.path import CameraPath
from polytempo.core.errors import InputError

BODY = np.random.default_rng(3).uniform(0, 40, (17, 2))


def walker(n_frames: int, velocity: tuple[float, float] = (2.0, 0.5)) -> dict[int, np.ndarray]:
    return {t: np.c_[BODY + np.array(velocity) * t, np.full(17, 0.8)].astype(np.float32) for t in range(n_frames)}


@given(gap=st.sets(st.integers(1, 10), max_size=8), vx=st.floats(-5, 5), vy=st.floats(-5, 5))
def test_even_motion_is_interpolated_exactly(gap: set[int], vx: float, vy: float) -> None:
    truth = walker(12, (vx, vy))
    track = completed_track({t: points for t, points in truth.items() if t not in gap}, n_frames=12)
    assert track.known.all()
    assert track.present.all()
    for t, points in truth.items():
        assert np.abs(track.points[t, :, :2] - points[:, :2]).max() < 1e-3
    assert (track.points[sorted(gap), :, 2] == np.float32(0.2)).all()


def test_a_jump_is_thrown_out_and_closed() -> None:
    found = walker(9)
    found[4] = found[4].copy()
    found[4][9, :2] += 60
    track = completed_track(found, n_frames=9)
    assert np.abs(track.points[4, 9, :2] - walker(9)[4][9, :2]).max() < 1e-3
    assert track.points[4, 9, 2] == np.float32(0.2)


def test_what_was_never_seen_stays_unknown() -> None:
    found = walker(5)
    for points in found.values():
        points[16] = 0
    track = completed_track(found, n_frames=5)
    assert not track.known[:, 16].any()
    assert (track.points[:, 16] == 0).all()


def test_a_body_is_there_only_between_its_first_and_last_frame() -> None:
    track = completed_track({t: p for t, p in walker(9).items() if 2 <= t <= 6}, n_frames=9)
    assert track.present.tolist() == [2 <= t <= 6 for t in range(9)]


def test_a_keypoint_goes_on_with_its_body_beyond_its_last_sight() -> None:
    found = walker(8)
    for t in (6, 7):
        found[t][0, 2] = 0
    track = completed_track(found, n_frames=8)
    assert np.abs(track.points[7, 0, :2] - walker(8)[7][0, :2]).max() < 1e-3


def test_gaps_are_closed_on_the_canvas_of_a_turning_camera() -> None:
    shift = np.array([[[1, 0, 7.0 * t * t], [0, 1, 0], [0, 0, 1.0]] for t in range(9)])
    camera = CameraPath(
        canvas_from_frame=shift, canvas_size=(600, 64), frame_size=(64, 64), kind="panning", residual_px=np.zeros(9)
    )
    truth = walker(9)
    for t, points in truth.items():
        points[:, 0] -= 7.0 * t * t
    track = completed_track({t: p for t, p in truth.items() if t not in (3, 4, 5)}, n_frames=9, camera=camera)
    assert np.abs(track.points[4, :, :2] - truth[4][:, :2]).max() < 1e-2


def test_corrections_win_and_pull_what_lies_between() -> None:
    found = walker(7)
    for t in (2, 3, 4):
        found[t][9, 2] = 0
    track = completed_track(found, n_frames=7, corrections={3: {"left_wrist": (90.0, 90.0), "nose": None}})
    assert track.points[3, INDEX["left_wrist"]].tolist() == [90.0, 90.0, 1.0]
    assert track.points[2, INDEX["left_wrist"], 0] > walker(7)[2][INDEX["left_wrist"], 0] + 5
    assert track.points[3, 0, 2] == np.float32(0.2)


@pytest.mark.refusal
def test_refusals() -> None:
    with pytest.raises(InputError, match="found in some frame"):
        completed_track({}, n_frames=4)
    with pytest.raises(InputError, match="frames 0 to 3; got frame 9"):
        completed_track(walker(4), n_frames=4, corrections={9: {"nose": None}})
    with pytest.raises(InputError, match="COCO keypoints; got 'tail'"):
        completed_track(walker(4), n_frames=4, corrections={1: {"tail": (1.0, 2.0)}})
