"""Pieces of a body that lie apart: given to whoever they touch, kept where something may hide the join."""

from __future__ import annotations

import numpy as np

from polytempo.objects.flow import FlowField
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


def head_behind_an_arm(*, bare_px: int, joined: bool) -> tuple[np.ndarray, FlowField]:
    """``hidden_join`` on the second of two frames; on the first the head was joined to its body, or was not there."""
    before, after = np.zeros((160, 120), np.uint8), hidden_join(bare_px=bare_px)[0]
    before[100:150, 30:90] = 1
    if joined:
        before[18:100, 50:64] = 1
    still = np.zeros((1, 160, 120, 2), np.float16)
    return np.stack([before, after]), FlowField(to_next=still, to_previous=still)


def test_a_head_that_was_on_its_shoulders_a_frame_before_stays_when_somebody_comes_between() -> None:
    for bare_px, joined, stays in ((15, True, True), (15, False, False), (50, True, False)):
        labels, flow = head_behind_an_arm(bare_px=bare_px, joined=joined)
        kept = rejoined(labels, 2, flow=flow)[1, 18:30, 50:64]
        assert (kept == (1 if stays else 2)).all(), (bare_px, joined)  # 50 px: more of nothing than of somebody else
        assert (rejoined(labels, 2)[1, 18:30, 50:64] == 2).all()


def test_it_stays_for_as_long_as_flow_leads_back_to_its_shoulders() -> None:
    labels, _ = head_behind_an_arm(bare_px=15, joined=True)
    labels = np.stack([labels[0], labels[1], labels[1], labels[1]])
    still = np.zeros((3, 160, 120, 2), np.float16)
    away = np.full((3, 160, 120, 2), 40, np.float16)
    head = np.s_[1:, 18:30, 50:64]
    assert (rejoined(labels, 2, flow=FlowField(to_next=still, to_previous=still))[head] == 1).all()
    assert (rejoined(labels, 2, flow=FlowField(to_next=away, to_previous=away))[head] == 2).all()


def test_who_is_behind_hides_no_piece_of_who_is_in_front() -> None:
    labels = hidden_join(bare_px=0)
    followed = np.ones(labels.shape, bool)
    behind = np.zeros((1, 2, 2), bool)
    behind[0, 1, 0] = True  # the first subject is behind the second: the join may be hidden
    assert (rejoined(labels, 2, followed, behind=behind) == labels).all()
    found = rejoined(labels, 2, followed, behind=behind.transpose(0, 2, 1))
    assert (found[0, 18:30, 50:64] == 2).all()
    assert (found[0, 30:] == labels[0, 30:]).all()


def test_a_short_gap_is_bare_where_nobody_is_and_none_where_somebody_lies_who_is_behind() -> None:
    labels = np.zeros((1, 80, 120), np.uint8)
    labels[0, 10:50, 20:60] = 1
    labels[0, 54:70, 30:40] = 1  # four pixels below: a limb of which a little was missed
    labels[0, 50:70, 40:100] = 2
    behind = np.zeros((1, 2, 2), bool)
    behind[0, 0, 1] = True
    assert (rejoined(labels, 2, behind=behind) == labels).all()
    labels[0, 50:54, 30:40] = 2
    assert (rejoined(labels, 2, behind=behind)[0, 50:70, 30:40] == 2).all()
    assert (rejoined(labels, 2) == labels).all()  # else the second one may hide the join


def test_a_strip_along_who_is_behind_is_theirs_however_near_to_a_foot() -> None:
    labels = np.zeros((1, 80, 120), np.uint8)
    labels[0, 10:70, 20:40] = 1
    labels[0, 20:60, 46:100] = 2
    labels[0, 60:66, 44:90] = 1  # between his knees and the bed, four pixels from her foot
    behind = np.zeros((1, 2, 2), bool)
    assert (rejoined(labels, 2, behind=behind) == labels).all()
    behind[0, 0, 1] = True
    found = rejoined(labels, 2, behind=behind)
    assert (found[0, 60:66, 44:90] == 2).all()
    assert (found[0, :, :44] == labels[0, :, :44]).all()
