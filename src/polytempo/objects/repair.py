"""Masks with a trembling outline, holes and missing frames, made steady."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

from polytempo.core.progress import Progress, Report, silent
from polytempo.objects.registration import NeighbourFlow, pull, signed_distance


@dataclass(frozen=True, kw_only=True, slots=True)
class RepairConfig:
    """How masks are made steady."""

    reach: int = 3
    """Frames to either side whose masks are carried here by flow and averaged."""
    max_gap: int = 8
    """Longest run of empty frames that counts as missed, in frames; a longer one means the subject is not there."""
    band_px: float = 6.0
    """How far the outline may move from where the carried masks put it, in pixels."""
    speck_px: int = 24
    """Parts smaller than this many pixels are dropped, holes smaller than this are filled."""


def missed_frames(present: Bool[np.ndarray, " T"], *, max_gap: int) -> Bool[np.ndarray, " T"]:
    """Which empty frames lie in a short gap between frames that show the subject.

    Args:
        present: Frames in which the mask is not empty.
        max_gap: Longest gap in frames that counts as missed.
    """
    out = np.zeros(len(present), bool)
    shown = np.flatnonzero(present)
    for a, b in pairwise(shown):
        if 1 < b - a <= max_gap + 1:
            out[a + 1 : b] = True
    return out


def repair_masks(
    masks: dict[str, Bool[np.ndarray, "T H W"]],
    flow: NeighbourFlow,
    *,
    config: RepairConfig | None = None,
    report: Report = silent,
) -> dict[str, Bool[np.ndarray, "T H W"]]:
    """Steady masks without holes or missed frames; subjects compete, so that no pixel belongs to two.

    Args:
        masks: Modal masks by name.
        flow: Dense flow between neighbouring frames.
        config: Widths.
        report: Told once a frame.
    """
    config = config or RepairConfig()
    names = list(masks)
    n = len(next(iter(masks.values())))
    distances = {k: np.stack([signed_distance(m) for m in masks[k]]).astype(np.float16) for k in names}
    present = {k: masks[k].any((1, 2)) for k in names}
    wanted = {k: present[k] | missed_frames(present[k], max_gap=config.max_gap) for k in names}
    out = {k: np.zeros_like(masks[k]) for k in names}
    for t in range(n):
        priors = np.stack(
            [
                carried_distance(distances[k], present[k], flow, frame=t, reach=config.reach, max_gap=config.max_gap)
                if wanted[k][t]
                else np.full(masks[k].shape[1:], -12.0, np.float32)
                for k in names
            ]
        )
        # Where a mask was missed, the subjects that were seen keep what is theirs.
        for i, k in enumerate(names):
            if wanted[k][t] and not present[k][t]:
                others = np.delete(priors, i, axis=0)
                if len(others):
                    priors[i][others.max(0) > 0] = -12.0
        best = priors.argmax(0)
        for i, k in enumerate(names):
            out[k][t] = without_specks((best == i) & (priors[i] > 0), speck_px=config.speck_px)
        report(Progress(stage="objects.repair", done=t + 1, total=n))
    return out


def carried_distance(
    distances: NDArray[np.float16],
    present: Bool[np.ndarray, " T"],
    flow: NeighbourFlow,
    *,
    frame: int,
    reach: int,
    max_gap: int,
) -> NDArray[np.float32]:
    """Mean signed distance at a frame of the masks around it, each carried here by flow."""
    n = len(present)
    total = np.zeros(distances.shape[1:], np.float32)
    weight = 0.0
    if present[frame]:
        # Flow loses thin fast limbs at low frame rates, so a mask that is there is better than its neighbours' mean.
        return distances[frame].astype(np.float32)
    for step in (-1, 1):
        composed = np.zeros((*distances.shape[1:], 2), np.float32)
        taken = 0
        for k in range(1, max(reach, max_gap) + 1):
            s = frame + step * k
            if not 0 <= s < n or taken >= reach or (k > reach and weight >= 1.5):
                break
            nearer = s - step
            composed = composed + pull(flow.to_neighbour(nearer, step), composed)
            if present[s]:
                w = 1.0 / (1.0 + 0.5 * k)
                total += w * pull(distances[s].astype(np.float32), composed)
                weight += w
                taken += 1
    return total / weight if weight > 0 else np.full(distances.shape[1:], -12.0, np.float32)


def without_specks(mask: Bool[np.ndarray, "H W"], *, speck_px: int) -> Bool[np.ndarray, "H W"]:
    """Drop parts and fill holes smaller than ``speck_px`` pixels; the largest part always stays."""
    if not mask.any():
        return mask
    kept = mask
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    keep = areas >= min(speck_px, areas.max())
    kept = keep[labels]
    _, labels, stats, _ = cv2.connectedComponentsWithStats((~kept).astype(np.uint8), connectivity=4)
    hole = stats[:, cv2.CC_STAT_AREA] < speck_px
    hole[0] = False
    return kept | hole[labels]
