"""``polytempo decompose``: from subjects to layers."""

from __future__ import annotations

from polytempo.cli.options import ClipOrProject, Said, Working, takes_groups
from polytempo.cli.session import Session, session
from polytempo.cli.subjects import followed, settle_request
from polytempo.core.errors import InputError
from polytempo.project.layering import Layers, run_layers
from polytempo.project.request import SubjectsRequest
from polytempo.project.stages import Footage, Subjects, run_footage


@takes_groups
def decompose_command(given: ClipOrProject, said: Said, place: Working) -> None:
    """Separate each subject, with its shadow and reflection, into a layer."""
    with session(given, place) as now:
        footage, subjects, layers = layered(now, settle_request(now, said))
        for warning in (*subjects.camera.record.warnings, *subjects.cast.record.warnings, *layers.warnings):
            now.output.warn(warning)
        names = [layer.name for layer in layers.stack.value.layers]
        now.output.say(
            f"Layers of {footage.clip.value.path.name}: background, {', '.join(names)}\n"
            f"Next: polytempo retime {now.project.root} --freeze {names[0]}@1s -o out.mp4",
            project=str(now.project.root),
            layers=names,
        )


def layered(now: Session, request: SubjectsRequest | None) -> tuple[Footage, Subjects, Layers]:
    """Run every stage up to the layers, as far as they are not there yet.

    Raises:
        InputError: nobody has said yet who is to be separated.
    """
    if request is None:
        raise InputError(
            "project",
            "somebody must be named before layers can be separated",
            got="no subjects",
            todo=f"See who is proposed with `polytempo subjects {now.project.root.name}`, or give --subjects or --box",
            path=now.project.root,
        )
    footage = run_footage(now.project, now.settings, now.report)
    subjects = followed(now, footage, request)
    return footage, subjects, run_layers(now.project, footage, subjects, now.settings, now.report)
