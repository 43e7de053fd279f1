from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from polytempo.decompose.lnr.solve import Separation
from polytempo.project.separations import read_separation, write_separation


def _separation() -> Separation:
    rng = np.random.default_rng(0)

    def bodies(frames: tuple[int, ...]) -> dict[int, np.ndarray]:
        return {t: rng.integers(0, 3, (6, 8, 4)).astype(np.float32) / 2 for t in frames}

    return Separation(
        layer_ids=(3, 1),
        probability=rng.integers(0, 256, (4, 2, 3, 4)).astype(np.uint8),
        change=rng.normal(size=(4, 2, 3, 4, 3)).astype(np.float16),
        significance=rng.integers(0, 256, (4, 6, 8)).astype(np.uint8),
        dwelling=rng.integers(0, 256, (4, 3, 4)).astype(np.uint8),
        hidden={3: bodies((2, 0)), 1: bodies((1,))},
        meeting={1: bodies((3,))},
    )


def test_a_separation_comes_back_as_it_was(tmp_path: Path) -> None:
    was = _separation()
    write_separation(tmp_path / "one", was)
    found = read_separation(tmp_path / "one")
    assert found.layer_ids == was.layer_ids
    for name in ("probability", "change", "significance", "dwelling"):
        assert np.array_equal(getattr(found, name), getattr(was, name))
    for name in ("hidden", "meeting"):
        assert {k: set(v) for k, v in getattr(found, name).items()} == {
            k: set(v) for k, v in getattr(was, name).items()
        }
        for one, frames in getattr(was, name).items():
            assert all(np.array_equal(getattr(found, name)[one][t], rgba) for t, rgba in frames.items())


@pytest.mark.parametrize("name", ["hidden", "meeting"])
def test_pictures_that_are_missing_are_told(tmp_path: Path, name: str) -> None:
    write_separation(tmp_path, _separation())
    path = tmp_path / "separation.json"
    head = json.loads(path.read_text())
    head[name]["1"].append(0)
    path.write_text(json.dumps(head))
    with pytest.raises(ValueError, match=name):
        read_separation(tmp_path)
