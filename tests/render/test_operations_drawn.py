"""Every operation on a drawn scene against the truth that is drawn for it: poses, shadows, reflections and all."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction as F

import numpy as np
import pytest

from polytempo.edit.edl import Edl, identity_edl
from polytempo.edit.operations.align import photo_finish
from polytempo.edit.operations.delay import advance, delay
from polytempo.edit.operations.freeze import freeze
from polytempo.edit.operations.hold_on_exit import hold_on_exit
from polytempo.edit.operations.keys import remap
from polytempo.edit.operations.loop import loop
from polytempo.edit.operations.ramp import ramp
from polytempo.edit.operations.remove import remove
from polytempo.edit.operations.reverse import reverse
from polytempo.edit.operations.solo import solo
from polytempo.edit.operations.speed import speed
from polytempo.edit.operations.stagger import stagger, swap
from polytempo.render.sequence import render_frames
from polytempo.synth.draw import DrawnScene
from support import psnr
from support.squares import drawn_clip

N = 12
FRAME = F(1, 30)
SAME = list(range(N))
Shown = dict[int, list[int | None]]


def at(frame: int) -> F:
    return frame * FRAME


CASES: dict[str, tuple[Callable[[Edl, str, str], Edl], Shown]] = {
    "freeze": (lambda e, a, b: freeze(e, b, at=at(5)), {2: [5] * 12}),
    "freeze for a while": (
        lambda e, a, b: freeze(e, b, at=at(2), until=at(6)),
        {2: [0, 1, 2, 2, 2, 2, 2, 3, 4, 5, 6, 7]},
    ),
    "delay": (lambda e, a, b: delay(e, a, by=at(4)), {1: [0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7]}),
    "enter late": (lambda e, a, b: delay(e, a, by=at(3), outside="hide"), {1: [None] * 3 + SAME[:9]}),
    "advance": (lambda e, a, b: advance(e, a, by=at(3)), {1: [3, 4, 5, 6, 7, 8, 9, 10, 11, 11, 11, 11]}),
    "half speed": (lambda e, a, b: speed(e, b, factor=F(1, 2)), {2: [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]}),
    "ramp": (lambda e, a, b: ramp(e, a, first=F(2), last=F(0)), {1: [0, 1, 3, 5, 6, 7, 9, 9, 10, 11, 11, 11]}),
    "reverse": (lambda e, a, b: reverse(e, b, frame=FRAME), {2: SAME[::-1]}),
    "loop": (
        lambda e, a, b: loop(e, a, start=at(2), stop=at(6), frame=FRAME),
        {1: [0, 1, 2, 3, 4, 5, 2, 3, 4, 5, 2, 3]},
    ),
    "ping-pong": (
        lambda e, a, b: loop(e, a, start=at(2), stop=at(6), frame=FRAME, mode="ping-pong"),
        {1: [0, 1, 2, 3, 4, 5, 4, 3, 2, 3, 4, 5]},
    ),
    "stagger": (lambda e, a, b: stagger(e, [b, a], step=at(2)), {1: [0, 0, *SAME[:10]]}),
    "swap": (lambda e, a, b: swap(freeze(e, a, at=at(7)), a, b), {2: [7] * 12}),
    "hold on exit": (lambda e, a, b: hold_on_exit(e, a, at=at(8)), {1: [*SAME[:9], 8, 8, 8]}),
    "keys": (
        lambda e, a, b: remap(e, a, [(at(0), at(3)), (at(11), at(3) + at(11) / 2)], smooth=False),
        {1: [3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8]},
    ),
    "photo-finish": (
        lambda e, a, b: photo_finish(e, {a: at(4), b: at(8)}, together=at(8), source_duration=at(12)),
        {1: [0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7]},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_operation_shows_its_rendered_truth(name: str, crossing_scene: DrawnScene) -> None:
    operation, maps = CASES[name]
    check(crossing_scene, operation, crossing_scene.render(maps))


@pytest.mark.parametrize("name", ["freeze", "delay", "reverse"])
def test_and_under_a_turning_camera(name: str, panning_scene: DrawnScene) -> None:
    operation, maps = CASES[name]
    # Layers are carried through the canvas: resampling takes its share.
    check(panning_scene, operation, panning_scene.render(maps), least_db=33)


def test_removing_and_soloing(crossing_scene: DrawnScene) -> None:
    check(crossing_scene, lambda e, a, b: remove(e, a), crossing_scene.render(without=[1]))
    check(crossing_scene, lambda e, a, b: solo(e, a), crossing_scene.render(solo=1))


def check(
    scene: DrawnScene, operation: Callable[[Edl, str, str], Edl], truth: np.ndarray, *, least_db: float = 40.0
) -> None:
    stack, clip = scene.stack(), drawn_clip(N)
    names = [one.name for one in stack.layers]
    edl = operation(identity_edl(names, at(N)), *names)
    ours = np.stack(list(render_frames(stack, edl, clip)))
    # Who is in front of whom after a retime is not what is asked here: the scene's truth keeps output time's order.
    assert psnr(ours, truth) > least_db


def test_an_operation_left_out_would_be_noticed(crossing_scene: DrawnScene) -> None:
    clean = crossing_scene.render()
    worst = min(CASES, key=lambda name: -psnr(clean, crossing_scene.render(CASES[name][1])))
    assert psnr(clean, crossing_scene.render(CASES[worst][1])) < 36
