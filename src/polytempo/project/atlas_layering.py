"""The stages from subjects to layers by hashed atlases: the model first, then the layers at clip size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import safetensors
import safetensors.torch
from torch import Tensor

from polytempo.atlas.edit import BACKGROUND, edited_stack
from polytempo.atlas.picture import AtlasPicture, atlas_pictures
from polytempo.camera.given_plate import GivenPlate
from polytempo.camera.path import CameraPath
from polytempo.core.errors import InputError
from polytempo.core.files import write_bytes
from polytempo.core.progress import Report
from polytempo.decompose.bare import background_plate
from polytempo.decompose.nvd.build import background_of, empty_model, learn_atlases
from polytempo.decompose.nvd.export import render_frames
from polytempo.decompose.nvd.shading import layer_shadings
from polytempo.decompose.nvd.unfollowed import Unfollowed
from polytempo.layers.stack import LayerStack
from polytempo.layers.store import StackWriter, read_stack, write_stack
from polytempo.objects.cast import Cast
from polytempo.objects.flow_network import flow_network_key, read_flow_network
from polytempo.project.arrays import read_camera, read_cast
from polytempo.project.damaged import damaged_result, or_damaged
from polytempo.project.folder import Project
from polytempo.project.given_paint import BACKGROUND_NAME, accept_paint, given_edits, paint_key, refuse_paint
from polytempo.project.run import Result, result_key, run_stage
from polytempo.project.settings import Settings
from polytempo.project.stages import Footage
from polytempo.video.frames import FrameStore
from polytempo.video.reader import ClipReader

WEIGHTS = "atlases.safetensors"


def run_atlas_layers(
    project: Project,
    footage: Footage,
    cast: Cast,
    camera: CameraPath,
    inputs: Mapping[str, str],
    settings: Settings,
    report: Report,
    given: GivenPlate | None = None,
) -> Result[LayerStack]:
    """Learn the atlases of a clip at working size, then lay its layers out at clip size.

    Training keeps checkpoints in the project's work folder and goes on from them.

    Args:
        project: Open for writing.
        footage: The clip.
        cast: Who is in it.
        camera: At working size.
        inputs: Keys of all that went in so far.
        settings: ``method`` is ``nvd``.
        report: Told as work goes on.
        given: The user's own clean plate; shown where the background was never seen.
    """
    clip, config = footage.clip.value, settings.atlases()
    frames = footage.frames.value
    network = settings.nvd.flow_network
    if network != "none":
        inputs = {**inputs, "flow_network": flow_network_key(network)}
    key = result_key("atlases", inputs, config, seed=settings.seed)

    def make_atlases(folder: Path, report: Report) -> Sequence[str]:
        work = project.work_folder("atlases", key)
        trained = learn_atlases(
            frames,
            camera,
            cast,
            config=config,
            seed=settings.seed,
            checkpoint=work,
            flow_network=None if network == "none" else read_flow_network(network),
            report=report,
        )
        tensors = {name: value.cpu().contiguous() for name, value in trained.model.state_dict().items()}
        write_bytes(folder / WEIGHTS, safetensors.torch.save(tensors))
        names = {one.layer_id: one.name for one in cast.layers}
        return [f"{names[one.layer_id]}: {_said(one)}" for one in trained.unfollowed]

    atlases = run_stage(
        project,
        "atlases",
        inputs=inputs,
        config=config,
        seed=settings.seed,
        key=key,
        make=make_atlases,
        load=lambda folder: or_damaged(folder, lambda: _read_weights(folder)),
        report=report,
    )
    project.clear_work("atlases")

    def make_layers(folder: Path, report: Report) -> Sequence[str]:
        model = empty_model(frames, camera, cast, config=config)
        model.load_state_dict(atlases.value)
        full_camera = camera.scaled((clip.width, clip.height))
        ids = tuple(one.layer_id for one in cast.layers)
        with (
            ClipReader(clip) as pictures,
            StackWriter(folder / "stack", layers=cast.layers, camera=full_camera, order=cast.order) as writer,
        ):
            plate = background_plate(pictures, full_camera, cast, given=given, report=report)
            writer.write_background(background_of(plate))
            for rendered in render_frames(
                model, ids, full_camera, pictures, plate, with_detail=config.transfer_detail, report=report
            ):
                writer.write_live(rendered.live)
                for one in ids:
                    writer.write(one, rendered.pictures[one])
            for shadings in layer_shadings(model, report=report):
                for one, shading in zip((*ids, BACKGROUND), shadings, strict=True):
                    writer.write_shading(one, uv=shading.uv, light=shading.light)
        return atlases.record.warnings

    plain = {**inputs, "atlases": atlases.key, "clip": project.clip.digest, "holds": "light"}
    stack = run_stage(
        project,
        "layers",
        inputs=plain,
        config=config,
        make=make_layers,
        load=lambda folder: or_damaged(folder, lambda: read_stack(folder / "stack")),
        report=report,
    )
    if (paint := paint_key(project)) is None:
        return stack

    def make_painted(folder: Path, report: Report) -> Sequence[str]:
        model = empty_model(frames, camera, cast, config=config)
        model.load_state_dict(atlases.value)
        try:
            edits, told = given_edits(project, model, stack.value, cast, report=report)
        except InputError as error:
            raise refuse_paint(project, error) from error
        write_stack(folder / "stack", edited_stack(stack.value, edits), report=report)
        return [*atlases.record.warnings, *told]

    painted = run_stage(
        project,
        "layers",
        inputs={**plain, "paint": paint},
        config=config,
        make=make_painted,
        load=lambda folder: or_damaged(folder, lambda: read_stack(folder / "stack")),
        report=report,
    )
    accept_paint(project)
    return painted


def current_atlases(project: Project, settings: Settings, *, side_px: int, report: Report) -> dict[str, AtlasPicture]:
    """The atlases that the project has, by layer name; ``background`` last.

    Raises:
        InputError: there are none yet.
        DamagedProjectError: they cannot be read.
    """
    folder = project.current_result("atlases")
    weights = or_damaged(folder, lambda: _read_weights(folder))
    cast = read_cast(project.current_result("cast") / "cast.npz")
    camera = read_camera(project.current_result("camera") / "camera.json")
    frames = FrameStore.open(project.current_result("frames") / "store")
    model = empty_model(frames, camera, cast, config=settings.atlases())
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise damaged_result(folder, "weights of other settings") from error
    names = [*(plan.name for plan in cast.layers), BACKGROUND_NAME]
    return dict(zip(names, atlas_pictures(model, side_px=side_px, report=report), strict=True))


def _said(one: Unfollowed) -> str:
    """What is wrong with a layer's masks, and in which frames."""
    what = {
        "lost": "what its masks show is not found again where motion leads",
        "elsewhere": "its masks go another way than what they show",
    }[one.why]
    where = f"in {len(one.frames)} of {one.n_frames} frames ({_ranges(one.frames)})"
    return f"{what}, {where}, so paint on it may swim; look at the masks"


def _ranges(frames: Sequence[int]) -> str:
    """Ascending numbers, those that follow on each other as one range."""
    runs: list[list[int]] = []
    for one in frames:
        if runs and runs[-1][-1] == one - 1:
            runs[-1][1:] = [one]
        else:
            runs.append([one])
    return ", ".join(" to ".join(map(str, one)) for one in runs)


def _read_weights(folder: Path) -> dict[str, Tensor]:
    """Weights by name.

    Raises:
        ValueError: they are damaged.
    """
    try:
        return safetensors.torch.load((folder / WEIGHTS).read_bytes())
    except safetensors.SafetensorError as error:
        raise ValueError(str(error)) from error
