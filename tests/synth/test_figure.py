"""Drawing a person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from polytempo.synth.figure import draw_figure, keypoints, make_actor
from polytempo.synth.pose import COCO
from polytempo.synth.scene import Person, SceneSpec
from polytempo.synth.stage import moment

PERSON = Person(name="p", start=(0.5, 0.9), stop=(0.5, 0.9), facing=0.0)
SPEC = SceneSpec(name="s", people=(PERSON,), size=(160, 160), n_frames=4)


def test_a_figure_is_as_tall_as_stated() -> None:
    actor, now = make_actor(SPEC, PERSON, oversample=2, seed=0), moment(SPEC, PERSON, 0.0)
    drawing = draw_figure(actor, now, frame_from_ref=np.eye(3), size=SPEC.size)
    assert drawing is not None
    rows = np.flatnonzero((drawing.rgba[..., 3] > 0.5).any(1)) + drawing.y
    assert abs(np.ptp(rows) - now.unit) < 0.08 * now.unit
    assert drawing.rgba.max() <= 1.0001


def test_outside_the_frame_there_is_nothing() -> None:
    away = replace(PERSON, start=(3.0, 0.9), stop=(3.0, 0.9))
    actor = make_actor(SPEC, away, oversample=1, seed=0)
    assert draw_figure(actor, moment(SPEC, away, 0.0), frame_from_ref=np.eye(3), size=SPEC.size) is None


def test_oversampling_changes_the_edges_only() -> None:
    now = moment(SPEC, PERSON, 0.0)
    fine, plain = (
        draw_figure(make_actor(SPEC, PERSON, oversample=n, seed=0), now, frame_from_ref=np.eye(3), size=SPEC.size)
        for n in (3, 1)
    )
    assert fine is not None
    assert plain is not None
    assert np.abs(fine.rgba[..., 3] - plain.rgba[..., 3]).mean() < 0.02


def test_who_looks_right_shows_the_right_side() -> None:
    actor, now = make_actor(SPEC, PERSON, oversample=1, seed=0), moment(SPEC, PERSON, 0.0)
    drawing = draw_figure(actor, now, frame_from_ref=np.eye(3), size=SPEC.size)
    points = keypoints(actor, now, drawing, frame_from_ref=np.eye(3))
    seen = dict(zip(COCO, points[:, 2], strict=True))
    assert seen["right_ear"] == seen["right_shoulder"] == seen["right_eye"] == 2
    assert seen["left_ear"] == seen["left_eye"] == 1


def test_parts_follow_the_pose() -> None:
    actor, now = make_actor(SPEC, PERSON, oversample=1, seed=0), moment(SPEC, PERSON, 0.0)
    moved = np.array([[1, 0, 7], [0, 1, -3], [0, 0, 1.0]])
    here, there = (draw_figure(actor, now, frame_from_ref=m, size=SPEC.size) for m in (np.eye(3), moved))
    assert here is not None
    assert there is not None
    step = there.frame_from_part - here.frame_from_part
    assert np.allclose(step[:, :, :2], 0, atol=1e-9)
    assert np.allclose(step[:, :, 2], (7, -3))
