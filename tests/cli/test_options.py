from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path

import typer
from typer.testing import CliRunner

from polytempo.cli.options import ClipOrProject, Edits, Place, Said, Working, takes_groups

seen: list[tuple[Path, Said, Working]] = []


@takes_groups
def watch(given: ClipOrProject, said: Said, place: Working) -> None:
    """Look at a clip."""
    seen.append((given, said, place))


def test_fields_of_a_group_are_options() -> None:
    seen.clear()
    app = typer.Typer()
    app.command()(watch)
    words = ["a.mp4", "--box", "a=1,2,3,4@0", "--box", "b=1,2,3,4@5", "--pick", "1", "--set", "seed=3", "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    said = Said(box=["a=1,2,3,4@0", "b=1,2,3,4@5"], pick="1")
    assert seen == [(Path("a.mp4"), said, Working(sets=["seed=3"], as_json=True))]
    assert CliRunner().invoke(app, ["a.mp4"]).exit_code == 0
    assert seen[-1] == (Path("a.mp4"), Said(), Working())


def test_help_has_the_verb_s_words_and_every_option() -> None:
    app = typer.Typer(rich_markup_mode=None)
    app.command()(watch)
    text = CliRunner().invoke(app, ["--help"]).output
    assert "Look at a clip." in text
    for option in ("--subjects", "--homographies", "--project", "--config", "--debug"):
        assert option in text


def test_groups_do_not_share_a_name() -> None:
    """They come together in one verb, where a name can stand once only."""
    names = [field.name for kind in (Said, Edits, Working) for field in dataclasses.fields(kind)]
    assert len(set(names)) == len(names)
    assert {field.name for field in dataclasses.fields(Place)} <= {field.name for field in dataclasses.fields(Working)}
    assert next(iter(inspect.signature(watch).parameters)) == "given"
