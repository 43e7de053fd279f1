"""Pairs to train the network from keypoints to UV on: drawn people in many poses, with parts and UV that are known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, UInt8
from numpy.typing import NDArray

from polytempo.bodies.keypoints import Keypoints
from polytempo.bodies.limbs import LIMBS
from polytempo.bodies.rasterise import side_of
from polytempo.synth.figure import MARGIN, Actor, Drawing, draw_figure, keypoints, make_actor
from polytempo.synth.pose import Pose, articulated
from polytempo.synth.scene import Person, SceneSpec
from polytempo.synth.scenes import LOOKS
from polytempo.synth.stage import Moment

UNITS = (0.42, 0.62)
"""Body height as a share of the picture's side."""
_LIMB = {limb.name: limb for limb in LIMBS}
_TRUNK = {"neck": (0.0, 0.12, True), "torso": (0.12, 0.75, False), "pelvis": (0.75, 0.25, False)}
"""Drawn pieces of the trunk: where each begins on the torso's V, how much of it it takes, whether it runs upwards."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Pair:
    """One drawn person."""

    points: Keypoints
    """True keypoints; score 1 where seen, a half where the own body hides them."""
    part: UInt8[np.ndarray, "S S"]
    uv: Float32[np.ndarray, "S S 2"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DamageConfig:
    """What is done to true keypoints to make them like found ones."""

    jitter: float = 0.012
    """Standard deviation of the error of a keypoint, in body heights."""
    missing: float = 0.06
    """Probability of a keypoint without a score."""
    hidden_limb: float = 0.25
    """Probability that an arm or leg is hidden: its keypoints then have low scores and three times the error."""


def draw_pair(rng: np.random.Generator, *, side: int) -> Pair:
    """Draw somebody in a random pose, build and view, with true part and UV.

    The outline is that of the drawn person, whole; U is the angle around the limb's own axis, as in
    ``bodies.rasterise``, from the true facing, V goes along the drawn piece.

    Args:
        rng: Of all that is random.
        side: Of the picture, in pixels.
    """
    look = replace(LOOKS[int(rng.integers(len(LOOKS)))], coat=0.0, build=float(rng.uniform(0.8, 1.35)))
    person = Person(name="somebody", look=look, height=1.0, start=(0.5, 0.8), stop=(0.5, 0.8))
    spec = SceneSpec(name="pair", people=(person,), size=(side, side), n_frames=2)
    actor = make_actor(spec, person, oversample=1, seed=int(rng.integers(1 << 16)))
    unit = float(rng.uniform(*UNITS)) * side
    actor = replace(actor, unit=actor.unit)
    now = Moment(
        pose=random_pose(rng),
        feet=(side * float(rng.uniform(0.42, 0.58)), side / 2 + 0.5 * unit),
        unit=unit,
        turn=float(rng.uniform(-np.pi, np.pi)),
        tilt=float(rng.uniform(0.0, 0.15)),
    )
    drawing = draw_figure(actor, now, frame_from_ref=np.eye(3), size=(side, side))
    points = keypoints(actor, now, drawing, frame_from_ref=np.eye(3))
    points[:, 2] *= 0.5
    part = np.zeros((side, side), np.uint8)
    uv = np.zeros((side, side, 2), np.float32)
    if drawing is not None:
        _fill_truth(actor, now, drawing, part, uv)
    return Pair(points=points, part=part, uv=uv)


def random_pose(rng: np.random.Generator) -> Pose:
    """A pose with every joint somewhere in its reach."""

    def leg() -> tuple[float, float, float]:
        return float(rng.normal(0.15, 0.45)), float(abs(rng.normal(0, 0.6))), float(abs(rng.normal(0, 0.15)))

    def arm() -> tuple[float, float, float]:
        raised = float(rng.uniform(0.1, 2.6)) if rng.random() < 0.35 else float(abs(rng.normal(0.1, 0.2)))
        return float(rng.normal(0.0, 0.6)), float(abs(rng.normal(0, 0.7))), raised

    return articulated(
        {"left": leg(), "right": leg()},
        {"left": arm(), "right": arm()},
        lean=float(rng.normal(0.05, 0.18)),
        twist=float(rng.normal(0, 0.15)),
        lift=0.0,
        nod=float(rng.normal(0, 0.2)),
    )


def damaged(points: Keypoints, rng: np.random.Generator, *, config: DamageConfig = DamageConfig()) -> Keypoints:
    """Keypoints as somebody might find them: jittered, some missing, limbs hidden."""
    out = points.copy()
    height = float(np.ptp(points[:, 1]))
    spread = np.full(len(points), config.jitter)
    for limb in ((5, 7, 9), (6, 8, 10), (11, 13, 15), (12, 14, 16)):
        if rng.random() < config.hidden_limb:
            hidden = list(limb[int(rng.integers(0, 2)) :])
            spread[hidden] *= 3
            out[hidden, 2] = rng.uniform(0.1, 0.4)
    out[:, :2] += rng.normal(0, 1, (len(points), 2)) * spread[:, None] * height
    out[:, 2] *= rng.uniform(0.6, 1.0, len(points))
    gone = rng.random(len(points)) < config.missing
    gone[[5, 6, 11, 12]] = False  # without a trunk there is no body
    out[gone] = 0
    return out.astype(np.float32)


def _fill_truth(actor: Actor, now: Moment, drawing: Drawing, part: NDArray[np.uint8], uv: NDArray[np.float32]) -> None:
    yaw = np.pi / 2 - now.turn
    rows, columns = np.nonzero((drawing.part >= 0) & (drawing.rgba[..., 3] > 0.5))
    numbers = drawing.part[rows, columns]
    for number in np.unique(numbers):
        here = numbers == number
        y, x = rows[here] + drawing.y, columns[here] + drawing.x
        affine = np.vstack([drawing.frame_from_part[number], [0, 0, 1]])
        inverse = np.linalg.inv(affine)
        px = inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]
        py = inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]
        if number == len(actor.parts):  # the head, a ball
            high, wide = 0.070 * actor.unit, 0.058 * actor.unit
            centre_x, centre_y = int(np.ceil(wide * 1.25)) + MARGIN, int(np.ceil(high * 1.15)) + MARGIN
            limb, across = _LIMB["head"], (px - centre_x) / wide
            along = (py - centre_y) / (2 * high) + 0.5
        else:
            piece = actor.parts[number]
            a, b = piece.radius_a * actor.unit, piece.radius_b * actor.unit
            length = float(actor.lengths[number])
            share = (py - MARGIN - a) / max(length, 1e-3)
            half = a + (b - a) * np.clip(share, 0, 1)
            width = actor.pictures[number].shape[1] // 2
            across = (px - width) / np.maximum(half, 1e-3)
            along = (share * length + a) / (length + a + b)
            if piece.name in _TRUNK:
                start, much, upwards = _TRUNK[piece.name]
                along = start + much * np.clip(1 - along if upwards else along, 0, 1)
                limb = _LIMB["torso"]
            else:
                limb = _LIMB[piece.name]
            if affine[1, 1] < 0:  # the limb points up: across runs the other way, as in bodies.rasterise
                across = -across
        angle = np.arcsin(np.clip(across, -1, 1)) - yaw
        found, u = side_of(limb, np.angle(np.exp(1j * angle)))
        part[y, x] = found
        uv[y, x] = np.stack([u, np.clip(along, 0, 1)], -1)
