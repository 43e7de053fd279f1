"""``polytempo report``: a page that shows the layers and what they are worth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from polytempo.cli.edit import described
from polytempo.cli.options import ClipOrProject, Place, takes_groups
from polytempo.cli.render import current_stack
from polytempo.cli.session import Session, session
from polytempo.core.errors import InputError, VersionError
from polytempo.edit.edl import check_edl, clip_duration, read_edl
from polytempo.layers.stack import LayerStack
from polytempo.project.arrays import read_camera, read_cast
from polytempo.project.folder import RECORD, Project
from polytempo.project.records import Record, read_record
from polytempo.project.report import ReportInput, write_report
from polytempo.project.stages import run_probe
from polytempo.render.findings import edit_findings
from polytempo.video.clip import Clip
from polytempo.video.reader import ClipReader

STAGES = (
    *("probe", "frames", "camera_first", "masks", "camera", "cast", "bodies", "whole_bodies"),
    *("separation", "networks", "atlases", "layers", "render"),
)


@takes_groups
def report_command(
    given: ClipOrProject,
    place: Place,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Page to write; left out: report.html in the project.")
    ] = None,
) -> None:
    """Write report.html with a contact sheet beside it."""
    with session(given, place) as now:
        path = output or now.project.root / "report.html"
        for warning in reported(now, path):
            now.output.warn(warning)
        now.output.say(str(path), path=str(path), sheet=str(path.with_suffix(".png")))


def reported(now: Session, path: Path) -> list[str]:
    """Write the report of what the project has, and give its warnings."""
    clip = run_probe(now.project, now.report).value
    stack = current_stack(now.project).value
    edit, edit_warnings = _edit(now.project, stack, clip)
    with ClipReader(clip) as pictures:
        return write_report(
            path,
            ReportInput(
                title=f"Layers of {clip.path.name}",
                clip=clip,
                pictures=pictures,
                stack=stack,
                camera=read_camera(now.project.current_result("camera") / "camera.json"),
                cast=read_cast(now.project.current_result("cast") / "cast.npz"),
                records=_records(now.project),
                alignments=tuple(
                    one.read_text(encoding="utf-8") for one in sorted(now.project.root.glob("align-*.svg"))
                ),
                edit=edit,
                edit_warnings=edit_warnings,
            ),
            report=now.report,
        )


def _edit(project: Project, stack: LayerStack, clip: Clip) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What becomes of everybody in the project's edit, and what is to be looked at in it."""
    path = project.root / "edit.json"
    if not path.exists():
        return (), ()
    try:
        edl = read_edl(path)
        check_edl(edl, layers=[one.name for one in stack.layers], source_duration=clip_duration(clip))
    except (InputError, VersionError) as error:  # the layers are worth a report without it
        return (), (f"The edit cannot be shown: {error}",)
    return tuple(described(edl)), tuple(edit_findings(stack, edl, clip))


def _records(project: Project) -> tuple[Record, ...]:
    found = [
        read_record(project.root / "stages" / stage / project.current[stage] / RECORD)
        for stage in STAGES
        if stage in project.current
    ]
    return tuple(one for one in found if one is not None)
