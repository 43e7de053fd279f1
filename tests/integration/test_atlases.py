"""Method ``nvd`` goes the same way as the others, from the command line to the layer store and a rendered edit."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from polytempo.cli.main import main
from polytempo.cli.render import current_stack
from polytempo.layers.store import read_stack
from polytempo.project.arrays import read_cast
from polytempo.project.folder import open_project
from polytempo.synth.draw import DrawnScene

pytestmark = pytest.mark.slow


class Still(torch.nn.Module):
    """Says that nothing moves."""

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return 0 * (first + second)[:, :2]


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
    (folder,) = (one for one in (project / "stages" / "layers").iterdir() if not one.name.startswith("."))
    stack = read_stack(folder / "stack")
    assert stack.n_frames == 12
    assert stack.background.live is not None
    alphas = [np.asarray(stack.layers[0].pictures[t])[..., 3].mean() for t in range(12)]
    assert 0.5 < max(alphas) < 60  # a far walker, and no haze
    code, events = run(["decompose", str(project)], capsys)
    assert code == 0
    assert not {"atlases", "layers"} & {one["stage"] for one in events if one.get("message") == "started"}
    pictures = tmp_path / "atlases"
    code, events = run(["atlas", str(project), "-o", str(pictures), "--side", "128"], capsys)
    assert code == 0, events[-1]
    assert sorted(one.name for one in pictures.iterdir()) == ["1.png", "2.png", "background.png"]
    wall = cv2.imread(str(pictures / "background.png"), cv2.IMREAD_UNCHANGED)
    assert wall.shape == (128, 128, 4)
    overlay = np.zeros((128, 128, 4), np.uint8)
    overlay[60:80, 20:50] = (0, 255, 0, 255)
    cv2.imwrite(str(tmp_path / "green.png"), overlay)
    code, events = run(["decompose", str(project), "--paint", f"background={tmp_path / 'green.png'}"], capsys)
    assert code == 0, events[-1]
    with open_project(project, writing=False) as opened:
        painted = current_stack(opened).value
    assert painted.background.live is not None
    moved = np.asarray(painted.background.live[3]).astype(int) - stack.background.live[3]
    assert moved[..., 1].max() > 60
    assert (np.abs(moved).sum(-1) > 60).mean() < 0.2
    drawn = np.zeros((96, 128, 4), np.uint8)
    drawn[10:20, 10:30] = (0, 0, 255, 255)
    cv2.imwrite(str(tmp_path / "drawn.png"), drawn)
    words = ["--paint", f"background={tmp_path / 'drawn.png'}@3f", "--paint", "background=text:HI:40,60,14,00FF00@0f"]
    more = ["--paint", f"background={tmp_path / 'green.png'}:400,400,90", "--paint", "1=recolour:hue:90,brightness:0.5"]
    code, events = run(["decompose", str(project), *words, *more], capsys)
    assert code == 0, events[-1]
    with open_project(project, writing=False) as opened:
        painted = current_stack(opened).value
    assert painted.background.live is not None
    here = np.asarray(painted.background.live[3])[12:18, 12:28, :3].astype(int).mean((0, 1))
    assert here[0] > here[1] + 40  # red lies where it was drawn
    assert (np.asarray(painted.layers[0].pictures[3]) != stack.layers[0].pictures[3]).any()
    for text, words_said in (
        (f"background={tmp_path / 'drawn.png'}", "must be square"),
        (f"background={tmp_path / 'green.png'}@3f", "must be 128x96 pixels of RGBA"),
        ("background=text:HI", "a file that can be read"),
        ("background=text:HI:900,60,14@0f", "must lie in the picture of 128x96"),
        ("1=recolour:colour:3", "recolour must read hue:DEGREES"),
        (f"background={tmp_path / 'drawn.png'}@99s", "times must be within the clip"),
    ):
        code, events = run(["decompose", str(project), "--paint", text], capsys)
        assert code == 2
        assert words_said in json.dumps(events[-1])
    code, events = run(["decompose", str(project), "--paint", "none"], capsys)
    assert code == 0
    code, events = run(["decompose", str(project), "--paint", f"cat={tmp_path / 'green.png'}"], capsys)
    assert code == 2
    assert "There is: background, 1, 2" in json.dumps(events[-1])
    code, events = run(["decompose", str(project), "--paint", "none"], capsys)
    assert code == 0
    out = tmp_path / "frozen.mp4"
    code, events = run(["retime", str(project), "--freeze", "1@4f", "-o", str(out)], capsys)
    assert code == 0, events[-1]
    assert out.stat().st_size > 1000
    lit = ["--freeze", "1@4f", "--light", "1=output", "--light", "background=gain:0.5", "--camera", "whole:scale:1.1"]
    code, events = run(["retime", str(project), *lit, "-o", str(out)], capsys)
    assert code == 0, events[-1]
    other = tmp_path / "other.polytempo"
    shutil.copytree(project, other)
    code, events = run(["decompose", str(project), "--take", f"2={other}"], capsys)
    assert code == 0, events[-1]
    code, events = run(["decompose", str(project), "--take", f"2={project}"], capsys)
    assert code == 2
    assert "another project" in json.dumps(events[-1])
    code, events = run(["decompose", str(project), "--take", "none"], capsys)
    assert code == 0
    (light,) = (project / "stages" / "layers" / folder.name / "stack").glob("shading-01.bin")
    light.write_bytes(light.read_bytes()[:-100])
    code, events = run(["retime", str(project), "--freeze", "1@5f", "--light", "1=output", "-o", str(out)], capsys)
    assert code == 2
    assert "the layer store must be whole" in json.dumps(events[-1])
    assert "shading-01.bin" in json.dumps(events[-1])
    code, events = run(["decompose", str(project), "--method", "lnv"], capsys)
    assert code == 2
    assert "method" in json.dumps(events[-1])


def test_a_mask_on_one_frame_and_flow_of_the_user_s_own(
    crossing_folder: Path, crossing_scene: DrawnScene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project, flow = tmp_path / "one.polytempo", tmp_path / "flow.pt"
    prompts = ["--prompt", f"near=mask:{crossing_folder / 'masks' / '2' / '0000.png'}@0"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(Still()).save(str(flow))
    words = ["decompose", str(crossing_folder / "input.mp4"), "--project", str(project), *prompts, "--method", "nvd"]
    words += ["--set", "nvd.steps=20", "--set", "nvd.draft.batch_points=800"]
    code, events = run([*words, "--set", f"nvd.flow_network={tmp_path / 'none.pt'}"], capsys)
    assert code == 2
    assert "the network's file must exist; got none" in json.dumps(events[-1])
    code, events = run([*words, "--set", f"nvd.flow_network={flow}"], capsys)
    assert code == 0, events[-1]
    with open_project(project, writing=False) as opened:
        stack = current_stack(opened).value
        cast = read_cast(opened.current_result("cast") / "cast.npz")
        atlases = opened.current["atlases"]
    assert [one.name for one in stack.layers] == ["near"]
    carried, truth = cast.subjects[0].mask[3], crossing_scene.masks[1][3]
    assert (carried & truth).sum() > 0.5 * (carried | truth).sum()
    code, events = run(["decompose", str(project), "--set", "nvd.flow_network=none"], capsys)
    assert code == 0, events[-1]
    with open_project(project, writing=False) as opened:
        assert opened.current["atlases"] != atlases  # learned anew with other flow
