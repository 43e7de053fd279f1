"""A clip goes in, a retimed clip comes out; a second run does only what has changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.integration.tiny import N_FRAMES, SIZE, retime_words, write_tiny_clip

from polytempo.cli.main import main
from polytempo.video.probe import probe
from polytempo.video.reader import read_pictures

pytestmark = pytest.mark.slow


def run(words: Any, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, Any]]]:
    capsys.readouterr()
    code = main([*words, "--json"])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def made_and_kept(events: list[dict[str, Any]]) -> tuple[set[str], set[str]]:
    made = {one["stage"] for one in events if one.get("message") == "started"}
    kept = {one["stage"] for one in events if one.get("message") == "kept"}
    return made, kept


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole way")
    write_tiny_clip(folder)
    return folder


def test_from_clip_to_retimed_clip(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, events = run(retime_words(folder, "--freeze", "far@0.2s"), capsys)
    assert code == 0, events[-1]
    made, kept = made_and_kept(events)
    everything = {"probe", "frames", "camera_first", "masks", "camera", "cast", "separation", "layers", "render"}
    assert made == everything
    assert kept <= {"probe"}
    out = probe(folder / "out.mp4")
    assert (out.width, out.height, out.n_frames) == (*SIZE, N_FRAMES)

    code, events = run(retime_words(folder, "--freeze", "far@0.2s"), capsys)
    assert (code, made_and_kept(events)) == (0, (set(), everything))

    code, events = run(retime_words(folder, "--remove", "near"), capsys)
    assert code == 0
    assert made_and_kept(events)[0] == {"render"}

    # The edit can be carried on with by itself, and undone.
    project = str(folder / "tiny.polytempo")
    code, events = run(["edit", project, "--delay", "far+2f"], capsys)
    assert code == 0
    assert "near: not shown" in events[-1]["text"]
    code, events = run(["edit", project, "--reset"], capsys)
    assert "near: not shown" not in events[-1]["text"]
    code, events = run(["render", project, "-o", str(folder / "plain.mkv")], capsys)
    assert code == 0
    pairs = zip(read_pictures(probe(folder / "tiny.mp4")), read_pictures(probe(folder / "plain.mkv")), strict=True)
    assert np.mean([np.abs(a.astype(int) - b).mean() for a, b in pairs]) < 6

    code, events = run(["report", project], capsys)
    assert code == 0
    assert (folder / "tiny.polytempo" / "report.html").stat().st_size > 20_000
    assert (folder / "tiny.polytempo" / "report.png").is_file()

    # A changed prompt redoes what depends on it, and nothing before.
    prompts = json.loads((folder / "subjects.json").read_text())
    prompts["subjects"]["near"]["0"][0] += 1
    (folder / "subjects.json").write_text(json.dumps(prompts))
    code, events = run(["subjects", project, "--subjects", str(folder / "subjects.json")], capsys)
    made, kept = made_and_kept(events)
    assert code == 0
    assert {"frames", "camera_first"} <= kept
    assert "masks" in made
    assert (folder / "tiny.polytempo" / "subjects.png").is_file()


def test_what_cannot_be_done_is_told_before_the_work(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, named in (
        (retime_words(folder, output="out.gif"), "the output must end in .mp4"),
        ([*retime_words(folder), "--set", "decompose.colour=1"], "got decompose.colour"),
        ([*retime_words(folder), "--subjects", str(folder / "none.json")], "must be readable"),
        ([*retime_words(folder), "--pick", "1"], "either picked or prompted"),
        ([*retime_words(folder), "--homographies", str(folder / "none.txt")], "must be readable"),
        (["decompose", str(folder / "tiny.mp4"), "--project", str(folder / "new.polytempo")], "somebody must be named"),
    ):
        code, events = run(words, capsys)
        assert code == 2
        assert named in events[-1]["text"], events[-1]
