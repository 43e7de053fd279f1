"""Masks as a detector would give them."""

from __future__ import annotations

import cv2
import numpy as np

from polytempo.synth.draw import DrawnScene
from polytempo.synth.rough import rough_masks

DISC = np.zeros((40, 60, 80), bool)
DISC[:] = np.hypot(*np.ogrid[-30:30, -40:40]) < 18


def test_outlines_are_off_but_not_far() -> None:
    rough = rough_masks(DISC, seed=1, most_px=4.0)
    whole = rough.any((1, 2))
    inner = cv2.erode(DISC[0].astype(np.uint8), np.ones((11, 11), np.uint8)) > 0
    outer = cv2.dilate(DISC[0].astype(np.uint8), np.ones((11, 11), np.uint8)) > 0
    assert rough[whole][:, inner].all()
    assert not rough[:, ~outer].any()
    wrong = (rough[whole] != DISC[whole]).mean((1, 2)) / DISC[0].mean()
    assert 0.02 < wrong.mean() < 0.4


def test_they_tremble_and_some_frames_are_lost() -> None:
    rough = rough_masks(DISC, seed=1)
    empty = ~rough.any((1, 2))
    assert empty.sum() == 1  # 3 % of forty
    assert (rough[:-1] != rough[1:]).any((1, 2)).all()


def test_one_seed_one_result(crossing_scene: DrawnScene) -> None:
    a, b, c = (rough_masks(crossing_scene.masks, seed=seed) for seed in (3, 3, 4))
    assert a.shape == crossing_scene.masks.shape
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_an_exact_detector_is_exact() -> None:
    assert np.array_equal(rough_masks(DISC, most_px=0.0, empty_share=0.0), DISC)
