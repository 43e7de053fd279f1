"""``polytempo atlas``: the atlases of a project as pictures to be painted on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import cv2
import typer

from polytempo.cli.options import ClipOrProject, Place, takes_groups
from polytempo.cli.session import session
from polytempo.core.files import atomic_path, write_bytes
from polytempo.project.atlas_layering import current_atlases
from polytempo.project.given_paint import BACKGROUND_NAME


@takes_groups
def atlas_command(
    given: ClipOrProject,
    place: Place,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder for the pictures.")],
    side: Annotated[int, typer.Option("--side", metavar="PX", help="Side of a picture in pixels.")] = 1000,
) -> None:
    """Write each layer's atlas as a PNG, opaque where the clip shows it. Paint on it, then `decompose --paint`."""
    with session(given, place) as now:
        found = current_atlases(now.project, now.settings, side_px=side, report=now.report)
        with atomic_path(output) as partial:
            partial.mkdir()
            for name, picture in found.items():
                png = cv2.imencode(".png", picture.rgba[..., [2, 1, 0, 3]])[1]
                write_bytes(partial / f"{name}.png", png.tobytes())
        now.output.say(
            f"{output}: {', '.join(found)}\n"
            f"Next: polytempo decompose {now.project.root} --paint {BACKGROUND_NAME}=PAINTED.png",
            path=str(output),
            atlases=list(found),
        )
