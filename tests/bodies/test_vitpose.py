from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polytempo.bodies.vitpose import VitPose, find_keypoints, read_vitpose
from polytempo.core.errors import InputError, ResourceError
from polytempo.synth.draw import DrawnScene
from support import true_cast

BOXES = np.array([[20, 10, 30, 60], [60, 20, 24, 50]], np.float32)


def small_model(folder: Path, *, n_keypoints: int = 17, n_experts: int = 1) -> Path:
    """Save a ViTPose of random weights that takes milliseconds."""
    library: Any = pytest.importorskip("transformers")
    import torch

    torch.manual_seed(0)
    backbone = library.VitPoseBackboneConfig(
        image_size=(64, 48), patch_size=(16, 16), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        num_experts=n_experts, part_features=8, out_features=["stage2"],
    )  # fmt: skip
    config = library.VitPoseConfig(backbone_config=backbone, num_labels=n_keypoints, use_simple_decoder=True)
    library.VitPoseForPoseEstimation(config).save_pretrained(folder)
    return folder


def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (96, 128, 3), np.uint8)


@pytest.mark.parametrize("n_experts", [1, 2])
def test_a_model_from_a_folder_finds_keypoints_in_the_box(tmp_path: Path, n_experts: int) -> None:
    found = read_vitpose(small_model(tmp_path, n_experts=n_experts))
    points = found.keypoints(picture(), BOXES)
    assert points.shape == (2, 17, 3)
    assert np.isfinite(points).all()
    assert ((points[..., 2] >= 0) & (points[..., 2] <= 1)).all()
    alone = found.keypoints(picture(), BOXES[1:])
    assert np.allclose(alone[0], points[1], atol=1e-2)  # people in a batch do not know each other
    assert np.array_equal(read_vitpose(tmp_path).keypoints(picture(), BOXES), points)


class Lights:
    """A model whose heatmaps peak where its crop is brightest: its truth is known."""

    def __init__(self, config: Any) -> None:
        self.config = config

    def __call__(self, pixel_values: Any) -> Any:
        import torch

        small = torch.nn.functional.avg_pool2d(pixel_values.mean(1, keepdim=True), 4)
        spread = torch.exp(small - small.amax((2, 3), keepdim=True))
        return type("Found", (), {"heatmaps": spread.expand(-1, 17, -1, -1)})()


def test_places_are_those_of_the_whole_picture(tmp_path: Path) -> None:
    read = read_vitpose(small_model(tmp_path))
    y, x = np.mgrid[0:96, 0:128]
    spot = 255 * np.exp(-((x - 34) ** 2 + (y - 52) ** 2) / 60)
    lit = np.repeat(spot[..., None], 3, -1).astype(np.uint8)
    vitpose = VitPose(model=Lights(read.model.config), processor=read.processor)
    points = vitpose.keypoints(lit, BOXES[:1])
    assert np.abs(points[0, :, :2] - (34, 52)).max() < 2.5  # a cell of the heatmap is five pixels here


def test_subjects_are_looked_at_where_they_are_visible(crossing_scene: DrawnScene, tmp_path: Path) -> None:
    read = read_vitpose(small_model(tmp_path))
    cast = true_cast(crossing_scene)
    vitpose = VitPose(model=Lights(read.model.config), processor=read.processor)
    found = list(find_keypoints(crossing_scene.pictures, cast, vitpose))
    expected = {
        (t, one.subject_id)
        for one in cast.subjects
        for t in range(12)
        if one.mask[t].any() and one.visibility[t] >= 0.5
    }
    assert {(one.frame, one.track) for one in found} == expected
    assert len(found) == len(expected)


@pytest.mark.refusal
def test_what_is_no_vitpose_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must be a folder with config\.json"):
        read_vitpose(tmp_path / "none")
    torn = tmp_path / "torn"
    torn.mkdir()
    for text, named in (
        ("{", "must be JSON"),
        ('{"model_type": "bert"}', "must be ViTPose; got model_type 'bert'"),
        ('{"model_type": "vitpose", "backbone": "somebody/vit"}', "describe the backbone itself"),
        ('{"model_type": "vitpose", "backbone_config": {}}', "in safetensors; got no such file"),
    ):
        (torn / "config.json").write_text(text)
        with pytest.raises(InputError, match=named):
            read_vitpose(torn)


@pytest.mark.refusal
def test_wrong_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="COCO's 17 keypoints; got 14"):
        read_vitpose(small_model(tmp_path / "mpii", n_keypoints=14))
    other = small_model(tmp_path / "other")
    config = json.loads((other / "config.json").read_text())
    config["backbone_config"]["hidden_size"] = 48
    (other / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="weights must be"):
        read_vitpose(other)
    damaged = small_model(tmp_path / "damaged")
    (damaged / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(InputError, match="readable by transformers"):
        read_vitpose(damaged)


@pytest.mark.refusal
def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "vitpose", "backbone_config": {}}')
    (tmp_path / "model.safetensors").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ResourceError, match=r"polytempo\[vitpose\]"):
        read_vitpose(tmp_path)
