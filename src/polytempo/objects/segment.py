"""From prompts to a mask per subject and frame.

No weights come from elsewhere: a clean plate tells moving from still, colour models tell who is who, flow carries both
through time, and a Potts field puts them together. Rounds of this sharpen each other: better masks give a cleaner plate
and purer colours, and those give better masks. Of several subjects, what the first rounds are sure of teaches a small
network who is who by context, and the rounds after that hear it, too; before the last, subjects are followed from
frames in which they stand apart into those in which they meet. All but the last round run at half size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import cv2
import numpy as np
from jaxtyping import Bool, Float16, Float32, UInt8
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.camera.plate import CleanPlate, plate_in_frame
from polytempo.camera.warp import canvas_in_frame
from polytempo.core.errors import InputError, ShapeError
from polytempo.core.pictures import Pictures, picture_size
from polytempo.core.progress import Report, silent
from polytempo.objects.bridged import in_one_piece
from polytempo.objects.clear_frames import clear_frames, mostly_clear_frames, who_left_open
from polytempo.objects.colour_model import ANY_COLOUR
from polytempo.objects.evidence import (
    EvidenceConfig,
    Footage,
    Models,
    background_costs,
    footage,
    label_costs,
    learn,
    sampled_plate,
    sure_labels,
)
from polytempo.objects.first_look import first_look
from polytempo.objects.flow import neighbour_flow
from polytempo.objects.folds import FoldConfig, folds
from polytempo.objects.hang_together import rejoined
from polytempo.objects.lighter import LighterConfig, lighter_than_plate, quiet_places
from polytempo.objects.limb_reach import Limbs, limb_reach
from polytempo.objects.mixed_rims import without_mixed_rims
from polytempo.objects.moving import motion_both_ways, moving_pixels
from polytempo.objects.persistence import persistence
from polytempo.objects.prompt_cost import clear_pixels, prompt_costs, prompt_region
from polytempo.objects.prompts import Prompts, check_prompts
from polytempo.objects.propagate import PropagateConfig, propagate
from polytempo.objects.pushed import PushedConfig, nobody_there, not_prompted, pushed
from polytempo.objects.rehearse import RehearseConfig, WhoNetwork, rehearse, told_by_context
from polytempo.objects.scenes import Backdrop, frames_apart
from polytempo.objects.somebody import no_background, plainly_somebody, somebody, unmistakably
from polytempo.objects.tidy import tidy_masks, without_rims
from polytempo.objects.walk import WalkConfig, Walked, who_by_walking

MATCH = 7.0
"""Cost in nats of the background where it shows what the plate has there."""
APART_CERTAIN = 0.9
"""How certain it is who is who where subjects stand apart: a whole body is seldom taken for another."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentConfig:
    """How subjects are separated. Pixels are of the pictures given (working size)."""

    coarse_rounds: int = 2
    """Passes through the clip at half size, each with plate and colours learned anew."""
    context_rounds: int = 2
    """Further passes at half size, each after learning who is who by context; none for a single subject."""
    fine_rounds: int = 1
    """Passes at full working size after those."""
    plate_frames: int = 60
    """Largest number of frames, spread over the clip, that the clean plate is made of here."""
    evidence: EvidenceConfig = field(default_factory=EvidenceConfig)
    """What pixels say."""
    propagate: PropagateConfig = field(default_factory=PropagateConfig)
    """Smoothness and time."""
    walk: WalkConfig = field(default_factory=WalkConfig)
    """How subjects are followed into frames in which they meet, before the passes at full size."""
    lighter: LighterConfig = field(default_factory=LighterConfig)
    """From when on a place is lighter than the plate, in the passes at full size."""
    folds: FoldConfig = field(default_factory=FoldConfig)
    """How far cloth gives way, before subjects are followed."""
    pushed: PushedConfig = field(default_factory=PushedConfig)
    """What is pushed about, and nobody, likewise."""
    rehearse: RehearseConfig = field(default_factory=RehearseConfig)
    """How the surroundings of pixels are learned from, where there are several subjects."""


def segment(
    pictures: Pictures,
    camera: CameraPath,
    prompts: Prompts,
    *,
    limbs: Mapping[str, Limbs] = MappingProxyType({}),
    config: SegmentConfig = SegmentConfig(),
    report: Report = silent,
) -> dict[str, Bool[np.ndarray, "T H W"]]:
    """Modal mask of every subject on every frame.

    Args:
        pictures: T frames ``uint8 [H, W, 3]`` at working size, about 450 pixels wide.
        camera: Path for frames of this size.
        prompts: At any size of the same aspect.
        limbs: By name, of subjects that have keypoints; they tell who is who, too, and what is nobody.
        config: Weights.
        report: Told often; may raise to stop.

    Returns:
        Masks by name, in the order of the prompts; no pixel belongs to two.

    Raises:
        InputError: prompts outside the clip, or a subject of which nothing was found; the message names it.
        ShapeError: camera and pictures do not belong together.
    """
    size = picture_size(pictures)
    n = len(pictures)
    if camera.frame_size != size or len(camera.canvas_from_frame) != n:
        raise ShapeError(
            "objects.segment",
            "camera path and pictures must belong together",
            got=f"a path for {len(camera.canvas_from_frame)} frames of {camera.frame_size} and {n} frames of {size}",
        )
    check_prompts(prompts, n_frames=n)
    flow = neighbour_flow(pictures, report=report)
    ignore = moving_pixels(flow, camera).view(np.uint8)
    small = (max(size[0] // 2, 1), max(size[1] // 2, 1))
    smaller = np.stack([cv2.resize(pictures[t], small, interpolation=cv2.INTER_AREA) for t in range(n)])
    lasting = persistence(smaller, camera.scaled(small))
    coarse = footage(pictures, camera, flow, lasting=lasting, size=small)
    fine = footage(pictures, camera, flow, lasting=lasting)

    labels: NDArray[np.uint8] | None = None
    net: WhoNetwork | None = None
    context: NDArray[np.float16] | None = None
    walked: Walked | None = None
    plainly: NDArray[np.bool_] | None = None
    n_subjects = len(prompts.subjects)
    limbs_of = {prompts.names.index(name): one for name, one in limbs.items()}
    motion = motion_both_ways(coarse.flow, coarse.camera) if n_subjects > 1 else None
    n_context = config.context_rounds if n_subjects > 1 else 0
    n_coarse = config.coarse_rounds + n_context
    for index in range(n_coarse + config.fine_rounds):
        view = coarse if index < n_coarse else fine
        here = prompts.scaled(view.camera.frame_size)
        told = prompt_costs(here)
        certain = {t: one.astype(np.float32) for t, one in clear_pixels(told).items()}
        if labels is None:
            taken = (_resized(ignore, view.camera.frame_size) > 0) | _prompted(here, n)
        else:
            labels = _resized(labels, view.camera.frame_size)
            taken = labels > 0
        plate = sampled_plate(view, taken, most=config.plate_frames)
        background = background_costs(view, plate, ignore=taken, config=config.evidence)
        if index >= n_coarse and labels is not None:
            view, background = _plain(view, background, plate, taken, config)
        models: Models | None = None
        if labels is not None:
            if index == n_coarse and context is not None:
                met = _followed(
                    view, coarse, plate, background, labels, context, here, certain, limbs_of, config, report
                )
                walked, plainly, background = met.walked, met.plainly, met.background
                labels, context = walked.labels, who_left_open(context, met.clear)
            models = learn(view, sure_labels(labels, n_subjects), n_subjects, config=config.evidence)
            apart = frames_apart(labels, n_subjects)
            models = replace(models, reach=limb_reach(limbs_of, labels, apart, n_subjects, config=config.walk.limbs))
            if config.coarse_rounds <= index < n_coarse and motion is not None:
                backdrop = _backdrop(view, plate, motion, least_coverage=config.evidence.least_coverage)
                net = rehearse(backdrop, labels, n_subjects, config=config.rehearse, net=net, report=report)
                context = None if net is None else told_by_context(net, backdrop)
            if context is not None:
                models = replace(models, context=context, walked=None if walked is None else walked.costs)
                for t in np.flatnonzero(apart):
                    known = certain.get(int(t), np.zeros(labels.shape[1:], np.float32))
                    certain[int(t)] = np.maximum(known, APART_CERTAIN)
        models, told = first_look(
            view, background, here, told, config=config.evidence, smooth=config.propagate, models=models, report=report
        )
        labels, _ = propagate(
            label_costs(view, background, models, told, config=config.evidence),
            view.lab,
            view.flow,
            n_subjects + 1,
            prompted=certain,
            config=config.propagate,
            report=report,
            stage=f"objects.segment.round{index + 1}",
        )
        if walked is None:
            labels = rejoined(labels, n_subjects, flow=view.flow)
        else:
            followed = walked.undisputed & (labels == walked.labels)
            labels = in_one_piece(labels, n_subjects, followed, view.flow, view.lab)
    assert labels is not None
    labels = without_mixed_rims(without_rims(labels, n_subjects), fine.lab)
    masks = tidy_masks(labels, n_subjects, plainly)
    for name, mask in zip(prompts.names, masks, strict=True):
        if not mask.any():
            raise InputError(
                "objects.segment",
                "every subject must differ from the background or move",
                got=f"no pixel for {name}",
                todo="Draw its box tighter, or add a scribble or a mask",
            )
    return dict(zip(prompts.names, masks, strict=True))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Met:
    """What is known once subjects were followed into the frames in which they meet."""

    walked: Walked
    plainly: Bool[np.ndarray, "T H W"]
    """Where somebody is beyond doubt."""
    background: Float16[np.ndarray, "T H W"]
    """Its cost, with a match where cloth gave way or things are pushed about."""
    clear: Bool[np.ndarray, " T"]
    """Frames that subjects were followed from."""


def _followed(
    view: Footage,
    coarse: Footage,
    plate: CleanPlate,
    background: Float16[np.ndarray, "T H W"],
    labels: UInt8[np.ndarray, "T H W"],
    context: Float16[np.ndarray, "T h w L"],
    prompts: Prompts,
    certain: Mapping[int, Float32[np.ndarray, "H W"]],
    limbs: Mapping[int, Limbs],
    config: SegmentConfig,
    report: Report,
) -> _Met:
    """Take out what is nobody, and follow subjects from frames in which they stand apart."""
    n_subjects = len(prompts.subjects)
    quiet = quiet_places(view, plate, config=config.lighter)
    cloth = folds(view, plate, stiff=quiet, config=config.folds)
    bodies = somebody(view, background, labels, cloth, config=config.walk)
    gave_way = not_prompted((labels > 0) & ~bodies & cloth.coloured, certain)
    labels = np.where(gave_way, np.uint8(0), labels)
    clear = clear_frames(labels, n_subjects, certain)
    lay_there = _resized(_pushed(coarse, labels, bodies, clear, config), view.camera.frame_size) > 0
    lay_there = not_prompted(lay_there, certain)
    bodies &= ~lay_there
    background = np.where(gave_way | lay_there, np.minimum(background, np.float16(MATCH)), background)
    walked = who_by_walking(
        view, labels, bodies, context, clear, n_subjects,
        mute=not_prompted(cloth.either, certain), shown=mostly_clear_frames(labels, n_subjects, clear),
        told=prompt_costs(prompts, box_soft=config.walk.box_soft), limbs=limbs, config=config.walk, report=report,
    )  # fmt: skip
    plainly = plainly_somebody(walked, view, background, quiet, clear)
    walked = no_background(walked, plainly, config=config.walk)
    walked = nobody_there(walked, lay_there, config=config.pushed)
    plainly = plainly | unmistakably(walked, view, background)
    return _Met(walked=walked, plainly=plainly, background=background, clear=clear)


def _plain(
    view: Footage,
    background: Float16[np.ndarray, "T H W"],
    plate: CleanPlate,
    taken: Bool[np.ndarray, "T H W"],
    config: SegmentConfig,
) -> tuple[Footage, Float16[np.ndarray, "T H W"]]:
    """The clip and its background costs, what is lighter than the plate made unlike it and like nothing that lasts."""
    lighter = lighter_than_plate(view, plate, taken, config=config.lighter)
    nothing_like_it = -np.log(config.evidence.doubt * ANY_COLOUR)
    unlike = np.where(lighter, np.float16(nothing_like_it), background)
    return replace(view, lasting=np.where(lighter, np.uint8(0), view.lasting)), unlike


def _pushed(
    coarse: Footage,
    labels: UInt8[np.ndarray, "T H W"],
    bodies: Bool[np.ndarray, "T H W"],
    clear: Bool[np.ndarray, " T"],
    config: SegmentConfig,
) -> UInt8[np.ndarray, "T h w"]:
    """What is pushed about, at half size: a cushion is as plain there, at a quarter of the cost."""
    small = coarse.camera.frame_size
    anybody = _resized(bodies.view(np.uint8), small) > 0
    found = pushed(coarse, _resized(labels, small), anybody, clear, walk=config.walk, config=config.pushed)
    return found.view(np.uint8)


def _backdrop(
    view: Footage, plate: CleanPlate, motion: Float16[np.ndarray, "T H W 4"], *, least_coverage: int
) -> Backdrop:
    known = (plate.coverage >= least_coverage).astype(np.float32)
    n = len(view.lab)
    return Backdrop(
        pictures=view.pictures,
        plates=np.stack(
            [np.clip(255 * plate_in_frame(plate, view.camera, t), 0, 255).astype(np.uint8) for t in range(n)]
        ),
        known=np.stack(
            [canvas_in_frame(known, view.camera, t, border="constant", interpolation="linear") > 0.99 for t in range(n)]
        ),
        motion=motion,
        lasting=view.lasting,
    )


def _prompted(prompts: Prompts, n: int) -> NDArray[np.bool_]:
    width, height = prompts.size
    out = np.zeros((n, height, width), bool)
    for subject in prompts.subjects:
        for one in subject.prompts:
            out[one.frame] |= prompt_region(one, prompts.size)
    return out


def _resized(stack: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    if (stack.shape[2], stack.shape[1]) == size:
        return stack
    return np.stack([cv2.resize(one, size, interpolation=cv2.INTER_NEAREST) for one in stack])
