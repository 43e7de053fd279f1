"""First colour models, from the prompted frames alone: GrabCut in spirit, with the clean plate as its strongest cue."""

from __future__ import annotations

import logging
from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8, UInt16
from numpy.typing import NDArray

from polytempo.objects.colour_model import ANY_COLOUR, N_BINS, ColourModel, learn_colours
from polytempo.objects.label_field import edge_weights, solve_labels
from polytempo.objects.prompt_cost import box_radius, drawn, prompt_region
from polytempo.objects.prompts import Prompt, Prompts

LOG = logging.getLogger(__name__)
DIFFERENT = -float(np.log(ANY_COLOUR)) - 2.0
"""Cost of the background above which a pixel surely is something else."""
LEAST_SHARE = 0.06
"""A prompt whose region differs from the plate in less than this share cannot be told from the background by it."""


def first_colours(
    lab: UInt8[np.ndarray, "T H W 3"],
    bins: UInt16[np.ndarray, "T H W"],
    background: Float[np.ndarray, "T H W"],
    prompts: Prompts,
    cost_of: Callable[[int, list[ColourModel]], Float32[np.ndarray, "H W L"]],
    *,
    open_mind: float,
    smooth: tuple[float, float],
    n_rounds: int = 4,
) -> list[ColourModel]:
    """Learn each subject's colours from its prompts, then sharpen them by labelling the prompted frames.

    Args:
        lab: Frames in 8-bit Lab.
        bins: Their colour bins.
        background: Negative log density of every pixel if the background shows.
        prompts: At the frames' size.
        cost_of: Label costs of a frame under given colours, prompts included.
        open_mind: Share for unseen colours.
        smooth: Strength and contrast of the label field.
        n_rounds: Rounds of labelling and learning.
    """
    frames = sorted({one.frame for subject in prompts.subjects for one in subject.prompts if one.says_where})
    weights = {t: _first_weights(background[t].astype(np.float32), prompts, t) for t in frames}
    colours = [
        learn_colours(
            sum(
                (np.bincount(bins[t].ravel(), weights=weights[t][k].ravel(), minlength=N_BINS) for t in frames),
                np.zeros(N_BINS),
            ),
            open_mind=open_mind,
        )
        for k in range(len(prompts.subjects))
    ]
    said = {
        (t, k)
        for k, subject in enumerate(prompts.subjects)
        for t in frames
        if any(one.frame == t and one.says_where for one in subject.prompts)
    }
    for _ in range(n_rounds):
        counts = np.zeros((len(colours), N_BINS))
        for t in frames:
            right, down = edge_weights(lab[t].astype(np.float32), strength=smooth[0], contrast=smooth[1])
            labels = solve_labels(cost_of(t, colours), right, down).argmin(-1)
            for k in range(len(colours)):
                if (t, k) in said:
                    counts[k] += np.bincount(bins[t][labels == k + 1], minlength=N_BINS)
        colours = [
            learn_colours(count, open_mind=open_mind) if count.sum() > 20 else old
            for count, old in zip(counts, colours, strict=True)
        ]
    return colours


def _first_weights(background: NDArray[np.float32], prompts: Prompts, t: int) -> list[NDArray[np.float64]]:
    """How much each pixel of a prompted frame counts for each subject at first."""
    different = background > DIFFERENT
    here = [
        next((one for one in subject.prompts if one.frame == t and one.says_where), None)
        for subject in prompts.subjects
    ]
    reach = [_reach(one, different, prompts.size) for one in here]
    out: list[NDArray[np.float64]] = []
    for k, (subject, one) in enumerate(zip(prompts.subjects, here, strict=True)):
        if one is None:
            out.append(np.zeros(different.shape))
            continue
        alone = np.ones(different.shape, bool)
        for other, distance in enumerate(reach):
            if other != k:
                alone &= reach[k] < distance
        region = np.isfinite(reach[k])
        weight = (region & different & alone).astype(np.float64)
        if weight.sum() < LEAST_SHARE * region.sum():
            LOG.info("objects.segment: %s cannot be told from the background by motion on frame %d", subject.name, t)
            weight = (region & alone & (reach[k] < 0.6)).astype(np.float64)
        weight[drawn(one.lines, prompts.size)] = 3.0
        out.append(weight)
    return out


def _reach(prompt: Prompt | None, different: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.float32]:
    """Distance of every pixel from a prompt: below 1 well inside, infinite where the prompt does not reach."""
    if prompt is None:
        return np.full(different.shape, np.inf, np.float32)
    out = np.full(different.shape, np.inf, np.float32)
    if prompt.box is not None:
        inside = prompt_region(prompt, size)
        out[inside] = box_radius(prompt.box, size)[inside]
    if prompt.mask is not None:
        out[~prompt.mask] = np.inf
        out[prompt.mask] = 0
    if prompt.lines:
        brush = drawn(prompt.lines, size)
        if prompt.box is None and prompt.mask is None:
            _, pieces = cv2.connectedComponents((different | brush).astype(np.uint8))
            touched = np.isin(pieces, np.unique(pieces[brush]))
            far = cv2.distanceTransform((~brush).astype(np.uint8), cv2.DIST_L2, 3) / (0.3 * size[1])
            out[touched] = far[touched]
        out[brush] = 0
    return out
