"""Layers of both systems in one edit: an atlas layer painted on, frozen and relit, and a layer with its effects."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from polytempo.atlas.edit import AtlasEdit, edited_stack
from polytempo.camera.path import static_path
from polytempo.core.errors import InputError, ShapeError
from polytempo.edit.light import Light
from polytempo.edit.operations.delay import delay
from polytempo.edit.operations.freeze import freeze
from polytempo.edit.operations.light import relight
from polytempo.edit.operations.picture import widen_camera
from polytempo.exchange.layers import instance_frames
from polytempo.layers.mix import with_layers_from
from polytempo.layers.shading import Shading
from polytempo.layers.stack import LayerStack
from polytempo.layers.store import read_stack, write_stack
from polytempo.render.sequence import render_frames
from support.squares import HEIGHT, N_FRAMES, WIDTH, drawn_clip, drawn_stack, edit_of, panning_path

F = Fraction
FALLS = np.array([1.0, 0.9, 0.8, 0.7, 0.6, 0.5], np.float32)


def atlases(stack: LayerStack) -> LayerStack:
    """The same layers as if atlases were known: their UV lie still, and the light falls."""
    uv = np.stack(np.meshgrid(np.linspace(-1, 1, 7), np.linspace(-1, 1, 5)), -1).astype(np.float32)
    light = np.broadcast_to(FALLS[:, None, None, None], (N_FRAMES, 16, 16, 3)).astype(np.float32)
    shading = Shading(uv=np.broadcast_to(uv, (N_FRAMES, *uv.shape)), light=light)
    layers = tuple(replace(one, shading=shading) for one in stack.layers)
    return replace(stack, layers=layers, background=replace(stack.background, shading=shading))


def with_shadow(stack: LayerStack) -> LayerStack:
    """The green square with a dark bar beneath it, as the other system keeps effects."""
    effects = np.zeros((N_FRAMES, HEIGHT, WIDTH, 4), np.uint8)
    for t in range(N_FRAMES):
        effects[t, 26:30, 26 - 4 * t : 40 - 4 * t, 3] = 200
    red, green = stack.layers
    return replace(stack, layers=(red, replace(green, effects=effects)))


def mixed(camera: object = None) -> LayerStack:
    drawn = drawn_stack(camera)  # type: ignore[arg-type]
    return with_layers_from(atlases(drawn), with_shadow(drawn), ["green"])


def test_each_layer_comes_from_where_it_was_taken() -> None:
    stack = mixed()
    red, green = stack.layers
    assert (red.name, red.shading is None, red.effects is None) == ("red", False, True)
    assert (green.name, green.shading is None, green.effects is None) == ("green", True, False)
    assert (green.layer_id, stack.order) == (2, drawn_stack().order)


@pytest.mark.parametrize("camera", [None, panning_path()], ids=["static", "panning"])
def test_an_edited_atlas_layer_is_frozen_relit_and_exported_beside_one_with_its_shadow(
    camera: object, tmp_path: object
) -> None:
    stack = mixed(camera)
    change = np.zeros((40, 40, 3), np.float32)
    change[..., 1] = 0.4  # green paint all over it
    edited = edited_stack(stack, {1: AtlasEdit(change=change)})
    edl = freeze(edit_of(stack), "red", at=F(1, 30))
    edl = delay(relight(edl, "red", Light(of="output")), "green", by=F(1, 30), outside="hide")
    frames = list(render_frames(edited, edl, drawn_clip()))
    for t, frame in enumerate(frames):
        pixel = frame[11, 16 - (3 * (t - 1) if camera is not None else 0)]
        factor = FALLS[t] / FALLS[1]  # its picture was taken under the light of frame 1, the paint too
        expected = np.array([200, 20 + 0.4 * 255 * FALLS[1], 20]) * factor
        assert np.abs(pixel - np.minimum(expected, 255)).max() < 6
    assert not (frames[0][27:29] < 20).all(-1).any()  # green is hidden at first, and its shadow with it
    assert (frames[3][27, :, :2] < 60).all(-1).any()
    alone = list(instance_frames(edited, edl, drawn_clip(), "green"))
    assert alone[0].max() == 0
    assert alone[2][27, 26 - 4 + 2, 3] == 200
    # What is made when it is asked for and what is written are the same.
    write_stack(tmp_path / "stack", edited)  # type: ignore[operator]
    kept = list(render_frames(read_stack(tmp_path / "stack"), edl, drawn_clip()))  # type: ignore[operator]
    assert all(np.abs(a.astype(int) - b).max() <= 1 for a, b in zip(frames, kept, strict=True))
    assert len(list(render_frames(edited, widen_camera(edl), drawn_clip()))) == N_FRAMES


@pytest.mark.refusal
def test_what_does_not_belong_together_is_refused() -> None:
    stack = drawn_stack()
    with pytest.raises(InputError, match=r"both must have the layer; got 'blue'\. There is: green, red"):
        with_layers_from(stack, stack, ["blue"])
    short = replace(stack, order=stack.order[:3], camera=static_path(3, stack.size))
    with pytest.raises(ShapeError, match="layers of the same clip; got 6 frames"):
        with_layers_from(stack, short, ["red"])
    with pytest.raises(InputError, match="composited in one space"):
        with_layers_from(stack, replace(stack, composite_space="linear"), ["red"])
    with pytest.raises(InputError, match="a layer that has an atlas; got layer id 2"):
        edited_stack(mixed(), {2: AtlasEdit(change=np.zeros((8, 8, 3), np.float32))})
