"""From prompts to a mask per subject and frame.

Everything is classical: a clean plate tells moving from still, colour models tell who is who, flow carries both through
time, and a Potts field puts them together. Rounds of this sharpen each other: better masks give a cleaner plate and purer
colours, and those give better masks.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.camera.plate import CleanPlate, clean_plate
from polytempo.core.errors import InputError, ShapeError
from polytempo.core.pictures import Pictures, picture_size
from polytempo.core.progress import Report, silent
from polytempo.objects.colour_model import ANY_COLOUR, N_BINS, ColourModel, colour_bins, lab_picture, learn_colours
from polytempo.objects.evidence import background_cost, plate_sigma
from polytempo.objects.first_look import first_colours
from polytempo.objects.flow import neighbour_flow
from polytempo.objects.moving import moving_pixels
from polytempo.objects.prompt_cost import prompt_costs, prompt_region
from polytempo.objects.prompts import Prompts, check_prompts
from polytempo.objects.propagate import CostOf, PropagateConfig, propagate
from polytempo.objects.tidy import tidy_masks


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentConfig:
    """How subjects are told from the background and from each other. Pixels are of the pictures given (working size)."""

    rounds: int = 2
    """Passes through the clip, each with plate and colours learned anew."""
    evidence_weight: float = 0.5
    """Weight of a single pixel's colour; below 1 because neighbouring pixels say much the same."""
    evidence_bound: float = 5.0
    """Largest advantage in nats of one label over another from a pixel's colour."""
    reach_px: int = 4
    """How far the plate may be off: parallax of a hand-held camera, cloth that gives way."""
    shade: float = 0.08
    """Standard deviation of a shadow's darkening, as a share of the plate's lightness."""
    doubt: float = 0.05
    """Share of background pixels that look like nothing in the plate."""
    open_mind: float = 0.2
    """Share of a subject's pixels in colours not seen on it so far."""
    least_noise: float = 4.0
    """Smallest spread of the bare background, in 8-bit Lab units."""
    offset_px: float = 0.5
    """Misfit of the camera path to expect at edges, in pixels."""
    least_coverage: int = 3
    """Plate pixels seen bare in fewer frames say nothing."""
    propagate: PropagateConfig = field(default_factory=PropagateConfig)
    """Smoothness and time."""


def segment(
    pictures: Pictures,
    camera: CameraPath,
    prompts: Prompts,
    *,
    config: SegmentConfig = SegmentConfig(),  # noqa: B008 (frozen)
    report: Report = silent,
) -> dict[str, Bool[np.ndarray, "T H W"]]:
    """Modal mask of every subject on every frame.

    Args:
        pictures: T frames ``uint8 [H, W, 3]`` at working size, about 450 pixels wide.
        camera: Path for frames of this size.
        prompts: At any size of the same aspect.
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
    prompts = prompts.scaled(size)
    flow = neighbour_flow(pictures, report=report)
    lab = np.stack([lab_picture(pictures[t]).astype(np.uint8) for t in range(n)])
    bins = np.stack([colour_bins(lab[t].astype(np.float32)).astype(np.uint16) for t in range(n)])
    told = prompt_costs(prompts)

    ignore = moving_pixels(flow, camera) | _prompted(prompts, n)
    background = _background_costs(lab, clean_plate(pictures, camera, ignore=ignore), camera, bins, ignore, config)
    background_now = background  # named apart, so that the function below reads the first round's

    def first_cost(t: int, colours: list[ColourModel]) -> NDArray[np.float32]:
        return _colour_costs(background_now[t], bins[t], colours, config) + told[t]

    smooth = (config.propagate.smooth_strength, config.propagate.smooth_contrast)
    colours = first_colours(lab, bins, background, prompts, first_cost, open_mind=config.open_mind, smooth=smooth)
    labels = np.zeros(lab.shape[:3], np.uint8)
    for index in range(config.rounds):
        cost_of = _cost_function(background, bins, colours, told, config)
        labels, _ = propagate(
            cost_of,
            lab,
            flow,
            len(colours) + 1,
            config=config.propagate,
            report=report,
            stage=f"objects.segment.round{index + 1}",
        )
        if index + 1 < config.rounds:
            taken = labels > 0
            background = _background_costs(
                lab, clean_plate(pictures, camera, ignore=taken), camera, bins, taken, config
            )
            colours = _learn(bins, labels, len(colours), config)
    masks = tidy_masks(labels, len(colours))
    for name, mask in zip(prompts.names, masks, strict=True):
        if not mask.any():
            raise InputError(
                "objects.segment",
                "every subject must differ from the background or move",
                got=f"no pixel for {name}",
                todo="Draw its box tighter, or add a scribble or a mask",
            )
    return dict(zip(prompts.names, masks, strict=True))


def _prompted(prompts: Prompts, n: int) -> NDArray[np.bool_]:
    width, height = prompts.size
    out = np.zeros((n, height, width), bool)
    for subject in prompts.subjects:
        for one in subject.prompts:
            out[one.frame] |= prompt_region(one, prompts.size)
    return out


def _background_costs(
    lab: UInt8[np.ndarray, "T H W 3"],
    plate: CleanPlate,
    camera: CameraPath,
    bins: NDArray[np.uint16],
    ignore: Bool[np.ndarray, "T H W"],
    config: SegmentConfig,
) -> NDArray[np.float16]:
    """Negative log density of every pixel if the background shows, ``[T, H, W]``."""
    n, height, width = lab.shape[:3]
    colour = lab_picture((np.clip(plate.colour, 0, 1) * 255).astype(np.uint8))
    sigma = plate_sigma(colour, plate.noise, least=config.least_noise, offset_px=config.offset_px)
    known = (plate.coverage >= config.least_coverage).astype(np.float32)
    step = max(1, n // 25)
    counts = np.zeros(N_BINS)
    for t in range(0, n, step):
        counts += np.bincount(bins[t][~ignore[t]], minlength=N_BINS)
    unseen = learn_colours(counts, open_mind=0.1)
    out = np.zeros((n, height, width), np.float16)
    for t in range(n):
        frame_from_canvas = np.linalg.inv(camera.canvas_from_frame[t])

        def shown(picture: NDArray[np.float32], h: NDArray[np.float64] = frame_from_canvas) -> NDArray[np.float32]:
            return np.asarray(
                cv2.warpPerspective(picture, h, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
            )

        gain = np.log(np.maximum(plate.exposure[t].mean(), 1e-3))
        here = shown(colour)
        here[..., 0] *= np.exp(gain)
        cost = background_cost(
            lab[t].astype(np.float32),
            here,
            np.maximum(shown(sigma), config.least_noise),
            reach_px=config.reach_px,
            shade=config.shade,
            doubt=config.doubt,
            any_colour=ANY_COLOUR,
        )
        out[t] = np.where(shown(known) > 0.99, cost, unseen.cost(bins[t].astype(np.int32)))
    return out


def _colour_costs(
    background: NDArray[np.float16], bins: NDArray[np.uint16], colours: list[ColourModel], config: SegmentConfig
) -> Float32[np.ndarray, "H W L"]:
    """Weighted and bounded costs of one frame's labels from colour alone."""
    which = bins.astype(np.int32)
    cost = np.stack([background.astype(np.float32), *(model.cost(which) for model in colours)], -1)
    cost = config.evidence_weight * cost
    return np.minimum(cost - cost.min(-1, keepdims=True), config.evidence_bound)


def _cost_function(
    background: NDArray[np.float16],
    bins: NDArray[np.uint16],
    colours: list[ColourModel],
    told: dict[int, NDArray[np.float32]],
    config: SegmentConfig,
) -> CostOf:
    def cost_of(t: int) -> NDArray[np.float32]:
        cost = _colour_costs(background[t], bins[t], colours, config)
        return cost + told[t] if t in told else cost

    return cost_of


def _learn(
    bins: NDArray[np.uint16], labels: NDArray[np.uint8], n_subjects: int, config: SegmentConfig
) -> list[ColourModel]:
    return [
        learn_colours(np.bincount(bins[labels == k + 1], minlength=N_BINS), open_mind=config.open_mind)
        for k in range(n_subjects)
    ]
