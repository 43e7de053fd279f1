"""The whole preset on a scene small enough for every run of the tests."""

from __future__ import annotations

import numpy as np
import pytest
from two_squares import TwoSquares

from polytempo.camera.plate import CleanPlate
from polytempo.decompose.lnr.draft import DraftConfig, background_of, decompose_draft
from polytempo.decompose.lnr.network import OwnershipConfig
from polytempo.decompose.lnr.ownership import OwnershipTraining
from polytempo.layers.stack import LayerStack

CONFIG = DraftConfig(
    grow_px=2,
    training=OwnershipTraining(
        epochs=30, batch_frames=4, scale=1, learning_rate=6e-3, network=OwnershipConfig(channels=8, levels=4)
    ),
)


@pytest.fixture(scope="module")
def stack(squares: TwoSquares) -> LayerStack:
    return decompose_draft(squares.pictures, squares.camera, squares.cast, config=CONFIG, seed=1)


def test_the_background_keeps_an_exposure_that_moves_and_only_such() -> None:
    gains = np.ones((3, 3), np.float32)
    plate = CleanPlate(
        colour=np.full((4, 5, 3), 0.5, np.float32),
        noise=np.zeros((4, 5), np.float32),
        coverage=np.ones((4, 5), np.uint16),
        exposure=gains,
    )
    assert background_of(plate).exposure is None
    gains[1] = 1.1
    kept = background_of(plate).exposure
    assert kept is not None
    assert np.array_equal(kept, gains)


def _shown(stack: LayerStack, t: int, layer_ids: tuple[int, ...]) -> np.ndarray:
    out = stack.background.colour.astype(np.float32)
    parts = [stack.background.live]
    parts += [stack.layer(i).effects for i in stack.order[t] if i in layer_ids]
    parts += [stack.layer(i).pictures for i in stack.order[t] if i in layer_ids]
    for pictures in parts:
        assert pictures is not None
        rgba = pictures[t]
        out = rgba[..., :3] + (1 - rgba[..., 3:] / 255) * out
    return out


@pytest.mark.slow
def test_the_stack_gives_the_clip_back(squares: TwoSquares, stack: LayerStack) -> None:
    assert [layer.name for layer in stack.layers] == ["runner", "bobber"]
    error = np.stack([_shown(stack, t, (1, 2)) - squares.pictures[t] for t in range(stack.n_frames)])
    assert np.sqrt((error**2).mean()) < 3


@pytest.mark.slow
def test_removing_one_takes_its_effect_and_leaves_the_others(squares: TwoSquares, stack: LayerStack) -> None:
    for t in range(2, stack.n_frames - 2, 3):
        without = _shown(stack, t, (2,))
        assert np.abs(without - squares.background)[squares.effects[1][t]].mean() < 8
        assert np.abs(without - squares.pictures[t])[squares.effects[2][t]].mean() < 8
