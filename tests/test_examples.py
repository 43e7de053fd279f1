"""The examples' parts run; the whole demo is what ``make demo`` is for."""

from __future__ import annotations

import importlib.util
import sys
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from polytempo.synth.draw import draw
from polytempo.synth.scenes import crossing
from polytempo.video.probe import probe
from polytempo.video.writer import write_clip

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def demo() -> ModuleType:
    spec = importlib.util.spec_from_file_location("demo", ROOT / "examples" / "demo.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["demo"] = module
    spec.loader.exec_module(module)
    return module


def test_side_by_side(demo: ModuleType, tmp_path: Path) -> None:
    for name, grey in (("a", 40), ("b", 200)):
        frames = np.full((4, 48, 64, 3), grey, np.uint8)
        write_clip(tmp_path / f"{name}.mp4", frames, size=(64, 48), frame_rate=Fraction(24))
    demo.side_by_side(tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path / "both.mp4")
    both = probe(tmp_path / "both.mp4")
    assert (both.width, both.height, both.n_frames) == (136, 48, 4)
    assert demo.middle(tmp_path / "both.mp4") == Fraction(2, 24)


def test_boxes_hold_the_people(demo: ModuleType) -> None:
    scene = draw(crossing(size=(160, 96), n_frames=8))
    boxes = demo.loose_boxes(scene)
    assert set(boxes) == {"far", "near"}
    for masks, frames in zip(scene.masks, boxes.values(), strict=True):
        assert frames
        for frame, (x0, y0, x1, y1) in frames.items():
            inside = masks[int(frame)][y0:y1, x0:x1]
            assert inside.sum() == masks[int(frame)].sum()
