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


def test_who_wears_nearly_the_colour_of_the_floor_does_not_last_either() -> None:
    clip = np.full((40, 24, 60, 3), (120, 100, 70), np.uint8)
    for t in range(40):
        clip[t, 6:18, t : t + 8] = (106, 98, 60)  # in 8-bit Lab a little darker, and 6 units of chroma away
    clip = np.clip(clip + np.random.default_rng(1).normal(0, 2, clip.shape), 0, 255).astype(np.uint8)
    steps = persistence(clip, static_path(40, (60, 24)))
    assert (steps[20, 8:16, 22:26] <= 1).mean() > 0.9
    assert (steps[20, 8:16, 45:55] == STEPS - 1).mean() > 0.9
