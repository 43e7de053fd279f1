"""The stages from subjects to layers, and from layers and an edit to a clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from polytempo.core.progress import Report
from polytempo.decompose.lnr.draft import background_of, background_plate, separate
from polytempo.decompose.lnr.solve import Separation, solve_frames
from polytempo.edit.edl import Edl, text_from_edl
from polytempo.layers.stack import LayerStack
from polytempo.layers.store import StackWriter, read_stack
from polytempo.project.atlas_layering import run_atlas_layers
from polytempo.project.damaged import or_damaged
from polytempo.project.folder import Project
from polytempo.project.given_keypoints import run_bodies
from polytempo.project.given_plate import given_plate, plate_key
from polytempo.project.neural_layering import run_neural_layers
from polytempo.project.run import Result, config_document, result_key, run_stage
from polytempo.project.separations import read_separation, write_separation
from polytempo.project.settings import Settings
from polytempo.project.stages import Footage, Subjects
from polytempo.project.taken_layers import with_taken
from polytempo.project.whole_bodies import WholeBodies, run_whole_bodies
from polytempo.render.network_file import network_key
from polytempo.render.sequence import RenderConfig, render_clip
from polytempo.video.clip import Clip
from polytempo.video.reader import ClipReader


@dataclass(frozen=True, kw_only=True, slots=True)
class Layers:
    """The layers of a clip."""

    separation: Result[Separation] | None
    """Who changes which pixel, at working size; the neural presets and method ``nvd`` have none."""
    stack: Result[LayerStack]
    """At clip size."""
    warnings: tuple[str, ...] = ()
    """What the user should know of bodies and training."""


def run_layers(project: Project, footage: Footage, subjects: Subjects, settings: Settings, report: Report) -> Layers:
    """Separate the clip's layers, and put those among them that are taken from other projects; see ``_own_layers``."""
    own = _own_layers(project, footage, subjects, settings, report)
    return replace(own, stack=with_taken(project, own.stack, report))


def _own_layers(project: Project, footage: Footage, subjects: Subjects, settings: Settings, report: Report) -> Layers:
    """Find out at working size who changes which pixel, then read the layers off the frames at clip size.

    The first of the two is the long one: it keeps checkpoints in the project's work folder and goes on from them.
    """
    cast, camera = subjects.cast.value, subjects.camera.value
    inputs = {"frames": footage.frames.key, "camera": subjects.camera.key, "cast": subjects.cast.key}
    clip = footage.clip.value
    bodies = run_bodies(
        project,
        clip,
        subjects.cast,
        subjects.camera,
        config=settings.bodies,
        corrections=settings.keypoint_corrections,
        vitpose=None if settings.vitpose == "none" else settings.vitpose,
        report=report,
    )
    full_camera = camera.scaled((clip.width, clip.height))
    given = given_plate(project, full_camera, frames=footage.frames.value)
    if (plate_digest := plate_key(project)) is not None:
        inputs["plate"] = plate_digest
    whole: Result[WholeBodies] | None = None
    told = () if bodies is None else bodies.record.warnings
    if bodies is not None:
        inputs["bodies"] = bodies.key
        whole = run_whole_bodies(
            project, footage.frames, subjects.cast, subjects.camera, bodies, config=settings.bodies, report=report
        )
        cast = whole.value.cast
    if settings.method == "nvd":
        stack = run_atlas_layers(project, footage, cast, camera, inputs, settings, report, given)
        return Layers(separation=None, stack=stack, warnings=(*told, *stack.record.warnings))
    if settings.preset != "draft":
        stack = run_neural_layers(project, footage, cast, camera, bodies, inputs, settings, report, given)
        return Layers(separation=None, stack=stack, warnings=(*told, *stack.record.warnings))
    key = result_key("separation", inputs, settings.decompose, seed=settings.seed)

    def make_separation(folder: Path, report: Report) -> Sequence[str]:
        separation = separate(
            footage.frames.value,
            camera,
            cast,
            config=settings.decompose,
            seed=settings.seed,
            checkpoint=project.work_folder("separation", key),
            hidden=None if whole is None else whole.value.hidden(),
            bodies=None if bodies is None else bodies.value,
            given=given,
            report=report,
        )
        write_separation(folder, separation)
        return ()

    separation = run_stage(
        project,
        "separation",
        inputs=inputs,
        config=settings.decompose,
        seed=settings.seed,
        key=key,
        make=make_separation,
        load=lambda folder: or_damaged(folder, lambda: read_separation(folder)),
        report=report,
    )
    project.clear_work("separation")

    def make_layers(folder: Path, report: Report) -> Sequence[str]:
        config = settings.decompose
        with (
            ClipReader(clip) as pictures,
            StackWriter(folder / "stack", layers=cast.layers, camera=full_camera, order=cast.order) as writer,
        ):
            plate = background_plate(
                pictures, full_camera, cast, separation.value, config=config, given=given, report=report
            )
            writer.write_background(background_of(plate))
            for solved in solve_frames(
                pictures, plate, full_camera, cast, separation.value, config=config.solve, report=report
            ):
                writer.write_live(solved.live)
                for one in cast.layers:
                    writer.write(one.layer_id, solved.bodies[one.layer_id], effects=solved.effects[one.layer_id])
        return ()

    stack = run_stage(
        project,
        "layers",
        inputs=inputs | {"separation": separation.key, "clip": project.clip.digest},
        config=settings.decompose,
        make=make_layers,
        load=lambda folder: or_damaged(folder, lambda: read_stack(folder / "stack")),
        report=report,
    )
    return Layers(separation=separation, stack=stack, warnings=told)


def run_render(
    project: Project,
    clip: Clip,
    stack: Result[LayerStack],
    edl: Edl,
    *,
    suffix: str,
    config: RenderConfig,
    report: Report,
) -> Result[Path]:
    """Render an edit, kept in the project under the key of its layers and the edit.

    Args:
        project: Open for writing.
        clip: The clip the layers come from.
        stack: The layers at clip size.
        edl: The edit.
        suffix: Kind of file, ``".mp4"``, ``".mov"`` or ``".mkv"``.
        config: How the file is written.
        report: Told as work goes on.

    Raises:
        InputError: the network for slow motion cannot be read.
    """

    def make(folder: Path, report: Report) -> Sequence[str]:
        render_clip(stack.value, edl, clip, folder / f"clip{suffix}", config=config, report=report)
        return ()

    inputs = {"layers": stack.key, "clip": project.clip.digest}
    if config.interpolator != "flow":
        inputs["interpolator"] = network_key(config.interpolator)
    keyed = replace(config, interpolator="flow")  # by what is in the file, wherever it lies
    return run_stage(
        project,
        "render",
        inputs=inputs,
        config={"edl": text_from_edl(edl), "suffix": suffix, "render": config_document(keyed)},
        make=make,
        load=lambda folder: or_damaged(folder, lambda: _existing(folder / f"clip{suffix}")),
        report=report,
    )


def _existing(path: Path) -> Path:
    if path.stat().st_size == 0:
        raise ValueError("an empty file")
    return path
