"""Specks go, pinholes are filled, subjects stay apart."""

from __future__ import annotations

import numpy as np

from polytempo.objects.tidy import tidy_masks, without_rims


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


def test_a_small_piece_that_is_somebody_without_a_doubt_is_no_speck() -> None:
    labels = np.zeros((1, 60, 80), np.uint8)
    labels[0, 10:50, 10:50] = 1
    labels[0, 5:10, 60:66] = 1
    sure = np.zeros(labels.shape, bool)
    assert not tidy_masks(labels, 1, sure)[0, 0, 5:10, 60:66].any()
    sure[0, 5:10, 60:64] = True
    assert tidy_masks(labels, 1, sure)[0, 0, 5:10, 60:66].all()
    assert not tidy_masks(labels, 1, sure, least_px=31)[0, 0, 5:10, 60:66].any()


def test_a_sleeve_that_is_cut_off_counts_with_its_shirt() -> None:
    labels = np.zeros((1, 60, 80), np.uint8)
    labels[0, 10:50, 10:50] = 1
    for gap_px, stays in ((3, True), (12, False)):
        labels[0, 20:25] = np.where(labels[0, 20:25] == 1, 1, 0)
        labels[0, 20:25, 50:] = 0
        labels[0, 20:25, 50 + gap_px : 56 + gap_px] = 1
        assert tidy_masks(labels, 1)[0, 0, 22, 52 + gap_px] == stays


def test_a_rim_is_the_body_it_is_on() -> None:
    labels = np.zeros((1, 40, 60), np.uint8)
    labels[0, 10:30, 10:26], labels[0, 10:30, 26:28] = 1, 2  # somebody, and two pixels of another before the wall
    labels[0, 5:35, 40:56] = 2
    given = labels.copy()
    rid = without_rims(labels, 2)
    assert (rid[0, 10:30, 26:28] == 1).all()
    assert (rid[0, :, :26] == labels[0, :, :26]).all()
    assert (rid[0, :, 28:] == labels[0, :, 28:]).all()
    assert (labels == given).all()


def test_fingers_hair_and_what_is_wider_are_no_rims() -> None:
    labels = np.zeros((1, 40, 60), np.uint8)
    labels[0, 5:35, 5:30] = 1
    labels[0, 5:35, 30:34] = 2  # four pixels wide: seen beside somebody in front
    labels[0, 8:20, 12:14] = 2  # a strand that falls over somebody
    labels[0, 20:30, 44:54], labels[0, 22:24, 36:44] = 2, 2  # a finger before the wall
    assert (without_rims(labels, 2) == labels).all()
