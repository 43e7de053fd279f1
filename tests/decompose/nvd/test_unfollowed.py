"""Layers whose masks never meet the motion are named, with the frames in which they do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from polytempo.decompose.nvd.footage import Footage, clip_footage
from polytempo.decompose.nvd.unfollowed import unfollowed_layers
from polytempo.objects.cast import Cast, LayerPlan, Subject
from polytempo.objects.flow import neighbour_flow
from support.filmed import texture

N_FRAMES, WIDTH, HEIGHT = 10, 160, 96


def walked(k: int, t: int) -> tuple[slice, slice]:
    """Two boxes that pass over a wall, one to the right and one to the left."""
    left = (20 + 4 * t, 110 - 5 * t)[k]
    top = (10, 55)[k]
    return slice(top, top + 30), slice(left, left + 24)


@pytest.fixture(scope="module")
def clip() -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    wall, cloth = texture(WIDTH, HEIGHT, seed=1), texture(24, 30, seed=2)
    pictures = np.stack([wall] * N_FRAMES)
    masks = np.zeros((2, N_FRAMES, HEIGHT, WIDTH), np.bool_)
    for k in range(2):
        for t in range(N_FRAMES):
            pictures[t][walked(k, t)] = np.roll(cloth, 9 * k, axis=0)
            masks[k, t][walked(k, t)] = True
    return pictures, masks


def footage_of(pictures: NDArray[np.uint8], masks: NDArray[np.bool_]) -> Footage:
    subjects = tuple(
        Subject(subject_id=k + 1, name=f"{k}", mask=one, amodal=one, visibility=np.ones(N_FRAMES, np.float32))
        for k, one in enumerate(masks)
    )
    layers = tuple(LayerPlan(layer_id=one.subject_id, name=one.name, subject_ids=(one.subject_id,)) for one in subjects)
    cast = Cast(subjects=subjects, layers=layers, order=((1, 2),) * N_FRAMES)
    return clip_footage(pictures, cast, neighbour_flow(pictures))


def named(footage: Footage) -> list[tuple[int, str]]:
    return [(one.layer_id, one.why) for one in unfollowed_layers(footage)]


def test_those_whose_motion_is_followed_are_not_named(clip: tuple[NDArray[np.uint8], NDArray[np.bool_]]) -> None:
    assert named(footage_of(*clip)) == []


def test_noise_in_one_mask_or_everywhere_is_named_with_its_frames(
    clip: tuple[NDArray[np.uint8], NDArray[np.bool_]],
) -> None:
    random, (pictures, masks) = np.random.default_rng(0), clip
    seething = pictures.copy()
    seething[masks[1]] = random.integers(0, 256, (int(masks[1].sum()), 3))
    (one,) = unfollowed_layers(footage_of(seething, masks))
    assert (one.layer_id, one.why, one.n_frames) == (2, "lost", N_FRAMES - 1)
    assert one.frames == tuple(range(N_FRAMES - 1))
    noise = random.integers(0, 256, pictures.shape, dtype=np.uint8)
    assert named(footage_of(noise, masks)) == [(1, "lost"), (2, "lost")]


def test_masks_that_go_another_way_than_what_they_show_are_named(
    clip: tuple[NDArray[np.uint8], NDArray[np.bool_]],
) -> None:
    pictures, masks = clip
    empty = np.stack([texture(WIDTH, HEIGHT, seed=1)] * N_FRAMES)
    assert named(footage_of(empty, masks)) == [(1, "elsewhere"), (2, "elsewhere")]
    backwards = masks.copy()
    backwards[0] = masks[0, ::-1]
    assert named(footage_of(pictures, backwards)) == [(1, "elsewhere")]
    still = np.broadcast_to(masks[:, :1], masks.shape)
    assert named(footage_of(empty, still)) == []  # masks that stay say nothing of motion


def test_flow_that_never_comes_back_is_named_and_nobody_is_not(
    clip: tuple[NDArray[np.uint8], NDArray[np.bool_]],
) -> None:
    footage = footage_of(*clip)
    torn = replace(footage, trusted=tuple(torch.zeros_like(one) for one in footage.trusted))
    assert named(torn) == [(1, "lost"), (2, "lost")]
    assert named(replace(footage, masks=footage.masks * 0)) == []
