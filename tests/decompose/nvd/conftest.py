from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from polytempo.decompose.nvd.footage import Footage
    from polytempo.synth.draw import DrawnScene

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def lone_footage(lone_scene: DrawnScene) -> Footage:
    from small import drawn_footage

    return drawn_footage(lone_scene)


@pytest.fixture(scope="session")
def crossing_footage(crossing_scene: DrawnScene) -> Footage:
    from small import drawn_footage

    return drawn_footage(crossing_scene)
