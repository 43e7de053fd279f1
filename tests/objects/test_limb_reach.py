"""How far a subject reaches from its limbs is learned on clear frames, and counts where subjects meet."""

from __future__ import annotations

import numpy as np
import pytest

from polytempo.objects.limb_reach import LimbReachConfig, Limbs, NearestLimb, limb_reach

N, H, W = 6, 40, 60
ARM, LEG = 0, 1
CONFIG = LimbReachConfig(slack=0.0)


def post(x: float, *, known: tuple[int, ...] = tuple(range(N))) -> Limbs:
    """An upright limb at ``x``, an arm above and a leg below; a trunk is 20 pixels long."""

    def nearest(t: int, size: tuple[int, int]) -> NearestLimb | None:
        assert size == (W, H)
        if t not in known:
            return None
        far = np.tile(np.abs(np.arange(W) - x) / 20 - 0.05, (H, 1)).astype(np.float32)
        kind = np.where(np.arange(H)[:, None] < H // 2, ARM, LEG) * np.ones((1, W), int)
        return NearestLimb(kind=kind.astype(np.uint8), distance=far)

    return nearest


def labels_of(*subjects: tuple[int, float]) -> np.ndarray:
    """Bare arms, and skirts of 10 pixels around legs."""
    out = np.zeros((N, H, W), np.uint8)
    for label, x in subjects:
        away = np.abs(np.arange(W) - x)
        out[:, : H // 2, away <= 2] = label
        out[:, H // 2 :, away <= 10] = label
    return out


def clear(*frames: int) -> np.ndarray:
    return np.isin(np.arange(N), frames)


def test_skirts_reach_farther_than_sleeves() -> None:
    reach = limb_reach({0: post(20), 1: post(45)}, labels_of((1, 20), (2, 45)), clear(0, 1), 2, config=CONFIG)
    cost = reach.costs(4, (W, H))
    assert cost is not None
    assert cost.shape == (H, W, 3)
    assert (cost.min(-1) == 0).all()
    arm, leg = cost[H // 4], cost[3 * H // 4]
    assert leg[12, 1] == 0  # eight pixels from the leg, hers
    assert leg[12, 2] > 2
    assert leg[12, 0] > 1  # and not the wall's
    assert arm[28, 0] == 0  # as far from the arm
    assert arm[28, 1:].min() > 0.3
    assert arm[20, 1] == 0 < 2 < arm[20, 2]
    assert arm[45, 2] == 0 < 2 < arm[45, 1]
    assert arm[58, 0] == 0 < 2 < arm[58, 1]


def test_frames_that_are_not_clear_teach_nothing() -> None:
    labels = labels_of((1, 20), (2, 45))
    wrong = labels.copy()
    wrong[2:] = 1
    right, same = (
        limb_reach({0: post(20)}, one, clear(0, 1), 2, config=CONFIG).costs(5, (W, H)) for one in (labels, wrong)
    )
    assert right is not None
    assert same is not None
    np.testing.assert_array_equal(right, same)


def test_what_another_one_hides_tells_nothing_of_the_one_behind() -> None:
    behind = labels_of((1, 20))
    half = behind.copy()
    half[0, :, :20] = 2  # another one before the left half
    whole, hidden = (
        limb_reach({0: post(20)}, one, clear(0), 2, config=CONFIG).costs(3, (W, H)) for one in (behind, half)
    )
    assert whole is not None
    assert hidden is not None
    np.testing.assert_allclose(whole[H // 4, 18:23], hidden[H // 4, 18:23], atol=0.05)


def test_who_has_no_limbs_yields_what_is_reached_and_takes_what_is_not() -> None:
    cost = limb_reach({0: post(20)}, labels_of((1, 20)), clear(0), 2, config=CONFIG).costs(3, (W, H))
    assert cost is not None
    row = cost[H // 4]
    assert row[20, 1] == 0 < row[20, 2] < 1
    assert row[50, 2] == 0 == row[50, 0]
    assert row[50, 1] > 2


@pytest.mark.parametrize("limbs", [{}, {0: post(20, known=(3, 4))}], ids=["nobody", "on no clear frame"])
def test_nothing_learned_says_nothing(limbs: dict[int, Limbs]) -> None:
    reach = limb_reach(limbs, labels_of((1, 20)), clear(0, 1), 2, config=CONFIG)
    assert reach.costs(3, (W, H)) is None


def test_frames_without_limbs_say_nothing() -> None:
    reach = limb_reach({0: post(20, known=(0, 1))}, labels_of((1, 20)), clear(0), 2, config=CONFIG)
    assert reach.costs(1, (W, H)) is not None
    assert reach.costs(4, (W, H)) is None
