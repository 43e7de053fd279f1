"""Which frames tell by themselves who is who: all others are followed into from these."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from jaxtyping import Bool, Float16, Float32, Float64, UInt8
from numpy.typing import NDArray

from polytempo.objects.scenes import frames_apart

CONTACT = 0.2
"""Share of the outline on which subjects may touch while it is still mostly clear who is who."""
PROMPTED = 0.98
"""Share of the bodies' pixels of which a prompt must tell who they are, for its frame to be clear."""
MOSTLY_PROMPTED = 0.8
"""The same where no frame is clear: a hand across somebody's face is better than nothing to begin with."""
LEAST_OUTLINE = 12
"""Pixels of outline below which a subject is out of sight."""


def clear_frames(
    labels: UInt8[np.ndarray, "T H W"],
    n_subjects: int,
    certain: Mapping[int, Float32[np.ndarray, "H W"]],
) -> Bool[np.ndarray, " T"]:
    """Frames on which labels tell who is who: subjects apart, or prompted so; else those that mostly are.

    Args:
        labels: 0 background, ``k + 1`` for the k-th subject.
        n_subjects: How many.
        certain: How certain prompts make it who is who, 0…1, by frame.
    """
    out = frames_apart(labels, n_subjects)
    told = np.zeros(len(labels))
    for t, sure in certain.items():
        body = labels[t] > 0
        told[t] = (sure[body] > 0.5).mean() if body.any() else 0
    out |= told >= PROMPTED
    return out if out.any() else told >= MOSTLY_PROMPTED


def mostly_clear_frames(
    labels: UInt8[np.ndarray, "T H W"], n_subjects: int, clear: Bool[np.ndarray, " T"]
) -> Bool[np.ndarray, " T"]:
    """Clear frames, and those around them on which subjects have hardly touched ever since.

    A foot beside somebody else's knee may be taken for his there; what outline each has can be told.

    Args:
        labels: 0 background, ``k + 1`` for the k-th subject.
        n_subjects: How many.
        clear: From ``clear_frames``.
    """
    out = clear.copy()
    for order in (range(1, len(labels)), range(len(labels) - 2, -1, -1)):
        step = order.step
        for t in order:
            out[t] |= out[t - step] and _contact(labels[t], n_subjects) <= CONTACT
    return out


def _contact(labels: NDArray[np.uint8], n_subjects: int) -> float:
    """Share of the outline of the smallest subject on which it touches another; 1 if one is out of sight."""
    kernel = np.ones((3, 3), np.uint8)
    times = np.zeros(labels.shape, np.uint8)
    shortest = np.inf
    for k in range(n_subjects):
        mine = (labels == k + 1).astype(np.uint8)
        outlines, _ = cv2.findContours(mine, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        shortest = min(shortest, sum(len(one) for one in outlines))
        times += cv2.dilate(mine, kernel)
    # Two pixels wide is the seam of two touching outlines.
    return 1.0 if shortest < LEAST_OUTLINE else float((times > 1).sum()) / 2 / shortest


def who_left_open(
    context: Float16[np.ndarray, "T H W L"], clear: Bool[np.ndarray, " T"]
) -> Float16[np.ndarray, "T H W L"]:
    """What surroundings say of subjects against the background, and on frames that are not clear not which of them."""
    out = context.copy()
    for t in np.flatnonzero(~clear):
        anybody = np.logaddexp.reduce(context[t, ..., 1:].astype(np.float32), axis=-1)
        out[t, ..., 1:] = (anybody - np.log(context.shape[-1] - 1))[..., None]
    return out


def share_of_forward(clear: Bool[np.ndarray, " T"], fade_frames: float) -> Float64[np.ndarray, " T"]:
    """Weight of what was followed forwards, 0…1: the more, the nearer the clear frame it began at.

    Args:
        clear: Frames on which labels tell who is who.
        fade_frames: What was followed over so many frames more than the other way weighs about a third of that.
    """
    at = np.flatnonzero(clear)
    frames = np.arange(len(clear))
    behind = np.searchsorted(at, frames, "right") - 1
    since = np.where(behind >= 0, frames - at[np.maximum(behind, 0)], np.inf)
    ahead = np.searchsorted(at, frames, "left")
    until = np.where(ahead < len(at), at[np.minimum(ahead, len(at) - 1)] - frames, np.inf)
    return 1 / (1 + np.exp(np.clip((since - until) / fade_frames, -50, 50)))
