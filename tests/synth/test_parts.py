"""Parts of a body as pictures."""

from __future__ import annotations

import numpy as np
import pytest

from polytempo.synth.parts import Part, body_parts, head_picture, outline, part_picture
from polytempo.synth.pose import COCO
from polytempo.synth.scene import Look

ARM = Part(name="arm", a=("left_elbow",), b=("left_wrist",), radius_a=0.1, radius_b=0.05, colour=(0.5, 0.2, 0.1))


@pytest.mark.parametrize("cloth", ["plain", "stripes", "checks", "mottled"])
def test_a_part_is_as_wide_as_stated(cloth: str) -> None:
    part = Part(name="x", a=("hips",), b=("neck",), radius_a=0.1, radius_b=0.05, second=(1.0, 1.0, 1.0), cloth=cloth)
    picture = part_picture(part, length=60.0, unit=100.0, seed=1)
    alpha = picture[..., 3]
    assert picture.shape[1] == 2 * 12 + 1
    assert np.isclose(alpha[2 + 10].sum(), 20, atol=1.2)  # at a: twice the radius of ten pixels
    assert np.isclose(alpha[2 + 10 + 60].sum(), 10, atol=1.2)
    assert (picture[..., :3] <= alpha[..., None] + 1e-6).all()


def test_a_hem_is_cut_straight() -> None:
    whole = part_picture(ARM, length=40.0, unit=100.0, seed=1)
    cut = part_picture(Part(name="x", a=("hips",), b=("neck",), radius_a=0.1, radius_b=0.05, hem=True), length=40.0,
                       unit=100.0, seed=1)  # fmt: skip
    assert whole[2 + 10 + 44, whole.shape[1] // 2, 3] == 1
    assert cut[2 + 10 + 44, cut.shape[1] // 2, 3] == 0


def test_a_head_seen_from_the_front_shows_more_face_than_from_behind() -> None:
    look = Look(skin=(1.0, 1.0, 1.0), hair=(0.0, 0.0, 0.0))
    front, back = (head_picture(look, unit=300.0, turn=turn) for turn in (np.pi / 2, -np.pi / 2))
    assert front[..., 0].sum() > 2 * back[..., 0].sum()


def test_every_keypoint_below_the_head_is_on_some_part() -> None:
    shown = {name for part in body_parts(Look(coat=0.5)) for name in part.shows}
    assert set(COCO[5:]) == shown


def test_an_outline_goes_around_both_ends() -> None:
    shape = outline(np.array([0.0, 0.0]), np.array([10.0, 0.0]), 2.0, 1.0)
    assert np.allclose(shape.min(0), (-2, -2), atol=0.1)
    assert np.isclose(shape[:, 0].max(), 11, atol=0.1)
