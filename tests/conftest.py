"""Drawn scenes that any test may ask for; see ``tests/support/__init__.py``.

Nothing of polytempo is imported before a fixture runs: what is imported here would escape the checking of shapes.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from polytempo.synth.draw import DrawnScene

sys.path.insert(0, str(Path(__file__).parent))

# A machine that is busy with something else is no fault of the code.
settings.register_profile("polytempo", deadline=None)
settings.load_profile("polytempo")

SMALL = (128, 96)


@pytest.fixture(scope="session")
def crossing_scene() -> DrawnScene:
    from polytempo.synth import scenes
    from support.scenes import draw_small

    return draw_small(scenes.crossing(size=SMALL, n_frames=12))


@pytest.fixture(scope="session")
def jumping_scene() -> DrawnScene:
    from polytempo.synth import scenes
    from support.scenes import draw_small

    return draw_small(scenes.jumpers(n_people=2, size=SMALL, n_frames=12, shake_px=0.5))


@pytest.fixture(scope="session")
def panning_scene() -> DrawnScene:
    from polytempo.synth import scenes
    from support.scenes import draw_small

    return draw_small(scenes.pan(size=SMALL, n_frames=12))


@pytest.fixture(scope="session")
def lone_scene() -> DrawnScene:
    from polytempo.synth import scenes
    from support.scenes import draw_small

    return draw_small(scenes.walkers(n_people=1, size=(96, 64), n_frames=6, grain=0.0))


@pytest.fixture(scope="session")
def crossing_folder(crossing_scene: DrawnScene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from polytempo.synth.folder import write_scene

    folder = tmp_path_factory.mktemp("drawn") / "crossing"
    write_scene(crossing_scene, folder)
    return folder
