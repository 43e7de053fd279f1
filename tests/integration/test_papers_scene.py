"""A scene in the papers' layout: what it says of its clip is what the next commands work with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.integration.tiny import N_FRAMES, SETTINGS, SIZE

from polytempo.cli.main import main
from polytempo.exchange.images import write_png_sequence
from polytempo.project.arrays import read_cast
from polytempo.project.folder import open_project
from polytempo.synth.draw import draw
from polytempo.synth.scenes import crossing

pytestmark = pytest.mark.slow


def test_order_and_keypoints_go_on_into_the_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scene, root = draw(crossing(size=SIZE, n_frames=N_FRAMES)), tmp_path / "scene"
    write_png_sequence(root / "rgb", iter(scene.pictures))
    for k, masks in enumerate(scene.masks):
        inside = (np.repeat(255 * one[..., None].astype(np.uint8), 3, axis=2) for one in masks)
        write_png_sequence(root / "mask" / f"{k + 1:02d}", inside)
    # Back to front as the file has it, against what one would guess, and changing.
    order = [[2, 1]] * 5 + [[1, 2]] * (N_FRAMES - 5)
    (root / "metadata.json").write_text(json.dumps({"composite_order": order}))
    people = {
        f"{t:04d}.png": [
            {"idx": k + 1, "keypoints": scene.keypoints[k, t].ravel().tolist(), "score": 1.0}
            for k in range(2)
            if scene.keypoints[k, t, :, 2].any()
        ]
        for t in range(N_FRAMES)
    }
    (root / "keypoints.json").write_text(json.dumps(people))
    # The masks are exact, and at this size the further walker is too slight to be smoothed.
    (tmp_path / "tiny.toml").write_text(SETTINGS + "[cast]\nrepair_masks = false\n")
    project = tmp_path / "scene.polytempo"

    def run(*words: str) -> str:
        capsys.readouterr()
        code = main(list(words))
        said = capsys.readouterr()
        assert code == 0, said.err
        return said.out

    said = run("import", str(root), "-o", str(project))
    assert "with keypoints, masks, who is in front" in said
    assert said.rstrip().endswith(f"Next: polytempo decompose {project}")
    run("decompose", str(project), "--config", str(tmp_path / "tiny.toml"))
    with open_project(project, writing=False) as opened:
        cast = read_cast(opened.current_result("cast") / "cast.npz")
        assert (opened.current_result("bodies") / "bodies.npz").is_file()
    assert [one.name for one in cast.layers] == ["01", "02"]
    assert [list(one) for one in cast.order] == order
    run("edit", str(project), "--delay", "01+1f")
