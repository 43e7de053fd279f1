"""First colour models, from the prompted frames alone: GrabCut in spirit, with the clean plate as its strongest cue."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Float16, Float32
from numpy.typing import NDArray

from polytempo.core.progress import Progress, Report, silent
from polytempo.objects.colour_model import ANY_COLOUR
from polytempo.objects.evidence import EvidenceConfig, Footage, Models, learn, pixel_costs
from polytempo.objects.prompt_cost import CLEAR, box_radius, drawn, prompt_region
from polytempo.objects.prompts import Prompt, Prompts
from polytempo.objects.propagate import PropagateConfig, solve_frame

DIFFERENT = -float(np.log(ANY_COLOUR)) - 2.0
"""Cost of the background above which a pixel surely is something else."""
LEAST_SHARE = 0.06
"""A prompt whose region differs from the plate in less than this share cannot be told from the background by it."""


LOCK, BODY_LOCK = 4.0, 1.0
"""Cost in nats of going against the labels that prompted frames got by themselves: another subject, the background."""


def first_look(
    view: Footage,
    background: Float16[np.ndarray, "T H W"],
    prompts: Prompts,
    told: dict[int, Float32[np.ndarray, "H W L"]],
    *,
    config: EvidenceConfig,
    smooth: PropagateConfig,
    models: Models | None = None,
    report: Report = silent,
    n_rounds: int = 4,
) -> tuple[Models, dict[int, Float32[np.ndarray, "H W L"]]]:
    """Learn subjects' looks from their prompts, sharpen them by labelling the prompted frames, and lock those labels.

    Args:
        view: The clip.
        background: Negative log density of every pixel if the background shows.
        prompts: At the frames' size.
        told: What the prompts make each label cost, by frame.
        config: Weights of evidence.
        smooth: Weights of the label field.
        models: What is known already; given, nothing is learned here.
        report: Told of subjects that hardly differ from the background.
        n_rounds: Rounds of labelling and learning.

    Returns:
        Models, and ``told`` with the cost of leaving the labels found added.
    """
    n_subjects = len(prompts.subjects)
    frames = sorted({one.frame for subject in prompts.subjects for one in subject.prompts if one.says_where})
    said = {
        t: [any(one.frame == t and (one.says_where or one.absent) for one in s.prompts) for s in prompts.subjects]
        for t in frames
    }
    learning = models is None
    if models is None:
        seeds = np.stack([_first_labels(background[t].astype(np.float32), prompts, t, report) for t in frames])
        models = learn(view, seeds, n_subjects, config=config, frames=frames)
    labels = np.zeros((len(frames), *view.lab.shape[1:3]), np.uint8)
    for _ in range(n_rounds if learning else 1):
        for i, t in enumerate(frames):
            cost = pixel_costs(view, background, models, t, config=config, who=config.who_alone) + told[t]
            labels[i] = solve_frame(cost, view.lab[t], smooth).argmin(-1)
        if learning:
            known = labels.copy()
            for i, t in enumerate(frames):
                for k in range(n_subjects):
                    if not said[t][k]:
                        known[i][labels[i] == k + 1] = n_subjects + 1
            found = learn(view, known, n_subjects, config=config, frames=frames)
            colours = (a if a.weight > 20 else b for a, b in zip(found.colours, models.colours, strict=True))
            models = replace(found, colours=tuple(colours))
    locked = dict(told)
    for i, t in enumerate(frames):
        against = np.zeros_like(told[t])
        for label in range(1, n_subjects + 1):
            if not said[t][label - 1]:
                continue
            mine = labels[i] == label
            against[..., 0] += BODY_LOCK * mine
            for other in range(1, n_subjects + 1):
                # Where prompts overlap the frame alone cannot tell who it is; the frames around may.
                clear = told[t][..., other] - told[t][..., label] > CLEAR
                if other != label:
                    against[..., other] += LOCK * (mine & clear)
        locked[t] = told[t] + against
    return models, locked


def _first_labels(background: NDArray[np.float32], prompts: Prompts, t: int, report: Report) -> NDArray[np.uint8]:
    """Labels of a prompted frame as far as they are clear: 0, subjects, and one more for what is not."""
    different = background > DIFFERENT
    here = [
        next((one for one in subject.prompts if one.frame == t and one.says_where), None)
        for subject in prompts.subjects
    ]
    reach = np.stack([_reach(one, different, prompts.size) for one in here])
    inside = np.isfinite(reach)
    unclear = len(here) + 1
    out = np.where(inside.any(0), unclear, 0).astype(np.uint8)
    for k, (subject, one) in enumerate(zip(prompts.subjects, here, strict=True)):
        if one is None:
            continue
        others = np.delete(reach, k, 0).min(0, initial=np.inf)
        mine = inside[k] & (reach[k] < 0.8 * others)
        clear = mine & different
        if clear.sum() < LEAST_SHARE * inside[k].sum():
            text = f"{subject.name} on frame {t} hardly differs from the background; its prompt is taken at its word"
            report(Progress(stage="objects.segment", done=0, total=1, message=text))
            clear = mine & (reach[k] < 0.6)
        else:
            out[mine & ~different] = 0
        out[clear] = k + 1
    for k, one in enumerate(here):
        if one is not None:
            out[drawn(one.lines, prompts.size)] = k + 1
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
