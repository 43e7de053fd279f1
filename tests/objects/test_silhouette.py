"""Outlines of other frames tell what is a subject's and what is beyond it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from polytempo.objects.silhouette import SilhouetteConfig, silhouette_costs, silhouettes

N, H, W = 24, 120, 224
SKIN, DRESS, HAIR, WALL = (160, 150, 150), (90, 128, 90), (70, 135, 140), (200, 128, 128)
CONFIG = SilhouetteConfig(apart_frames=2)


def jumper(*, size: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """One who jumps up and down and swings an arm, alone: pictures in Lab and labels."""
    lab = np.empty((N, size * H, size * W, 3), np.uint8)
    lab[:] = WALL
    labels = np.zeros((N, size * H, size * W), np.uint8)
    rng = np.random.default_rng(0)
    cloth = rng.integers(-12, 13, (H, W))
    for t in range(N):
        x, y = 80 + t, 20 + 3 * abs(t % 8 - 4)
        arm = y + 22 + 6 * (t % 3)
        legs = [(y + 50, y + 80, x + side, x + side + 6, SKIN) for side in (4, 13)]
        trunk = [(y, y + 14, x + 4, x + 18, HAIR), (y + 14, y + 50, x, x + 22, DRESS)]
        parts = [*trunk, *legs, (arm, arm + 6, x + 22, x + 40, SKIN)]
        for top, down, left, right, colour in parts:
            at = np.s_[t, size * top : size * down, size * left : size * right]
            lab[at] = colour
            grain = cloth[top - y : down - y, left - x : right - x]
            lab[at][..., 0] = np.clip(lab[at][..., 0] + np.kron(grain, np.ones((size, size), int)), 0, 255)
            labels[at] = 1
    return lab, labels


@pytest.mark.parametrize("size", [1, 2])
def test_a_head_beside_hers_is_outside_and_a_foot_that_was_doubted_inside(size: int) -> None:
    lab, labels = jumper(size=size)
    t = 12
    found = labels.copy()
    truth = labels[t] == 1
    ys, xs = np.nonzero(truth)
    top, left = ys.min(), xs.min()
    head = np.s_[top : top + 14 * size, left - 12 * size : left - size]
    lab[t][head] = HAIR
    found[t][head] = 1  # taken for hers
    feet = truth & (np.arange(size * H)[:, None] > ys.max() - 12 * size)
    found[t][feet] = 2  # taken for another's
    clear = np.arange(N) != t
    certain = np.stack([found[t] == 1, found[t] == 2])
    cost = silhouette_costs(silhouettes(lab, found, clear, 2), certain, found[t] > 0, t, config=CONFIG)
    assert cost.shape == (size * H, size * W, 2)
    assert (cost.min(-1) == 0).all()
    beyond = np.zeros_like(truth)
    beyond[head] = True
    beyond[:, left - 4 * size :] = False
    assert np.median(cost[beyond][:, 0]) > 1.5
    assert not cost[beyond][:, 1].any()
    assert np.median(cost[feet][:, 1]) > 1.2
    assert np.median(cost[truth & ~feet][:, 1]) > 1.5


def test_an_arm_that_is_elsewhere_here_makes_no_room_for_a_head() -> None:
    lab, labels = jumper()
    t = 12
    ys, xs = np.nonzero(labels[t])
    top, left = int(ys.min()), int(xs.min())
    for s in range(N):  # on all other frames she stretches an arm over where a head comes up on this one
        if s != t:
            mine = np.nonzero(labels[s])
            arm = np.s_[s, mine[0].min() + 16 : mine[0].min() + 22, mine[1].min() - 75 : mine[1].min()]
            lab[arm], labels[arm] = SKIN, 1
    found = labels.copy()
    head = np.s_[top + 12 : top + 26, left - 14 : left - 1]
    lab[t][head], found[t][head] = SKIN, 1
    known = silhouettes(lab, found, np.arange(N) != t, 2)
    certain = np.stack([found[t] == 1, np.zeros((H, W), bool)])
    cost = silhouette_costs(known, certain, found[t] > 0, t, config=CONFIG)
    beneath = np.s_[top + 16 : top + 22, left - 13 : left - 3]
    assert np.median(cost[beneath][..., 0]) > 1.5
    anywhere = replace(CONFIG, limb_like=1e3)
    assert np.median(silhouette_costs(known, certain, found[t] > 0, t, config=anywhere)[beneath][..., 0]) < 0.5


def test_nothing_is_said_of_who_is_hardly_seen_or_like_no_other_frame() -> None:
    lab, labels = jumper()
    t = 12
    known = silhouettes(lab, labels, np.arange(N) != t, 2)
    little = np.zeros((2, H, W), bool)
    little[0] = (labels[t] == 1) & (np.arange(W) < 98)
    assert not silhouette_costs(known, little * (np.arange(H) < 40)[:, None], labels[t] > 0, t, config=CONFIG).any()
    other = lab.copy()
    other[t][labels[t] == 1] = (20, 220, 40)
    strange = silhouettes(other, labels, np.arange(N) != t, 2)
    certain = np.stack([labels[t] == 1, np.zeros((H, W), bool)])
    assert silhouette_costs(known, certain, labels[t] > 0, t, config=CONFIG).max() > 1.5
    assert not silhouette_costs(strange, certain, labels[t] > 0, t, config=CONFIG).any()


def test_frames_near_by_speak_if_they_are_clear_and_parts_never_do() -> None:
    lab, labels = jumper()
    t = 12
    certain = np.stack([labels[t] == 1, np.zeros((H, W), bool)])

    def says(shown: int, clear: int) -> bool:
        parts = labels.copy()
        parts[:, : H // 2] = 0
        parts[[t, shown, clear]] = labels[[t, shown, clear]]
        known = silhouettes(lab, parts, np.arange(N) == clear, 2)
        known.lab[clear] = 128 if clear != shown else known.lab[clear]  # clear, and of no use
        return bool(silhouette_costs(known, certain, labels[t] > 0, t, config=CONFIG).any())

    assert says(t + 2, t + 2)
    assert not says(t + 2, 0)
    assert says(t + 3, 0)


def test_cost_is_bounded() -> None:
    lab, labels = jumper()
    known = silhouettes(lab, labels, np.ones(N, bool), 1)
    certain = np.stack([labels[5] == 1, np.zeros((H, W), bool)])
    both = silhouettes(lab, labels, np.ones(N, bool), 2)
    assert known.masks.shape == (1, N, H, W)
    assert silhouette_costs(both, certain, labels[5] > 0, 5, config=CONFIG).max() <= CONFIG.bound + 1e-4
