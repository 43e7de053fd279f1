from __future__ import annotations

import numpy as np

from polytempo.decompose.lnr.schedule import easiest_first, loss_weights


def test_the_mask_loss_is_relaxed_after_the_bootstrap_epoch_and_then_off() -> None:
    assert [loss_weights(e, bootstrap_epoch=None).mask for e in (0, 500)] == [50, 50]
    assert [loss_weights(e, bootstrap_epoch=30).mask for e in (30, 31, 60, 61)] == [50, 5, 5, 0]


def test_l1_ends_after_200_epochs_and_the_regulariser_stays() -> None:
    assert [loss_weights(e, bootstrap_epoch=10).alpha_l1 for e in (200, 201)] == [2, 0]
    assert loss_weights(999, bootstrap_epoch=10).regulariser == 0.005


def test_frames_are_ranked_by_overlap_then_distance() -> None:
    # Two boxes of 10 x 10: overlap in frame 0, far apart in 1, near in 2, overlap a little in 3.
    masks = np.zeros((2, 4, 20, 60), bool)
    masks[0, :, 5:15, 5:15] = True
    for t, x in enumerate((8, 45, 20, 13)):
        masks[1, t, 5:15, x : x + 10] = True
    assert easiest_first(masks) == [1, 2, 3, 0]


def test_frames_with_one_layer_or_none_are_easiest() -> None:
    masks = np.zeros((2, 3, 8, 8), bool)
    masks[0, 1, 2:4, 2:4] = True
    masks[1, 1, 2:4, 2:4] = True
    masks[0, 2, 2:4, 2:4] = True
    assert easiest_first(masks) == [0, 2, 1]
    assert easiest_first(masks[:1]) == [0, 1, 2]
