"""Scenes put together of a clip's own cut-outs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.objects.two_blocks import COLOURS, H, N, W, two_blocks

from polytempo.objects.persistence import STEPS
from polytempo.objects.scenes import (
    UNKNOWN,
    SceneConfig,
    cut_outs,
    frames_apart,
    known_labels,
    played,
    rehearsed_scene,
    seen_scene,
    window_of,
)

CONFIG = SceneConfig()


def test_frames_apart_are_those_in_which_nobody_touches() -> None:
    _, labels = two_blocks()
    assert frames_apart(labels, 2).tolist() == [True] * (N - 2) + [False] * 2
    labels[0][labels[0] == 2] = 0
    assert not frames_apart(labels, 2)[0]


def test_labels_where_subjects_meet_are_not_learned_from() -> None:
    backdrop, labels = two_blocks()
    known = known_labels(labels, 2, lasting=backdrop.lasting)
    assert (known[: N - 2] == labels[: N - 2]).all()
    assert (known[-1][labels[-1] > 0] == UNKNOWN).all()
    assert known[-1][0, 0] == 0
    together = np.where(labels > 0, np.uint8(1), labels)
    together[:, :, 40:][labels[:, :, 40:] > 0] = 2
    together[:, 20:30, 10:75] = np.where(together[:, 20:30, 10:75] == 0, np.uint8(1), together[:, 20:30, 10:75])
    same = known_labels(together, 2, lasting=backdrop.lasting)
    assert (same == together).all()  # never apart: there is nothing better


def test_what_lasts_beside_a_meeting_is_background() -> None:
    backdrop, labels = two_blocks()
    mistaken = labels.copy()
    mistaken[-1, 40:46, 20:40] = 1  # a piece of furniture taken for a subject
    known = known_labels(mistaken, 2, lasting=backdrop.lasting)
    assert (known[-1, 40:46, 20:40] == 0).all()


def test_cut_outs_hold_the_subject_its_motion_and_come_from_frames_apart() -> None:
    backdrop, labels = two_blocks()
    cuts = cut_outs(backdrop, labels, 2, config=CONFIG)
    assert [len(one) for one in cuts] == [N - 2, N - 2]
    first = cuts[1][0]
    inside = first.picture[first.mask > 0].astype(float)
    assert first.mask.shape == first.picture.shape[:2] == first.lasting.shape
    assert inside[:, 2].mean() > inside[:, 0].mean()  # the blue one
    assert np.allclose(cuts[0][0].motion[cuts[0][0].mask > 0], (2, 0, -2, 0))
    assert not cuts[1][0].motion.any()


@pytest.mark.parametrize("seed", range(8))
def test_a_rehearsed_scene_shows_its_labels(seed: int) -> None:
    backdrop, labels = two_blocks()
    plain = replace(CONFIG, wild_share=0.0, turn_deg=0.0, grow=0.0, light=0.0, drift_px=0.0)
    cuts = cut_outs(backdrop, labels, 2, config=plain)
    before = backdrop.pictures.copy(), backdrop.motion.copy()
    scene = rehearsed_scene(backdrop, labels, cuts, np.random.default_rng(seed), config=plain)
    assert np.array_equal(before[0], backdrop.pictures)  # the clip itself stays as it is
    assert np.array_equal(before[1], backdrop.motion)
    assert set(np.unique(scene.wanted)) <= {0, 1, 2}
    for label in (1, 2):
        inside = np.zeros((H, W), bool)
        inside[1:-1, 1:-1] = True
        there = (scene.wanted == label) & inside
        if there.sum() < 60:
            continue
        colour = np.abs(scene.picture[there].astype(int) - COLOURS[label]).max(-1) < 40
        head = np.abs(scene.picture[there].astype(int) - (230, 190, 150)).max(-1) < 40
        assert (colour | head).mean() > 0.7
    still = (scene.wanted == 0) & (np.abs(scene.motion).max(-1) == 0)
    assert still.sum() > 0.8 * (scene.wanted == 0).sum()


def test_a_mirrored_scene_moves_the_other_way_and_twice_is_the_same() -> None:
    backdrop, labels = two_blocks()
    scene = seen_scene(backdrop, 0, labels[0])
    flipped = scene.mirrored()
    assert np.allclose(flipped.motion[flipped.wanted == 1], (-2, 0, 2, 0))
    again = flipped.mirrored()
    assert all(np.array_equal(getattr(again, name), getattr(scene, name)) for name in ("picture", "motion", "wanted"))


def test_a_window_shows_somebody_and_playing_keeps_labels() -> None:
    backdrop, labels = two_blocks()
    rng = np.random.default_rng(1)
    for _ in range(10):
        scene = played(seen_scene(backdrop, 2, labels[2]), rng, config=CONFIG)
        assert np.bincount(scene.wanted.ravel()).tolist() == np.bincount(labels[2].ravel()).tolist()
        part = window_of(scene, rng, (32, 32))
        assert part.wanted.shape == (32, 32)
        assert part.motion.shape == (32, 32, 4)
        assert (part.wanted > 0).any()
    assert backdrop.lasting.max() == STEPS - 1
