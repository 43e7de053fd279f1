"""Motion from masks and keypoints of drawn people, and when they are in view."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from polytempo.camera.path import static_path
from polytempo.core.errors import InputError, ShapeError
from polytempo.edit.align.choose import correlation
from polytempo.edit.align.presence import LastView, last_whole_view
from polytempo.edit.align.signals import signal_from_keypoints, signal_from_masks
from polytempo.synth.draw import DrawnScene


def block(tops: list[int], *, size: tuple[int, int] = (60, 40), x: int = 20) -> np.ndarray:
    masks = np.zeros((len(tops), size[1], size[0]), np.bool_)
    for t, top in enumerate(tops):
        masks[t, top : top + 10, x + t : x + t + 6] = True
    return masks


def test_by_hand() -> None:
    masks, camera = block([3, 8, 12, 8]), static_path(4, (60, 40))
    assert signal_from_masks("a", masks, camera).values.tolist() == [7.5, 12.5, 16.5, 12.5]
    assert signal_from_masks("a", masks, camera, kind="across").values.tolist() == [22.5, 23.5, 24.5, 25.5]
    assert signal_from_masks("a", masks, camera, kind="extent").values.tolist() == [10] * 4
    assert signal_from_masks("a", masks, camera, kind="head").values.tolist() == [3, 8, 12, 8]
    assert signal_from_masks("a", masks, camera, kind="feet").values.tolist() == [12, 17, 21, 17]
    assert np.allclose(signal_from_masks("a", masks, camera, kind="speed").values[0], np.hypot(5, 1))


def test_a_moving_camera_leaves_no_trace() -> None:
    matrices = np.tile(np.eye(3), (4, 1, 1))
    matrices[:, 1, 2] = [0, 5, 9, 5]
    camera = replace(static_path(4, (60, 40)), canvas_from_frame=matrices, canvas_size=(60, 60), kind="stabilised")
    assert np.ptp(signal_from_masks("a", block([15, 10, 6, 10]), camera).values) == 0


def test_gaps_are_bridged() -> None:
    masks = block([3, 8, 12, 8, 3, 9])
    masks[2] = False
    signal = signal_from_masks("a", masks, static_path(6, (60, 40)))
    assert np.isnan(signal.values[2])
    assert np.isfinite(signal.normalised()).all()
    assert np.isclose(signal.normalised()[[0, 1, 3, 4, 5]].std(), 1)


def test_masks_and_keypoints_of_a_jumper_agree(jumping_scene: DrawnScene) -> None:
    for k in range(2):
        masks = signal_from_masks("a", jumping_scene.amodal[k], jumping_scene.camera)
        points = signal_from_keypoints("a", jumping_scene.keypoints[k], jumping_scene.camera)
        assert correlation(masks.normalised(), points.normalised()) > 0.97
        feet = signal_from_keypoints("a", jumping_scene.keypoints[k], jumping_scene.camera, kind="feet")
        assert (feet.values > points.values).all()


def test_the_last_whole_view() -> None:
    masks, camera = block([5] * 30, x=36), static_path(30, (60, 40))
    assert last_whole_view("a", masks, camera) == LastView(frame=17, stays=True)  # frame 18 touches the right edge
    masks[10:] = False
    assert last_whole_view("a", masks, camera) == LastView(frame=9, stays=True)
    matrices = np.tile(np.eye(3), (30, 1, 1))
    matrices[:, 0, 2] = -1.0 * np.arange(30)  # the camera turns left, what stands still goes right
    turning = replace(camera, canvas_from_frame=matrices, canvas_size=(90, 40), kind="panning")
    held = last_whole_view("a", block([5] * 30, x=10), turning)
    assert held == LastView(frame=29, stays=True)  # it keeps pace with nobody, but ends within the frame
    assert last_whole_view("a", masks, turning) == LastView(frame=9, stays=False)


@pytest.mark.refusal
def test_what_does_not_fit_is_refused() -> None:
    camera = static_path(4, (60, 40))
    with pytest.raises(ShapeError, match="masks must be those of the camera's frames; got"):
        signal_from_masks("a", block([3, 4]), camera)
    with pytest.raises(ShapeError, match=r"keypoints must be \[T, 17, 3\]"):
        signal_from_keypoints("a", np.zeros((4, 5, 3)), camera)
    with pytest.raises(InputError, match="a must be wholly in view in some frame; got none"):
        last_whole_view("a", np.ones((3, 8, 8), np.bool_), static_path(3, (8, 8)))
