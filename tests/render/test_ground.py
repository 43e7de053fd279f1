"""What lies beneath everybody, and frames whose parts are made ahead."""

from __future__ import annotations

import threading
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from polytempo.edit.camera import Whole
from polytempo.edit.operations.delay import delay
from polytempo.edit.operations.freeze import freeze
from polytempo.layers.stack import LayerStack
from polytempo.render import sequence
from polytempo.render.ground import Ground
from polytempo.render.sequence import render_frames
from polytempo.render.view import View
from support.squares import HEIGHT, N_FRAMES, WIDTH, drawn_clip, drawn_stack, edit_of, panning_path


def live_stack(*, hole: bool) -> LayerStack:
    stack = drawn_stack(panning_path())
    live = np.random.default_rng(0).integers(0, 256, (N_FRAMES, HEIGHT, WIDTH, 4), np.uint8)
    live[..., 3] = 255
    if hole:
        live[:, 4:9, 10:20] = 0
    return replace(stack, background=replace(stack.background, live=live))


def test_a_background_that_covers_the_frame_needs_no_plate() -> None:
    clip = drawn_clip()
    for hole in (False, True):
        stack = live_stack(hole=hole)
        ground = Ground(stack, edit_of(stack), clip)
        frame = ground.frame(View(background_frame=2, camera_frame=2))
        live = np.asarray(stack.background.live)[2]
        shown = live[..., 3] == 255
        assert np.array_equal(frame[shown], live[shown])
        assert (frame[..., 3] == 255).all()
        plate = stack.background.colour[:, 6 : 6 + WIDTH]  # the camera of frame 2
        assert np.array_equal(frame[~shown][:, :3], plate[~shown])
        frame[:] = 7  # a picture of its own
        assert np.array_equal(ground.frame(View(background_frame=2, camera_frame=2))[shown], live[shown])


@pytest.mark.parametrize("camera", [None, Whole()])
def test_frames_made_ahead_are_those_made_one_by_one(camera: Whole | None, monkeypatch: pytest.MonkeyPatch) -> None:
    clip, stack = drawn_clip(), live_stack(hole=True)
    edl = delay(freeze(edit_of(stack), "red", at=Fraction(2, 30)), "green", by=Fraction(1, 60))
    instances = tuple(replace(one, between="flow") if one.layer == "green" else one for one in edl.instances)
    edl = replace(edl, instances=instances, camera=camera or edl.camera)
    ahead = list(render_frames(stack, edl, clip))
    monkeypatch.setattr(sequence, "AT_ONCE", 0)
    one_by_one = list(render_frames(stack, edl, clip))
    assert len(ahead) == len(one_by_one) == N_FRAMES
    assert all(np.array_equal(a, b) for a, b in zip(ahead, one_by_one, strict=True))


def test_a_stream_that_nobody_wants_any_more_ends_its_threads() -> None:
    before = threading.active_count()
    frames = render_frames(live_stack(hole=False), edit_of(live_stack(hole=False)), drawn_clip())
    next(frames)
    frames.close()
    assert threading.active_count() == before
