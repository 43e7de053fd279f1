"""Carry labels through time from every frame to its neighbours, both ways, all subjects competing.

The clip is a chain of frames. Each frame's field of labels is solved from what its own pixels say and from what its
neighbour believes, brought over by the flow; once from the first frame to the last and once back; then every frame is
solved again with both. So every prompted frame speaks to all others, loudest to those that the flow ties to it best.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from numpy.typing import NDArray

from polytempo.core.progress import Progress, Report, silent
from polytempo.objects.flow import FlowField, pull, trust
from polytempo.objects.label_field import edge_weights, solve_labels


@dataclass(frozen=True, kw_only=True, slots=True)
class PropagateConfig:
    """How labels spread in the picture and in time."""

    smooth_strength: float = 3.0
    """Cost of a label change in an even region, in nats."""
    smooth_contrast: float = 12.0
    """Colour step (8-bit Lab) at which that cost has mostly fallen."""
    who_strength: float = 1.5
    """Least cost of a change from one subject to another, edge or not."""
    temporal_weight: float = 1.0
    """Weight of what a neighbouring frame believes."""
    return_share: float = 0.05
    """Share of any pixel's prior that ignores the neighbours, so that what was hidden can come back."""
    subject_prior: float = 0.15
    """Share of subjects (all together) in that part of the prior; the rest is background."""
    near_share: float = 0.01
    """Where flow is not to be trusted: a subject is expected so far around where it was, as a share of the width."""
    hidden_memory: float = 0.97
    """Share of the expectation of a hidden subject, where it went out of sight, that is left a frame later."""
    memory: float = 0.985
    """Share of the certainty about who is who that is left a frame further from a prompt."""
    least_memory: float = 0.3
    """Certainty never falls below this, so that labels stay even in time."""
    belief_heat: float = 2.0
    """Beliefs are divided by this before they are carried on: pixels do not speak independently of each other."""


CostOf = Callable[[int], Float32[np.ndarray, "H W L"]]
"""Cost of every label at a frame, from this frame alone; label 0 is the background."""


def propagate(
    cost_of: CostOf,
    lab: UInt8[np.ndarray, "T H W 3"],
    flow: FlowField,
    n_labels: int,
    *,
    prompted: Mapping[int, Float32[np.ndarray, "H W"]],
    config: PropagateConfig,
    report: Report = silent,
    stage: str = "objects.propagate",
) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """Solve all frames.

    Args:
        cost_of: Costs per frame; called from two threads, several times a frame.
        lab: Frames in 8-bit Lab.
        flow: Between neighbours.
        n_labels: Background and subjects.
        prompted: How certain it is who is who on frames of which that is known by itself, 0…1.
        config: Weights.
        report: Told after every frame of a pass.
        stage: Name in reports.

    Returns:
        Labels ``[T, H, W]`` (0 background) and the margin by which each won, in nats.
    """
    n, height, width = lab.shape[:3]
    heard = np.zeros((2, n, height, width, n_labels), np.float16)
    state = {"done": 0}

    def told() -> None:
        state["done"] += 1
        report(Progress(stage=stage, done=state["done"], total=3 * n, message="Following subjects through the clip"))

    def run(side: int) -> None:
        order = range(n) if side == 0 else range(n - 1, -1, -1)
        before = -1
        belief = np.zeros((0, 0, 0), np.float32)
        certain = np.zeros((height, width), np.float32)
        seen = np.zeros((height, width, n_labels - 1), np.float32)
        for t in order:
            cost = cost_of(t)
            if before >= 0:
                message, certain = carried(belief, certain, seen, *flow.step(before, t), config=config)
                heard[side, t] = message
                cost = cost + message
            belief = _beliefs(solve_frame(cost, lab[t], config), config.belief_heat)
            seen = remembered(seen, belief, config=config)
            if t in prompted:
                certain = np.maximum(prompted[t], certain)
            before = t
            if side == 0:
                told()
                told()

    with ThreadPoolExecutor(2) as pool:
        for job in [pool.submit(run, 0), pool.submit(run, 1)]:
            job.result()
        labels = np.zeros((n, height, width), np.uint8)
        margin = np.zeros((n, height, width), np.float16)

        def settle(t: int) -> None:
            solved = solve_frame(cost_of(t) + heard[0, t].astype(np.float32) + heard[1, t], lab[t], config)
            labels[t] = solved.argmin(-1)
            margin[t] = np.partition(solved, 1, axis=-1)[..., 1]

        for _ in pool.map(settle, range(n)):
            told()
    return labels, margin


def carried(
    belief: Float32[np.ndarray, "H W L"],
    certain: Float32[np.ndarray, "H W"],
    seen: Float32[np.ndarray, "H W K"],
    there: Float32[np.ndarray, "H W 2"],
    back: Float32[np.ndarray, "H W 2"],
    *,
    config: PropagateConfig,
) -> tuple[Float32[np.ndarray, "H W L"], Float32[np.ndarray, "H W"]]:
    """What a neighbour's beliefs make each label cost on this frame.

    That somebody is there is believed as far as the flow is; who it is, only as far as memory of a prompt reaches,
    so that the nearer prompt wins where a mistake far from any other would else be carried back with full confidence.

    Args:
        belief: The neighbour's share of belief per label; sums to 1.
        certain: How certain it is there who is who, 0…1.
        seen: Where subjects were seen last, 0…1 (see ``remembered``).
        there: Flow on this frame into the neighbour.
        back: Flow on the neighbour into this frame.
        config: Weights.

    Returns:
        Costs, and the certainty on this frame.
    """
    n_subjects = belief.shape[-1] - 1
    sure = trust(there, back)
    near_px = config.near_share * belief.shape[1]
    both = np.concatenate([belief, certain[..., None]], -1)
    warped = pull(both, there)
    near = cv2.GaussianBlur(warped, (0, 0), max(near_px, 0.5))
    certain = np.maximum(
        config.memory * (sure * warped[..., -1] + (1 - sure) * 0.5 * near[..., -1]), config.least_memory
    )
    anywhere = np.empty_like(belief)
    anywhere[..., 1:] = config.subject_prior / max(n_subjects, 1) * (0.5 + 2.5 * seen)
    anywhere[..., 0] = 1 - config.subject_prior
    anywhere /= anywhere.sum(-1, keepdims=True)
    prior = sure[..., None] * warped[..., :-1] + (1 - sure[..., None]) * (0.5 * near[..., :-1] + 0.5 * anywhere)
    prior = (1 - config.return_share) * prior + config.return_share * anywhere
    body = prior[..., 1:].sum(-1, keepdims=True)
    prior[..., 1:] = certain[..., None] * prior[..., 1:] + (1 - certain[..., None]) * body / max(n_subjects, 1)
    return -config.temporal_weight * np.log(np.maximum(prior, 1e-6)), certain


def remembered(
    seen: Float32[np.ndarray, "H W K"], belief: Float32[np.ndarray, "H W L"], *, config: PropagateConfig
) -> Float32[np.ndarray, "H W K"]:
    """Where each subject is, or was when it went out of sight; spreads and fades while it is hidden."""
    spread = cv2.GaussianBlur(seen, (0, 0), max(0.5 * config.near_share * seen.shape[1], 0.5)).reshape(seen.shape)
    return np.maximum(belief[..., 1:], config.hidden_memory * spread)


def solve_frame(cost: NDArray[np.float32], lab: NDArray[np.uint8], config: PropagateConfig) -> NDArray[np.float32]:
    """Beliefs of one frame by itself, as costs; the best label at 0."""
    right, down = edge_weights(lab.astype(np.float32), strength=config.smooth_strength, contrast=config.smooth_contrast)
    return solve_labels(cost, right, down, who_least=config.who_strength)


def _beliefs(solved: NDArray[np.float32], heat: float) -> NDArray[np.float32]:
    share = np.exp(-solved / heat)
    return share / share.sum(-1, keepdims=True)
