"""Furniture lasts, people do not."""

from __future__ import annotations

import numpy as np

from polytempo.camera.path import static_path
from polytempo.objects.persistence import STEPS, persistence


def test_a_walker_does_not_last_and_a_late_box_does() -> None:
    clip = np.full((40, 24, 60, 3), 200, np.uint8)
    clip[20:, 2:10, 2:10] = (40, 90, 40)  # a box put down half way
    for t in range(40):
        clip[t, 14:22, t : t + 6] = (200, 40, 40)
    steps = persistence(clip, static_path(40, (60, 24)))
    assert steps.shape == (40, 24, 60)
    assert steps[20, 18, 22] <= 1
    assert steps[39, 6, 6] >= STEPS - 2
    assert steps[20, 3, 40] == STEPS - 1


def test_a_short_clip_says_nothing() -> None:
    steps = persistence(np.zeros((2, 8, 8, 3), np.uint8), static_path(2, (8, 8)))
    assert set(np.unique(steps)) == {STEPS // 2}
