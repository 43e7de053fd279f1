"""Presets ``paper`` and ``standard``: the neural model from a clip to a layer stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from polytempo.bodies.rasterise import BodyMap
from polytempo.camera.path import CameraPath
from polytempo.camera.plate import CleanPlate, plate_in_frame
from polytempo.core.pictures import Picture, Pictures, picture_size
from polytempo.core.progress import Report, silent
from polytempo.decompose.bare import background_plate
from polytempo.decompose.lnr.export import render_background, render_frames_of_layers
from polytempo.decompose.lnr.maps import LayerMaps, layer_maps
from polytempo.decompose.lnr.model import LayeredRenderer
from polytempo.decompose.lnr.paper_config import LnrConfig
from polytempo.decompose.lnr.train import Enough, Trained, train, training_key
from polytempo.decompose.lnr.train_upsampler import train_upsampler
from polytempo.decompose.lnr.upsample import Upsampler
from polytempo.layers.stack import Background, Layer, LayerStack
from polytempo.objects.cast import Cast
from polytempo.objects.hand_trimap import HandTrimap, with_hand_trimaps


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Networks:
    """All that is learned of a clip."""

    model: LayeredRenderer
    upsampler: Upsampler | None
    maps: LayerMaps
    trained: Trained | None
    """How training went; nothing for networks that were read from disk."""


def decompose_lnr(
    pictures: Pictures,
    camera: CameraPath,
    cast: Cast,
    *,
    config: LnrConfig,
    bodies: Mapping[int, BodyMap] | None = None,
    doubled: Pictures | None = None,
    seed: int = 0,
    checkpoint: Path | None = None,
    enough: Enough | None = None,
    report: Report = silent,
) -> LayerStack:
    """Layers of a clip at the size of its pictures, in memory; for clips that fit there.

    ``learn`` and ``lay_out`` are its parts.

    Args:
        pictures: Frames at working size.
        camera: At working size.
        cast: At working size.
        config: ``paper_config()`` or ``standard_config()``, or ``shortened`` ones.
        bodies: Part and UV by subject id; subjects without one are sprites.
        doubled: Frames at twice the size, for the upsampler; without them it is left out.
        seed: Same seed, same result on one machine.
        checkpoint: Folder for the training state; a killed run goes on from there.
        enough: Ends training of the renderer early; see ``train``.
        report: Receives progress.
    """
    plate = background_plate(pictures, camera, cast, report=report)
    networks = learn(
        pictures, camera, cast, plate, config=config, bodies=bodies, doubled=doubled, seed=seed, checkpoint=checkpoint,
        enough=enough, report=report,
    )  # fmt: skip
    frames: dict[int, list[Picture]] = {plan.layer_id: [] for plan in cast.layers}
    background = lay_background(
        networks, plate, camera, size=picture_size(pictures), given=config.given_background, report=report
    )
    for rendered in render_frames_of_layers(
        networks.model, networks.maps, cast, camera, pictures, background.colour.astype(np.float32) / 255,
        upsampler=networks.upsampler, with_detail=config.transfer_detail, report=report,
    ):  # fmt: skip
        for layer_id, picture in rendered.pictures.items():
            frames[layer_id].append(picture)
    layers = tuple(
        Layer(
            layer_id=plan.layer_id,
            name=plan.name,
            subject_ids=plan.subject_ids,
            pictures=np.stack(frames[plan.layer_id]),
        )
        for plan in cast.layers
    )
    return LayerStack(background=background, layers=layers, order=cast.order, camera=camera)


def learn(
    pictures: Pictures,
    camera: CameraPath,
    cast: Cast,
    plate: CleanPlate,
    *,
    config: LnrConfig,
    bodies: Mapping[int, BodyMap] | None = None,
    doubled: Pictures | None = None,
    trimaps: Sequence[HandTrimap] = (),
    seed: int = 0,
    checkpoint: Path | None = None,
    enough: Enough | None = None,
    report: Report = silent,
) -> Networks:
    """Train the renderer, then the upsampler; see ``decompose_lnr`` for the arguments.

    ``plate`` is the clean plate at working size, for a warm start; ``trimaps`` are drawn by hand at that size.
    """
    maps = layer_maps(cast, camera, bodies or {})
    if trimaps:
        names = [plan.name for plan in cast.layers]
        maps = replace(maps, trimap=with_hand_trimaps(maps.trimap, trimaps, layers=names, camera=camera))

    def seen(t: int) -> Picture:
        return np.clip(plate_in_frame(plate, camera, t) * 255 + 0.5, 0, 255).astype(np.uint8)

    needed = config.warm_epochs > 0 or config.given_background
    trained = train(
        pictures, maps, config=config, seed=seed, plate=seen if needed else None, checkpoint=checkpoint,
        enough=enough, report=report,
    )  # fmt: skip
    upsampler = None
    if doubled is not None and config.upsample.n_epochs > 0:
        upsampler = train_upsampler(
            doubled,
            maps,
            trained.model,
            config=config.upsample,
            key=training_key(pictures, maps, config, seed),
            seed=seed,
            learning_rate=config.learning_rate,
            plate=seen if config.given_background else None,
            checkpoint=checkpoint,
            report=report,
        )
    return Networks(model=trained.model, upsampler=upsampler, maps=maps, trained=trained)


def lay_background(
    networks: Networks,
    plate: CleanPlate,
    camera: CameraPath,
    *,
    size: tuple[int, int],
    given: bool = False,
    report: Report = silent,
) -> Background:
    """The background's pass on the canvas, or the clean plate itself; with the coverage of the clean plate.

    Where nobody ever saw the background bare, nothing taught the pass what is there: the plate's filling is taken.

    Args:
        networks: From ``learn``.
        plate: Of the same clip at any size.
        camera: At clip size.
        size: ``(width, height)`` of the clip.
        given: The clean plate is the background; it then is of clip size.
        report: Receives progress.
    """
    if given:
        colour = plate.colour
    else:
        colour = render_background(
            networks.model, networks.maps, camera, size=size, upsampler=networks.upsampler, report=report
        )
    filling, coverage = plate.colour, plate.coverage
    if coverage.shape != colour.shape[:2]:
        canvas = (colour.shape[1], colour.shape[0])
        filling = np.asarray(cv2.resize(filling, canvas, interpolation=cv2.INTER_CUBIC), np.float32)
        coverage = np.asarray(cv2.resize(coverage, canvas, interpolation=cv2.INTER_NEAREST), np.uint16)
    colour = np.where((coverage == 0)[..., None], filling, colour)
    return Background(
        colour=np.clip(colour * 255 + 0.5, 0, 255).astype(np.uint8), coverage=coverage, live=None, exposure=None
    )
