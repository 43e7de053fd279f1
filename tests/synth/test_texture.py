"""Procedural surfaces."""

from __future__ import annotations

import numpy as np
import pytest

from polytempo.synth import texture
from polytempo.synth.backdrop import draw_backdrop
from polytempo.synth.scene import SceneSpec


@pytest.mark.parametrize("cell", [4, 20, (30, 5)])
def test_noise_is_centred_and_of_unit_strength(cell: float | tuple[float, float]) -> None:
    noise = texture.value_noise((400, 300), np.random.default_rng(1), cell=cell)
    assert noise.shape == (300, 400)
    assert abs(noise.mean()) < 0.25
    assert 0.5 < noise.std() < 1.6


def test_a_tile_has_one_tone() -> None:
    rows = np.repeat(np.arange(3.0), 4).astype(np.float32)[:, None] * np.ones((1, 5), np.float32)
    tones = texture.tile_tones(rows, np.zeros_like(rows), np.random.default_rng(0))
    assert np.ptp(tones[:4]) == 0
    assert (np.abs(tones) <= 1).all()


def test_a_joint_is_at_the_edge() -> None:
    assert texture.joint(np.array([0.0, 0.05, 0.5, 0.95, 1.0]), 0.1) == pytest.approx([0, 0.5, 1, 0.5, 0])


@pytest.mark.parametrize("wall", ["bricks", "plaster", "boards"])
@pytest.mark.parametrize("floor", ["planks", "tiles", "grass"])
def test_places_are_textured_like_photographs(wall, floor) -> None:
    spec = SceneSpec(name="s", people=(), size=(160, 96), wall=wall, floor=floor)
    backdrop = draw_backdrop(spec, size=(160, 96), offset=(0.0, 0.0))
    picture = backdrop.colour.astype(float)
    assert picture.shape == (96, 160, 3)
    for part in (picture[:50], picture[70:]):
        assert part.std() > 6
        assert 15 < part.mean() < 220
    assert backdrop.gloss[:50].max() == 0
    assert (backdrop.gloss[80:].mean() > 0.3) == (floor != "grass")


def test_the_reference_frame_lies_at_the_offset() -> None:
    spec = SceneSpec(name="s", people=(), size=(96, 64))
    wide = draw_backdrop(spec, size=(160, 64), offset=(32.0, 0.0))
    assert wide.gloss[45:, 40].min() > 0  # the floor begins at the same height
    assert wide.gloss[:40].max() == 0
