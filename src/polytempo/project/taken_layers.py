"""Layers that a project takes from another project of the same clip, so that both systems' layers are in one edit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from polytempo.core.errors import InputError
from polytempo.core.files import write_json
from polytempo.core.progress import Report
from polytempo.layers.mix import with_layers_from
from polytempo.layers.stack import LayerStack
from polytempo.layers.store import read_stack, write_stack
from polytempo.project.damaged import or_damaged
from polytempo.project.folder import DamagedProjectError, Project, open_project
from polytempo.project.run import Result, run_stage

FILE = "taken.json"


def keep_taken(project: Project, text: str) -> None:
    """Remember that a layer comes from another project, as ``girl=OTHER.polytempo``.

    Raises:
        InputError: it does not read so, or the other project has no layers, not this one, or another clip's; nothing is
            then kept.
    """
    name, found, place = (one.strip() for one in text.partition("="))
    if not found or not name or not place:
        raise InputError("cli.take", "it must read NAME=PROJECT, e.g. girl=other.polytempo", got=repr(text))
    other = Path(place).resolve()
    there = [one.name for one in read_stack(_theirs(project, other) / "stack").layers]
    if name not in there:
        raise InputError(
            "project", "the other project must have the layer", got=repr(name),
            todo=f"It has: {', '.join(sorted(there))}", path=other,
        )  # fmt: skip
    write_json(project.root / FILE, {**_taken(project), name: str(other)})


def forget_taken(project: Project) -> None:
    """Go on with the project's own layers."""
    (project.root / FILE).unlink(missing_ok=True)


def with_taken(project: Project, stack: Result[LayerStack], report: Report) -> Result[LayerStack]:
    """The layers with those that are taken from other projects, as a result of their own.

    Raises:
        InputError: another project's layers do not fit, or are no longer there.
    """
    taken = _taken(project)
    if not taken:
        return stack
    folders = {name: _theirs(project, Path(place)) for name, place in taken.items()}

    def make(folder: Path, report: Report) -> Sequence[str]:
        mixed = stack.value
        for name, theirs in folders.items():
            mixed = with_layers_from(mixed, read_stack(theirs / "stack"), [name])
        write_stack(folder / "stack", mixed, report=report)
        return stack.record.warnings

    return run_stage(
        project,
        "layers",
        inputs={"own": stack.key, **{f"taken {name}": folder.name for name, folder in folders.items()}},
        config=None,
        make=make,
        load=lambda folder: or_damaged(folder, lambda: read_stack(folder / "stack")),
        report=report,
    )


def _taken(project: Project) -> dict[str, str]:
    path = project.root / FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise DamagedProjectError(
            "project", "the list of taken layers must be whole", got=str(error), todo="Say --take none", path=path
        ) from error
    return {str(name): str(place) for name, place in document.items()}


def _theirs(project: Project, other: Path) -> Path:
    """Folder of the layers of another project."""
    if other == project.root.resolve() or not other.is_dir():
        raise InputError(
            "project", "layers must be taken from another project", got="itself or none", path=other,
            todo="Decompose the clip there first, with --project",
        )  # fmt: skip
    with open_project(other, writing=False) as opened:
        if opened.clip.digest != project.clip.digest:
            raise InputError(
                "project", "layers must be taken from a project of the same clip", got="another", path=other
            )
        return opened.current_result("layers")
