"""The whole stage, with a small ViTPose whose last layer is biased so that it is always sure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polytempo.bodies.keypoints_import import read_keypoints
from polytempo.core.errors import InputError
from polytempo.core.progress import silent
from polytempo.objects.cast import Cast
from polytempo.project.folder import Project
from polytempo.project.found_keypoints import run_vitpose
from polytempo.project.run import Result, run_stage
from polytempo.synth.draw import DrawnScene
from polytempo.video.clip import Clip
from support import true_cast


def weights(folder: Path, *, sure: float) -> Path:
    library: Any = pytest.importorskip("transformers")
    import torch

    torch.manual_seed(0)
    backbone = library.VitPoseBackboneConfig(
        image_size=(64, 48), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, out_features=["stage1"]
    )
    config = library.VitPoseConfig(backbone_config=backbone, num_labels=17, use_simple_decoder=True)
    model = library.VitPoseForPoseEstimation(config)
    with torch.no_grad():
        model.head.conv.bias.fill_(sure)
    model.save_pretrained(folder)
    return folder


def cast_result(project: Project, scene: DrawnScene) -> Result[Cast]:
    return run_stage(
        project, "cast", inputs={}, make=lambda folder, report: (), load=lambda folder: true_cast(scene), report=silent
    )


def test_what_is_found_is_kept_in_a_layout_that_is_read(
    project: Project, clip: Clip, crossing_scene: DrawnScene, tmp_path: Path
) -> None:
    cast, folder = cast_result(project, crossing_scene), weights(tmp_path / "w", sure=1.0)
    path = run_vitpose(project, clip, cast, folder, silent)
    found = read_keypoints(path, n_frames=12, clip_size=(128, 96), size=(128, 96))
    assert {one.track for one in found} == {1, 2}
    for one in found:
        assert one.track is not None
        y, x = np.nonzero(cast.value.subjects[one.track - 1].mask[one.frame])
        middle = one.points[:, :2].mean(0)
        assert abs(middle[0] - x.mean()) < 0.625 * max(np.ptp(x), 0.75 * np.ptp(y)) + 2
        assert abs(middle[1] - y.mean()) < 0.625 * max(np.ptp(y), np.ptp(x) / 0.75) + 2
    written = path.stat().st_mtime_ns
    assert run_vitpose(project, clip, cast, folder, silent).stat().st_mtime_ns == written
    assert run_vitpose(project, clip, cast, weights(tmp_path / "w", sure=2.0), silent) != path


@pytest.mark.refusal
def test_nobody_found_is_told(project: Project, clip: Clip, crossing_scene: DrawnScene, tmp_path: Path) -> None:
    cast = cast_result(project, crossing_scene)
    with pytest.raises(InputError, match="must find a person in some frame"):
        run_vitpose(project, clip, cast, weights(tmp_path / "w", sure=-1.0), silent)
    with pytest.raises(InputError, match="folder that can be read"):
        run_vitpose(project, clip, cast, tmp_path / "none", silent)
