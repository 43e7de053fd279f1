"""The stage that finds keypoints in the clip, by weights that the user has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from polytempo.bodies.vitpose import find_keypoints, read_vitpose
from polytempo.core.errors import InputError
from polytempo.core.files import write_json
from polytempo.core.progress import Report
from polytempo.objects.cast import Cast
from polytempo.project.folder import Project
from polytempo.project.request import files_key
from polytempo.project.run import Result, run_stage
from polytempo.video.clip import Clip
from polytempo.video.reader import ClipReader

FILE = "keypoints.json"


def run_vitpose(project: Project, clip: Clip, cast: Result[Cast], weights: Path, report: Report) -> Path:
    """Keypoints of all subjects, found by ViTPose around their masks, as a file in AlphaPose's layout.

    Args:
        project: Open for writing.
        clip: The clip, which is looked at in its own size.
        cast: At working size.
        weights: Folder of the model.
        report: Told as work goes on.

    Raises:
        InputError: the weights cannot be read, or nobody is found.
        ResourceError: the extra is not installed.
    """

    def make(folder: Path, report: Report) -> Sequence[str]:
        vitpose = read_vitpose(weights)
        with ClipReader(clip) as pictures:
            people = [
                {
                    "image_id": f"{one.frame:06d}.png",
                    "idx": one.track,
                    "keypoints": [round(float(value), 3) for value in one.points.ravel()],
                }
                for one in find_keypoints(pictures, cast.value, vitpose, report=report)
            ]
        if not people:
            raise InputError(
                "project", "ViTPose must find a person in some frame", got="nobody",
                todo="Go on without it: --set vitpose=none, or give --keypoints FILE", path=weights,
            )  # fmt: skip
        write_json(folder / FILE, people)
        return ()

    try:
        content = files_key(weights)
    except OSError as error:
        raise InputError(
            "project", "ViTPose's weights must be a folder that can be read", got=error.strerror or "an error",
            path=weights,
        ) from error  # fmt: skip
    return run_stage(
        project,
        "keypoints",
        inputs={"clip": project.clip.digest, "cast": cast.key, "weights": content},
        make=make,
        load=lambda folder: folder / FILE,
        report=report,
    ).value
