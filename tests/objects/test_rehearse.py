"""Scenes put together of a clip's own cut-outs, and what a network learns from them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from polytempo.objects.rehearse import (
    UNKNOWN,
    Backdrop,
    RehearseConfig,
    cut_outs,
    frames_apart,
    known_labels,
    rehearse,
    told_by_context,
)

N, H, W = 8, 48, 80
CONFIG = RehearseConfig(channels=8, n_steps=60, window=(48, 48), batch=2)
COLOURS = {1: (200, 60, 60), 2: (60, 60, 200)}


def clip() -> tuple[Backdrop, np.ndarray]:
    """Two blocks with heads of one colour before a soft wall; they are apart, and meet in the last two frames."""
    rng = np.random.default_rng(3)
    wall = cv2.GaussianBlur(rng.integers(100, 220, (H, W, 3)).astype(np.float32), (0, 0), 4)
    pictures, labels = np.empty((N, H, W, 3), np.uint8), np.zeros((N, H, W), np.uint8)
    for t in range(N):
        picture = wall.copy()
        for label, x in ((1, 6 + 2 * t), (2, 58 if t < N - 2 else 26 + 2 * t - 8)):
            picture[18:40, x : x + 12] = COLOURS[label]
            picture[10:18, x + 2 : x + 10] = (230, 190, 150)
            labels[t, 18:40, x : x + 12] = label
            labels[t, 10:18, x + 2 : x + 10] = label
        pictures[t] = np.clip(picture + rng.normal(0, 2, picture.shape), 0, 255)
    plates = np.repeat(np.clip(wall, 0, 255).astype(np.uint8)[None], N, 0)
    return Backdrop(pictures=pictures, plates=plates, known=np.ones((N, H, W), bool)), labels


def test_frames_apart_are_those_in_which_nobody_touches() -> None:
    _, labels = clip()
    assert frames_apart(labels, 2).tolist() == [True] * (N - 2) + [False] * 2
    labels[0][labels[0] == 2] = 0
    assert not frames_apart(labels, 2)[0]


def test_labels_where_subjects_meet_are_not_learned_from() -> None:
    _, labels = clip()
    known = known_labels(labels, 2)
    assert (known[: N - 2] == labels[: N - 2]).all()
    assert (known[-1][labels[-1] > 0] == UNKNOWN).all()
    assert known[-1][0, 0] == 0
    together = np.where(labels > 0, np.uint8(1), labels)
    together[:, :, 40:][labels[:, :, 40:] > 0] = 2
    together[:, 20:30, 10:75] = np.where(together[:, 20:30, 10:75] == 0, np.uint8(1), together[:, 20:30, 10:75])
    assert (known_labels(together, 2) == together).all()  # never apart: there is nothing better


def test_cut_outs_hold_the_subject_and_come_from_frames_apart() -> None:
    backdrop, labels = clip()
    cuts = cut_outs(backdrop.pictures, labels, 2, config=CONFIG)
    assert [len(one) for one in cuts] == [N - 2, N - 2]
    first = cuts[1][0]
    inside = first.picture[first.mask > 0].astype(float)
    assert first.mask.shape == first.picture.shape[:2]
    assert inside[:, 2].mean() > inside[:, 0].mean()  # the blue one


def test_nothing_to_cut_out_gives_no_network() -> None:
    backdrop, labels = clip()
    labels[labels == 2] = 0
    assert rehearse(backdrop, labels, 2, config=CONFIG) is None


@pytest.mark.slow
def test_heads_of_one_colour_are_told_apart_by_what_is_below_them() -> None:
    backdrop, labels = clip()
    seen = labels.copy()
    seen[-2:] = np.where(labels[-2:] > 0, np.uint8(1), labels[-2:])  # wrong where they meet, and not believed
    net = rehearse(backdrop, seen, 2, config=CONFIG)
    assert net is not None
    more = rehearse(backdrop, seen, 2, config=replace(CONFIG, n_more=30), net=net)
    assert more is net
    told = told_by_context(net, backdrop)
    assert told.shape == (N, H, W, 3)
    assert np.allclose(np.exp(told.astype(np.float32)).sum(-1), 1, atol=0.02)
    best = told.argmax(-1)
    for t in (1, N - 1):
        for label in (1, 2):
            head = (labels[t] == label) & (np.arange(H) < 18)[:, None]
            assert (best[t][head] == label).mean() > 0.7


def test_the_number_of_threads_changes_nothing() -> None:
    backdrop, labels = clip()
    told: list[np.ndarray] = []
    before = torch.get_num_threads()
    for n in (1, 2):
        torch.set_num_threads(n)
        try:
            net = rehearse(backdrop, labels, 2, config=replace(CONFIG, n_steps=8))
            assert net is not None
            told.append(told_by_context(net, backdrop))
        finally:
            torch.set_num_threads(before)
    assert np.array_equal(told[0], told[1])
