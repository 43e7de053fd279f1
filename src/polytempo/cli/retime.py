"""``polytempo retime``: from a clip to a retimed clip in one go."""

from __future__ import annotations

import typer

from polytempo.cli.asking import Said
from polytempo.cli.decompose import layered
from polytempo.cli.edit import next_edit
from polytempo.cli.edits import edit_words
from polytempo.cli.options import (
    Boxes,
    ClipOrProject,
    ConfigFile,
    Debug,
    Delay,
    Duplicate,
    Dynamic,
    EdlFile,
    Freeze,
    Groups,
    Json,
    Order,
    OtherPrompts,
    Output,
    Pick,
    Points,
    ProjectFolder,
    Remove,
    Sets,
    Solo,
    Speed,
    SubjectsFile,
)
from polytempo.cli.render import check_output, rendered
from polytempo.cli.session import session
from polytempo.cli.subjects import propose_subjects, settle_request
from polytempo.edit.edl import read_edl, write_edl
from polytempo.project.stages import run_footage


def retime_command(
    context: typer.Context,
    given: ClipOrProject,
    output: Output,
    subjects: SubjectsFile = None,
    box: Boxes = None,
    point: Points = None,
    prompt: OtherPrompts = None,
    pick: Pick = None,
    group: Groups = None,
    order: Order = None,
    dynamic: Dynamic = None,
    freeze: Freeze = None,
    remove: Remove = None,
    delay: Delay = None,
    speed: Speed = None,
    duplicate: Duplicate = None,
    solo: Solo = None,
    edl: EdlFile = None,
    project: ProjectFolder = None,
    config: ConfigFile = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Do all in one: follow the subjects, separate layers, edit, render. Run again, it redoes only what changed."""
    check_output(output)
    said = Said(
        file=subjects,
        boxes=box or (),
        points=point or (),
        prompts=prompt or (),
        pick=pick,
        groups=group or (),
        order=order,
        dynamic=dynamic or (),
    )
    with session(given, project=project, config=config, sets=sets or (), as_json=as_json) as now:
        start = read_edl(edl) if edl else None
        if settle_request(now, said) is None:
            propose_subjects(now, run_footage(now.project, now.settings, now.report))
            return
        footage, found, layers = layered(now)
        clip = footage.clip.value
        names = [one.name for one in layers.stack.value.layers]
        final = next_edit(start, edit_words(context.obj), names=names, clip=clip)
        write_edl(now.project.root / "edit.json", final)
        rendered(now, clip, layers.stack, final, output)
        for warning in (*found.camera.record.warnings, *found.cast.record.warnings):
            now.output.warn(warning)
        now.output.say(
            f"{output}\nThe project is kept in {now.project.root}: edit again with `polytempo edit`, look with "
            "`polytempo report`.",
            path=str(output),
            project=str(now.project.root),
        )
