"""``polytempo render``: the edit as a video file."""

from __future__ import annotations

import shutil
from pathlib import Path

from polytempo.cli.edit import next_edit, read_edit
from polytempo.cli.options import ClipOrProject, EdlFile, Output, Rendering, takes_groups
from polytempo.cli.session import Session, session
from polytempo.core.errors import InputError
from polytempo.core.files import atomic_path
from polytempo.edit.edl import Edl
from polytempo.layers.stack import LayerStack
from polytempo.layers.store import read_stack
from polytempo.project.damaged import damaged_result, or_damaged
from polytempo.project.folder import RECORD, Project
from polytempo.project.layering import run_render
from polytempo.project.records import read_record
from polytempo.project.run import Result
from polytempo.project.stages import run_probe
from polytempo.render.findings import edit_findings
from polytempo.render.sound import sound_plan
from polytempo.video.clip import Clip

SUFFIXES = (".mp4", ".mov", ".mkv")


@takes_groups
def render_command(given: ClipOrProject, output: Output, place: Rendering, edl: EdlFile = None) -> None:
    """Render the project's edit, or the one in --edl, with the clip's sound."""
    check_output(output)
    with session(given, place) as now:
        clip = run_probe(now.project, now.report).value
        stack = current_stack(now.project)
        path = edl or now.project.root / "edit.json"
        start = read_edit(path) if edl or path.exists() else None
        final = next_edit(start, [], names=[one.name for one in stack.value.layers], clip=clip)
        rendered(now, clip, stack, final, output)
        now.output.say(str(output), path=str(output))


def rendered(now: Session, clip: Clip, stack: Result[LayerStack], edl: Edl, output: Path) -> None:
    """Render an edit and put the file where it was asked for.

    Raises:
        InputError: the place cannot be written.
    """
    say_between(now, edl)
    result = run_render(
        now.project,
        clip,
        stack,
        edl,
        suffix=output.suffix.lower(),
        config=now.settings.render,
        report=now.report,
    )
    for finding in edit_findings(stack.value, edl, clip):
        now.output.warn(finding)
    sound = sound_plan(edl, clip, now.settings.render.sound, suffix=output.suffix)
    if sound.what not in ("none", "copy") or sound.anew is not None:
        now.output.say(sound.said)
    with atomic_path(output) as partial:
        shutil.copyfile(result.value, partial)


def say_between(now: Session, edl: Edl) -> None:
    """Say whether a network of the user's has something to do."""
    network = now.settings.render.interpolator
    if network == "flow":
        return
    if any(one.between == "flow" for one in edl.instances):
        now.output.say(f"Slow motion by {network.name}", interpolator=str(network))
    else:
        now.output.warn(f"{network.name} is not used: nobody has slow motion by flow (--slow-motion NAME=flow)")


def check_output(path: Path) -> None:
    """Refuse, before any work, a file that could not be written.

    Raises:
        InputError: the ending is none we write, or it is a folder.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InputError("cli", f"the output must end in {', '.join(SUFFIXES)}", got=repr(path.suffix), path=path)
    if path.is_dir():
        raise InputError("cli", "the output must be a file", got="a folder", path=path)


def current_stack(project: Project) -> Result[LayerStack]:
    """Give the layers that the project has, without looking whether they are still what its settings ask for.

    Raises:
        InputError: there are none yet.
        DamagedProjectError: they cannot be read.
    """
    folder = project.current_result("layers")
    record = read_record(folder / RECORD)
    if record is None:
        raise damaged_result(folder, "no record of how it was made")
    stack = or_damaged(folder, lambda: read_stack(folder / "stack"))
    return Result(stage="layers", key=folder.name, folder=folder, value=stack, record=record, reused=True)
