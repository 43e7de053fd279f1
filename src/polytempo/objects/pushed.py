"""Where a frame shows something that is pushed about: a cushion under somebody's elbow, which lies there alone before.

The clean plate knows a cushion in one place. Tilted and shoved it is like nothing there, and moves with whoever leans
on it; taken for a piece of him, it is carried about with what is hidden of him. What gives it away is where it comes
from: followed back to frames on which it is clear who is who, it is nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float16, Float32, UInt8
from numpy.typing import NDArray

from polytempo.objects.evidence import Footage
from polytempo.objects.walk import WalkConfig, Walked, heard_around, like_behind

NOBODY, SOMEBODY = 0, 1
PROMPTED = 0.5
"""Certainty from which on a prompt has told what a pixel is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PushedConfig:
    """What tells things that are pushed about from bodies. Lengths are shares of the picture's width."""

    doubt: float = 1.5
    """Cost in nats of calling nobody what looked like somebody so far."""
    contrary: float = 0.3
    """Share that counts of what the less sure way through time says against it."""
    detail: float = 8.0
    """Spread of Lab around a pixel from which on it is mostly believed: a white shirt is followed to any white wall."""
    cost: float = 6.0
    """Cost in nats of any subject there, in the pass over labels that follows: the network has seen it as somebody."""
    detail_share: float = 0.0045
    """Standard deviation of the surroundings in which that spread is taken."""


def pushed(
    view: Footage,
    labels: UInt8[np.ndarray, "T H W"],
    bodies: Bool[np.ndarray, "T H W"],
    clear: Bool[np.ndarray, " T"],
    *,
    walk: WalkConfig,
    config: PushedConfig,
) -> Bool[np.ndarray, "T H W"]:
    """Pixels that are taken for somebody and come from where nobody was, or go there.

    Nobody and somebody are followed from clear frames as subjects are (``walk``), both ways through time. The way that
    is surer that it is nobody decides: whatever comes out from behind somebody was nowhere before, and the way that
    meets it first knows nothing of it.

    Args:
        view: The clip; half the working size is enough.
        labels: 0 background, other numbers subjects; taken at their word on clear frames alone.
        bodies: Where anybody is taken to be.
        clear: Frames on which labels tell who is who.
        walk: How pixels are followed.
        config: How sure it must be.
    """
    out = np.zeros(bodies.shape, bool)
    if not clear.any() or clear.all():
        return out

    def way(step: int) -> NDArray[np.float16]:
        return _nobody(view, labels, bodies, clear, step, walk)

    with ThreadPoolExecutor(2) as pool:
        ways = list(pool.map(way, (1, -1)))
    for t in np.flatnonzero(~clear):
        there, back = (one[t].astype(np.float32) for one in ways)
        lead = np.maximum(there, back) + config.contrary * np.minimum(np.minimum(there, back), 0)
        lead *= _told_by_detail(view.lab[t], config)
        cost = np.stack([np.maximum(-lead, 0) + config.doubt, np.maximum(lead, 0)], -1)
        out[t] = bodies[t] & (heard_around(view, cost, bodies[t], int(t), walk).argmin(-1) == NOBODY)
    return out


def not_prompted(
    there: Bool[np.ndarray, "T H W"], certain: Mapping[int, Float32[np.ndarray, "H W"]]
) -> Bool[np.ndarray, "T H W"]:
    """What is pushed about but for pixels of which a prompt says who they are: that is not asked again.

    Args:
        there: From ``pushed``, at the size of ``certain``.
        certain: How certain prompts make it who is who, 0…1, by frame.
    """
    out = there.copy()
    for t, sure in certain.items():
        out[t] &= sure <= PROMPTED
    return out


def nobody_there(walked: Walked, there: Bool[np.ndarray, "T H W"], *, config: PushedConfig) -> Walked:
    """Who was found, with somebody made unlikely where things lie that are pushed about.

    Args:
        walked: Who was found.
        there: From ``pushed``, at its size.
        config: How unlikely.
    """
    costs = walked.costs.copy()
    costs[there, 1:] = np.maximum(costs[there, 1:], np.float16(config.cost))
    return replace(walked, costs=costs)


def _nobody(
    view: Footage,
    labels: NDArray[np.uint8],
    bodies: NDArray[np.bool_],
    clear: NDArray[np.bool_],
    step: int,
    config: WalkConfig,
) -> Float16[np.ndarray, "T H W"]:
    """By how many nats pixels of bodies are rather nobody's, followed one way from clear frames."""
    n, height, width = labels.shape
    belief = np.zeros((n, height, width, 2), np.float16)
    lead = np.zeros((n, height, width), np.float16)
    everywhere = np.ones(labels.shape, bool)
    last: int | None = None
    for t in range(n) if step > 0 else range(n - 1, -1, -1):
        if clear[t]:
            known = (labels[t] > 0)[..., None] == np.array([False, True])
            belief[t] = np.where(known, 0, config.certainty)
            last = t
            continue
        if last is None:
            continue
        body = bodies[t]
        matched = like_behind(view, belief, everywhere, body, t, step, last, config)
        lead[t] = config.weight * (matched[..., SOMEBODY] - matched[..., NOBODY])
        cost = config.weight * (matched - matched.min(-1, keepdims=True))
        cost[..., NOBODY] += 1  # not a matter of course
        heard = np.minimum(heard_around(view, cost, body, t, config), config.certainty)
        belief[t] = np.where(body[..., None], heard, np.array([0, config.certainty]))
    return lead


def _told_by_detail(lab: UInt8[np.ndarray, "H W 3"], config: PushedConfig) -> NDArray[np.float32]:
    """How far a pixel's surroundings let it be found again, 0…1."""
    colour = lab.astype(np.float32)
    sigma = max(config.detail_share * lab.shape[1], 0.8)
    mean = cv2.GaussianBlur(colour, (0, 0), sigma)
    spread = np.maximum(cv2.GaussianBlur(colour**2, (0, 0), sigma) - mean**2, 0).sum(-1)
    return np.asarray(1 - np.exp(-0.5 * spread / config.detail**2), np.float32)
