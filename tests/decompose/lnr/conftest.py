from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from two_squares import TwoSquares, two_squares


@pytest.fixture(scope="session")
def squares() -> TwoSquares:
    return two_squares()
