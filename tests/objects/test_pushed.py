"""What is pushed about is nobody."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from polytempo.camera.path import static_path
from polytempo.objects.colour_model import colour_bins, lab_picture
from polytempo.objects.evidence import Footage
from polytempo.objects.flow import neighbour_flow
from polytempo.objects.pushed import PushedConfig, nobody_there, not_prompted, pushed
from polytempo.objects.walk import WalkConfig, Walked

N, H, W = 12, 72, 128
CLEAR = np.isin(np.arange(N), (0, N - 1))


def someone_leans_on_a_cushion() -> tuple[Footage, np.ndarray, np.ndarray]:
    """A patterned body walks into a patterned cushion, shoves it 12 pixels along and goes back; a white body stands.

    The white one is before a white wall, one step lighter.
    """
    rng = np.random.default_rng(2)
    wall = np.full((H, W, 3), 225, np.uint8)
    wall = np.clip(wall + rng.normal(0, 3, wall.shape), 0, 255).astype(np.uint8)

    def pattern(low: int, high: int, tint: tuple[int, int, int]) -> np.ndarray:
        soft = cv2.GaussianBlur(rng.integers(0, 255, (24, 24, 3)).astype(np.float32), (0, 0), 1.2)
        return np.clip((soft - 128) * 3 * (high - low) / 255 + np.array(tint), 0, 255).astype(np.uint8)

    cushion, body = pattern(0, 200, (110, 110, 110)), pattern(0, 120, (150, 70, 60))
    pictures = np.stack([wall.copy() for _ in range(N)])
    lies, stands = np.zeros((2, N, H, W), bool)
    for t in range(N):
        pictures[t, 10:60, 4:24] = 235  # white before white
        stands[t, 10:60, 4:24] = True
        shove = 2 * min(max(t - 2, 0), 6)
        x = 30 + 3 * min(t, 8) - 4 * max(t - 8, 0)
        pictures[t, 40:64, 68 + shove : 92 + shove] = cushion
        lies[t, 40:64, 68 + shove : 92 + shove] = True
        pictures[t, 36:60, x : x + 24] = body
        stands[t, 36:60, x : x + 24] = True
        lies[t] &= ~stands[t]
    lab = np.stack([lab_picture(one).astype(np.uint8) for one in pictures])
    view = Footage(
        pictures=pictures,
        camera=static_path(N, (W, H)),
        flow=neighbour_flow(pictures),
        lab=lab,
        bins=np.stack([colour_bins(one.astype(np.float32)) for one in lab]).astype(np.uint16),
        lasting=np.zeros((N, H, W), np.uint8),
    )
    return view, stands, lies


def test_a_cushion_that_is_shoved_is_nobody_and_who_shoves_it_is_somebody() -> None:
    view, stands, lies = someone_leans_on_a_cushion()
    labels = np.where(CLEAR[:, None, None], stands, stands | lies).astype(np.uint8)
    found = pushed(view, labels, stands | lies, CLEAR, walk=WalkConfig(), config=PushedConfig())
    assert not found[CLEAR].any()
    for t in np.flatnonzero(~CLEAR):
        inside = cv2.erode(stands[t].astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        assert found[t][lies[t]].mean() > 0.9
        assert found[t][inside].mean() < 0.02
        assert not found[t][~(stands[t] | lies[t])].any()


def test_what_was_somebody_on_clear_frames_stays_so() -> None:
    view, stands, lies = someone_leans_on_a_cushion()
    found = pushed(
        view, (stands | lies).astype(np.uint8), stands | lies, CLEAR, walk=WalkConfig(), config=PushedConfig()
    )
    assert found[lies].mean() < 0.02


@pytest.mark.parametrize("clear", [np.zeros(N, bool), np.ones(N, bool)])
def test_without_frames_to_follow_from_or_into_nothing_is_said(clear: np.ndarray) -> None:
    view, stands, lies = someone_leans_on_a_cushion()
    assert not pushed(
        view, stands.astype(np.uint8), stands | lies, clear, walk=WalkConfig(), config=PushedConfig()
    ).any()


def test_where_things_lie_nobody_is_likely_and_elsewhere_nothing_changes() -> None:
    costs = np.zeros((1, 4, 4, 3), np.float16)
    costs[0, 0, 0] = (0, 8, 1)
    walked = Walked(costs=costs, labels=np.ones((1, 4, 4), np.uint8), undisputed=np.zeros((1, 4, 4), bool))
    there = np.zeros((1, 4, 4), bool)
    there[0, 0, :2] = True
    found = nobody_there(walked, there, config=PushedConfig(cost=6.0)).costs
    assert found[0, 0, 0].tolist() == [0, 8, 6]
    assert found[0, 0, 1].tolist() == [0, 6, 6]
    assert not found[0, 1:].any()
    assert not costs[0, 0, 1].any()


def test_what_a_prompt_says_is_not_asked_again() -> None:
    there = np.zeros((3, 4, 6), bool)
    there[:, 1:3] = True
    sure = np.zeros((4, 6), np.float32)
    sure[:, :2], sure[:, 2:4] = 1.0, 0.4
    left = not_prompted(there, {1: sure})
    assert not left[1, :, :2].any()
    np.testing.assert_array_equal(left[1, :, 2:], there[1, :, 2:])
    np.testing.assert_array_equal(left[[0, 2]], there[[0, 2]])
    assert there[1, 1, 0]
