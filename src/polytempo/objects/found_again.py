"""Who is seen on one frame is found again on others where their motion leads, unless somebody hides them there.

A head that comes up beside hers is of her hair's colour, and flow leads it along with her; but a moment before and a
moment after, where it would be if it were hers, there is the wall.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy.typing import NDArray

from polytempo.objects.common_motion import CommonMotion
from polytempo.objects.evidence import Footage
from polytempo.objects.flow import pull
from polytempo.objects.like_pixels import match_cost


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundAgainConfig:
    """What counts as found again."""

    steps: tuple[int, ...] = (2, 4)
    """Frames to either side that are looked at: over five, legs that bend are lost."""
    colour: float = 8.0
    """Difference in 8-bit Lab units that costs 1 (see ``match_cost``)."""
    shift_share: float = 0.0067
    """Distance from where motion leads that costs 1, as a share of the picture's width."""
    missing: float = 1.5
    """Cost of a pixel that is not found."""
    hidden: float = 0.3
    """Cost of one that would be under somebody else, or outside of the picture."""
    even_px: float = 1.2
    """Costs are evened out over about so many pixels: single ones are found by chance."""


def found_again_costs(
    view: Footage,
    motions: list[CommonMotion],
    labels: UInt8[np.ndarray, "T H W"],
    body: Bool[np.ndarray, "H W"],
    t: int,
    n_subjects: int,
    *,
    config: FoundAgainConfig,
) -> Float32[np.ndarray, "H W K"]:
    """Cost of every subject at every pixel of frame ``t`` by whether it is found again on other frames.

    A subject's motion as a whole leads most of it; limbs swing, so flow may lead a pixel as well, and the better one
    counts. Who is behind is often not found and is excused by whoever covers the place; who is in front has no excuse.

    Args:
        view: The clip.
        motions: How subjects move as a whole, by frame looked at.
        labels: 0 background, ``k + 1`` for the k-th subject, as found so far.
        body: Where anybody is on frame ``t``.
        t: The frame.
        n_subjects: How many.
        config: What counts as found.

    Returns:
        The mean over the frames before or over those behind, whichever is less: a foot that lands was not where its
        body's motion tells, and will be. From 0 to ``missing``, that of the likeliest subject 0; all 0 where no motion
        is known and off bodies.
    """
    costs = np.zeros((*body.shape, n_subjects), np.float32)
    if not motions or not body.any():
        return costs
    sides = [[one for one in motions if one.step < 0], [one for one in motions if one.step > 0]]
    for k in range(n_subjects):
        means = [
            np.mean([_missing(view, one, labels[t + one.step], body, t, k, config) for one in side], axis=0)
            for side in sides
            if side
        ]
        costs[..., k] = np.min(means, axis=0)
    weight = body.astype(np.float32)
    near = np.maximum(cv2.GaussianBlur(weight, (0, 0), config.even_px), 1e-3)
    even = [cv2.GaussianBlur(costs[..., k] * weight, (0, 0), config.even_px) / near for k in range(n_subjects)]
    mean = np.stack(even, -1)
    return np.where(body[..., None], mean - mean.min(-1, keepdims=True), np.float32(0)).astype(np.float32)


def _missing(
    view: Footage,
    motion: CommonMotion,
    there: NDArray[np.uint8],
    body: NDArray[np.bool_],
    t: int,
    k: int,
    config: FoundAgainConfig,
) -> NDArray[np.float32]:
    """Cost of the k-th subject by one frame, of which ``there`` are the labels."""
    width = body.shape[1]
    mine = there == k + 1
    believed = np.where(mine, np.float32(0), np.float32(np.inf))[..., None]
    cost = np.full(body.shape, config.missing, np.float32)
    for leads in (motion.own[k], motion.there):
        found = match_cost(
            view.lab[t], view.lab[t + motion.step], believed, leads, body,
            colour=config.colour, shift_px=config.shift_share * width, unlike=config.missing,
        )  # fmt: skip
        cost = np.minimum(cost, found[..., 0])
    covered = pull(((there > 0) & ~mine).astype(np.float32), motion.own[k]) > 0.5
    covered |= _outside(motion.own[k])
    return np.where(covered, np.minimum(cost, config.hidden), cost)


def _outside(leads: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which pixels a motion leads out of the picture, where they may well be."""
    height, width = leads.shape[:2]
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    x, y = x + leads[..., 0], y + leads[..., 1]
    return (x < -0.5) | (y < -0.5) | (x > width - 0.5) | (y > height - 0.5)
