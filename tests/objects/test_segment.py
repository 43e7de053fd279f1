"""Subjects from prompts on small drawn clips: two blocks that cross, and what is refused."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from polytempo.camera.path import static_path
from polytempo.core.errors import InputError, ShapeError
from polytempo.core.progress import Progress
from polytempo.objects.prompts import prompts_from_text
from polytempo.objects.propose import contact_sheet, pick, propose
from polytempo.objects.segment import SegmentConfig, segment

SIZE = (120, 64)
N = 24


def crossing() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """A red block walks right in front of a blue one that walks left, before a soft wall."""
    rng = np.random.default_rng(5)
    wall = cv2.GaussianBlur(rng.integers(120, 230, (64, 120, 3)).astype(np.float32), (0, 0), 3)
    cloth = cv2.GaussianBlur(rng.integers(-60, 60, (64, 64, 3)).astype(np.float32), (0, 0), 1.5)
    clip = np.empty((N, 64, 120, 3), np.uint8)
    truth = {name: np.zeros((N, 64, 120), bool) for name in ("red", "blue")}
    for t in range(N):
        picture = wall.copy()
        xs = {"blue": 90 - 3 * t, "red": 12 + 3 * t}
        for name, colour in (("blue", (40, 60, 190)), ("red", (190, 40, 50))):
            x = xs[name]
            picture[20:52, x : x + 18] = np.array(colour) + cloth[:32, :18]
            for one in truth.values():
                one[t, 20:52, x : x + 18] = False
            truth[name][t, 20:52, x : x + 18] = True
        clip[t] = np.clip(picture + rng.normal(0, 1.5, picture.shape), 0, 255)
    return clip, truth


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / max((a | b).sum(), 1))


@pytest.fixture(scope="module")
def scene() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    return crossing()


@pytest.mark.slow
def test_two_blocks_that_cross_keep_their_names(scene: tuple[np.ndarray, dict[str, np.ndarray]]) -> None:
    clip, truth = scene
    texts = ["red=box:9,17,33,55@0", "blue=box:87,17,111,55@0"]
    prompts = prompts_from_text(texts, clip_size=SIZE, n_frames=N)
    told: list[Progress] = []
    masks = segment(clip, static_path(N, SIZE), prompts, report=told.append)
    assert list(masks) == ["red", "blue"]
    assert not (masks["red"] & masks["blue"]).any()
    for name, mask in masks.items():
        assert overlap(mask, truth[name]) > 0.85
        # Found again on the far side of the crossing.
        assert overlap(mask[-1], truth[name][-1]) > 0.8
    assert told


@pytest.mark.slow
def test_movers_are_proposed_and_can_be_picked(scene: tuple[np.ndarray, dict[str, np.ndarray]]) -> None:
    clip, truth = scene
    found = propose(clip, static_path(N, SIZE))
    assert len(found) >= 2
    assert found[0].number == 1
    assert all(one.thumbnail.any() for one in found)
    assert overlap(found[0].masks[0], truth["red"][found[0].frames[0]] | truth["blue"][found[0].frames[0]]) > 0.3
    assert contact_sheet(clip, found, tile_width=60).shape[2] == 3
    prompts = pick(found, {"a": 1})
    assert prompts.names == ("a",)
    assert prompts.subjects[0].prompts[0].mask is not None


def test_trousers_in_the_colours_of_the_boards_are_proposed_and_a_shadow_on_them_is_not() -> None:
    rng = np.random.default_rng(3)
    boards = np.full((64, 120, 3), (140, 104, 70), np.float32)
    boards[:, ::4] = (96, 68, 44)
    clip = np.empty((N, 64, 120, 3), np.uint8)
    trousers = np.zeros((N, 64, 120), bool)
    shadow = np.zeros((N, 64, 120), bool)
    for t in range(N):
        x = 8 + 4 * t
        picture = boards.copy()
        shadow[t, 46:56, x : x + 14] = True
        picture[shadow[t]] *= 0.6
        picture[8:26, x : x + 14] = (40, 60, 190)
        trousers[t, 26:44, x : x + 14] = True
        picture[trousers[t]] = (112, 100, 56)
        clip[t] = np.clip(picture + rng.normal(0, 1.5, picture.shape), 0, 255)
    found = propose(clip, static_path(N, SIZE))
    assert found
    walker = found[0]
    frames = list(walker.frames)
    assert len(frames) > N // 2
    assert (walker.masks & trousers[frames]).sum() > 0.6 * trousers[frames].sum()
    assert (walker.masks & shadow[frames]).sum() < 0.15 * shadow[frames].sum()


@pytest.mark.refusal
def test_picking_refuses_what_is_not_there() -> None:
    with pytest.raises(InputError, match="something must move"):
        pick([], {"a": 1})
    with pytest.raises(InputError, match="at least one subject"):
        pick([], {})


def test_nothing_moves_nothing_is_proposed() -> None:
    clip = np.full((6, 32, 48, 3), 128, np.uint8)
    assert propose(clip, static_path(6, (48, 32))) == []
    assert contact_sheet(clip, [], tile_width=48).shape == (32, 48, 3)


@pytest.mark.refusal
def test_refuses_a_path_of_another_clip() -> None:
    clip = np.zeros((4, 32, 48, 3), np.uint8)
    prompts = prompts_from_text(["a=box:1,1,9,9@0"], clip_size=(48, 32), n_frames=4)
    with pytest.raises(ShapeError, match="belong together"):
        segment(clip, static_path(5, (48, 32)), prompts)


@pytest.mark.refusal
def test_refuses_prompts_beyond_the_clip() -> None:
    clip = np.zeros((4, 32, 48, 3), np.uint8)
    prompts = prompts_from_text(["a=box:1,1,9,9@8"], clip_size=(48, 32), n_frames=9)
    with pytest.raises(InputError, match="frames 0 to 3"):
        segment(clip, static_path(4, (48, 32)), prompts)


@pytest.mark.refusal
def test_names_a_subject_of_which_nothing_is_found() -> None:
    clip = np.full((4, 32, 48, 3), 128, np.uint8)
    texts = ["ghost=box:10,10,20,20@0", *(f"ghost=absent@{t}" for t in (1, 2, 3))]
    prompts = prompts_from_text(texts, clip_size=(48, 32), n_frames=4)
    with pytest.raises(InputError, match="no pixel for ghost"):
        segment(clip, static_path(4, (48, 32)), prompts, config=SegmentConfig(coarse_rounds=1, fine_rounds=1))
