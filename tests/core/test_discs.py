from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from polytempo.core.discs import closed, disc, grown, opened, window_around


def test_a_disc_is_as_wide_as_it_says_and_round() -> None:
    for radius in range(6):
        made = disc(radius)
        assert made.shape == (2 * radius + 1,) * 2
        assert (made == made[::-1]).all()
        assert made[radius].all()
    assert disc(4)[0, 0] == 0


@given(st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_what_is_grown_holds_the_mask_and_what_is_opened_lies_in_it(radius: int, seed: int) -> None:
    mask = np.random.default_rng(seed).random((24, 32)) > 0.8
    assert grown(mask, radius)[mask].all()
    assert not opened(mask, radius)[~mask].any()
    again = opened(opened(mask, radius), radius)
    assert (again == opened(mask, radius)).all()
    # What is grown is at most so far away.
    rows, columns = np.nonzero(mask)
    for y, x in np.argwhere(grown(mask, radius))[::7]:
        assert np.hypot(rows - y, columns - x).min() <= radius + 0.5


def test_nothing_grows_by_nothing() -> None:
    mask = np.eye(5, dtype=bool)
    assert (grown(mask, 0) == mask).all()
    assert not opened(mask, 2).any()


def test_a_window_holds_the_mask_and_its_margin_and_no_more() -> None:
    mask = np.zeros((20, 30), bool)
    assert mask[window_around(mask, 3)].size == 0
    mask[2, 10], mask[8, 28] = True, True
    rows, columns = window_around(mask, 4)
    assert (rows.start, rows.stop, columns.start) == (0, 13, 6)
    assert mask[rows, columns].shape == (13, 24)


def test_closed_fills_what_a_disc_has_no_room_in_and_nothing_wider() -> None:
    mask = np.ones((40, 40), bool)
    mask[:, 10:13] = False
    mask[:, 20:30] = False
    found = closed(mask, 2)
    assert found[:, 10:13].all()
    assert not found[:, 20:30].any()
    assert found[mask].all()
