from __future__ import annotations

import blocks
import numpy as np
import pytest
from small_runs import maps_of_blocks

from polytempo.decompose.lnr.schedule import easiest_first

SCENES = (
    blocks.motion, blocks.proximity, blocks.two_people, blocks.splash, blocks.cart, blocks.apart_and_together,
)  # fmt: skip


@pytest.mark.parametrize("make", SCENES, ids=lambda one: one.__name__)
def test_what_goes_with_people_lies_where_it_is_said_to(make: object) -> None:
    assert callable(make)
    scene = make()
    for effect in scene.effects.values():
        assert effect.seen.any()
        assert not (effect.seen & ~effect.whole).any()
        assert not (effect.seen & scene.bodies.any(0)).any()
        assert np.abs(scene.pictures[effect.seen].astype(int) - effect.colour).max() <= 1
        assert effect.whole.mean(0).max() <= 0.5  # else the background might stand for it
    for one in scene.cast.subjects:
        assert (one.mask <= one.amodal).all()


def test_the_truth_of_everybody_is_the_clip_and_of_nobody_the_place() -> None:
    scene = blocks.two_people(texture=25)
    assert np.array_equal(scene.truth((1, 2)), scene.pictures)
    assert np.array_equal(scene.truth(()), np.repeat(scene.clean[None], blocks.N_FRAMES, 0))
    without_her = scene.truth((2,))
    hidden = scene.cast.subjects[1].amodal & ~scene.cast.subjects[1].mask
    assert hidden.any()
    assert np.array_equal(without_her[hidden], scene.paint[1][hidden])


def test_the_correlated_square_keeps_its_distance_and_the_random_one_does_not() -> None:
    scene = blocks.motion()
    body = scene.bodies[0]
    away = {
        name: [
            np.nonzero(effect.whole[t])[1].mean() - np.nonzero(body[t])[1].mean()
            for t in range(len(body))
        ]
        for name, effect in scene.effects.items()
    }  # fmt: skip
    assert np.std(away["with her"]) < 0.5
    assert np.std(away["at random"]) > 5


@pytest.mark.parametrize("seed", range(5))
def test_the_easier_half_is_that_in_which_people_are_apart_and_each_is_seen_in_the_same_places(seed: int) -> None:
    scene = blocks.apart_and_together(seed)
    n_frames = len(scene.pictures)
    ranked = easiest_first(maps_of_blocks(scene).trimap.transpose(1, 0, 2, 3) == 2)
    assert sorted(ranked[: n_frames // 2]) == list(range(n_frames // 2))
    both = scene.bodies.all(0).any((1, 2))
    assert both.tolist() == [False] * (n_frames // 2) + [True] * (n_frames // 2)
    for k, effect in enumerate(scene.effects.values()):
        # Where both are there, the square is beside the other one's body; elsewhere it is far from it.
        gaps = [np.abs(np.nonzero(scene.bodies[1 - k][t])[1].mean() - np.nonzero(effect.whole[t])[1].mean())
                for t in range(n_frames)]  # fmt: skip
        assert max(gaps[n_frames // 2 :]) < 8 < min(gaps[: n_frames // 2])
        columns = np.array([np.nonzero(scene.bodies[k][t])[1].mean() for t in range(n_frames)])
        alone, together = columns[: n_frames // 2], columns[n_frames // 2 :]
        assert all(np.abs(alone - one).min() < 8 for one in together)
