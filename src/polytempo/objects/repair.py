"""Masks with a trembling outline, holes and missing frames, made steady by what the picture shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Bool, Float32
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.camera.plate import clean_plate, plate_in_frame
from polytempo.core.discs import grown
from polytempo.core.pictures import Pictures
from polytempo.core.progress import Progress, Report, silent
from polytempo.objects.refit import RefitConfig, body_heights, learn_bodies, pixel_features
from polytempo.objects.registration import (
    BodyPath,
    NeighbourFlow,
    body_path,
    frame_from_frame_body,
    pull,
    signed_distance,
)

LIMIT_PX = 20.0
"""Signed distances are clipped here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RepairConfig:
    """How masks are made steady."""

    max_gap: int = 8
    """Longest run of empty frames that counts as missed, in frames; a longer one means the subject is not there."""
    plate_margin_px: int = 5
    """How far beyond the masks a frame does not count as bare for the clean plate, in pixels."""
    band_px: float = 6.0
    """How far the outline may move outwards from where the mask put it, in pixels; shadows begin there."""
    free_px: float = 3.0
    """Within this distance of the outline only the picture decides."""
    prior_per_px: float = 1.0
    """How much each pixel further counts for the mask, in log probability."""
    smooth_px: float = 1.0
    """Blur of the probabilities, so that single pixels do not decide for themselves."""
    caution: float = 0.35
    """Log odds by which body must beat background: pixels that the shutter mixes look like body more than half."""
    speck_px: int = 24
    """Parts smaller than this many pixels are dropped, holes smaller than this are filled."""
    lost_share: float = 0.4
    """A mask that keeps less than this share of its pixels is not mended but lost."""
    edit_reach: int = 3
    """Frames on either side that a mask drawn by hand pulls with it."""
    refit: RefitConfig = field(default_factory=RefitConfig)
    """How body pixels are told apart."""


def present_frames(masks: Bool[np.ndarray, "T H W"]) -> Bool[np.ndarray, " T"]:
    """In which frames a mask is not empty."""
    return np.asarray(masks.any((1, 2)))


def missed_frames(present: Bool[np.ndarray, " T"], *, max_gap: int) -> Bool[np.ndarray, " T"]:
    """Which empty frames lie in a short gap between frames that show the subject, or at the clip's ends.

    Args:
        present: Frames in which the mask is not empty.
        max_gap: Longest gap in frames that counts as missed.

    Example:
        >>> missed_frames(np.array([True, False, True, False, False, False, True]), max_gap=2).tolist()
        [False, True, False, False, False, False, False]
    """
    out = np.zeros(len(present), bool)
    shown = np.flatnonzero(present)
    for a, b in pairwise(shown):
        if 1 < b - a <= max_gap + 1:
            out[a + 1 : b] = True
    return out


def repair_masks(
    masks: dict[str, Bool[np.ndarray, "T H W"]],
    pictures: Pictures,
    camera: CameraPath,
    flow: NeighbourFlow,
    *,
    edits: dict[str, dict[int, Bool[np.ndarray, "H W"]]] | None = None,
    keep_who: bool = False,
    config: RepairConfig | None = None,
    report: Report = silent,
) -> dict[str, Bool[np.ndarray, "T H W"]]:
    """Steady masks without holes or missed frames; subjects compete, so that no pixel belongs to two.

    A small classifier learns from pixels that are surely body or surely not what each subject looks like beside the
    clean plate; near the outlines it decides, further away the mask does. Missed frames are looked for where the
    neighbours' masks are carried to.

    Args:
        masks: Modal masks by name.
        pictures: The clip.
        camera: Where its frames lie.
        flow: Dense flow between neighbouring frames.
        edits: Masks drawn by hand, which are also in ``masks``; they stay as they are and pull their neighbours.
        keep_who: Whether masks tell whose a pixel is better than colours do.
        config: Widths and weights.
        report: Told once a frame.

    Source: ours.
    """
    config = config or RepairConfig()
    names = list(masks)
    n = len(pictures)
    present = {k: present_frames(masks[k]) for k in names}
    edits = edits or {}
    missed = {k: missed_frames(present[k], max_gap=config.max_gap) for k in names}
    for k, by_frame in edits.items():
        missed[k][list(by_frame)] = False  # an empty mask drawn by hand is meant
    paths = [body_path(masks[k], camera, whole=present[k]) for k in names]
    carried = {
        (k, int(t)): carry_mask(masks[k], present[k], flow, camera, paths[i], frame=int(t), max_gap=config.max_gap)
        for i, k in enumerate(names)
        for t in np.flatnonzero(missed[k])
    }
    ignore = np.zeros(masks[names[0]].shape, bool)
    for t in range(n):
        for k in names:
            body: NDArray[np.bool_] = carried[k, t] if (k, t) in carried else masks[k][t]
            ignore[t] |= grown(body, config.plate_margin_px)
    plate = clean_plate(pictures, camera, ignore=ignore)
    distances = [np.stack([signed_distance(m, limit_px=LIMIT_PX) for m in masks[k]]).astype(np.float16) for k in names]
    for k, d in zip(names, distances, strict=True):
        _pull_to_edits(d, edits.get(k, {}), flow, reach=config.edit_reach)
    usable = ~np.any([missed[k] for k in names], axis=0)
    usable &= np.any([present[k] for k in names], axis=0)
    classifier = learn_bodies(pictures, plate, camera, distances, usable, paths, config=config.refit)
    out = {k: np.zeros_like(masks[k]) for k in names}
    for t in range(n):
        priors = np.stack(
            [
                signed_distance(carried[k, t], limit_px=LIMIT_PX) if (k, t) in carried else d[t].astype(np.float32)
                for k, d in zip(names, distances, strict=True)
            ]
        )
        near = priors.max(0) > -config.band_px - 2
        if near.any():
            heights = body_heights(paths, camera, frame=t, n_rows=near.shape[0])
            features = pixel_features(pictures[t], plate_in_frame(plate, camera, t), heights, near)
            found = np.zeros((len(names) + 1, *near.shape), np.float32)
            found[0] = 1.0
            found[:, near] = np.exp(classifier.log_probabilities(features).T)
            best = decide(found, priors, keep_who=keep_who, config=config)
            for i, k in enumerate(names):
                out[k][t] = without_specks(best == i + 1, speck_px=config.speck_px)
        for k, by_frame in edits.items():
            if t in by_frame:
                out[k][t] = by_frame[t]
        report(Progress(stage="objects.repair", done=t + 1, total=n))
    return out


def not_lost(
    given: dict[str, Bool[np.ndarray, "T H W"]],
    mended: dict[str, Bool[np.ndarray, "T H W"]],
    *,
    lost_share: float,
) -> tuple[dict[str, Bool[np.ndarray, "T H W"]], dict[str, Bool[np.ndarray, " T"]]]:
    """Masks as they were given on frames on which mending left next to nothing of them.

    Somebody small, or dressed like the wall, looks like background to a classifier of colours; whoever gave the mask
    knew better. Crumbs of masks do not count: they may go.

    Args:
        given: As they were given.
        mended: As they came out.
        lost_share: Share of a mask that must be left, and of a subject's usual area that is no crumb.

    Returns:
        The masks, no pixel in two, and on which frames each is as it was given.
    """
    out = {name: mask.copy() for name, mask in mended.items()}
    lost: dict[str, NDArray[np.bool_]] = {}
    for name, mask in given.items():
        areas, left = (np.asarray(one.sum((1, 2)), np.float64) for one in (mask, mended[name]))
        usual = float(np.median(areas[areas > 0])) if areas.any() else 0.0
        lost[name] = (areas > lost_share * usual) & (left < lost_share * areas)
        for t in np.flatnonzero(lost[name]):
            taken = np.any([other[t] for key, other in out.items() if key != name], axis=0)
            out[name][t] |= mask[t] & ~taken
    return out, lost


def decide(
    probabilities: Float32[np.ndarray, "K1 H W"],
    priors: Float32[np.ndarray, "K H W"],
    *,
    keep_who: bool = False,
    config: RepairConfig,
) -> NDArray[np.intp]:
    """Winner ``[H, W]`` of every pixel: 0 background, from 1 the subjects.

    Args:
        probabilities: What the picture says, background first.
        priors: Signed distance to each subject's given outline, positive inside, in pixels.
        keep_who: Whether priors tell whose a pixel is.
        config: Widths and weights.
    """
    if keep_who:
        # Colours tell bodies from background, and one child's skin hardly from another's.
        owner, anybody = priors.argmax(0), probabilities[1:].sum(0)
        mine = [np.where(owner == k, anybody, np.float32(0)) for k in range(len(priors))]
        probabilities = np.stack([probabilities[0], *mine])
    smooth = np.stack([cv2.GaussianBlur(p, (0, 0), config.smooth_px) for p in probabilities])
    score = np.log(smooth + 1e-3)
    score[0] += config.caution
    # Zero near the outline, where the picture decides; beyond, the mask's word counts more with every pixel.
    beyond = np.sign(priors) * np.maximum(np.abs(priors) - config.free_px, 0.0)
    score[1:] += config.prior_per_px * beyond
    score[1:][priors < -config.band_px] = -1e9
    return score.argmax(0)


def carry_mask(
    masks: Bool[np.ndarray, "T H W"],
    present: Bool[np.ndarray, " T"],
    flow: NeighbourFlow,
    camera: CameraPath,
    path: BodyPath | None,
    *,
    frame: int,
    max_gap: int,
) -> Bool[np.ndarray, "H W"]:
    """Where a subject may be in a frame that missed it: the nearest masks on both sides, carried here.

    Carried twice, by dense flow and by the body's path as a whole, since flow loses fast thin limbs and the path
    does not bend; the union is generous, and the picture decides within it.
    """
    height, width = masks.shape[1:]
    out = np.zeros((height, width), bool)
    for step in (-1, 1):
        composed = np.zeros((height, width, 2), np.float32)
        for k in range(1, max_gap + 1):
            s = frame + step * k
            if not 0 <= s < len(masks):
                break
            composed = composed + pull(flow.to_neighbour(s - step, step), composed)
            if present[s]:
                out |= pull(masks[s].astype(np.float32), composed, border=cv2.BORDER_CONSTANT) > 0.5
                if path is not None:
                    laid = frame_from_frame_body(path, camera, target=frame, source=s)
                    out |= cv2.warpPerspective(masks[s].astype(np.float32), laid, (width, height)) > 0.5
                break
    return out


def without_specks(mask: Bool[np.ndarray, "H W"], *, speck_px: int) -> Bool[np.ndarray, "H W"]:
    """Drop parts and fill holes smaller than ``speck_px`` pixels; the largest part always stays."""
    if not mask.any():
        return mask
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    keep = np.asarray(areas >= min(speck_px, int(areas.max())))
    kept = np.take(keep, np.asarray(labels, np.intp)) & mask
    _, labels, stats, _ = cv2.connectedComponentsWithStats((~kept).astype(np.uint8), connectivity=4)
    hole = np.asarray(stats[:, cv2.CC_STAT_AREA] < speck_px)
    hole[0] = False
    return kept | np.take(hole, np.asarray(labels, np.intp))


def _pull_to_edits(
    distances: NDArray[np.float16], edits: dict[int, NDArray[np.bool_]], flow: NeighbourFlow, *, reach: int
) -> None:
    """Draw the masks around edited frames towards the edit, in place; less with every frame of distance."""
    for t, edited in edits.items():
        if not edited.any():
            continue
        field_ = signed_distance(edited, limit_px=LIMIT_PX)
        for step in (-1, 1):
            composed = np.zeros((*edited.shape, 2), np.float32)
            for k in range(1, reach + 1):
                s = t + step * k
                if not 0 <= s < len(distances) or s in edits:
                    break
                # From the neighbour back to the edited frame, one step further each time.
                back = flow.to_neighbour(s, -step)
                composed = back + pull(composed, back)
                share = np.float32((reach + 1 - k) / (reach + 1))
                carried = pull(field_, composed)
                distances[s] = (1 - share) * distances[s].astype(np.float32) + share * carried
