"""``polytempo decompose``: from subjects to layers."""

from __future__ import annotations

from polytempo.cli.options import ClipOrProject, ConfigFile, Debug, Json, ProjectFolder, Sets
from polytempo.cli.session import Session, session
from polytempo.cli.subjects import followed
from polytempo.core.errors import InputError
from polytempo.project.layering import Layers, run_layers
from polytempo.project.request import read_request
from polytempo.project.stages import Footage, Subjects, run_footage


def decompose_command(
    given: ClipOrProject,
    project: ProjectFolder = None,
    config: ConfigFile = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Separate each subject, with its shadow and reflection, into a layer."""
    with session(given, project=project, config=config, sets=sets or (), as_json=as_json) as now:
        footage, subjects, layers = layered(now)
        for warning in (*subjects.camera.record.warnings, *subjects.cast.record.warnings):
            now.output.warn(warning)
        names = [layer.name for layer in layers.stack.value.layers]
        now.output.say(
            f"Layers of {footage.clip.value.path.name}: background, {', '.join(names)}\n"
            f"Next: polytempo retime {now.project.root} --freeze {names[0]}@1s -o out.mp4",
            project=str(now.project.root),
            layers=names,
        )


def layered(now: Session) -> tuple[Footage, Subjects, Layers]:
    """Run every stage up to the layers, as far as they are not there yet.

    Raises:
        InputError: nobody has said yet who is to be separated.
    """
    request = read_request(now.project.root / "subjects.json")
    if request is None:
        raise InputError(
            "project",
            "somebody must be named before layers can be separated",
            got="no subjects",
            todo=f"Run `polytempo subjects {now.project.root.name}` to see who is proposed, or give --subjects FILE",
            path=now.project.root,
        )
    footage = run_footage(now.project, now.settings, now.report)
    subjects = followed(now, footage, request)
    return footage, subjects, run_layers(now.project, footage, subjects, now.settings, now.report)
