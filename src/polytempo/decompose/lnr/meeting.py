"""Bodies where they meet one behind them, as neighbouring frames show the same limbs before something else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float32
from numpy.typing import NDArray

from polytempo.bodies.complete_cast import Body
from polytempo.bodies.posed import PosedConfig, posed_appearance
from polytempo.core.discs import grown
from polytempo.core.progress import Progress, Report
from polytempo.objects.appearance import subjects_in_front
from polytempo.objects.cast import Cast, Subject

SolvedBodies = Callable[[int], Mapping[int, Float32[np.ndarray, "H W 4"]]]
"""Gives a frame's bodies by layer id, premultiplied 0…1, each from that frame alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MeetingConfig:
    """How neighbouring frames tell of outlines that two bodies share."""

    around: int = 3
    """Frames on either side that are asked; 0 asks none."""
    reach_px: int = 3
    """Bodies meet that are so near to each other, working pixels."""
    posed: PosedConfig = field(default_factory=lambda: PosedConfig(n_sources=4, away=0.002, blend=1.0))
    """How limbs are carried over: always by a blend, since in so few frames they hardly part, and outlines are smoother
    so (0.3 dB of disoccluded region on a drawn crossing)."""


def meeting_bodies(
    solved: SolvedBodies,
    cast: Cast,
    bodies: Mapping[int, Body],
    *,
    config: MeetingConfig,
    report: Report,
) -> dict[int, dict[int, Float32[np.ndarray, "H W 4"]]]:
    """Layer id → frame → premultiplied RGBA 0…1 of a body that stands before another one, from the frames around it.

    A rough mask is off by another amount in every frame, and what lies behind an outline is another colour: mattes of
    the same limbs in neighbouring frames err independently. Only layers of one subject that has keypoints are told of.

    Args:
        solved: Asked for frames in order, again and again for neighbouring ones.
        cast: At working size.
        bodies: By subject id.
        config: See ``MeetingConfig``.
        report: Told per frame.

    Source: ours (decision 0028).
    """
    asked = lru_cache(maxsize=2 * config.around + 1)(solved)
    subject_of = {one.subject_id: one for one in cast.subjects}
    alone = {
        plan.layer_id: subject_of[plan.subject_ids[0]]
        for plan in cast.layers
        if len(plan.subject_ids) == 1 and plan.subject_ids[0] in bodies
    }
    meets = {one: _meeting_frames(cast, one, config.reach_px) for one in alone} if config.around > 0 else {}
    front = {one: subjects_in_front(cast, subject.subject_id) for one, subject in alone.items()}
    out: dict[int, dict[int, NDArray[np.float32]]] = {one: {} for one in alone}
    frames = sorted({t for found in meets.values() for t in found})
    for i, t in enumerate(frames):
        for one, found in meets.items():
            if t in found:
                told = _from_neighbours(t, one, asked, alone[one], front[one], bodies, config)
                if told is not None:
                    out[one][t] = told
        report(Progress(stage="meetings", done=i + 1, total=len(frames), message="outlines between bodies"))
    return {one: frames for one, frames in out.items() if frames}


def _from_neighbours(
    t: int,
    layer_id: int,
    solved: SolvedBodies,
    subject: Subject,
    front: Bool[np.ndarray, "T H W"],
    bodies: Mapping[int, Body],
    config: MeetingConfig,
) -> Float32[np.ndarray, "H W 4"] | None:
    body = bodies[subject.subject_id]
    first, last = max(t - config.around, 0), min(t + config.around + 1, len(subject.mask))
    found = posed_appearance(
        lambda s: solved(first + s)[layer_id],
        subject.mask[first:last],
        front[first:last],
        {s - first: pose for s, pose in body.poses.items() if first <= s < last},
        frames=np.array([t - first]),
        build=body.build,
        config=config.posed,
    )
    return found.get(t - first)


def _meeting_frames(cast: Cast, layer_id: int, reach_px: int) -> set[int]:
    """Frames in which a layer's body is near the body of a layer behind it."""
    mine = cast.layer_mask(layer_id)
    masks = {plan.layer_id: cast.layer_mask(plan.layer_id, amodal=True) for plan in cast.layers}
    out: set[int] = set()
    for t, order in enumerate(cast.order):
        behind = [masks[one][t] for one in order[: order.index(layer_id)]]
        if mine[t].any() and behind and (grown(mine[t], reach_px) & np.any(behind, axis=0)).any():
            out.add(t)
    return out
