"""Pixels of another frame that are like one: how like, and whose they are."""

from __future__ import annotations

import numpy as np

from polytempo.objects.like_pixels import match_cost

RED, GREEN = (120, 190, 150), (120, 90, 150)


def test_a_pixel_like_nobody_costs_all_the_same() -> None:
    lab = np.full((12, 12, 3), 128, np.uint8)
    other = lab.copy()
    other[:, :6], other[:, 6:] = RED, GREEN
    left = (np.arange(12) < 6)[None].repeat(12, 0)
    believed = np.stack([np.where(left, 0, 9.0), np.where(left, 9.0, 0)], -1).astype(np.float32)
    there = np.zeros((12, 12, 2), np.float32)
    everywhere = np.ones((12, 12), bool)

    def cost(picture: np.ndarray) -> np.ndarray:
        return match_cost(picture, other, believed, there, everywhere, colour=12.0, shift_px=2.4, unlike=1.5)

    assert (cost(lab) == 1.5).all()
    same = cost(other)
    assert (same[:, :5, 0] < 0.1).all()
    assert (same[:, :3, 1] == 1.5).all()  # the green one is out of reach


def test_a_few_wrong_pixels_among_many_that_are_alike_change_nothing() -> None:
    arm = np.full((24, 24, 3), RED, np.uint8)
    wrong = np.zeros((24, 24), bool)
    wrong[4::6, 4::6] = True  # one in 36: within reach of each pixel of the middle
    believed = np.stack([np.where(wrong, 2.5, 0), np.where(wrong, 0, 2.5)], -1).astype(np.float32)
    still, everywhere = np.zeros((24, 24, 2), np.float32), np.ones((24, 24), bool)
    cost = match_cost(arm, arm, believed, still, everywhere, colour=8.0, shift_px=3.0, unlike=1.5)
    middle = cost[6:18, 6:18]
    assert (middle[..., 1] - middle[..., 0] > 1).mean() > 0.9
    swapped = match_cost(arm, arm, believed[..., ::-1].copy(), still, everywhere, colour=8.0, shift_px=3.0, unlike=1.5)
    np.testing.assert_allclose(swapped[..., ::-1], cost, atol=1e-6)


def test_whose_it_is_goes_by_shares_and_sums_to_all() -> None:
    arm = np.full((16, 16, 3), GREEN, np.uint8)
    half = np.zeros((16, 16, 2), np.float32)  # believed to be either's alike
    still, everywhere = np.zeros((16, 16, 2), np.float32), np.ones((16, 16), bool)
    cost = match_cost(arm, arm, half, still, everywhere, colour=8.0, shift_px=3.0, unlike=1.5)
    np.testing.assert_allclose(np.exp(-cost).sum(-1), 1, atol=1e-5)
    np.testing.assert_allclose(cost, np.log(2), atol=1e-5)
