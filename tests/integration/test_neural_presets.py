"""The neural presets and keypoints go the same way as preset draft, from the command line to the layer store."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from polytempo.camera.given_plate import GIVEN
from polytempo.cli.main import main
from polytempo.layers.store import read_stack
from polytempo.synth.draw import DrawnScene

pytestmark = pytest.mark.slow


def run(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, Any]]]:
    capsys.readouterr()
    code = main([*words, "--json"])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def words(folder: Path, project: Path, *more: str) -> list[str]:
    return ["decompose", str(folder / "input.mp4"), "--project", str(project), "--subjects",
            str(folder / "rough_masks"), *more]  # fmt: skip


def put_png(file: Path, picture: np.ndarray) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    return file


def made(events: list[dict[str, Any]]) -> set[str]:
    return {one["stage"] for one in events if one.get("message") == "started"}


def stack_of(project: Path) -> Any:
    (folder,) = [one for one in (project / "stages" / "layers").iterdir() if (one / "stack").is_dir()][-1:]
    return read_stack(folder / "stack")


def test_keypoints_and_presets_give_the_same_kind_of_layers(
    crossing_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "one.polytempo"
    neural = ["--preset", "paper", "--epochs", "1", "--set", "paper.batch_size=6"]
    code, events = run(
        words(crossing_folder, project, "--keypoints", str(crossing_folder / "keypoints.json"), *neural), capsys
    )
    assert code == 0, events[-1]
    assert {"bodies", "networks", "layers"} <= made(events)
    assert "separation" not in made(events)
    stack = stack_of(project)
    assert stack.n_frames == 12
    assert [layer.name for layer in stack.layers] == ["1", "2"]
    assert np.asarray(stack.layers[0].pictures[3]).shape == (96, 128, 4)
    # Preset and keypoints stay with the project; nothing is done twice.
    code, events = run(["decompose", str(project)], capsys)
    assert (code, made(events)) == (0, set())
    # Other keypoints, other layers: without them everybody is a sprite.
    code, events = run(["decompose", str(project), "--keypoints", "none"], capsys)
    assert code == 0
    assert made(events) == {"networks", "layers"}


def test_a_subject_without_keypoints_is_a_thing_and_that_is_told(
    crossing_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads((crossing_folder / "keypoints.json").read_text())
    document["frames"] = [[one for one in frame if one["layer"] == 1] for frame in document["frames"]]
    (tmp_path / "one.json").write_text(json.dumps(document))
    neural = ["--preset", "paper", "--epochs", "1", "--set", "paper.batch_size=6", "--set", "paper.base_channels=8"]
    project = tmp_path / "thing.polytempo"
    code, events = run(words(crossing_folder, project, "--keypoints", str(tmp_path / "one.json"), *neural), capsys)
    assert code == 0, events[-1]
    told = [one["text"] for one in events if one["event"] == "warning"]
    assert [text[:40] for text in told if "keypoints" in text] == ["2: no keypoints lie within its mask, so "]


def test_densepose_takes_the_place_of_bodies(
    crossing_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for t in range(12):
        iuv = np.zeros((96, 128, 3), np.uint8)
        iuv[30:60, 40 + t : 60 + t] = 2, 128, 200
        put_png(tmp_path / "iuv" / f"{t:04d}_IUV.png", iuv)
    project = tmp_path / "iuv.polytempo"
    paper = ["--preset", "paper", "--epochs", "1", "--set", "paper.batch_size=6", "--iuv", f"1={tmp_path / 'iuv'}"]
    code, events = run(words(crossing_folder, project, *paper), capsys)
    assert code == 0, events[-1]
    assert "bodies" not in made(events)
    shutil.rmtree(tmp_path / "iuv")  # the project keeps its own
    code, events = run(["decompose", str(project)], capsys)
    assert (code, made(events)) == (0, set())
    code, events = run(["decompose", str(project), "--iuv", "none"], capsys)
    assert (code, made(events)) == (0, {"networks", "layers"})


def test_a_drawn_trimap_changes_what_is_learned(
    crossing_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = put_png(tmp_path / "drawn.png", np.full((96, 128), 255, np.uint8))
    project = tmp_path / "trimap.polytempo"
    paper = ["--preset", "paper", "--epochs", "1", "--set", "paper.batch_size=6"]
    assert run(words(crossing_folder, project, *paper), capsys)[0] == 0
    before = np.asarray(stack_of(project).layers[0].pictures[3])
    code, events = run(["decompose", str(project), "--trimap", f"1={drawn}@2f-6f"], capsys)
    assert (code, made(events)) == (0, {"networks", "layers"}), events[-1]
    project_layers = project / "stages" / "layers"
    stacks = [read_stack(one / "stack") for one in project_layers.iterdir()]
    assert any(not np.array_equal(np.asarray(one.layers[0].pictures[3]), before) for one in stacks)
    code, events = run(["decompose", str(project), "--trimap", f"nobody={drawn}"], capsys)
    assert code == 2
    assert "a layer that there is; got 'nobody'. There is: 1, 2" in events[-1]["text"]
    code, events = run(["decompose", str(project), "--trimap", "none"], capsys)
    assert (code, made(events)) == (0, set())


@pytest.mark.parametrize("preset", ["draft", "paper"])
def test_the_user_s_plate_is_the_background(
    preset: str, crossing_scene: DrawnScene, crossing_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clean = crossing_scene.clean[0]
    plate = put_png(tmp_path / "plate.png", clean[..., ::-1])
    project = tmp_path / "plate.polytempo"
    course = [
        "--preset",
        preset,
        "--epochs",
        "1",
        "--set",
        "paper.batch_size=6",
        "--set",
        "decompose.training.epochs=2",
    ]
    code, events = run(words(crossing_folder, project, *course, "--plate", str(plate)), capsys)
    assert code == 0, events[-1]
    plate.unlink()  # the project keeps its own
    background = stack_of(project).background
    assert (background.coverage == GIVEN).all()
    assert np.array_equal(background.colour, clean)
    code, events = run(["report", str(project)], capsys)
    assert code == 0, events[-1]
    code, events = run(["decompose", str(project), "--plate", "none"], capsys)
    assert code == 0
    assert "layers" in made(events)
    # A plate that does not fit is told by its name, before anything is learned.
    small = put_png(tmp_path / "small.png", clean[:-8])
    code, events = run(["decompose", str(project), "--plate", str(small)], capsys)
    assert code == 2
    assert "must have 128x96 pixels" in events[-1]["text"]
    assert "plate.png" in events[-1]["text"]
    assert not made(events) & {"separation", "networks"}


def test_what_does_not_fit_is_told_before_the_work(
    crossing_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torn = tmp_path / "torn.json"
    torn.write_text('{"frames": [[{"keypoints": [1, 2]}]]}')
    for more, named in (
        (["--keypoints", str(torn)], "17 keypoints of COCO"),
        (["--keypoints", str(tmp_path / "no.json")], "must be readable"),
        (["--iuv", "girl"], "must be given as NAME=FOLDER"),
        (["--iuv", f"1={tmp_path / 'no'}"], "must be a folder of PNG files"),
        (["--plate", str(torn)], "the plate must be a picture"),
        (["--trimap", f"1={torn}@3f-1f"], "must hold a frame"),
        (["--trimap", f"1={torn}"], "a PNG picture of 8 bits"),
        (["--set", f"vitpose={tmp_path / 'no'}"], "ViTPose's weights must be a folder with config.json"),
        (["--preset", "best"], "preset must be right"),
        (["--epochs", "0"], "epochs must be 1 or more"),
        (["--set", "paper.upsample.crop_px=2"], "crop_px must be 16 or more"),
    ):
        code, events = run(words(crossing_folder, tmp_path / "two.polytempo", *more), capsys)
        assert code == 2
        assert named in events[-1]["text"], events[-1]
    assert not (tmp_path / "two.polytempo" / "stages" / "masks").exists()
