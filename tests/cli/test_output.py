from __future__ import annotations

import io
import json

import pytest

from polytempo.cli.output import Mode, Output
from polytempo.core.progress import Progress


def make(mode: Mode) -> tuple[Output, io.StringIO, io.StringIO]:
    results, notes = io.StringIO(), io.StringIO()
    return Output(mode=mode, results=results, notes=notes), results, notes


def test_json_is_one_object_a_line() -> None:
    output, results, notes = make("json")
    output.report(Progress(stage="draft", done=3, total=10, loss=0.25, eta_secs=12.04))
    output.warn("a subject hardly moves")
    output.say("out.mp4", path="out.mp4")
    output.fail("it must; got not.", code=2)
    events = [json.loads(line) for line in results.getvalue().splitlines()]
    assert [one["event"] for one in events] == ["progress", "warning", "result", "error"]
    assert events[0] == {"event": "progress", "stage": "draft", "done": 3, "total": 10, "loss": 0.25, "eta_secs": 12.0}
    assert events[3]["code"] == 2
    assert notes.getvalue() == ""


def test_lines_come_at_the_ends_and_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    output, results, notes = make("lines")
    clock = iter([0.0, 100.0, 101.0, 106.0, 107.0])
    monkeypatch.setattr("polytempo.cli.output.time.monotonic", lambda: next(clock))
    output.report(Progress(stage="frames", done=0, total=1, message="started"))
    for done in (10, 20, 30):
        output.report(Progress(stage="frames", done=done, total=100))
    output.report(Progress(stage="frames", done=1, total=1, message="done in 3.0 s"))
    output.say("written")
    assert notes.getvalue().splitlines() == [
        "Decoding frames: started",
        "Decoding frames  10 %",
        "Decoding frames  30 %",
        "Decoding frames: done in 3.0 s",
    ]
    assert results.getvalue() == "written\n"


def test_bars_run() -> None:
    output, _, notes = make("bars")
    with output.working():
        output.report(Progress(stage="frames", done=1, total=2, message="frame 1"))
        output.say("a [file].mp4")
        output.warn("look [here]")
    text = notes.getvalue()
    assert "a [file].mp4" in text
    assert "look [here]" in text
