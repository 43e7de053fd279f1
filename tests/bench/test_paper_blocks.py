from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

PAPER = Path(__file__).parents[2] / "bench" / "paper"


@pytest.fixture(scope="module")
def blocks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("blocks", PAPER / "blocks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["blocks"] = module
    spec.loader.exec_module(module)
    return module


def test_squares_lie_where_they_are_said_to(blocks: ModuleType) -> None:
    for make in (blocks.motion, blocks.proximity, blocks.two_people):
        scene = make()
        body = np.any([one.amodal for one in scene.cast.subjects], axis=0)
        for mask in scene.squares.values():
            assert mask.any()
            assert not (mask & body).any()
        for one in scene.cast.subjects:
            assert (one.mask <= one.amodal).all()
    crossing = blocks.two_people().cast.subjects[1]
    assert (crossing.mask.sum() < crossing.amodal.sum()) or crossing.visibility.min() == 1


def columns(mask: np.ndarray) -> float:
    return float(np.nonzero(mask)[1].mean())


def test_the_correlated_square_keeps_its_distance_and_the_random_one_does_not(blocks: ModuleType) -> None:
    scene = blocks.motion()
    person = scene.cast.subjects[0].amodal
    away = {
        name: [
            np.nonzero(mask[t])[1].mean() - np.nonzero(person[t])[1].mean()
            for t in range(len(person))
            if mask[t].sum() > 50
        ]
        for name, mask in scene.squares.items()
    }
    assert np.std(away["with her"]) < 0.5
    assert np.std(away["at random"]) > 5
