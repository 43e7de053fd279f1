"""Ready-made scenes: what each is for holds."""

from __future__ import annotations

import numpy as np
import pytest

from polytempo.core.errors import InputError
from polytempo.synth.draw import DrawnScene, draw
from polytempo.synth.scenes import crossing, jumpers, pan, walkers


@pytest.mark.parametrize("make", [crossing, walkers, jumpers, pan])
def test_every_retime_names_every_frame(make) -> None:
    spec = make(size=(128, 96), n_frames=12)
    assert len({one.name for one in spec.retimes}) == len(spec.retimes) > 0
    for one in spec.retimes:
        assert len(one.maps) == len(spec.people)
        assert all(len(frames) == 12 and min(frames) >= 0 and max(frames) < 12 for frames in one.maps)


def test_the_crossing_hides_a_person(crossing_scene: DrawnScene) -> None:
    seen = crossing_scene.masks[0].sum((1, 2)) / crossing_scene.amodal[0].sum((1, 2))
    assert seen.min() < 0.4
    assert seen[0] == seen[-1] == 1


@pytest.mark.slow
def test_the_crossing_at_full_length_hides_a_person_wholly() -> None:
    d = draw(crossing(size=(224, 128)))
    assert (d.masks[0].sum((1, 2)) / d.amodal[0].sum((1, 2))).min() < 0.02


def test_walkers_change_places() -> None:
    d = draw(walkers(n_people=3, size=(96, 64), n_frames=6, seed=2))
    assert all(sorted(one) == [1, 2, 3] for one in d.order)


def test_a_jumper_dents_the_mat_only_while_on_it(jumping_scene: DrawnScene) -> None:
    opaque = (jumping_scene.effects[0, ..., 3] > 250).sum((1, 2))
    assert opaque.max() > 50
    assert opaque.min() == 0


def test_sync_shows_everybody_at_one_phase() -> None:
    spec = jumpers(n_people=2, n_frames=48)
    sync = next(one for one in spec.retimes if one.name == "sync")
    first, second = spec.people
    at = (np.array(sync.maps[1]) - 23.5) / second.period + second.phase
    wanted = (np.arange(48) - 23.5) / first.period + first.phase
    assert np.abs((at - wanted + 0.5) % 1 - 0.5).max() < 0.06
    assert sync.maps[0] == tuple(range(48))


def test_the_pan_turns(panning_scene: DrawnScene) -> None:
    assert panning_scene.camera.kind == "panning"
    assert panning_scene.camera.canvas_size[0] > 1.2 * 128


def test_a_hand_trembles_a_little(jumping_scene: DrawnScene) -> None:
    path = jumping_scene.camera.canvas_from_frame
    moved = np.hypot(*(path[:, :2, 2] - path[6, :2, 2]).T)
    assert jumping_scene.camera.kind == "stabilised"
    assert 0 < moved.max() < 6


@pytest.mark.refusal
def test_too_many_jumpers_are_refused() -> None:
    with pytest.raises(InputError, match=r"synth\.scenes: the number of jumpers must be 1 to 5; got 6"):
        jumpers(n_people=6)
