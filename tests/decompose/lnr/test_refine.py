"""The last steps by gradient: nearer to the frame, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from polytempo.decompose.lnr.refine import RefineConfig, refine_frame

SHAPE = (24, 32)
Layers = dict[int, NDArray[np.float32]]


def _over(background: NDArray[np.float32], effects: Layers, bodies: Layers) -> NDArray[np.float32]:
    for rgba in (*(effects[i] for i in (2, 1)), *(bodies[i] for i in (2, 1))):
        background = rgba[..., :3] + (1 - rgba[..., 3:]) * background
    return background


def _scene() -> tuple[NDArray[np.float32], NDArray[np.float32], Layers, Layers, Layers]:
    """A frame whose layer 1 has a shadow twice as dark, and a body of another colour, than its layers say."""
    background = np.random.default_rng(1).uniform(0.5, 0.8, (*SHAPE, 3)).astype(np.float32)
    effects = {i: np.zeros((*SHAPE, 4), np.float32) for i in (1, 2)}
    bodies = {i: np.zeros((*SHAPE, 4), np.float32) for i in (1, 2)}
    effects[1][14:20, 4:14, 3] = 0.2
    bodies[1][4:14, 6:12] = (0.6, 0.2, 0.2, 1.0)
    bodies[2][4:14, 20:26] = (0.2, 0.2, 0.6, 1.0)
    picture = background.copy()
    picture[14:20, 4:14] *= 0.6
    picture[4:14, 6:12] = (0.7, 0.3, 0.1)
    picture[4:14, 20:26] = (0.2, 0.2, 0.6)
    silhouettes = {i: (bodies[i][..., 3] > 0).astype(np.float32) for i in (1, 2)}
    return picture, background, effects, bodies, silhouettes


def _refined(config: RefineConfig) -> tuple[Layers, Layers]:
    picture, background, effects, bodies, silhouettes = _scene()
    return refine_frame(
        picture, background, effects, bodies, order=(2, 1), silhouettes=silhouettes, scale=1.0, config=config
    )


def test_the_layers_composite_nearer_to_the_frame() -> None:
    picture, background, effects, bodies, _ = _scene()
    before = np.abs(_over(background, effects, bodies) - picture).mean()
    after = np.abs(_over(background, *_refined(RefineConfig())) - picture).mean()
    assert before > 0.015
    assert after < 0.4 * before


def test_what_the_layers_explain_already_is_left_bit_for_bit() -> None:
    _, _, old_effects, old_bodies, _ = _scene()
    effects, bodies = _refined(RefineConfig())
    assert np.array_equal(bodies[2], old_bodies[2])
    assert np.array_equal(effects[2], old_effects[2])
    assert not np.array_equal(effects[1], old_effects[1])
    outside = np.ones(SHAPE, bool)
    outside[14:20, 4:14] = outside[4:14, 6:12] = False
    assert not effects[1][outside].any()
    assert not bodies[1][outside].any()


def test_layers_stay_premultiplied_and_bodies_opaque_inside() -> None:
    effects, bodies = _refined(RefineConfig())
    for rgba in (*effects.values(), *bodies.values()):
        assert (rgba[..., :3] <= rgba[..., 3:] + 1e-6).all()
        assert rgba.min() >= 0
        assert rgba.max() <= 1
    assert bodies[1][9, 9, 3] > 0.95


@pytest.mark.parametrize("config", [RefineConfig(n_steps=0), RefineConfig(residual_from=2.0)], ids=["none", "all good"])
def test_without_steps_or_misses_nothing_changes(config: RefineConfig) -> None:
    _, _, old_effects, old_bodies, _ = _scene()
    effects, bodies = _refined(config)
    assert all(np.array_equal(effects[i], old_effects[i]) for i in (1, 2))
    assert all(np.array_equal(bodies[i], old_bodies[i]) for i in (1, 2))


def test_a_dear_alpha_stays_smaller() -> None:
    cheap, _ = _refined(RefineConfig(regulariser=0.0))
    dear, _ = _refined(RefineConfig(regulariser=2.0))
    assert dear[1][..., 3].sum() < 0.9 * cheap[1][..., 3].sum()


def test_the_same_frame_gives_the_same_bits() -> None:
    one, other = _refined(RefineConfig()), _refined(RefineConfig())
    assert all(np.array_equal(one[k][i], other[k][i]) for k in (0, 1) for i in (1, 2))


def test_what_the_frame_does_not_show_is_not_refined() -> None:
    """A shadow beneath an opaque body, and the paint of two bodies in one pixel, stay bit for bit."""
    picture, background, effects, bodies, silhouettes = _scene()
    effects[1][4:14, 6:12, 3] = 0.4  # beneath body 1, whose colour is wrong
    bodies[2][4:9, 6:9] = (0.2, 0.2, 0.6, 1.0)  # behind it, too
    new_effects, new_bodies = refine_frame(
        picture, background, effects, bodies, order=(2, 1), silhouettes=silhouettes, scale=1.0, config=RefineConfig()
    )
    assert np.array_equal(new_effects[1][4:14, 6:12], effects[1][4:14, 6:12])
    assert np.array_equal(new_bodies[2], bodies[2])
    assert np.array_equal(new_bodies[1][4:9, 6:9], bodies[1][4:9, 6:9])
    assert not np.array_equal(new_bodies[1][9:14, 6:12], bodies[1][9:14, 6:12])
