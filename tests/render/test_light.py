"""Other lights on what an edit shows, against what they must be where the light is known."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytempo.core.errors import InputError
from polytempo.edit.edl import Edl, check_edl, edl_from_text, text_from_edl
from polytempo.edit.light import Light
from polytempo.edit.operations.delay import delay
from polytempo.edit.operations.freeze import freeze
from polytempo.edit.operations.light import relight
from polytempo.edit.operations.picture import interpolate, lock_camera
from polytempo.exchange.layers import instance_frames
from polytempo.layers.shading import Shading, at_pixels
from polytempo.layers.stack import LayerStack
from polytempo.render.light import DARK, scaled
from polytempo.render.sequence import render_frames
from support.squares import HEIGHT, N_FRAMES, WIDTH, drawn_clip, drawn_stack, edit_of, panning_path

FALLS = np.array([0.5, 0.6, 0.9, 0.7, 0.4, 0.8], np.float32)
"""The same light everywhere, frame by frame."""
F = Fraction


def uniform(per_frame: np.ndarray) -> Shading:
    uv = np.stack(np.meshgrid(np.linspace(-1, 1, 7), np.linspace(-1, 1, 5)), -1).astype(np.float32)
    light = np.broadcast_to(per_frame[:, None, None, None], (N_FRAMES, 16, 16, 3)).astype(np.float32)
    return Shading(uv=np.broadcast_to(uv, (N_FRAMES, *uv.shape)), light=light)


def lit_stack(*, atlases: bool, camera: object = None) -> LayerStack:
    """Squares and background, opaque, under ``FALLS``; with and without knowledge of it."""
    stack = drawn_stack(camera)  # type: ignore[arg-type]
    pictures = np.asarray(stack.layers[0].pictures).astype(np.float32)
    pictures[..., :3] *= FALLS[:, None, None, None]
    red = replace(stack.layers[0], pictures=np.rint(pictures).astype(np.uint8))
    live = np.full((N_FRAMES, HEIGHT, WIDTH, 4), 255, np.uint8)
    plate = np.full_like(stack.background.colour, 150)
    live[..., :3] = np.rint(150 * FALLS)[:, None, None, None]
    background = replace(stack.background, colour=plate, live=live)
    if atlases:
        red, background = replace(red, shading=uniform(FALLS)), replace(background, shading=uniform(FALLS))
    return replace(stack, layers=(red,), order=((1,),) * N_FRAMES, background=background)


def red_of(stack: LayerStack, edl: Edl) -> list[float]:
    """How bright the square is in each frame."""
    found = []
    for frame in render_frames(stack, edl, drawn_clip()):
        inside = frame[..., 0].astype(int) - frame[..., 1] > 40
        assert inside.sum() >= 90
        found.append(float(frame[inside, 0].mean()))
    return found


FROZEN = freeze(edit_of(lit_stack(atlases=False)), "red", at=F(2, 30))


@pytest.mark.parametrize("by", ["layer", "background"])
@pytest.mark.parametrize("atlases", [True, False])
def test_a_frozen_layer_goes_on_under_the_lights_of_the_output(by: str, atlases: bool) -> None:
    stack = lit_stack(atlases=atlases)
    edl = relight(FROZEN, "red", Light(of="output", by=by))  # type: ignore[arg-type]
    assert red_of(stack, FROZEN) == [pytest.approx(180, abs=0.5)] * N_FRAMES
    assert red_of(stack, edl) == [pytest.approx(200 * one, rel=0.05) for one in FALLS]


def test_light_of_another_time_and_strength() -> None:
    stack = lit_stack(atlases=True)
    edl = edit_of(stack)
    at_frame_4 = red_of(stack, relight(edl, "red", Light(of=F(4, 30))))
    assert at_frame_4 == [pytest.approx(200 * FALLS[4], rel=0.03)] * N_FRAMES
    for gain in (0.0, 0.5):
        expected = [180 if t == 2 and gain == 1 else 200 * (1 + gain * (one - 1)) for t, one in enumerate(FALLS)]
        got = red_of(stack, relight(edl, "red", Light(gain=gain)))
        assert got == [pytest.approx(one, rel=0.03) for one in expected]
    both = red_of(stack, relight(FROZEN, "red", Light(of="output", gain=0.5)))
    assert both == [pytest.approx(200 * (1 + (one - 1) / 2), rel=0.04) for one in FALLS]


def test_the_background_is_lit_too_and_nobody_on_it() -> None:
    for stack in (lit_stack(atlases=True), lit_stack(atlases=False)):
        edl = relight(edit_of(stack), "background", Light(of=F(4, 30)))
        frames = list(render_frames(stack, edl, drawn_clip()))
        assert [float(one[2, 2, 1]) for one in frames] == [pytest.approx(150 * FALLS[4], abs=4)] * N_FRAMES
        assert red_of(stack, edl) == red_of(stack, edit_of(stack))
        flat = list(render_frames(stack, relight(edl, "background", Light(gain=0.0)), drawn_clip()))
        assert [float(one[2, 2, 1]) for one in flat] == [pytest.approx(150, abs=7)] * N_FRAMES


def test_nothing_said_changes_nothing() -> None:
    stack = lit_stack(atlases=True)
    plain = list(render_frames(stack, FROZEN, drawn_clip()))
    for light in (None, Light(), Light(by="background")):
        same = list(render_frames(stack, relight(FROZEN, "red", light), drawn_clip()))
        assert all(np.array_equal(a, b) for a, b in zip(plain, same, strict=True))
    untouched = edit_of(stack)
    now = relight(untouched, "red", Light(of="output"))  # its own moment is the output's
    pairs = zip(render_frames(stack, untouched, drawn_clip()), render_frames(stack, now, drawn_clip()), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)


def test_who_is_not_in_view_is_lit_by_the_background() -> None:
    stack = lit_stack(atlases=False)
    pictures = np.asarray(stack.layers[0].pictures).copy()
    pictures[5] = 0
    stack = replace(stack, layers=(replace(stack.layers[0], pictures=pictures),))
    found = red_of(stack, relight(FROZEN, "red", Light(of="output")))
    assert found[5] == pytest.approx(200 * FALLS[5], rel=0.05)


def test_light_goes_with_the_camera_slow_motion_and_export() -> None:
    stack = lit_stack(atlases=True, camera=panning_path())
    edl = relight(lock_camera(FROZEN, at=F(0)), "red", Light(of="output"))
    assert red_of(stack, edl) == [pytest.approx(200 * one, rel=0.05) for one in FALLS]
    late = relight(delay(edit_of(stack), "red", by=F(1, 60)), "red", Light(of="output"))
    for between in ("blend", "flow"):
        shown = list(render_frames(stack, interpolate(late, "red", between=between), drawn_clip()))
        for t in (1, 3, 5):
            assert shown[t][..., 0].max() == pytest.approx(200 * FALLS[t], rel=0.06)
    exported = [one[..., 0].max() for one in instance_frames(stack, edl, drawn_clip(), "red")]
    assert exported == [pytest.approx(200 * one, rel=0.05) for one in FALLS]


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_scaled_pictures_are_what_plain_numpy_makes_of_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (9, 17, 4)).astype(np.uint8)
    picture[..., :3] = np.minimum(picture[..., :3], picture[..., 3:])
    factors = rng.uniform(0, 2, (4, 5, 3)).astype(np.float32)
    got = scaled(picture, factors, (30, 20), x=6, y=7)
    expected = np.minimum(picture[..., :3] * at_pixels(factors, (30, 20), box=(6, 7, 17, 9)), picture[..., 3:])
    # OpenCV takes 1/32 of a node's distance for the least there is.
    assert np.abs(got[..., :3] - expected).max() <= 255 * 2 * 2 / 64 + 0.5
    assert np.array_equal(got[..., 3], picture[..., 3])
    ones = scaled(picture, np.ones((2, 2, 3), np.float32), (30, 20))
    assert np.array_equal(ones, picture)


def test_edits_with_light_are_kept() -> None:
    edl = relight(relight(FROZEN, "red", Light(of=F(1, 3), gain=1.5)), "background", Light(gain=0.25, by="background"))
    assert edl_from_text(text_from_edl(edl)) == edl
    assert relight(relight(edl, "red", None), "background", None) == FROZEN
    assert DARK < 0.05


@pytest.mark.refusal
def test_lights_that_cannot_be_are_refused() -> None:
    with pytest.raises(InputError, match="the gain must lie in 0 to 8; got 9"):
        relight(FROZEN, "red", Light(gain=9.0))
    with pytest.raises(InputError, match="what is named; got 'blue'"):
        relight(FROZEN, "blue", Light())
    far = relight(FROZEN, "background", Light(of=F(9)))
    with pytest.raises(InputError, match=r"the light on the background must be of the clip, 0 to 0\.2 s; got 9 s"):
        check_edl(far, layers=["red"], source_duration=F(6, 30))
    with pytest.raises(InputError, match="two nodes or more"):
        scaled(np.zeros((4, 4, 4), np.uint8), np.ones((1, 4, 3), np.float32), (4, 4))
    text = text_from_edl(relight(FROZEN, "red", Light(gain=2.0))).replace('"gain": 2.0', '"gain": -1')
    with pytest.raises(InputError, match=r"instances.0.light.gain"):
        edl_from_text(text)
