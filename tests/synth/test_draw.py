"""Drawn scenes: what is stored agrees with what is seen."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytempo.core.errors import InputError
from polytempo.edit.edl import identity_edl
from polytempo.render.sequence import render_frames
from polytempo.synth.draw import DrawnScene, draw
from polytempo.synth.scenes import crossing, walkers
from polytempo.video.clip import Clip, ColourTags


def test_everything_is_there_in_its_shape(crossing_scene: DrawnScene) -> None:
    d, shape = crossing_scene, (2, 12, 96, 128)
    assert d.pictures.shape == d.clean.shape == (12, 96, 128, 3)
    assert d.bodies.shape == d.effects.shape == d.layers.shape == (*shape, 4)
    assert d.masks.shape == d.amodal.shape == shape
    assert d.flow_forward.shape == (*shape, 2)
    assert d.keypoints.shape == (2, 12, 17, 3)
    assert d.order == ((1, 2),) * 12  # the far one is layer 1
    assert d.camera.kind == "static"


def test_the_same_spec_draws_the_same(lone_scene: DrawnScene) -> None:
    again = draw(lone_scene.spec)
    assert np.array_equal(again.pictures, lone_scene.pictures)
    assert np.array_equal(again.flow_forward, lone_scene.flow_forward)
    other = draw(replace(lone_scene.spec, seed=5))
    assert not np.array_equal(other.pictures, lone_scene.pictures)


def test_grain_has_the_stated_strength(crossing_scene: DrawnScene) -> None:
    difference = crossing_scene.pictures.astype(float) - crossing_scene.clean
    assert abs(difference.std() - 1.5) < 0.1
    assert abs(difference.mean()) < 0.05


@pytest.mark.parametrize("name", ["crossing_scene", "jumping_scene", "panning_scene"])
def test_layers_are_premultiplied_and_modal_lies_in_amodal(name: str, request: pytest.FixtureRequest) -> None:
    d: DrawnScene = request.getfixturevalue(name)
    for stored in (d.bodies, d.effects):
        assert (stored[..., :3].astype(int) <= stored[..., 3:].astype(int) + 1).all()
    assert not (d.masks & ~d.amodal).any()
    assert not (d.masks[0] & d.masks[1]).any()


def test_edits_that_change_nothing_give_the_clip(panning_scene: DrawnScene) -> None:
    same = tuple(range(12))
    assert np.array_equal(panning_scene.render(), panning_scene.clean)
    assert np.array_equal(panning_scene.render({1: same, 2: same}), panning_scene.clean)


def test_without_everybody_is_the_background(jumping_scene: DrawnScene) -> None:
    empty = jumping_scene.render(without=jumping_scene.layer_ids)
    assert np.array_equal(empty[3], jumping_scene.background(3))


def test_solo_is_without_the_other_and_gone_is_gone(crossing_scene: DrawnScene) -> None:
    alone = crossing_scene.render(solo=1)
    assert np.array_equal(alone, crossing_scene.render(without=[2]))
    assert np.array_equal(alone, crossing_scene.render({2: (None,) * 12}))


def test_a_layer_touches_only_where_it_is(crossing_scene: DrawnScene) -> None:
    d = crossing_scene
    changed = (d.render(without=[2]) != d.clean).any(-1)
    reach = (d.bodies[1, ..., 3] > 0) | (d.effects[1, ..., 3] > 0)
    assert changed.any()
    assert not (changed & ~reach).any()


def test_a_frozen_layer_under_a_turning_camera_moves_with_the_canvas(panning_scene: DrawnScene) -> None:
    d = panning_scene
    _, drawn = d.seen(1, 6, camera_frame=5)
    warped = cv2.warpPerspective(d.bodies[0, 6], d.camera.frame_from_frame(5, 6), (128, 96), flags=cv2.INTER_LINEAR)
    assert np.abs(drawn.astype(float) - warped)[..., 3].mean() < 0.6
    assert np.abs(drawn.astype(float) - d.bodies[0, 6])[..., 3].mean() > 1.5


@pytest.mark.parametrize("name", ["crossing_scene", "panning_scene"])
def test_flow_leads_to_the_next_frame(name: str, request: pytest.FixtureRequest) -> None:
    d: DrawnScene = request.getfixturevalue(name)
    ys, xs = np.mgrid[:96, :128].astype(np.float32)
    for k in range(2):
        flown, stayed = [], []
        for t in range(3, 8):
            inside = d.amodal[k, t]
            flow = d.flow_forward[k, t]
            ahead = cv2.remap(d.bodies[k, t + 1], xs + flow[..., 0], ys + flow[..., 1], cv2.INTER_LINEAR)
            flown.append(np.abs(ahead.astype(float) - d.bodies[k, t])[inside].mean())
            stayed.append(np.abs(d.bodies[k, t + 1].astype(float) - d.bodies[k, t])[inside].mean())
        assert np.mean(flown) < 0.5 * np.mean(stayed)
    assert not d.flow_forward[:, -1].any()
    assert not d.flow_forward[~d.amodal].any()


@pytest.mark.parametrize("name", ["crossing_scene", "jumping_scene", "panning_scene"])
def test_keypoints_lie_on_their_person(name: str, request: pytest.FixtureRequest) -> None:
    d: DrawnScene = request.getfixturevalue(name)
    near = np.ones((7, 7), np.uint8)
    n_seen = 0
    for k, t, i in np.ndindex(2, 12, 17):
        x, y, v = d.keypoints[k, t, i]
        column, row = round(float(x)), round(float(y))
        inside = 0 <= column < 128 and 0 <= row < 96
        assert (v > 0) == inside
        if v == 2:
            n_seen += 1
            assert cv2.dilate(d.bodies[k, t, ..., 3], near)[row, column] > 20  # motion blur thins fast hands
            assert not d.masks[1 - k, t, row, column]
    assert n_seen > 100


def test_the_true_stack_renders_the_truth(panning_scene: DrawnScene) -> None:
    d = panning_scene
    rendered = list(render_frames(d.stack(), identity_edl([p.name for p in d.spec.people], Fraction(1, 2)), _clip(d)))
    error = np.abs(np.stack(rendered).astype(int) - d.clean)
    assert error.max() <= 12  # two ways to a cubic warp
    assert error.mean() < 0.5


def _clip(d: DrawnScene) -> Clip:
    from pathlib import Path

    tags = ColourTags(matrix="smpte170m", primaries="smpte170m", transfer="smpte170m", full_range=False, assumed=True)
    width, height = d.spec.size
    return Clip(
        path=Path("drawn.mp4"), width=width, height=height, n_frames=d.spec.n_frames, frame_rate=Fraction(24),
        time_base=Fraction(1, 24), pts=tuple(range(d.spec.n_frames)), rotation=0, bit_depth=8, colour=tags,
        audio_codecs=(),
    )  # fmt: skip


@given(frames=st.lists(st.integers(0, 5), min_size=6, max_size=6))
@settings(max_examples=10, deadline=None)
def test_a_retime_takes_whole_source_frames(frames: list[int], lone_scene: DrawnScene) -> None:
    out = lone_scene.render({1: frames})
    for t, source in enumerate(frames):
        assert np.array_equal(out[t], lone_scene.clean[source])  # one person, still camera


@pytest.mark.refusal
def test_edits_that_cannot_be_are_refused(lone_scene: DrawnScene) -> None:
    with pytest.raises(InputError, match=r"synth\.draw: a layer must be one of \[1\]; got 2"):
        lone_scene.render(solo=2)
    with pytest.raises(InputError, match="a frame map must have 6 entries; got 2 for layer 1"):
        lone_scene.render({1: (0, 1)})
    with pytest.raises(InputError, match="a source frame must lie in 0 to 5; got 6 for layer 1"):
        lone_scene.render({1: (0, 1, 2, 3, 4, 6)})


@pytest.mark.refusal
def test_scenes_that_cannot_be_are_refused() -> None:
    spec = crossing(size=(64, 64), n_frames=4)
    for broken, words in (
        (replace(spec, people=()), "a scene must have at least one person; got none"),
        (replace(spec, n_frames=1), "a scene must have at least two frames; got 1"),
        (replace(spec, size=(64, 20)), "a scene must measure at least 32 pixels a side; got 64x20"),
    ):
        with pytest.raises(InputError, match=words):
            draw(broken)
    with pytest.raises(InputError, match="the number of people must be 1 to 8; got 9"):
        walkers(n_people=9)
