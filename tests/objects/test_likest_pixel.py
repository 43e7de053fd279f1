"""The likest pixel of each subject in another frame."""

from __future__ import annotations

import numpy as np

from polytempo.objects.likest_pixel import match_cost

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
