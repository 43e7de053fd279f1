from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from polytempo.core.progress import Progress
from polytempo.project.folder import DamagedProjectError, Project, open_project
from polytempo.project.run import Result, result_key, run_stage


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    times: int = 2


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"x")
    with open_project(tmp_path / "a.polytempo", clip=clip) as project:
        yield project


made: list[str] = []


def double(
    project: Project, text: str, *, config: Config = Config(), seen: list[Progress] | None = None
) -> Result[str]:
    def make(folder: Path, _: object) -> list[str]:
        made.append(text)
        (folder / "out.json").write_text(json.dumps(text * config.times))
        return ["a warning"]

    def load(folder: Path) -> str:
        try:
            return str(json.loads((folder / "out.json").read_text()))
        except (OSError, ValueError) as error:
            raise DamagedProjectError("project", "readable", path=folder) from error

    report = (lambda p: None) if seen is None else seen.append
    return run_stage(project, "double", inputs={"text": text}, config=config, make=make, load=load, report=report)


def test_only_what_changed_is_made_again(project: Project) -> None:
    made.clear()
    seen: list[Progress] = []
    first = double(project, "a", seen=seen)
    again = double(project, "a", seen=seen)
    assert (first.value, first.reused, again.value, again.reused) == ("aa", False, "aa", True)
    assert first.record == again.record
    assert first.record.warnings == ("a warning",)
    assert first.record.config == {"times": 2}
    assert [one.message.split()[0] for one in seen] == ["started", "done", "kept"]
    assert double(project, "b").value == "bb"
    assert double(project, "a", config=Config(times=3)).value == "aaa"
    assert double(project, "a").reused
    assert made == ["a", "b", "a"]


@pytest.mark.parametrize("name", ["out.json", "record.json"])
def test_a_damaged_result_is_made_again(project: Project, name: str) -> None:
    made.clear()
    result = double(project, "a")
    (result.folder / name).write_text("{")
    assert double(project, "a").value == "aa"
    assert made == ["a", "a"]
    assert double(project, "a").reused


def test_key_depends_on_everything_that_goes_in() -> None:
    keys = {
        result_key("a", {"x": "1"}, None),
        result_key("b", {"x": "1"}, None),
        result_key("a", {"x": "2"}, None),
        result_key("a", {"y": "1"}, None),
        result_key("a", {"x": "1"}, Config()),
        result_key("a", {"x": "1"}, Config(times=3)),
        result_key("a", {"x": "1"}, None, seed=1),
    }
    assert len(keys) == 7
    assert result_key("a", {"x": "1", "y": "2"}, None) == result_key("a", {"y": "2", "x": "1"}, None)
