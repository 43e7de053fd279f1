from __future__ import annotations

import json
from pathlib import Path

import pytest

from polytempo.bodies.uv_network import read_uv_network
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


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["train", "everything", "-o", "a.safetensors"], "must be keypoints-to-uv; got 'everything'"),
        (["train", "keypoints-to-uv", "-o", "a.pt"], "into a .safetensors file; got 'a.pt'"),
        (["train", "keypoints-to-uv", "-o", "a.safetensors", "--side", "50"], "multiple of 32; got 50"),
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
