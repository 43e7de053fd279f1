"""What an edit shows that the clip never did is told."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction as F

import numpy as np

from polytempo.edit.operations.delay import delay
from polytempo.edit.operations.duplicate import duplicate
from polytempo.edit.operations.freeze import freeze
from polytempo.edit.operations.picture import lock_camera
from polytempo.edit.operations.remove import remove
from polytempo.layers.stack import Background, LayerStack
from polytempo.render.findings import edit_findings
from polytempo.render.sequence import render_frames
from polytempo.render.unseen import MARK
from support.squares import drawn_clip, drawn_stack, edit_of, panning_path


def apart() -> LayerStack:
    """The squares pass each other far apart: green is moved down, out of the red one's way."""
    stack = drawn_stack()
    green = np.roll(np.asarray(stack.layers[1].pictures), 8, axis=1)
    green[..., 3] = np.where(green[..., 3] > 0, 255, 0)
    return replace(stack, layers=(stack.layers[0], replace(stack.layers[1], pictures=np.roll(green, 20, axis=2))))


def test_an_edit_that_changes_nothing_has_nothing_to_tell() -> None:
    assert edit_findings(drawn_stack(), edit_of(drawn_stack()), drawn_clip()) == []


def test_copies_that_overlap_are_told() -> None:
    stack = drawn_stack()
    edl = duplicate(edit_of(stack), "red", delay=F(1, 30))
    (told,) = edit_findings(stack, edl, drawn_clip())
    assert told.startswith("red-2 and red overlap from 0.00 s on, as they never do in the clip")


def test_people_who_never_met_are_told() -> None:
    stack = apart()
    assert edit_findings(stack, edit_of(stack), drawn_clip()) == []
    moved = replace(edit_of(stack).instance("green"), offset=(-20.0, -8.0))
    edl = replace(edit_of(stack), instances=(edit_of(stack).instance("red"), moved))
    (told,) = edit_findings(stack, freeze(edl, "red", at=F(3, 30)), drawn_clip())
    assert "red and green overlap" in told
    assert edit_findings(stack, remove(delay(edl, "red", by=F(1, 30)), "red"), drawn_clip()) == []


def test_places_never_seen_are_told_where_nobody_covers_them() -> None:
    stack = drawn_stack(panning_path())
    coverage = stack.background.coverage.copy()
    coverage[:, :6] = 0
    stack = replace(stack, background=Background(colour=stack.background.colour, coverage=coverage))
    (told,) = edit_findings(stack, lock_camera(edit_of(stack), at=F(0)), drawn_clip())
    assert told.startswith("Background that the clip never shows is filled in: up to 12.")
    assert told.endswith("in 6 of 6 frames looked at")
    locked = lock_camera(edit_of(stack), at=F(0))
    plain = list(render_frames(stack, locked, drawn_clip()))
    marked = list(render_frames(stack, locked, drawn_clip(), mark_unseen=True))
    for a, b in zip(plain, marked, strict=True):
        assert np.array_equal(a[:, 6:], b[:, 6:])
        share = (b[:, :6] == MARK).all(axis=2).mean()
        assert 0.3 < share < 0.6
