"""How far a subject's body, clothes and hair reach from its limbs, learned where subjects stand apart.

Keypoints say where limbs are, hidden or not, and nothing of outlines: what lies a hand's breadth from a forearm is
hardly ever the subject's, as far from a thigh it may well be skirt. How often, is counted on the frames on which
subjects stand apart, by the kind of limb that is nearest. Where they meet, a pixel is rather of whoever reaches it; and
what moves where nobody reaches, a shadow or a reflection, is nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8
from numpy.typing import NDArray

EDGES = np.array([-0.05, 0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.2])
"""Bounds of the distances that are counted apart, in trunk lengths."""
UNKNOWN = 0.5
"""Share that a subject whose limbs nobody knows may claim of what another one reaches."""
USUAL_PIXELS = 30
"""Pixels of all limbs together that every kind of limb is given: a hand that was seldom seen reaches as far as most."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class NearestLimb:
    """The limb that is nearest to every pixel of a frame."""

    kind: UInt8[np.ndarray, "H W"]
    """Number of its kind, from 0; left and right share one."""
    distance: Float32[np.ndarray, "H W"]
    """From its surface in trunk lengths, below 0 inside."""


Limbs = Callable[[int, tuple[int, int]], NearestLimb | None]
"""Gives the limbs of one subject on a frame for pictures of a size ``(width, height)``; None where they are unknown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LimbReachConfig:
    """How much limbs have to say."""

    weight: float = 1.0
    """Weight of that."""
    least: float = 0.03
    """Least share that counts: keypoints may be far off."""
    least_bare: float = 0.2
    """The same of nobody: limbs may be behind something that belongs to the background."""
    slack: float = 0.08
    """By so much, in trunk lengths, limbs may be off where subjects meet."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LimbReach:
    """What limbs say of who is where."""

    limbs: Mapping[int, Limbs]
    """By subject, from 0."""
    shares: Mapping[int, Float64[np.ndarray, "kinds bins"]]
    """Share of what is so near to a limb of such a kind that is the subject's."""
    n_subjects: int
    config: LimbReachConfig

    def costs(self, t: int, size: tuple[int, int]) -> Float32[np.ndarray, "H W L"] | None:
        """Cost of every label on a frame in nats, that of the likeliest 0; None where nobody's limbs are known."""
        near = {k: one for k, limbs in self.limbs.items() if k in self.shares and (one := limbs(t, size)) is not None}
        if not near:
            return None
        config = self.config
        bare = np.zeros((size[1], size[0]), np.float32)  # log of the share that nobody reaches
        reached: dict[int, NDArray[np.float32]] = {}
        for k, one in near.items():
            shares = self.shares[k]
            at = np.minimum(one.kind, len(shares) - 1), np.digitize(one.distance - config.slack, EDGES)
            reached[k] = -np.log(np.maximum(shares, config.least)).astype(np.float32)[at]
            bare += np.log(np.maximum(1 - shares, 1e-3)).astype(np.float32)[at]
        cost = np.empty((size[1], size[0], self.n_subjects + 1), np.float32)
        cost[..., 0] = np.minimum(-bare, -np.log(config.least_bare))
        for k in range(self.n_subjects):
            cost[..., k + 1] = reached[k] if k in reached else np.minimum(cost[..., 0], -np.log(UNKNOWN))
        return np.asarray(config.weight * (cost - cost.min(-1, keepdims=True)), np.float32)


def limb_reach(
    limbs: Mapping[int, Limbs],
    labels: UInt8[np.ndarray, "T H W"],
    clear: Bool[np.ndarray, " T"],
    n_subjects: int,
    *,
    config: LimbReachConfig = LimbReachConfig(),
) -> LimbReach:
    """Learn how far subjects reach; of whom no limb is known on any clear frame, nothing is learned.

    Args:
        limbs: By subject, from 0.
        labels: 0 background, ``k + 1`` for the k-th subject.
        clear: Frames on which labels tell who is who.
        n_subjects: How many.
        config: Weights.
    """
    shares: dict[int, Float64[np.ndarray, "kinds bins"]] = {}
    size = (labels.shape[2], labels.shape[1])
    for k, of_one in limbs.items():
        seen = [(t, near) for t in np.flatnonzero(clear) if (near := of_one(int(t), size)) is not None]
        if not seen:
            continue
        n_kinds = 1 + max(int(near.kind.max()) for _, near in seen)
        mine = np.zeros((n_kinds, len(EDGES) + 1))
        anything = np.zeros_like(mine)
        for t, near in seen:
            at = np.digitize(near.distance, EDGES)
            open_to_it = (labels[t] == 0) | (labels[t] == k + 1)  # what another one hides tells nothing
            np.add.at(anything, (near.kind[open_to_it], at[open_to_it]), 1)
            there = labels[t] == k + 1
            np.add.at(mine, (near.kind[there], at[there]), 1)
        usual = mine.sum(0) / np.maximum(anything.sum(0), 1)
        shares[k] = (mine + USUAL_PIXELS * usual) / (anything + USUAL_PIXELS)
    return LimbReach(limbs=limbs, shares=shares, n_subjects=n_subjects, config=config)
