"""A head that rises over knees that rest: what is told of pieces is told of what lies between them."""

from __future__ import annotations

import numpy as np
import pytest

from polytempo.camera.path import static_path
from polytempo.objects.body_flow import BodyFlow
from polytempo.objects.body_motion import BodyMotion, MotionConfig, body_motion

FRAMES, WIDTH, HEIGHT = 9, 80, 120
SCALE = 50.0
RISE = 5
"""Pixels a frame by which the head comes up."""
CROSSED = 4
"""On this frame an arm crosses the head: it is seen, but nothing is believed of its flow."""


def rising_head(*, crossed: bool) -> BodyMotion:
    mask = np.zeros((FRAMES, HEIGHT, WIDTH), bool)
    forward = np.zeros((FRAMES - 1, HEIGHT, WIDTH, 2), np.float16)
    trust = np.zeros((FRAMES - 1, HEIGHT, WIDTH), np.float16)
    for t in range(FRAMES):
        top = 60 - RISE * t
        mask[t, top : top + 16, 32:48] = True
        mask[t, 100:112, 20:60] = True
        if t < FRAMES - 1:
            forward[t, : top + 24, :, 1] = -RISE
            trust[t] = mask[t]
            if crossed and t == CROSSED:
                trust[t, : top + 24] = 0
                forward[t, : top + 24, :, 1] = 0
    flow = BodyFlow(
        forward=forward,
        backward=np.zeros_like(forward),
        forward_trust=trust,
        backward_trust=np.zeros_like(trust),
    )
    camera = static_path(FRAMES, (WIDTH, HEIGHT))
    return body_motion(mask, flow, camera, step=-1, scale=SCALE, config=MotionConfig())


@pytest.mark.parametrize("crossed", [False, True])
def test_a_head_goes_on_as_it_went_while_an_arm_crosses_it(*, crossed: bool) -> None:
    motion = rising_head(crossed=crossed)
    assert motion.move == pytest.approx(0, abs=0.01)  # most of the body rests
    field = motion.field(CROSSED)
    head = 60 - RISE * CROSSED + 8
    assert field[head, 40] == pytest.approx((0, -RISE), abs=1.3)
    assert field[106, 40] == pytest.approx((0, 0), abs=0.5)


def test_what_is_hidden_between_two_pieces_moves_less_the_farther_from_the_one_that_moves() -> None:
    motion = rising_head(crossed=False)
    field = motion.field(CROSSED)
    chest = -field[60 - RISE * CROSSED + 8 : 106, 40, 1]
    assert (np.diff(chest) < 0.05).all()
    assert chest[0] > 0.7 * RISE
    assert chest[len(chest) // 2] > 0.1 * RISE


def test_a_body_that_changes_its_speed_is_not_held_to_that_of_the_frames_around() -> None:
    speeds = (1, 2, 1, 3, 1, 2, 1, 2)
    mask = np.zeros((FRAMES, HEIGHT, WIDTH), bool)
    forward = np.zeros((FRAMES - 1, HEIGHT, WIDTH, 2), np.float16)
    trust = np.zeros((FRAMES - 1, HEIGHT, WIDTH), np.float16)
    left = 20 + np.concatenate([[0], np.cumsum(speeds)])
    for t in range(FRAMES):
        # Its lower half is hidden on every other frame.
        mask[t, 30 : 90 if t % 2 else 60, left[t] : left[t] + 30] = True
        if t < FRAMES - 1:
            forward[t, ..., 0] = speeds[t]
            trust[t] = mask[t]
    flow = BodyFlow(
        forward=forward, backward=np.zeros_like(forward), forward_trust=trust, backward_trust=np.zeros_like(trust)
    )
    motion = body_motion(mask, flow, static_path(FRAMES, (WIDTH, HEIGHT)), step=-1, scale=SCALE, config=MotionConfig())
    for t in range(1, FRAMES - 2):
        assert motion.field(t)[30:90, left[t] + 15, 0] == pytest.approx(speeds[t], abs=0.5)
