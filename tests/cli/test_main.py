from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from polytempo.cli import main as main_module
from polytempo.cli.main import main


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert "probe" in text
    assert "Exit codes" in text
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("polytempo 0.")


def test_wrong_words_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "--colour"]) == 2
    assert main(["fly"]) == 2
    assert "No such command 'fly'" in capsys.readouterr().err


def test_an_input_error_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["probe", str(tmp_path / "none.mp4")]) == 2
    text = capsys.readouterr().err
    assert len(text.splitlines()) == 1
    assert text.startswith("polytempo: video.probe: ")
    assert main(["probe", "--json", str(tmp_path / "none.mp4")]) == 2
    event = json.loads(capsys.readouterr().out)
    assert (event["event"], event["code"]) == ("error", 2)


def test_a_bug_is_no_traceback(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(main_module, "make_app", broken)
    assert main(["probe"]) == 1
    text = capsys.readouterr().err
    assert "a bug: RuntimeError: unforeseen" in text
    assert "Traceback" not in text
    assert main(["probe", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_it_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "polytempo", "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
