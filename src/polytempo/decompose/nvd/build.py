"""Hashed atlases from a clip to a layer stack."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from polytempo.camera.path import CameraPath
from polytempo.camera.plate import CleanPlate
from polytempo.core.pictures import Picture, Pictures
from polytempo.core.progress import Report, silent
from polytempo.decompose.bare import background_plate
from polytempo.decompose.nvd.config import NvdConfig
from polytempo.decompose.nvd.export import render_frames
from polytempo.decompose.nvd.footage import clip_footage
from polytempo.decompose.nvd.model import AtlasModel
from polytempo.decompose.nvd.shading import layer_shadings_in_memory
from polytempo.decompose.nvd.starts import layer_starts
from polytempo.decompose.nvd.train import Trained, new_model, train
from polytempo.decompose.nvd.unfollowed import unfollowed_layers
from polytempo.layers.stack import Background, Layer, LayerStack
from polytempo.objects.cast import Cast
from polytempo.objects.flow import neighbour_flow
from polytempo.objects.flow_network import FlowNetwork, network_flow


def learn_atlases(
    pictures: Pictures,
    camera: CameraPath,
    cast: Cast,
    *,
    config: NvdConfig,
    seed: int = 0,
    checkpoint: Path | None = None,
    flow_network: FlowNetwork | None = None,
    report: Report = silent,
) -> Trained:
    """Follow the motion between frames and learn the atlases.

    Args:
        pictures: Frames at working size.
        camera: At that size.
        cast: At that size.
        config: ``nvd_draft_config()``, ``nvd_standard_config()`` or ``nvd_paper_config()``, or ``nvd_shortened`` ones.
        seed: Same seed, same result on one machine.
        checkpoint: Folder for the training state; a killed run goes on from there.
        flow_network: Follows the motion, in place of dense inverse search.
        report: Receives progress.
    """
    flow = (
        neighbour_flow(pictures, report=report)
        if flow_network is None
        else network_flow(pictures, flow_network, report=report)
    )
    footage = clip_footage(pictures, cast, flow)
    starts = layer_starts(footage, camera, config)
    trained = train(footage, starts, config=config, seed=seed, checkpoint=checkpoint, report=report)
    return replace(trained, unfollowed=unfollowed_layers(footage))


def empty_model(pictures: Pictures, camera: CameraPath, cast: Cast, *, config: NvdConfig) -> AtlasModel:
    """The model of a clip as it is before training, to be filled with weights; arguments as for ``learn_atlases``."""
    footage = clip_footage(pictures, cast, None)
    return new_model(footage, layer_starts(footage, camera, config), config=config, seed=0)


def decompose_nvd(
    pictures: Pictures,
    camera: CameraPath,
    cast: Cast,
    *,
    config: NvdConfig,
    seed: int = 0,
    checkpoint: Path | None = None,
    report: Report = silent,
) -> LayerStack:
    """Layers of a clip at the size of its pictures, in memory; for clips that fit there.

    The background's light is that of each moment (``Background.live``); a layer's is that of the frame it shows.
    Arguments are those of ``learn_atlases``.
    """
    model = learn_atlases(
        pictures, camera, cast, config=config, seed=seed, checkpoint=checkpoint, report=report
    ).model.cpu()
    plate = background_plate(pictures, camera, cast, report=report)
    ids = tuple(plan.layer_id for plan in cast.layers)
    frames: dict[int, list[Picture]] = {one: [] for one in ids}
    live: list[Picture] = []
    for rendered in render_frames(
        model, ids, camera, pictures, plate, with_detail=config.transfer_detail, report=report
    ):
        live.append(rendered.live)
        for one in ids:
            frames[one].append(rendered.pictures[one])
    shadings = layer_shadings_in_memory(model, report=report)
    return LayerStack(
        background=replace(background_of(plate, live=np.stack(live)), shading=shadings[-1]),
        layers=tuple(
            Layer(
                layer_id=plan.layer_id,
                name=plan.name,
                subject_ids=plan.subject_ids,
                pictures=np.stack(frames[plan.layer_id]),
                shading=shadings[number],
            )
            for number, plan in enumerate(cast.layers)
        ),
        order=cast.order,
        camera=camera,
    )


def background_of(plate: CleanPlate, *, live: Pictures | None = None) -> Background:
    """The clean plate, for what no frame shows of the background, with the lit background of each frame over it."""
    colour = np.clip(plate.colour * 255 + 0.5, 0, 255).astype(np.uint8)
    return Background(colour=colour, coverage=plate.coverage, live=live, exposure=None)
