"""Pieces of a body that lie apart: given to whoever they touch, kept where something may hide the join."""

from __future__ import annotations

import numpy as np

from polytempo.objects.hang_together import rejoined


def two_bodies() -> np.ndarray:
    """Subject 1 stands left, subject 2 right, far apart; no legs yet."""
    labels = np.zeros((1, 80, 120), np.uint8)
    labels[0, 10:50, 10:30] = 1
    labels[0, 10:50, 90:110] = 2
    return labels


def test_a_shin_taken_by_somebody_far_away_goes_back() -> None:
    labels = two_bodies()
    labels[0, 50:70, 12:18] = 2
    found = rejoined(labels, 2)
    assert (found[0, 50:70, 12:18] == 1).all()
    assert (found[0, 10:50, 90:110] == 2).all()
    assert (labels[0, 50:70, 12:18] == 2).all()  # the given labels stay as they were


def test_swapped_shins_are_both_given_back() -> None:
    labels = two_bodies()
    labels[0, 50:70, 12:18] = 2
    labels[0, 50:70, 92:98] = 1
    found = rejoined(labels, 2)
    assert (found[0, 50:70, 12:18] == 1).all()
    assert (found[0, 50:70, 92:98] == 2).all()


def test_a_piece_on_the_other_side_of_what_hides_the_join_stays() -> None:
    labels = np.zeros((1, 80, 120), np.uint8)
    labels[0, 40:60, 10:110] = 1  # a long body
    labels[0, 10:75, 50:62] = 2  # somebody narrow before it
    found = rejoined(labels, 2)
    assert (found == labels).all()


def test_a_far_piece_that_touches_nobody_keeps_its_label() -> None:
    labels = two_bodies()
    labels[0, 70:76, 60:66] = 1
    assert (rejoined(labels, 2) == labels).all()


def test_one_subject_alone_is_left_as_it_is() -> None:
    labels = np.zeros((2, 20, 30), np.uint8)
    labels[:, 2:5, 2:5] = 1
    labels[:, 12:18, 20:28] = 1
    assert (rejoined(labels, 1) == labels).all()


def hidden_join(*, bare_px: int) -> np.ndarray:
    """Subject 1's head and legs on both sides of subject 2, who is wide and touches the head."""
    labels = np.zeros((1, 160, 120), np.uint8)
    labels[0, 100:150, 30:90] = 1
    labels[0, 30 : 100 - bare_px, 20:100] = 2
    labels[0, 18:30, 50:64] = 1
    return labels


def test_a_followed_piece_stays_across_all_of_somebody_but_not_across_the_open() -> None:
    for bare_px, stays in ((0, True), (15, False)):
        labels = hidden_join(bare_px=bare_px)
        followed = np.ones(labels.shape, bool)
        assert (rejoined(labels, 2)[0, 18:30, 50:64] == 2).all()  # nobody knows where it came from
        assert ((rejoined(labels, 2, followed) == labels).all()) == stays
        assert (rejoined(labels, 2, ~followed)[0, 18:30, 50:64] == 2).all()


def test_half_a_body_is_no_loose_piece() -> None:
    labels = np.zeros((1, 80, 120), np.uint8)
    labels[0, 20:60, 5:25] = 1
    labels[0, 10:70, 25:60] = 2
    labels[0, 20:60, 85:105] = 1  # as large as what is left of it on the other side, and far
    labels[0, 10:70, 80:85] = 2
    assert (rejoined(labels, 2)[0] == labels[0])[20:60, [5, 104]].all()
