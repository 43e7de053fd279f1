"""What every pixel says by itself about who it belongs to: clean plate, colours and motion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float16, UInt8, UInt16
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.camera.plate import CleanPlate, clean_plate
from polytempo.core.pictures import Pictures, picture_size
from polytempo.objects.colour_model import ANY_COLOUR, N_BINS, ColourModel, colour_bins, lab_picture, learn_colours
from polytempo.objects.flow import FlowField, scaled_flow
from polytempo.objects.limb_reach import LimbReach
from polytempo.objects.persistence import STEPS
from polytempo.objects.plate_match import background_cost, foreign, plate_sigma
from polytempo.objects.propagate import CostOf

SEEN_SHARE = 0.4
"""A subject is in sight where it has this share of its usual area."""
APART_SHARE = 0.03
"""Subjects are apart at this share of the picture's width."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceConfig:
    """How much plate, colours and motion weigh."""

    weight: float = 0.5
    """Weight of a single pixel's colour; below 1 because neighbouring pixels say much the same."""
    bound: float = 5.0
    """Largest advantage in nats of one label over another from a pixel's colour."""
    who_weight: float = 0.4
    """Further weight between subjects: skin and hair are alike, and colours that mislead do so on every frame."""
    who_bound: float = 2.5
    """Largest advantage in nats of one subject over another on one frame."""
    who_alone: float = 1.5
    """Both are so many times larger on prompted frames, which are first solved by themselves."""
    reach_px: int = 2
    """How far the plate may be off: parallax of a hand-held camera, cloth that gives way."""
    shade: float = 0.04
    """Standard deviation of a shadow's darkening, as a share of the plate's lightness."""
    shadow_share: float = 0.05
    """Share of background pixels taken to lie in a cast shadow."""
    grain_from_px: int = 200
    """Width of pictures from which the plate's grain shows in a shadow. In smaller ones nothing tells shadows from
    cloth, and none are assumed."""
    darkest_shadow: float = 0.4
    """Lightness left in the deepest shadow, as a share of the plate's."""
    doubt: float = 0.02
    """Share of background pixels that look like nothing in the plate."""
    open_mind: float = 0.2
    """Share of a subject's pixels in colours not seen on it so far, at first."""
    settled_mind: float = 0.15
    """The same once it has been followed through the clip."""
    foreign: float = 4.0
    """Further cost in nats of the background where a colour does not last and is not the plate under another light."""
    least_noise: float = 4.0
    """Smallest spread of the bare background, in 8-bit Lab units."""
    offset_px: float = 0.5
    """Misfit of the camera path to expect at edges, in pixels."""
    least_coverage: int = 3
    """Plate pixels seen bare in fewer frames say nothing."""
    lasting_bound: float = 5.0
    """Largest cost in nats of calling something a subject that stays in its place when the subject does not."""
    lasting_gain: float = 0.4
    """Largest advantage in nats of calling something a subject because it does not last."""
    context_weight: float = 0.6
    """Weight of what the surroundings of a pixel say (see ``rehearse``); neighbouring pixels say much the same."""
    context_bound: float = 3.0
    """Largest advantage in nats of one label over another from that."""
    beside_context: float = 0.6
    """What a pixel's own colour still weighs beside it."""
    who_beside_context: float = 0.3
    """The same for what colour tells of who is who: context knows the colours, too."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Footage:
    """A clip prepared for labelling at one size."""

    pictures: Pictures
    camera: CameraPath
    flow: FlowField
    lab: UInt8[np.ndarray, "T H W 3"]
    bins: UInt16[np.ndarray, "T H W"]
    lasting: UInt8[np.ndarray, "T H W"]
    """Step of persistence, 0 (nowhere else in time) to ``STEPS`` - 1."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Models:
    """What is known of each subject so far."""

    colours: tuple[ColourModel, ...]
    lasting_cost: NDArray[np.float32]
    """Cost ``[K, STEPS]`` of being this subject while persisting so long."""
    context: NDArray[np.float16] | None = None
    """Log probability ``[T, h, w, L]`` of each label from what is around a pixel, if that was learned; any size."""
    walked: NDArray[np.float16] | None = None
    """Cost ``[T, h, w, L]`` of each label from following subjects in from frames in which they are apart; any size."""
    reach: LimbReach | None = None
    """How far subjects reach from their limbs, of those that have keypoints."""


def footage(
    pictures: Pictures,
    camera: CameraPath,
    flow: FlowField,
    *,
    lasting: UInt8[np.ndarray, "T h w"],
    size: tuple[int, int] | None = None,
) -> Footage:
    """Prepare a clip for labelling.

    Args:
        pictures: T frames.
        camera: Their path.
        flow: Between them.
        lasting: Their persistence, at any size.
        size: ``(width, height)`` to work at; their own if left out.
    """
    n = len(pictures)
    full = picture_size(pictures)
    size = full if size is None else size
    frames: Pictures = pictures
    if size != full:
        frames = np.stack([cv2.resize(pictures[t], size, interpolation=cv2.INTER_AREA) for t in range(n)])
        camera, flow = camera.scaled(size), scaled_flow(flow, size)
    lab = np.stack([lab_picture(frames[t]).astype(np.uint8) for t in range(n)])
    bins = np.stack([colour_bins(one.astype(np.float32)).astype(np.uint16) for one in lab])
    steps = np.stack([cv2.resize(one, size, interpolation=cv2.INTER_NEAREST) for one in lasting])
    return Footage(pictures=frames, camera=camera, flow=flow, lab=lab, bins=bins, lasting=steps)


def background_costs(
    view: Footage, plate: CleanPlate, *, ignore: Bool[np.ndarray, "T H W"], config: EvidenceConfig
) -> Float16[np.ndarray, "T H W"]:
    """Negative log density of every pixel if the background shows.

    Args:
        view: The clip.
        plate: Its clean plate.
        ignore: Where subjects were when the plate was made; colours elsewhere stand in where the plate is unknown.
        config: Weights.
    """
    n, height, width = view.lab.shape[:3]
    counts = np.zeros(N_BINS)
    for t in range(0, n, max(1, n // 25)):
        counts += np.bincount(view.bins[t][~ignore[t]], minlength=N_BINS)
    unseen = learn_colours(counts, open_mind=0.1)
    matcher = plate_matcher(plate, view.camera, config=config)
    out = np.zeros((n, height, width), np.float16)
    for t in range(n):
        cost, known, other = matcher(view.lab[t].astype(np.float32), t)
        cost = cost + config.foreign * (other & (view.lasting[t] == 0))
        out[t] = np.where(known, cost, unseen.cost(view.bins[t].astype(np.int32)))
    return out


def sampled_plate(view: Footage, taken: Bool[np.ndarray, "T H W"], *, most: int) -> CleanPlate:
    """Clean plate from at most ``most`` frames spread over the clip, with an exposure for every frame.

    Args:
        view: The clip.
        taken: Where subjects are.
        most: Frames to use.
    """
    n = len(view.lab)
    which = np.unique(np.round(np.linspace(0, n - 1, min(n, most))).astype(int))
    camera = replace(
        view.camera,
        canvas_from_frame=view.camera.canvas_from_frame[which],
        residual_px=view.camera.residual_px[which],
    )
    plate = clean_plate(np.stack([view.pictures[int(t)] for t in which]), camera, ignore=taken[which])
    nearest = np.abs(np.arange(n)[:, None] - which).argmin(1)
    return replace(plate, exposure=plate.exposure[nearest])


Matcher = Callable[[NDArray[np.float32], int], tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]]
"""Lab picture of a frame and its number to the cost of background per pixel, where the plate is known, and where the
frame is not the plate under another light (see ``foreign``)."""


def plate_matcher(plate: CleanPlate, camera: CameraPath, *, config: EvidenceConfig) -> Matcher:
    """Give the function that tells how badly the plate explains each pixel of a frame."""
    colour = lab_picture((np.clip(plate.colour, 0, 1) * 255).astype(np.uint8))
    sigma = plate_sigma(colour, plate.noise, least=config.least_noise, offset_px=config.offset_px)
    known = (plate.coverage >= config.least_coverage).astype(np.float32)
    width, height = camera.frame_size
    reach = max(1, round(config.reach_px * width / 480))
    shadow_share = config.shadow_share if width >= config.grain_from_px else 0.0

    def match(lab: NDArray[np.float32], t: int) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
        def shown(picture: NDArray[np.float32]) -> NDArray[np.float32]:
            # WARP_INVERSE_MAP: the matrix takes pixels of the result (the frame) to pixels of the source (the canvas).
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            warped = cv2.warpPerspective(picture, camera.canvas_from_frame[t], (width, height), flags=flags)
            return np.asarray(warped, np.float32)

        here = shown(colour)
        here[..., 0] *= plate.exposure[t].mean()
        spread = np.maximum(shown(sigma), config.least_noise)
        cost = background_cost(
            lab,
            here,
            spread,
            reach_px=reach,
            shade=config.shade,
            shadow_share=shadow_share,
            darkest=config.darkest_shadow,
            doubt=config.doubt,
            any_colour=ANY_COLOUR,
        )
        return cost, shown(known) > 0.99, foreign(lab, here, spread, reach_px=reach)

    return match


def pixel_costs(
    view: Footage,
    background: NDArray[np.float16],
    models: Models,
    t: int,
    *,
    config: EvidenceConfig,
    who: float = 1.0,
) -> NDArray[np.float32]:
    """Weighted and bounded costs ``[H, W, L]`` of frame ``t``'s labels from its pixels alone.

    ``who`` scales what tells subjects apart.
    """
    which = view.bins[t].astype(np.int32)
    known = [background[t].astype(np.float32), *(model.cost(which) for model in models.colours)]
    cost = config.weight * np.stack(known, -1)
    if models.context is not None:
        who *= config.who_beside_context
    best = cost[..., 1:].min(-1, keepdims=True)
    cost[..., 1:] = best + np.minimum(who * config.who_weight * (cost[..., 1:] - best), who * config.who_bound)
    cost = np.minimum(cost - cost.min(-1, keepdims=True), config.bound)
    cost[..., 1:] += np.moveaxis(models.lasting_cost[:, view.lasting[t]], 0, -1)
    if models.context is not None:
        said = -config.context_weight * models.context[t].astype(np.float32)
        said = cv2.resize(said, (cost.shape[1], cost.shape[0]), interpolation=cv2.INTER_LINEAR)
        said = np.minimum(said - said.min(-1, keepdims=True), config.context_bound)
        cost = config.beside_context * cost + said
    if models.walked is not None:
        who_walked = models.walked[t].astype(np.float32)
        cost += cv2.resize(who_walked, (cost.shape[1], cost.shape[0]), interpolation=cv2.INTER_LINEAR)
    reached = None if models.reach is None else models.reach.costs(t, (cost.shape[1], cost.shape[0]))
    return cost if reached is None else cost + reached


def label_costs(
    view: Footage,
    background: NDArray[np.float16],
    models: Models,
    told: dict[int, NDArray[np.float32]],
    *,
    config: EvidenceConfig,
) -> CostOf:
    """Give the function that tells the cost of every label at a frame, prompts included."""

    def costs(t: int) -> NDArray[np.float32]:
        cost = pixel_costs(view, background, models, t, config=config)
        return cost + told[t] if t in told else cost

    return costs


def learn(
    view: Footage,
    labels: UInt8[np.ndarray, "N H W"],
    n_subjects: int,
    *,
    config: EvidenceConfig,
    frames: list[int] | None = None,
) -> Models:
    """Learn every subject's colours and how long it stays in its place.

    Args:
        view: The clip.
        labels: Of the given frames; ``n_subjects + 1`` marks pixels of which nothing is known.
        n_subjects: How many.
        config: Weights.
        frames: Which frames the labels are of; all if left out.
    """
    bins = view.bins if frames is None else view.bins[frames]
    lasting = view.lasting if frames is None else view.lasting[frames]
    open_mind = config.open_mind if frames is not None else config.settled_mind
    colours: list[ColourModel] = []
    rates = np.ones((n_subjects + 1, STEPS))
    for k in range(n_subjects + 1):
        where = labels == k
        rates[k] += np.bincount(lasting[where], minlength=STEPS)
        if k:
            colours.append(learn_colours(np.bincount(bins[where], minlength=N_BINS), open_mind=open_mind))
    rates /= rates.sum(1, keepdims=True)
    cost = np.clip(np.log(rates[:1] / rates[1:]), -config.lasting_gain, config.lasting_bound)
    return Models(colours=tuple(colours), lasting_cost=cost.astype(np.float32))


def sure_labels(labels: UInt8[np.ndarray, "T H W"], n_subjects: int) -> UInt8[np.ndarray, "T H W"]:
    """Keep the labels that can be trusted for learning; the rest becomes ``n_subjects + 1``.

    Who is who is clear where all subjects are in sight and apart. Where one is missing, another may have taken its
    place. A subject that is hardly ever sure keeps all its labels.
    """
    if n_subjects == 1:
        return labels
    areas = np.stack([np.asarray((labels == k + 1).sum((1, 2))) for k in range(n_subjects)])
    usual = np.array([float(np.median(one[one > 0])) if one.any() else 0.0 for one in areas])
    together = np.asarray((areas >= SEEN_SHARE * usual[:, None]).all(0))
    out = labels.copy()
    for t in range(len(labels)):
        if not together[t]:
            out[t][labels[t] > 0] = n_subjects + 1
            continue
        for k in range(n_subjects):
            others = (labels[t] > 0) & (labels[t] != k + 1)
            away = cv2.distanceTransform((~others).astype(np.uint8), cv2.DIST_L2, 3)
            out[t][(labels[t] == k + 1) & (away < APART_SHARE * labels.shape[2])] = n_subjects + 1
    for k in range(n_subjects):
        if (out == k + 1).sum() < usual[k]:
            out[labels == k + 1] = k + 1
    return out
