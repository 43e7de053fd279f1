"""A drawn scene on disk."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from polytempo.core.errors import InputError
from polytempo.synth.draw import DrawnScene, draw
from polytempo.synth.folder import write_scene
from polytempo.video.probe import probe
from polytempo.video.reader import read_pictures
from support import psnr


def test_the_layout_is_the_bench_one(crossing_folder: Path) -> None:
    names = {p.relative_to(crossing_folder).as_posix() for p in crossing_folder.rglob("*") if p.is_file()}
    assert {"input.mp4", "scene.json", "keypoints.json", "masks/1/0000.png", "rough_masks/2/0011.png"} <= names
    assert {f"truth/{n}.mp4" for n in ("full", "background", "without_1", "without_2", "retime_freeze_1")} <= names
    assert not any("solo" in name for name in names)  # with two layers they are there under other names


def test_clip_and_truth_hold_the_pictures(crossing_folder: Path, crossing_scene: DrawnScene) -> None:
    clip = probe(crossing_folder / "input.mp4")
    assert (clip.width, clip.height, clip.n_frames) == (128, 96, 12)
    assert (
        psnr(np.stack(list(read_pictures(clip))), crossing_scene.pictures) > 30
    )  # 4:2:0 halves the colour of thin brick joints
    full = np.stack(list(read_pictures(probe(crossing_folder / "truth" / "full.mp4"))))
    assert psnr(full, crossing_scene.clean) > 39


def test_facts_agree_with_the_scene(crossing_folder: Path, crossing_scene: DrawnScene) -> None:
    facts = json.loads((crossing_folder / "scene.json").read_text())
    assert facts["order_back_to_front"] == [[1, 2]] * 12
    assert facts["solo_truth"] == {"1": "without_2.mp4", "2": "without_1.mp4"}
    assert np.array_equal(np.array(facts["homographies"]), np.tile(np.eye(3), (12, 1, 1)))
    assert facts["retimes"]["freeze_1"]["maps"]["1"] == [3] * 12
    mask = cv2.imread(str(crossing_folder / "masks_amodal" / "1" / "0005.png"), cv2.IMREAD_GRAYSCALE)
    assert mask is not None
    assert np.array_equal(mask > 127, crossing_scene.amodal[0, 5])
    points = json.loads((crossing_folder / "keypoints.json").read_text())
    assert len(points["frames"]) == 12
    assert len(points["frames"][0][0]["keypoints"]) == len(points["order"]) == 17


def test_homographies_lead_to_frame_0(panning_scene: DrawnScene, tmp_path: Path) -> None:
    write_scene(panning_scene, tmp_path / "pan")
    path = np.array(json.loads((tmp_path / "pan" / "scene.json").read_text())["homographies"])
    assert np.allclose(path[0], np.eye(3), atol=1e-9)
    assert np.allclose(path[7] / path[7][2, 2], _normed(panning_scene.camera.frame_from_frame(0, 7)))


def _normed(h: np.ndarray) -> np.ndarray:
    return h / h[2, 2]


@pytest.mark.refusal
def test_odd_sizes_are_refused(tmp_path: Path, lone_scene: DrawnScene) -> None:
    odd = draw(replace(lone_scene.spec, size=(97, 64), n_frames=2, retimes=()))
    with pytest.raises(InputError, match="both sides of a scene must be even; got 97x64"):
        write_scene(odd, tmp_path / "odd")
    assert not (tmp_path / "odd").exists()
