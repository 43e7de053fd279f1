from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.project.small_scene import SIZE, N, small_clip, small_stack

from polytempo.layers.stack import LayerStack
from polytempo.project.measures import (
    FrameScore,
    frame_error,
    frame_score,
    leak_warnings,
    rebuilt_frames,
    unseen_warning,
)

FRAMES = list(range(N))


def frame_scores(stack: LayerStack, pictures: np.ndarray, frames: list[int]) -> list[FrameScore]:
    return [frame_score(stack, rebuilt, pictures[t], t) for t, rebuilt in rebuilt_frames(stack, small_clip(), frames)]


def test_a_perfect_stack_has_nothing_to_warn_of() -> None:
    stack, pictures, cast = small_stack()
    scores = frame_scores(stack, pictures, FRAMES)
    assert all(one.psnr_db > 50 and one.unseen_share == 0 for one in scores)
    assert leak_warnings(stack, cast, FRAMES) == []
    assert unseen_warning(scores) == []


def test_a_hole_is_told_with_its_share() -> None:
    stack, pictures, _ = small_stack(hole=True)
    scores = frame_scores(stack, pictures, [0, 3])
    assert scores[0].unseen_share == pytest.approx(400 / (SIZE[0] * SIZE[1]))
    assert unseen_warning(scores)[0].startswith("Up to 13.0 % of the picture (frame 0)")


def test_leaks_are_named() -> None:
    stack, _, cast = small_stack()
    girl, boy = stack.layers
    both = np.maximum(np.asarray(girl.pictures), np.asarray(boy.pictures) // 2)
    leaking = replace(stack, layers=(replace(girl, pictures=both), boy))
    assert any("Layer girl covers" in one and "boy alone" in one for one in leak_warnings(leaking, cast, FRAMES))
    stuck = np.array(girl.pictures)
    stuck[:, 40:, :, 3] = 90
    holding = replace(stack, layers=(replace(girl, pictures=stuck), boy))
    assert any("Layer girl holds on to" in one for one in leak_warnings(holding, cast, FRAMES))


def test_error_is_the_largest_over_colours() -> None:
    one = np.zeros((1, 1, 3), np.uint8)
    assert frame_error(one, one + np.array([3, 200, 7], np.uint8))[0, 0] == 200
    assert frame_error(one + np.uint8(9), one)[0, 0] == 9
