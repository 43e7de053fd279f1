"""``polytempo retime``: from a clip to a retimed clip in one go."""

from __future__ import annotations

import typer

from polytempo.cli.align_plot import write_plots
from polytempo.cli.decompose import layered
from polytempo.cli.edit import next_edit, read_edit, scene_of
from polytempo.cli.edits import edit_words
from polytempo.cli.options import ClipOrProject, Edits, Output, Rendering, Said, takes_groups
from polytempo.cli.render import check_output, rendered
from polytempo.cli.session import session
from polytempo.cli.subjects import propose_subjects, settle_request
from polytempo.edit.edl import write_edl
from polytempo.project.stages import run_footage


@takes_groups
def retime_command(
    context: typer.Context, given: ClipOrProject, output: Output, said: Said, edits: Edits, place: Rendering
) -> None:
    """Do all in one: follow the subjects, separate layers, edit, render. Run again, it redoes only what changed."""
    check_output(output)
    with session(given, place) as now:
        start = read_edit(edits.edl) if edits.edl else None
        request = settle_request(now, said)
        if request is None:
            propose_subjects(now, run_footage(now.project, now.settings, now.report))
            return
        footage, found, layers = layered(now, request)
        clip = footage.clip.value
        names = [one.name for one in layers.stack.value.layers]
        scene = scene_of(now.project, clip, edits)
        final = next_edit(start, edit_words(context.obj), names=names, clip=clip, scene=scene)
        write_edl(now.project.root / "edit.json", final)
        rendered(now, clip, layers.stack, final, output)
        for note in [*scene.notes, *map(str, write_plots(scene, now.project.root))]:
            now.output.say(note)
        for warning in (*found.camera.record.warnings, *found.cast.record.warnings, *layers.warnings):
            now.output.warn(warning)
        now.output.say(
            f"{output}\nThe project is kept in {now.project.root}: edit again with `polytempo edit`, look with "
            "`polytempo report`.",
            path=str(output),
            project=str(now.project.root),
        )
