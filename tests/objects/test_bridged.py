"""A foot apart from its knee brings the shin between them, where nobody in front can part them."""

from __future__ import annotations

import numpy as np
import pytest

from polytempo.objects.bridged import bridged

H, W = 80, 60
SKIN, SHIRT, WALL = (150, 150, 150), (60, 128, 128), (220, 128, 128)


def leg_before_somebody() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """She (1) stands before him (2); her shin, rows 47 to 59, was taken for him. Labels, picture, the true shin."""
    lab = np.full((1, H, W, 3), WALL, np.uint8)
    labels = np.zeros((1, H, W), np.uint8)
    lab[0, 30:70, 5:45], labels[0, 30:70, 5:45] = SHIRT, 2
    lab[0, 5:70, 25:31], labels[0, 5:70, 25:31] = SKIN, 1
    lab[0, 5:30, 15:42], labels[0, 5:30, 15:42] = SKIN, 1
    lab[0, 64:70, 25:38], labels[0, 64:70, 25:38] = SKIN, 1
    shin = np.zeros((H, W), bool)
    shin[47:60, 25:31] = True
    labels[0][shin] = 2
    return labels, lab, shin


def in_front(who: int) -> np.ndarray:
    behind = np.zeros((1, 2, 2), bool)
    behind[0, who - 1, 2 - who] = True
    return behind


def test_the_shin_comes_and_nothing_else() -> None:
    labels, lab, shin = leg_before_somebody()
    followed = np.broadcast_to(~shin, labels.shape)
    found = bridged(labels, 2, followed, in_front(1), lab)
    assert (found[0][shin] == 1).mean() > 0.95
    np.testing.assert_array_equal(found[0][~shin], labels[0][~shin])


@pytest.mark.parametrize("why", ["she is behind", "he was followed there", "the foot was not", "too far", "bare"])
def test_nothing_comes_where_the_piece_may_be_wrong(why: str) -> None:
    labels, lab, shin = leg_before_somebody()
    followed = np.broadcast_to(~shin, labels.shape).copy()
    behind = in_front(1)
    if why == "she is behind":
        behind = in_front(2)
    if why == "he was followed there":
        followed[:] = True
    if why == "the foot was not":
        followed[0, 60:] = False
    if why == "too far":
        labels[0, 10:60, 25:31] = np.where(labels[0, 10:60, 25:31] == 1, 2, labels[0, 10:60, 25:31])
        labels[0, 5:40, 15:25] = labels[0, 5:40, 31:42] = labels[0, 10:40, 25:31] = 2
    if why == "bare":
        labels[0][shin] = 0
    np.testing.assert_array_equal(bridged(labels, 2, followed, behind, lab), labels)


def test_nobody_known_to_be_behind_changes_nothing() -> None:
    labels, lab, _ = leg_before_somebody()
    nothing = np.zeros((1, 2, 2), bool)
    np.testing.assert_array_equal(bridged(labels, 2, np.ones(labels.shape, bool), nothing, lab), labels)
