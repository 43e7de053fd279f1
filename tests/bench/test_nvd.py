"""The bench of method nvd: what it takes, what it holds against the frames, what it writes."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import nvd
import pytest
from result_schemas import check_file

from polytempo.camera.homographies_file import write_homographies
from polytempo.synth.draw import DrawnScene


@pytest.fixture(scope="module")
def clip_folder(crossing_folder: Path, crossing_scene: DrawnScene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips") / "walkers"
    shutil.copytree(crossing_folder / "rough_masks", folder / "mask")
    shutil.copy(crossing_folder / "input.mp4", folder / "clip.mp4")
    write_homographies(folder / "homographies.txt", crossing_scene.camera)
    return folder


def test_three_kinds_of_footage(crossing_folder: Path, clip_folder: Path, tmp_path: Path) -> None:
    scene = nvd.footage_at(crossing_folder, masks="rough_masks")
    assert (scene.name, scene.scene) == ("crossing", crossing_folder)
    assert scene.known == ("--subjects", str(crossing_folder / "rough_masks"))
    prepared = nvd.footage_at(clip_folder, masks="rough_masks")
    assert prepared.scene is None
    assert prepared.known[2:] == ("--homographies", str(clip_folder / "homographies.txt"))
    filmed = tmp_path / "filmed.mp4"
    with pytest.raises(SystemExit, match="neither a scene folder"):
        nvd.footage_at(filmed, masks="rough_masks")
    filmed.touch()
    filmed.with_suffix(".prompts.json").touch()
    assert nvd.footage_at(filmed, masks="rough_masks").known == ("--subjects", str(tmp_path / "filmed.prompts.json"))


def test_missing_figures_are_below_the_bar() -> None:
    assert nvd.below("disco", {"psnr": 34.0, "retime_baked_freeze_1": 29.9, "retime_freeze_1": 28.0}) == [
        "retime_baked_freeze_1",
        "retime_delay_1",
    ]
    assert nvd.below("elsewhere", {"psnr": 3.0}) == []


@pytest.mark.slow
def test_a_clip_is_learned_and_held_against_its_frames(
    clip_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(clip_folder), "--set", "nvd.steps=25", "--set", "nvd.draft.batch_points=1500"]
    monkeypatch.setattr(sys, "argv", ["nvd.py", *words, "--json", str(tmp_path / "x.json"), "--out", str(tmp_path)])
    assert nvd.main() == 0
    check_file(tmp_path / "x.json")
    found = json.loads((tmp_path / "x.json").read_text())["clips"]["walkers"]
    assert (found["frames"], found["width"], found["height"], found["layers"]) == (12, 128, 96, 3)
    assert 12 < found["psnr_unlit"] <= found["psnr"] + 3
    assert 14 < found["psnr"] < 45
    assert 0.2 < found["ssim"] < 1
    assert found["cpu_seconds"]["layers"] > 1
    assert found["stages"]["atlases"]["peak_mb"] > 100
    assert "walkers: 12 frames of 128x96, 3 layers: PSNR" in capsys.readouterr().out
