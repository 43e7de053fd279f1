"""Who is in front."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from polytempo.camera.path import static_path
from polytempo.layers.stack import Background, LayerStack
from polytempo.render.ordering import Showing, paint_order


def stack_with(*order: tuple[int, ...]) -> LayerStack:
    return LayerStack(
        background=Background(colour=np.zeros((2, 2, 3), np.uint8), coverage=np.zeros((2, 2), np.uint16)),
        layers=(),
        order=order,
        camera=static_path(len(order), (2, 2)),
    )


def show(layer_id: int, source: int, level: int = 0) -> Showing:
    return Showing(layer_id=layer_id, source=source, level=level)


def test_untouched_times_keep_the_clips_order() -> None:
    stack = stack_with((1, 2, 3), (3, 1, 2))
    assert paint_order(stack, [show(1, 0), show(2, 0), show(3, 0)], frame=0) == [0, 1, 2]
    assert paint_order(stack, [show(1, 1), show(2, 1), show(3, 1)], frame=1) == [2, 0, 1]


def test_two_from_one_other_moment_keep_that_moments_order() -> None:
    stack = stack_with((1, 2), (2, 1))
    assert paint_order(stack, [show(1, 1), show(2, 1)], frame=0) == [1, 0]


def test_the_majority_of_the_three_moments_decides() -> None:
    stack = stack_with((1, 2), (2, 1), (2, 1))
    assert paint_order(stack, [show(1, 1), show(2, 2)], frame=0) == [1, 0]
    assert paint_order(stack, [show(1, 0), show(2, 1)], frame=0) == [0, 1]


def test_levels_come_before_the_clips_order() -> None:
    stack = stack_with((1, 2, 3))
    assert paint_order(stack, [show(1, 0, level=1), show(2, 0), show(3, 0, level=-1)], frame=0) == [2, 1, 0]


def test_copies_of_one_layer_lie_as_the_edit_lists_them() -> None:
    stack = stack_with((1, 2), (1, 2), (2, 1))
    assert paint_order(stack, [show(1, 2), show(1, 0), show(2, 0)], frame=0) == [0, 1, 2]


def test_who_stands_lower_is_in_front_where_the_clip_does_not_say() -> None:
    stack = stack_with((1, 2), (2, 1))
    copies = [replace(show(1, 0), contact=0.9), replace(show(1, 1), contact=0.8)]
    assert paint_order(stack, copies, frame=0) == [1, 0]
    level = [replace(show(1, 0), contact=0.805), replace(show(1, 1), contact=0.8)]
    assert paint_order(stack, level, frame=0) == [0, 1]
    known = [replace(show(1, 0), contact=0.9), replace(show(2, 0), contact=0.8)]
    assert paint_order(stack, known, frame=0) == [0, 1]  # the clip says that 2 is in front


def test_layers_without_a_place_in_the_order_and_circles_do_no_harm() -> None:
    assert paint_order(stack_with(()), [show(4, 0), show(5, 0)], frame=0) == [0, 1]
    circle = stack_with((1, 2, 3), (2, 3, 1), (3, 1, 2))
    assert sorted(paint_order(circle, [show(1, 0), show(2, 1), show(3, 2)], frame=0)) == [0, 1, 2]
    assert paint_order(circle, [], frame=0) == []
