"""Drawn scenes that any test may ask for; see ``tests/support/__init__.py``."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from polytempo.synth import scenes
from polytempo.synth.draw import DrawnScene
from polytempo.synth.folder import write_scene
from support.scenes import draw_small

SMALL = (128, 96)


@pytest.fixture(scope="session")
def crossing_scene() -> DrawnScene:
    return draw_small(scenes.crossing(size=SMALL, n_frames=12))


@pytest.fixture(scope="session")
def jumping_scene() -> DrawnScene:
    return draw_small(scenes.jumpers(n_people=2, size=SMALL, n_frames=12, shake_px=0.5))


@pytest.fixture(scope="session")
def panning_scene() -> DrawnScene:
    return draw_small(scenes.pan(size=SMALL, n_frames=12))


@pytest.fixture(scope="session")
def lone_scene() -> DrawnScene:
    return draw_small(scenes.walkers(n_people=1, size=(96, 64), n_frames=6, grain=0.0))


@pytest.fixture(scope="session")
def crossing_folder(crossing_scene: DrawnScene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn") / "crossing"
    write_scene(crossing_scene, folder)
    return folder
