"""Training the network from keypoints to UV on drawn people, and how well it and the geometric body do."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from polytempo.bodies.keypoints import Keypoints, KeypointTrack
from polytempo.bodies.keypoints_to_uv import warped
from polytempo.bodies.limbs import LIMBS, poses
from polytempo.bodies.rasterise import draw_body
from polytempo.bodies.skeleton import body_crop, skeleton_picture
from polytempo.bodies.uv_network import UvNetwork, UvNetworkConfig, uv_loss
from polytempo.bodies.uv_pairs import DamageConfig, Pair, damaged, draw_pair
from polytempo.core.errors import InputError
from polytempo.core.progress import Progress, Report, silent

Body = tuple[UInt8[np.ndarray, "S S"], Float32[np.ndarray, "S S 2"]]
"""Part and UV of a picture."""
PairSource = Callable[[np.random.Generator, int], Pair]
"""Gives one of its pairs as a square picture of so many pixels."""
HELD_OUT = 1 << 40
"""Seeds of held-out people lie from here on; those of training lie below."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UvTraining:
    """How the network is trained."""

    network: UvNetworkConfig = field(default_factory=lambda: UvNetworkConfig(width=24, side=128))
    """Ours is narrower than the released one, so that a laptop can train it and the package can carry it."""
    n_steps: int = 1500
    """Optimiser steps."""
    batch_size: int = 8
    """People a step."""
    learning_rate: float = 2e-3
    """Of Adam, lowered along a cosine to a hundredth."""
    damage: DamageConfig = field(default_factory=DamageConfig)
    """What is done to the keypoints."""

    def __post_init__(self) -> None:
        """Refuse what cannot be trained.

        Raises:
            InputError: a count below 1, or a side that five halvings do not divide.
        """
        if min(self.n_steps, self.batch_size, self.network.width) < 1:
            raise InputError("bodies.train_uv", "steps, batch size and width must be 1 or more",
                             got=f"{self.n_steps}, {self.batch_size} and {self.network.width}")  # fmt: skip
        if self.network.side < 32 or self.network.side % 32:
            raise InputError("bodies.train_uv", "the side must be a multiple of 32", got=str(self.network.side))


@dataclass(frozen=True, kw_only=True, slots=True)
class UvScores:
    """How well parts and UV are met on held-out people, over the true body's pixels."""

    part_accuracy: float
    """Share of pixels with the right part."""
    uv_error: float
    """Mean absolute error of U and V, 0…1, where the part is right."""
    hidden_part_accuracy: float
    """The same on limbs whose keypoints were hidden."""
    hidden_uv_error: float
    silhouette_iou: float


def drawn_pair(rng: np.random.Generator, side: int) -> Pair:
    """Somebody drawn; the source of pairs that everybody has."""
    return draw_pair(rng, side=side)


def train_uv_network(
    config: UvTraining = UvTraining(), *, source: PairSource = drawn_pair, seed: int = 0, report: Report = silent
) -> tuple[UvNetwork, list[float]]:
    """Train on people drawn as it goes, or on others; every step's people come from ``seed`` and the step's number.

    Args:
        config: See ``UvTraining``.
        source: Of the pairs.
        seed: Below 2^20.
        report: Told after every step.

    Returns:
        The network, and the loss of every step.

    Source: LNR, Section 4.5 and A.2.3; pairs are drawn where nobody has found any in videos.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = UvNetwork(config.network)
    optimiser = torch.optim.Adam(network.parameters(), lr=config.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.n_steps, config.learning_rate / 100)
    losses: list[float] = []
    started = time.monotonic()
    network.train()
    for step in range(config.n_steps):
        rng = np.random.default_rng([seed, step])
        pictures, parts, uv = _batch(config, source, rng)
        logits, found = network(pictures)
        loss = uv_loss(logits, found, parts, uv)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # pyright: ignore[reportUnknownMemberType]
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        left = (time.monotonic() - started) / (step + 1) * (config.n_steps - step - 1)
        report(
            Progress(stage="train", done=step + 1, total=config.n_steps, loss=losses[-1], eta_secs=left,
                     message="training keypoints to UV")
        )  # fmt: skip
    return network.eval(), losses


def uv_from_keypoints(points: Keypoints, *, side: int) -> Body:
    """The geometric body of one picture; empty where it cannot be posed."""
    found = poses(KeypointTrack(points=points[None]))
    if not found:
        return np.zeros((side, side), np.uint8), np.zeros((side, side, 2), np.float32)
    return draw_body(found[0], size=(side, side))


def uv_scores(
    body_of: Callable[[Keypoints], Body],
    *,
    n_people: int,
    side: int,
    source: PairSource = drawn_pair,
    seed: int = 0,
    damage: DamageConfig | None = None,
) -> UvScores:
    """Scores on held-out people with damaged keypoints.

    Args:
        body_of: Gives part and UV of a picture of ``side`` from keypoints.
        n_people: How many.
        side: Of the pictures, in pixels.
        source: Of the people.
        seed: Of the people; never those of training.
        damage: What is done to the keypoints.
    """
    right = pixels = hidden_right = hidden_pixels = 0
    away = hidden_away = 0.0
    both = either = 0
    for one in range(n_people):
        rng = np.random.default_rng([HELD_OUT + seed, one])
        pair = source(rng, side)
        points = damaged(pair.points, rng, config=damage or DamageConfig())
        part, uv = body_of(points)
        body = pair.part > 0
        met = body & (part == pair.part)
        error = np.abs(uv - pair.uv).mean(-1)
        hidden = np.isin(pair.part, _hidden_parts(points)) & body
        right, pixels = right + int(met.sum()), pixels + int(body.sum())
        away += float(error[met].sum())
        hidden_right, hidden_pixels = hidden_right + int((met & hidden).sum()), hidden_pixels + int(hidden.sum())
        hidden_away += float(error[met & hidden].sum())
        both, either = both + int((body & (part > 0)).sum()), either + int((body | (part > 0)).sum())
    return UvScores(
        part_accuracy=right / max(pixels, 1),
        uv_error=away / max(right, 1),
        hidden_part_accuracy=hidden_right / max(hidden_pixels, 1),
        hidden_uv_error=hidden_away / max(hidden_right, 1),
        silhouette_iou=both / max(either, 1),
    )


def _batch(
    config: UvTraining, source: PairSource, rng: np.random.Generator
) -> tuple[Float[Tensor, "B 3 S S"], Tensor, Float[Tensor, "B 2 S S"]]:
    side = config.network.side
    pictures, parts, places = [], [], []
    for _ in range(config.batch_size):
        pair = source(rng, int(1.6 * side))
        points = damaged(pair.points, rng, config=config.damage)
        crop = body_crop(points, side=side)
        pictures.append(skeleton_picture(points, crop))
        parts.append(warped(pair.part, crop.picture_from_frame, (side, side)))
        places.append(warped(pair.uv, crop.picture_from_frame, (side, side)))
    return (
        torch.from_numpy(np.stack(pictures)),
        torch.from_numpy(np.stack(parts)).long(),
        torch.from_numpy(np.stack(places)).permute(0, 3, 1, 2),
    )


def _hidden_parts(points: Keypoints) -> list[int]:
    """Parts of limbs one of whose keypoints is hidden or missing."""
    names = {"shank": (13, 14), "foot": (15, 16), "forearm": (7, 8), "hand": (9, 10), "thigh": (13, 14),
             "upper_arm": (7, 8)}  # fmt: skip
    out: list[int] = []
    for limb in LIMBS:
        side, _, kind = limb.name.partition("_")
        if kind in names and points[names[kind][0 if side == "left" else 1], 2] < 0.41:
            out += [limb.front, limb.back]
    return out
