from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from polytempo.bodies.uv_network import read_uv_network
from polytempo.bodies.uv_pairs import draw_pair
from polytempo.cli.main import main


def test_weights_and_their_log_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "uv.safetensors"
    words = ["train", "keypoints-to-uv", "-o", str(out), "--steps", "3", "--width", "8", "--side", "64"]
    assert main([*words, "--held-out", "3"]) == 0
    assert "hidden limbs: part" in capsys.readouterr().out
    assert read_uv_network(out).config.width == 8
    log = json.loads(out.with_suffix(".json").read_text())
    assert len(log["losses"]) == 3
    assert set(log["held_out"]) == {"geometric body", "network"}
    assert log["training"]["network"] == {"width": 8, "side": 64}


def test_a_user_s_own_pairs_are_learned_and_some_are_kept_for_the_scores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows: list[dict[str, object]] = []
    (tmp_path / "iuv").mkdir()
    for t in range(3):
        pair = draw_pair(np.random.default_rng(t), side=96)
        iuv = np.dstack([pair.part, *(np.rint(255 * pair.uv[..., i]).astype(np.uint8) for i in (0, 1))])
        (tmp_path / "iuv" / f"{t}.png").write_bytes(cv2.imencode(".png", iuv)[1].tobytes())
        rows.append({"image_id": f"{t}.jpg", "keypoints": pair.points.ravel().tolist()})
    (tmp_path / "k.json").write_text(json.dumps(rows))
    out = tmp_path / "uv.safetensors"
    words = ["train", "keypoints-to-uv", "-o", str(out), "--steps", "2", "--width", "8", "--side", "64"]
    assert main([*words, "--held-out", "2", "--pairs", f"{tmp_path / 'k.json'}={tmp_path / 'iuv'}"]) == 0
    assert "network, own pairs: part" in capsys.readouterr().out
    log = json.loads(out.with_suffix(".json").read_text())
    assert log["pairs"] == {"trained on": 2, "held out": 1}
    assert len(log["held_out"]) == 4


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["train", "everything", "-o", "a.safetensors"], "must be keypoints-to-uv; got 'everything'"),
        (["train", "keypoints-to-uv", "-o", "a.pt"], "into a .safetensors file; got 'a.pt'"),
        (["train", "keypoints-to-uv", "-o", "a.safetensors", "--side", "50"], "multiple of 32; got 50"),
        (
            ["train", "keypoints-to-uv", "-o", "a.safetensors", "--pairs", "k.json"],
            "KEYPOINTS.json=FOLDER; got 'k.json'",
        ),
        (["train", "keypoints-to-uv", "-o", "a.safetensors", "--pairs", "k.json=no"], "a folder of IUV pictures"),
        (["train", "keypoints-to-uv", "-o", "a.safetensors", "--steps", "0"], "1 or more; got 0"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*words, "--json"]) == 2
    assert says in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
