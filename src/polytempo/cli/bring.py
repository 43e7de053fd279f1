"""``polytempo import``: layers that another program made, to be retimed here."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from polytempo.cli.options import Debug, Json
from polytempo.cli.output import Output, choose_mode
from polytempo.core.errors import InputError
from polytempo.core.files import digest, write_json
from polytempo.core.progress import silent
from polytempo.core.time import fraction_from_text
from polytempo.exchange.folders import clip_of_frames, find_layer_folders, import_layer_folders, read_paper_scene
from polytempo.layers.store import read_stack
from polytempo.project.damaged import or_damaged
from polytempo.project.folder import SUFFIX, open_project
from polytempo.project.given_camera import keep_camera
from polytempo.project.given_keypoints import keep_keypoints
from polytempo.project.request import SubjectsRequest, write_request
from polytempo.project.run import run_stage
from polytempo.project.stages import run_probe


def import_command(
    given: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A folder a layer, or a scene in the papers' layout.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="PROJECT", help="Project folder to make, NAME.polytempo.")
    ],
    rate: Annotated[str, typer.Option("--frame-rate", help="Frames a second, which such folders do not say.")] = "24",
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Make a project of RGBA layer folders, or of a scene with rgb/, mask/ and what else the papers' layout has."""
    out = Output(mode=choose_mode(as_json=as_json))
    frame_rate = fraction_from_text(rate, where="cli")
    if frame_rate <= 0:
        raise InputError("cli", "the frame rate must be above 0", got=rate)
    if output.suffix != SUFFIX:
        raise InputError("cli", f"a project's name must end in {SUFFIX}", got=repr(output.name), path=output)
    clip_path = output.with_suffix(".mkv")
    if (given / "rgb").is_dir():
        _paper_scene(out, given, output, clip_path, frame_rate)
        return
    found = find_layer_folders(given)
    store = output.with_suffix(".layers.partial")
    try:
        import_layer_folders(found, store, clip_path, frame_rate=frame_rate)
        with open_project(output, clip=clip_path) as project:
            run_probe(project, silent)
            run_stage(
                project,
                "layers",
                inputs={"clip": project.clip.digest, "imported": digest(str(given.resolve()))},
                make=lambda folder, _: (store.rename(folder / "stack"), ())[1],
                load=lambda folder: or_damaged(folder, lambda: read_stack(folder / "stack")),
                report=silent,
            )
    finally:
        shutil.rmtree(store, ignore_errors=True)
    names = ", ".join(name for name, _ in found.layers)
    out.say(f"{output}: {names}\nNext: polytempo edit {output} --freeze {found.layers[0][0]}@1s", path=str(output))


def _paper_scene(out: Output, given: Path, output: Path, clip_path: Path, frame_rate: Fraction) -> None:
    """Make a project of a scene in the papers' layout, with all that the scene says of its clip."""
    scene = read_paper_scene(given)
    scene.camera()  # refused before anything is written
    order = scene.named_order()
    clip_of_frames(scene.frames, clip_path, frame_rate=frame_rate)
    kept: list[str] = []
    with open_project(output, clip=clip_path) as project, TemporaryDirectory() as folder:
        clip = run_probe(project, silent).value
        if scene.homographies is not None:
            keep_camera(project, clip, scene.homographies)
            kept.append("the camera's path")
        if scene.keypoints is not None:
            write_json(Path(folder) / "keypoints.json", scene.keypoint_document())
            keep_keypoints(project, clip, Path(folder) / "keypoints.json")
            kept.append("keypoints")
        if scene.masks is not None:
            request = SubjectsRequest(masks=scene.masks.resolve(), order=order)
            write_request(project.root / "subjects.json", request)
            kept += ["masks", *(["who is in front"] if order else [])]
    words = ["polytempo", "subjects" if scene.masks is None else "decompose", str(output)]
    said = f"{output} with {', '.join(kept)}" if kept else str(output)
    out.say(f"{said}\nNext: {' '.join(words)}", path=str(output), clip=str(clip_path), kept=kept, next=words)
