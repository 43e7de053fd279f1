"""Specks go, pinholes are filled, subjects stay apart."""

from __future__ import annotations

import numpy as np

from polytempo.objects.tidy import tidy_masks


def test_specks_go_and_pinholes_close() -> None:
    labels = np.zeros((2, 40, 40), np.uint8)
    labels[:, 5:30, 5:20] = 1
    labels[:, 10, 10] = 0
    labels[0, 35, 35] = 1
    masks = tidy_masks(labels, 1)
    assert masks[0, 0].sum() == 25 * 15
    assert not masks[0, 0, 35, 35]


def test_another_subject_in_a_hole_stays() -> None:
    labels = np.zeros((1, 40, 40), np.uint8)
    labels[0, 5:35, 5:35] = 1
    labels[0, 18:22, 18:22] = 2
    masks = tidy_masks(labels, 2)
    assert not (masks[0] & masks[1]).any()
    assert masks[1].sum() == 16


def test_an_empty_subject_stays_empty() -> None:
    assert not tidy_masks(np.zeros((3, 8, 8), np.uint8), 2).any()
