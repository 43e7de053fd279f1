"""The stages from subjects to layers by the neural model: its weights first, then the layers at clip size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import safetensors
import safetensors.torch
from torch import Tensor

from polytempo.bodies.complete_cast import Body
from polytempo.bodies.keypoints_to_uv import keypoints_to_uv
from polytempo.bodies.rasterise import BodyMap
from polytempo.bodies.uv_network import SHIPPED, UvNetwork, read_uv_network
from polytempo.camera.given_plate import GivenPlate
from polytempo.camera.path import CameraPath
from polytempo.core.files import file_digest, require_disk_space, write_bytes
from polytempo.core.progress import Report
from polytempo.decompose.bare import background_plate
from polytempo.decompose.lnr.export import render_frames_of_layers
from polytempo.decompose.lnr.maps import layer_maps
from polytempo.decompose.lnr.paper import Networks, lay_background, learn
from polytempo.decompose.lnr.train import default_device, new_model
from polytempo.decompose.lnr.upsample import Upsampler
from polytempo.layers.stack import LayerStack
from polytempo.layers.store import StackWriter, read_stack
from polytempo.objects.cast import Cast
from polytempo.project.damaged import or_damaged
from polytempo.project.folder import Project
from polytempo.project.given_iuv import given_iuv, iuv_key, over_bodies
from polytempo.project.given_trimaps import given_trimaps, trimaps_key
from polytempo.project.run import Result, result_key, run_stage
from polytempo.project.settings import Settings
from polytempo.project.stages import Footage
from polytempo.video.frames import FrameStore
from polytempo.video.reader import ClipReader

WEIGHTS = "networks.safetensors"


def run_neural_layers(
    project: Project,
    footage: Footage,
    cast: Cast,
    camera: CameraPath,
    bodies: Result[dict[int, Body]] | None,
    inputs: Mapping[str, str],
    settings: Settings,
    report: Report,
    given: GivenPlate | None = None,
) -> Result[LayerStack]:
    """Train on the clip at working size, then lay the layers out at clip size.

    Training keeps checkpoints in the project's work folder and goes on from them.

    Args:
        project: Open for writing.
        footage: The clip.
        cast: With whole bodies, where there are keypoints.
        camera: At working size.
        bodies: By subject id; subjects without one are sprites.
        inputs: Keys of all that went in so far.
        settings: ``preset`` is ``paper`` or ``standard``.
        report: Told as work goes on.
        given: The user's own clean plate; layers are then composited over it while they are learned, too.
    """
    clip, config = footage.clip.value, settings.neural()
    if given is not None:
        config = replace(config, given_background=True)
    size = camera.frame_size
    weights = SHIPPED if settings.uv_network == "shipped" else settings.uv_network
    if weights is not None:
        network = read_uv_network(weights)
        inputs = {**inputs, "uv_network": file_digest(weights)}
    else:
        network = None
    iuv = iuv_key(project)
    if iuv is not None:
        inputs = {**inputs, "iuv": iuv}
    if (drawn_key := trimaps_key(project)) is not None:
        inputs = {**inputs, "trimaps": drawn_key}
    drawn = given_trimaps(project, clip, layers=[plan.name for plan in cast.layers], size=size)
    key = result_key("networks", inputs, config, seed=settings.seed)
    maps = over_bodies(_body_maps(bodies, size, network), given_iuv(project, clip, cast, size=size))

    def make_networks(folder: Path, report: Report) -> Sequence[str]:
        plate = background_plate(footage.frames.value, camera, cast, given=given, report=report)
        work = project.work_folder("networks", key)
        doubled = None
        if config.upsample.n_epochs > 0 and clip.width >= 1.5 * size[0]:
            large = (2 * size[0], 2 * size[1])
            require_disk_space(work, len(cast.order) * large[0] * large[1] * 3, where="project")
            doubled = FrameStore.build(clip, work / "doubled", size=large, report=report)
        networks = learn(
            footage.frames.value, camera, cast, plate, config=config, bodies=maps, doubled=doubled, trimaps=drawn,
            seed=settings.seed, checkpoint=work, report=report,
        )  # fmt: skip
        _write_networks(folder, networks)
        if networks.trained is not None and networks.trained.bootstrap_epoch is None:
            return ("Training ended before its mask loss fell below the paper's threshold: give it more epochs.",)
        return ()

    networks = run_stage(
        project,
        "networks",
        inputs=inputs,
        config=config,
        seed=settings.seed,
        key=key,
        make=make_networks,
        load=lambda folder: or_damaged(folder, lambda: _read_weights(folder)),
        report=report,
    )
    project.clear_work("networks")

    def make_layers(folder: Path, report: Report) -> Sequence[str]:
        learned = _networks(networks.value, cast, camera, maps)
        full_camera = camera.scaled((clip.width, clip.height))
        with (
            ClipReader(clip) as pictures,
            StackWriter(folder / "stack", layers=cast.layers, camera=full_camera, order=cast.order) as writer,
        ):
            known = config.given_background
            seen, path = (pictures, full_camera) if known else (footage.frames.value, camera)
            plate = background_plate(seen, path, cast, given=given, report=report)
            background = lay_background(
                learned, plate, full_camera, size=(clip.width, clip.height), given=known, report=report
            )
            writer.write_background(background)
            for rendered in render_frames_of_layers(
                learned.model, learned.maps, cast, full_camera, pictures,
                background.colour.astype(np.float32) / 255, upsampler=learned.upsampler,
                with_detail=config.transfer_detail, report=report,
            ):  # fmt: skip
                for one in cast.layers:
                    writer.write(one.layer_id, rendered.pictures[one.layer_id])
        return networks.record.warnings

    return run_stage(
        project,
        "layers",
        inputs={**inputs, "networks": networks.key, "clip": project.clip.digest},
        config=config,
        make=make_layers,
        load=lambda folder: or_damaged(folder, lambda: read_stack(folder / "stack")),
        report=report,
    )


def _body_maps(
    bodies: Result[dict[int, Body]] | None, size: tuple[int, int], network: UvNetwork | None
) -> dict[int, BodyMap]:
    """Part and UV by subject id; none without keypoints."""
    if bodies is None:
        return {}
    return {
        who: keypoints_to_uv(one.track, size=size, build=one.build, network=network)
        for who, one in bodies.value.items()
    }


def _write_networks(folder: Path, networks: Networks) -> None:
    tensors = {f"model.{name}": value for name, value in networks.model.state_dict().items()}
    if networks.upsampler is not None:
        tensors |= {f"upsampler.{name}": value for name, value in networks.upsampler.state_dict().items()}
    data = safetensors.torch.save({name: value.cpu().contiguous() for name, value in tensors.items()})
    write_bytes(folder / WEIGHTS, data)


def _read_weights(folder: Path) -> dict[str, Tensor]:
    """Weights by name.

    Raises:
        ValueError: they are damaged.
    """
    try:
        return safetensors.torch.load((folder / WEIGHTS).read_bytes())
    except safetensors.SafetensorError as error:
        raise ValueError(str(error)) from error


def _networks(weights: dict[str, Tensor], cast: Cast, camera: CameraPath, maps: Mapping[int, BodyMap]) -> Networks:
    """Networks with their weights, ready to render."""
    inputs = layer_maps(cast, camera, maps)
    base_channels = weights["model.renderer.head.weight"].shape[1]
    model = new_model(inputs.n_people, seed=0, base_channels=base_channels)
    model.load_state_dict(_named(weights, "model."))
    upsampler = None
    if doubling := _named(weights, "upsampler."):
        upsampler = Upsampler(base_channels)
        upsampler.load_state_dict(doubling)
        upsampler = upsampler.to(default_device())
    return Networks(model=model.to(default_device()), upsampler=upsampler, maps=inputs, trained=None)


def _named(weights: dict[str, Tensor], start: str) -> dict[str, Tensor]:
    return {name.removeprefix(start): value for name, value in weights.items() if name.startswith(start)}
