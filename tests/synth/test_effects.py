"""Shadows, reflections and dents."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from polytempo.synth.draw import DrawnScene
from polytempo.synth.effects import cast_shadow, floor_reflection
from polytempo.synth.figure import make_actor
from polytempo.synth.mats import dent, mats_of
from polytempo.synth.scene import Person, SceneSpec
from polytempo.synth.stage import moment

PERSON = Person(name="p", start=(0.5, 0.8), stop=(0.5, 0.8))
SPEC = SceneSpec(name="s", people=(PERSON,), size=(160, 120), n_frames=4)


def _centre(plane: np.ndarray) -> tuple[float, float]:
    ys, xs = np.mgrid[: plane.shape[0], : plane.shape[1]]
    return float((plane * xs).sum() / plane.sum()), float((plane * ys).sum() / plane.sum())


def test_a_shadow_falls_where_the_light_says() -> None:
    actor, now = make_actor(SPEC, PERSON, oversample=1, seed=0), moment(SPEC, PERSON, 0.0)
    right = cast_shadow(SPEC, actor, now, frame_from_ref=np.eye(3))
    left = cast_shadow(replace(SPEC, light=(-0.55, 0.28)), actor, now, frame_from_ref=np.eye(3))
    assert _centre(left)[0] < now.feet[0] - 3 < now.feet[0] + 3 < _centre(right)[0]
    assert 0.3 < right.max() <= 1
    assert right[0, 0] == 0


def test_no_light_no_shadow() -> None:
    dull = replace(SPEC, shadow=0.0)
    actor, now = make_actor(dull, PERSON, oversample=1, seed=0), moment(dull, PERSON, 0.0)
    assert not cast_shadow(dull, actor, now, frame_from_ref=np.eye(3)).any()


def test_a_reflection_lies_below_the_feet_and_follows_the_gloss() -> None:
    actor, now = make_actor(SPEC, PERSON, oversample=1, seed=0), moment(SPEC, PERSON, 0.0)
    gloss = np.full((120, 160), 0.5, np.float32)
    strong = floor_reflection(SPEC, actor, now, frame_from_ref=np.eye(3), gloss=gloss)
    weak = floor_reflection(SPEC, actor, now, frame_from_ref=np.eye(3), gloss=gloss / 2)
    assert strong is not None
    assert weak is not None
    assert strong.y + _centre(strong.rgba[..., 3])[1] > now.feet[1]
    assert 0.1 < strong.rgba[..., 3].max() <= 0.5
    assert np.allclose(strong.rgba, 2 * weak.rgba, atol=1e-5)


def test_a_flat_mat_is_no_effect_and_a_dent_is_deepest_in_the_middle() -> None:
    jumper = replace(PERSON, action="jump")
    spec = replace(SPEC, people=(jumper,), mats=True)
    mat = mats_of(spec)[0]
    assert mat is not None
    assert dent(spec, mat, 0.0, frame_from_ref=np.eye(3)) is None
    found = dent(spec, mat, 0.05, frame_from_ref=np.eye(3))
    assert found is not None
    x, y, rgba = found
    assert rgba[round(mat.centre[1]) - y, round(mat.centre[0]) - x, 3] == 1
    assert rgba[0, 0, 3] == 0


def test_who_walks_has_no_mat() -> None:
    assert mats_of(replace(SPEC, mats=True)) == (None,)


def test_effects_stay_faint_beside_bodies(crossing_scene: DrawnScene) -> None:
    assert crossing_scene.effects[..., 3].max() < 252
    assert (crossing_scene.effects[..., 3] > 20).sum() > 2000
