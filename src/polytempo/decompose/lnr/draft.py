"""Preset ``draft``: layers in minutes without a GPU.

The network is asked only *who*; *what* is taken from the frame (decision 0005).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from polytempo.bodies.complete_cast import Body, HiddenPictures
from polytempo.camera.given_plate import GIVEN, GivenPlate
from polytempo.camera.path import CameraPath
from polytempo.camera.plate import CleanPlate, PlateConfig, agreed_plate, clean_plate
from polytempo.core.files import digest
from polytempo.core.pictures import Picture, Pictures
from polytempo.core.progress import Report, silent
from polytempo.decompose.bare import grown_bodies
from polytempo.decompose.lnr.dwelling import DwellingConfig, dwelling_in_frames, dwelling_light, lifted
from polytempo.decompose.lnr.meeting import MeetingConfig, meeting_bodies
from polytempo.decompose.lnr.network import DELTA
from polytempo.decompose.lnr.ownership import Ownership, OwnershipTraining, learn_ownership
from polytempo.decompose.lnr.signal import SignalConfig, unexplained_signal
from polytempo.decompose.lnr.solve import Separation, SolveConfig, frame_solver, solve_frames
from polytempo.layers.stack import Background, Layer, LayerStack
from polytempo.objects.appearance import hidden_appearance
from polytempo.objects.cast import Cast


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftConfig:
    """Everything that preset ``draft`` can be told."""

    grow_px: int = 5
    """Bodies grow by this much before the plate and the noise are taken from what is left, working pixels."""
    effect_share: float = 0.5
    """A pixel owned more surely than this is left out of the second clean plate."""
    plate: PlateConfig = field(default_factory=PlateConfig)
    """Clean plate."""
    dwelling: DwellingConfig = field(default_factory=DwellingConfig)
    """Shadows that hardly leave their place, taken out of the plate."""
    signal: SignalConfig = field(default_factory=SignalConfig)
    """Departures from the plate."""
    training: OwnershipTraining = field(default_factory=OwnershipTraining)
    """Ownership network."""
    solve: SolveConfig = field(default_factory=SolveConfig)
    """Layers."""
    meeting: MeetingConfig = field(default_factory=MeetingConfig)
    """Outlines between bodies."""


def decompose_draft(
    pictures: Pictures,
    camera: CameraPath,
    cast: Cast,
    *,
    config: DraftConfig = DraftConfig(),
    seed: int = 0,
    checkpoint: Path | None = None,
    hidden: HiddenPictures | None = None,
    bodies: Mapping[int, Body] | None = None,
    report: Report = silent,
) -> LayerStack:
    """Layers of a clip at the size of its pictures, in memory; for clips that fit there.

    ``separate``, ``background_plate`` and ``solve_frames`` are its parts, for clips that are larger than working size.

    Args:
        pictures: Frames at working size.
        camera: Path at working size.
        cast: Subjects, layers and order at working size.
        config: See ``DraftConfig``.
        seed: Same seed, same result on one machine.
        checkpoint: Folder for the training state; a killed run goes on from there. None keeps nothing.
        hidden: What hidden bodies look like, by subject and frame, where it is known (``completed_cast``); for other
            subjects it is found here.
        bodies: By subject id, for those who have keypoints (``bodies_of``): tell of outlines between bodies.
        report: Receives progress.
    """
    separation = separate(
        pictures, camera, cast, config=config, seed=seed, checkpoint=checkpoint, hidden=hidden, bodies=bodies,
        report=report,
    )  # fmt: skip
    plate = background_plate(pictures, camera, cast, separation, config=config, report=report)
    effects: dict[int, list[Picture]] = {one: [] for one in separation.layer_ids}
    painted: dict[int, list[Picture]] = {one: [] for one in separation.layer_ids}
    live: list[Picture] = []
    for solved in solve_frames(pictures, plate, camera, cast, separation, config=config.solve, report=report):
        for one in separation.layer_ids:
            effects[one].append(solved.effects[one])
            painted[one].append(solved.bodies[one])
        live.append(solved.live)
    return LayerStack(
        background=background_of(plate, live=np.stack(live)),
        layers=tuple(
            Layer(
                layer_id=plan.layer_id,
                name=plan.name,
                subject_ids=plan.subject_ids,
                pictures=np.stack(painted[plan.layer_id]),
                effects=np.stack(effects[plan.layer_id]),
            )
            for plan in cast.layers
        ),
        order=cast.order,
        camera=camera,
    )


def separate(
    pictures: Pictures,
    camera: CameraPath,
    cast: Cast,
    *,
    config: DraftConfig = DraftConfig(),
    seed: int = 0,
    checkpoint: Path | None = None,
    hidden: HiddenPictures | None = None,
    bodies: Mapping[int, Body] | None = None,
    given: GivenPlate | None = None,
    report: Report = silent,
) -> Separation:
    """Find out which layer changes which pixel; see ``decompose_draft`` for the arguments.

    ``given`` is the user's own clean plate, where there is one.
    """
    masks = grown_bodies(cast, grow_px=config.grow_px)
    plate = clean_plate(pictures, camera, ignore=masks, config=config.plate, given=given, report=report)
    first_light = _dwelling_light(pictures, plate, camera, bodies=masks, config=config.dwelling)
    plate = lifted(plate, first_light)
    signal = unexplained_signal(pictures, plate, camera, bodies=masks, delta=DELTA, config=config.signal)
    ids = tuple(plan.layer_id for plan in cast.layers)
    silhouettes = [cast.layer_mask(one, amodal=True) for one in ids]
    key = digest(
        "draft-2",
        repr(config.training),
        seed,
        signal.significance.tobytes(),
        np.packbits(np.stack(silhouettes)).tobytes(),
    )
    owned = learn_ownership(
        signal,
        silhouettes,
        bodies=masks,
        camera=camera,
        config=config.training,
        seed=seed,
        key=key,
        checkpoint=checkpoint,
        report=report,
    )
    second = clean_plate(
        pictures,
        camera,
        ignore=masks | _owned(owned, masks.shape[1:], config.effect_share),
        config=config.plate,
        given=given,
        report=report,
    )
    second_light = _dwelling_light(pictures, second, camera, bodies=masks, config=config.dwelling)
    second = lifted(second, second_light)
    signal = unexplained_signal(pictures, second, camera, bodies=masks, delta=DELTA, config=config.signal)
    height, width = owned.probability.shape[2:]
    dwelling = np.zeros((len(pictures), height, width), np.uint8)
    for light in (first_light, second_light):
        if light is not None:
            dwelling = np.maximum(dwelling, dwelling_in_frames(light, camera, (width, height)))
    separation = Separation(
        layer_ids=ids,
        probability=np.round(owned.probability * 255).astype(np.uint8),
        change=owned.change.astype(np.float16),
        significance=np.clip(signal.significance.astype(np.float32) * 10, 0, 255).astype(np.uint8),
        dwelling=dwelling,
        hidden=_hidden_layers(pictures, cast, camera, hidden or {}, report),
    )
    if not bodies:
        return separation
    solved = frame_solver(second, camera, cast, separation, config=config.solve)

    def solved_bodies(t: int) -> dict[int, Float32[np.ndarray, "H W 4"]]:
        return {one: rgba.astype(np.float32) / 255 for one, rgba in solved(t, pictures[t]).bodies.items()}

    return replace(
        separation, meeting=meeting_bodies(solved_bodies, cast, bodies, config=config.meeting, report=report)
    )


def background_plate(
    pictures: Pictures,
    camera: CameraPath,
    cast: Cast,
    separation: Separation,
    *,
    config: DraftConfig,
    given: GivenPlate | None = None,
    report: Report = silent,
) -> CleanPlate:
    """The clean plate at the pictures' size, bodies and owned effects left out, the user's own over it."""
    height, width = pictures[0].shape[:2]
    out = np.zeros((len(pictures), height, width), bool)
    bodies = grown_bodies(cast, grow_px=config.grow_px)
    limit = round(config.effect_share * 255)
    for t in range(len(pictures)):
        owned = cv2.resize(separation.probability[t].max(0), (width, height), interpolation=cv2.INTER_LINEAR) > limit
        body = cv2.resize(bodies[t].astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
        out[t] = owned | body
    plate = clean_plate(pictures, camera, ignore=out, config=config.plate, given=given, report=report)
    light = _dwelling_light(pictures, plate, camera, bodies=bodies, config=config.dwelling)
    lit = None if light is None else np.asarray((light > 0).any(-1))
    return lifted(agreed_plate(plate, pictures, camera, ignore=out, but_for=lit, config=config.plate), light)


def background_of(plate: CleanPlate, *, live: Pictures | None = None) -> Background:
    """A clean plate as the background of a layer stack, with what of the frames stays alive on it."""
    return Background(
        colour=np.clip(plate.colour * 255 + 0.5, 0, 255).astype(np.uint8),
        coverage=plate.coverage,
        live=live,
        exposure=None if bool((plate.exposure == 1).all()) else plate.exposure,
    )


def _dwelling_light(
    pictures: Pictures,
    plate: CleanPlate,
    camera: CameraPath,
    *,
    bodies: Bool[np.ndarray, "T h w"],
    config: DwellingConfig,
) -> Float32[np.ndarray, "Hc Wc 3"] | None:
    """Light that dwelling shadows keep from the plate; a plate that the user gave has none of them in it."""
    light = dwelling_light(pictures, plate, camera, bodies=bodies, config=config)
    return None if light is None else np.where((plate.coverage == GIVEN)[..., None], np.float32(0), light)


def _owned(owned: Ownership, size: tuple[int, ...], limit: float) -> Bool[np.ndarray, "T H W"]:
    largest = owned.probability.max(1)
    return np.stack([cv2.resize(one, (size[1], size[0]), interpolation=cv2.INTER_LINEAR) > limit for one in largest])


def _hidden_layers(
    pictures: Pictures, cast: Cast, camera: CameraPath, known: HiddenPictures, report: Report
) -> dict[int, dict[int, np.ndarray]]:
    """Completed bodies per layer: those of its subjects, laid over each other."""
    out: dict[int, dict[int, np.ndarray]] = {}
    for plan in cast.layers:
        frames: dict[int, np.ndarray] = {}
        for subject in plan.subject_ids:
            pictured = known.get(subject)
            if pictured is None:
                pictured = hidden_appearance(pictures, cast, subject, camera=camera, report=report)
            for t, rgba in pictured.items():
                below = frames.get(t)
                frames[t] = rgba if below is None else rgba + (1 - rgba[..., 3:]) * below
        if frames:
            out[plan.layer_id] = frames
    return out
