"""Method ``nvd`` goes the same way as the others, from the command line to the layer store and a rendered edit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polytempo.cli.main import main
from polytempo.layers.store import read_stack

pytestmark = pytest.mark.slow


def run(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, Any]]]:
    capsys.readouterr()
    code = main([*words, "--json"])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_clip_becomes_atlases_and_a_frozen_layer(
    crossing_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project, clip = tmp_path / "one.polytempo", str(crossing_folder / "input.mp4")
    said = ["--project", str(project), "--subjects", str(crossing_folder / "rough_masks")]
    method = ["--method", "nvd", "--set", "nvd.steps=20", "--set", "nvd.draft.batch_points=800"]
    code, events = run(["decompose", clip, *said, *method], capsys)
    assert code == 0, events[-1]
    stages = {one["stage"] for one in events if one.get("message") == "started"}
    assert {"atlases", "layers"} <= stages
    assert not {"separation", "networks"} & stages
    (folder,) = (project / "stages" / "layers").iterdir()
    stack = read_stack(folder / "stack")
    assert stack.n_frames == 12
    assert stack.background.live is not None
    alphas = [np.asarray(stack.layers[0].pictures[t])[..., 3].mean() for t in range(12)]
    assert max(alphas) > 5
    code, events = run(["decompose", str(project)], capsys)
    assert code == 0
    assert not {"atlases", "layers"} & {one["stage"] for one in events if one.get("message") == "started"}
    out = tmp_path / "frozen.mp4"
    code, events = run(["retime", str(project), "--freeze", "1@4f", "-o", str(out)], capsys)
    assert code == 0, events[-1]
    assert out.stat().st_size > 1000
    code, events = run(["decompose", str(project), "--method", "lnv"], capsys)
    assert code == 2
    assert "method" in json.dumps(events[-1])
