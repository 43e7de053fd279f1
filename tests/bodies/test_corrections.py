from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from polytempo.bodies.corrections import read_corrections
from polytempo.core.errors import InputError


def read(tmp_path: Path, document: Any):
    path = tmp_path / "corrections.json"
    path.write_text(json.dumps(document))
    return read_corrections(path, n_frames=5, subjects=("girl", "boy"), clip_size=(200, 100), size=(100, 50))


def test_places_come_in_working_pixels_and_null_takes_away(tmp_path: Path) -> None:
    found = read(tmp_path, {"girl": {"4": {"left_wrist": [100.5, 20.5], "nose": None}}})
    assert found == {"girl": {4: {"left_wrist": (50.0, 10.0), "nose": None}}}


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"dog": {}}, "got 'dog'. There are girl, boy"),
        ({"girl": {"5": {}}}, "0 to 4; got '5'"),
        ({"girl": {"-1": {}}}, "0 to 4; got '-1'"),
        ({"girl": {"1": {"tail": [1, 2]}}}, "COCO keypoints; got 'tail'"),
        ({"girl": {"1": {"nose": [1]}}}, r"\[x, y\] or null"),
        ({"girl": {"1": {"nose": [1, float("nan")]}}}, r"\[x, y\] or null"),
        ({"girl": [1]}, "must read"),
        ([], "must read"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, document: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read(tmp_path, document)
