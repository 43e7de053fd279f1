"""What a hidden body looks like, from frames that show it in a like pose, bent limb by limb into the pose it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Bool, Float32
from numpy.typing import NDArray

from polytempo.bodies.limbs import LIMBS, Pose
from polytempo.bodies.rasterise import limb_distance, limb_radius
from polytempo.core.discs import grown
from polytempo.core.progress import Progress, Report, silent

PLACE = {limb.name: i for i, limb in enumerate(LIMBS)}
MIRRORED = tuple(
    PLACE[limb.name.replace("left", "right") if limb.side > 0 else limb.name.replace("right", "left")] for limb in LIMBS
)
UPPER = tuple(i for i, limb in enumerate(LIMBS) if "arm" in limb.name or "hand" in limb.name)
LEGS = tuple(i for i, limb in enumerate(LIMBS) if limb.name.endswith(("thigh", "shank", "foot")))
TRUNK = (PLACE["torso"], PLACE["head"])
SINGLE = tuple(tuple(i for i in pair if LIMBS[i].side == side) for pair in (UPPER, LEGS) for side in (1, -1))
GROUPS = (TRUNK, UPPER, LEGS, *SINGLE)
"""Limbs that are taken from the same source frames: a trunk that sways little is best taken from another frame than
legs that stride. Arms and legs in pairs, which keeps what one hides of the other, and each alone, which finds nearer
poses where no stride is like another; a limb takes the mean of both."""
CutOuts = Callable[[int], Float32[np.ndarray, "H W 4"]]
"""Gives a frame's visible body, premultiplied 0…1."""
HIDDEN_LIMB = 0.05
"""Weight of a source's pixel that shows another limb than the one wanted; not 0, so that no pixel lacks a source."""
LEAST_SHARE = 0.02
"""A limb that moves a pixel less than this is not followed there."""
SOURCES_KEPT = 24
"""Sources whose limbs are kept in memory, about a megabyte each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PosedConfig:
    """How hidden parts are taken from other frames."""

    n_sources: int = 6
    """Frames that are averaged."""
    trust: float = 0.05
    """A source whose limbs lie this much farther off, in trunk lengths, counts 1/e as much."""
    away: float = 0.0004
    """Cost of each frame between target and source: light changes."""
    yaw: float = 0.10
    """Cost of a radian of difference in facing."""
    together: float = 0.8
    """Sources that are averaged face the same way as the best one, to this many radians: the mean of a face that looks
    left and one that looks right has two."""
    other_side: float = 0.08
    """Cost of taking left limbs for right ones and the other way round, half a stride away."""
    softness: float = 0.20
    """Distance over which limbs blend, in trunk lengths."""
    blend: float = 0.06
    """Where limbs have a pixel this far apart in a source, in trunk lengths, their moves are blended no more, and from
    twice as much on each limb is followed alone."""
    reach: float = 0.9
    """How far from the limbs clothes and hair may be, in trunk lengths."""
    guard_px: int = 2
    """What is in front in a source is grown by this."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Shares:
    """How far each limb moves the pixels about a body."""

    box: tuple[slice, slice]
    """Rows and columns of the frame."""
    of: Float32[np.ndarray, "14 h w"]
    """Share of each limb: near limbs more, and of several the foremost; they sum to 1."""
    beside: Float32[np.ndarray, "h w"]
    """How far a pixel is beside all limbs, from 0, inside one, to 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A frame to take a group of limbs from."""

    frame: int
    other_side: bool
    cost: float


def posed_appearance(
    cut_out: CutOuts,
    mask: Bool[np.ndarray, "T H W"],
    front: Bool[np.ndarray, "T H W"],
    body: Mapping[int, Pose],
    *,
    frames: NDArray[np.int64],
    build: float = 1.0,
    config: PosedConfig = PosedConfig(),
    report: Report = silent,
) -> dict[int, Float32[np.ndarray, "H W 4"]]:
    """Whole bodies, premultiplied 0…1, in frames that hide part of them; frames without a pose or source are not in it.

    Every pixel near the body is looked up in each source where the limbs about it have it there: a similarity a limb
    (length by length, width by scale), blended by distance. Where limbs part, a blend would show things twice, a head
    once with the head and once more between head and shoulder: there each limb is followed alone, and what it finds
    counts hardly anything where the source shows another limb. What hid the subject in a source counts nothing.

    Args:
        cut_out: The subject's visible body by frame, at the mask's size.
        mask: The subject's modal mask.
        front: Union of the masks of all subjects in front of it.
        body: The subject's poses.
        frames: Frames to complete.
        build: Width of the limbs.
        config: How.
        report: Told once a frame.

    Source: ours (decision 0017), in place of the neural texture that LNR, Section 3.1, learns over UV.
    """
    unhidden = np.stack([~grown(one, config.guard_px) for one in front])
    shown = {t: _limbs_shown(pose, mask[t], unhidden[t]) for t, pose in body.items()}

    @lru_cache(maxsize=SOURCES_KEPT)
    def shares(t: int) -> Shares | None:
        return _shares(body[t], unhidden.shape[1:], build, config)

    out: dict[int, Float32[np.ndarray, "H W 4"]] = {}
    for i, t in enumerate(frames):
        if int(t) in body:
            found = _complete(int(t), cut_out, unhidden, body, shown, shares, config)
            if found is not None:
                out[int(t)] = found
        report(Progress(stage="bodies.posed", done=i + 1, total=len(frames)))
    return out


def pose_sources(
    t: int,
    group: tuple[int, ...],
    body: Mapping[int, Pose],
    shown: Mapping[int, Float32[np.ndarray, " 14"]],
    *,
    config: PosedConfig = PosedConfig(),
) -> list[Source]:
    """Frames in which a group of limbs is posed most like in frame ``t`` and seen, best first.

    Args:
        t: Frame to complete.
        group: Rows of ``LIMBS``.
        body: Poses by frame.
        shown: Share of each limb that is seen, by frame.
        config: Costs.
    """
    out: list[Source] = []
    here = _in_trunk(body[t])
    members = list(group)
    for s, pose in body.items():
        if s == t:
            continue
        for other_side in (False, True) if group != TRUNK else (False,):
            rows = [MIRRORED[i] for i in members] if other_side else members
            there = _in_trunk(pose)[rows]
            known = ~np.isnan(there).any((1, 2)) & ~np.isnan(here[members]).any((1, 2))
            if not known.any() or float(shown[s][rows][known].mean()) < 0.85:
                continue
            far = float(np.linalg.norm(there[known] - here[members][known], axis=-1).mean())
            cost = (
                far
                + config.yaw * _turned(pose, body[t])
                + config.away * abs(s - t)
                + (config.other_side if other_side else 0)
            )
            out.append(Source(frame=s, other_side=other_side, cost=cost))
    out.sort(key=lambda one: one.cost)
    return [one for one in out if _turned(body[one.frame], body[out[0].frame]) <= config.together][: config.n_sources]


def _turned(a: Pose, b: Pose) -> float:
    """Radians between the ways that two poses face."""
    return abs(float(np.angle(np.exp(1j * (a.yaw - b.yaw)))))


def _complete(
    t: int,
    cut_out: CutOuts,
    unhidden: NDArray[np.bool_],
    body: Mapping[int, Pose],
    shown: Mapping[int, NDArray[np.float32]],
    shares: Callable[[int], Shares | None],
    config: PosedConfig,
) -> Float32[np.ndarray, "H W 4"] | None:
    here = shares(t)
    if here is None:
        return None
    total = np.zeros((*here.beside.shape, 4), np.float32)
    mass = np.full((*here.beside.shape, 1), 1e-6, np.float32)
    for group in GROUPS:
        sources = pose_sources(t, group, body, shown, config=config)
        for one in sources:
            there = shares(one.frame)
            if there is None:
                continue
            trust = np.float32(np.exp(-(one.cost - sources[0].cost) / config.trust))
            found, weight = _carried(one, group, body[t], here, body[one.frame], there, cut_out, unhidden, config)
            total += trust * found
            mass += trust * weight[..., None]
    out = np.zeros((*unhidden.shape[1:], 4), np.float32)
    out[here.box] = total / mass
    return out


def _carried(
    source: Source,
    group: tuple[int, ...],
    target: Pose,
    here: Shares,
    pose: Pose,
    there: Shares,
    cut_out: CutOuts,
    unhidden: NDArray[np.bool_],
    config: PosedConfig,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What a source shows of a group of limbs, where the target has them: premultiplied, times its weight; and that."""
    rgba, free = cut_out(source.frame), unhidden[source.frame].astype(np.float32)
    above, before = (np.float32(side.start) for side in there.box)

    def look_up(picture: NDArray[np.float32], at: NDArray[np.float32]) -> NDArray[np.float32]:
        # Zero outside: there nothing is seen, either.
        return np.asarray(cv2.remap(picture, at[..., 0], at[..., 1], cv2.INTER_LINEAR), np.float32)

    def shown(limb: int, at: NDArray[np.float32]) -> NDArray[np.float32]:
        return look_up(there.of[MIRRORED[limb] if source.other_side else limb], at - np.stack([before, above]))

    moves = _moves(source, target, here, pose)
    middle, spread = _blended(moves, here)
    apart = np.clip((spread / pose.unit - config.blend) / config.blend, 0, 1).astype(np.float32)
    same, expected = np.zeros_like(apart), np.full_like(apart, LEAST_SHARE)
    for i, (box, _) in moves.items():
        same[box] += here.of[i][box] * shown(i, middle[box])
        expected[box] += here.of[i][box] ** 2
    mass = here.of[list(group)].sum(0) * (1 - apart) * look_up(free, middle) * np.clip(same, HIDDEN_LIMB, 1)
    total = (mass * _somebodys(here.beside, same / expected))[..., None] * look_up(rgba, middle)
    for i in group:
        if i not in moves or not apart.any():
            continue
        box, at = moves[i]
        share, same = here.of[i][box], shown(i, at)
        weight = share * apart[box] * look_up(free, at) * np.maximum(same, HIDDEN_LIMB)
        own = _somebodys(here.beside[box], same / np.maximum(share, LEAST_SHARE))
        total[box] += (weight * own)[..., None] * look_up(rgba, at)
        mass[box] += weight
    return total, mass


def _somebodys(beside: NDArray[np.float32], same: NDArray[np.float32]) -> NDArray[np.float32]:
    """Factor of alpha, given how far a pixel's limbs are what the source shows.

    Inside a body another limb's colour is better than a hole; beside it, it is a limb that nobody has.
    """
    return 1 - beside * (1 - np.minimum(2 * same, 1))


Move = tuple[tuple[slice, slice], NDArray[np.float32]]
"""A box of ``Shares``, and where a limb has its pixels in a source, ``(x, y)``."""


def _moves(source: Source, target: Pose, here: Shares, pose: Pose) -> dict[int, Move]:
    """Where each limb has the pixels about it in a source, by row of ``LIMBS``."""
    top, left = (side.start for side in here.box)
    out: dict[int, Move] = {}
    for i in range(len(LIMBS)):
        ends, wanted = pose.ends[MIRRORED[i] if source.other_side else i], target.ends[i]
        rows, columns = np.nonzero(here.of[i] > LEAST_SHARE)
        if not len(rows) or np.isnan(ends).any() or np.isnan(wanted).any():
            continue
        box = (slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1))
        y, x = np.mgrid[box].astype(np.float64)
        at = _through_limb(wanted, ends, pose.unit / target.unit, x + left, y + top)
        out[i] = box, np.stack(at, -1).astype(np.float32)
    return out


def _blended(moves: Mapping[int, Move], here: Shares) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where a pixel lies in a source as all limbs about it have it, and how far they differ, in the source's pixels."""
    norm = np.full(here.beside.shape, 1e-9, np.float32)
    middle = np.zeros((*norm.shape, 2), np.float32)
    for i, (box, at) in moves.items():
        norm[box] += here.of[i][box]
        middle[box] += here.of[i][box][..., None] * at
    middle /= norm[..., None]
    spread = np.zeros_like(norm)
    for i, (box, at) in moves.items():
        spread[box] += here.of[i][box] * ((at - middle[box]) ** 2).sum(-1)
    return middle, np.sqrt(spread / norm)


def _shares(pose: Pose, shape: tuple[int, ...], build: float, config: PosedConfig) -> Shares | None:
    """Near limbs more, and of several the foremost; nothing where the body is outside the frame."""
    box = _box(pose, config.reach * pose.unit, (shape[1], shape[0]))
    if box is None:
        return None
    y, x = np.mgrid[box].astype(np.float64)
    of = np.zeros((len(LIMBS), *x.shape), np.float32)
    soft = config.softness * pose.unit
    beside = np.ones(x.shape, np.float32)
    for i in np.argsort(-pose.depth, kind="stable"):
        if np.isnan(pose.ends[i]).any():
            continue
        distance = limb_distance(pose.ends[i], limb_radius(LIMBS[i], pose, build), x, y)
        near = np.exp(-np.maximum(distance, 0) / soft).astype(np.float32)
        of[i] = near**2 * beside + 1e-9 * near
        beside = beside * (1 - np.clip(0.5 - distance / soft, 0, 1).astype(np.float32))
    return Shares(box=box, of=of / np.maximum(of.sum(0), 1e-30), beside=beside)


def _through_limb(
    target: NDArray[np.float64],
    source: NDArray[np.float64],
    scale: float,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where pixels that move with a limb lie in the source: along it by its length, across it by the body's scale."""
    a, d, length = _axis(target)
    b, e, other = _axis(source)
    stretch = other / length if min(length, other) > 2 else scale
    along = ((x - a[0]) * d[0] + (y - a[1]) * d[1]) * float(np.clip(stretch, 0.5 * scale, 2 * scale))
    across = ((x - a[0]) * d[1] - (y - a[1]) * d[0]) * scale
    return b[0] + along * e[0] + across * e[1], b[1] + along * e[1] - across * e[0]


def _axis(ends: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    way = ends[1] - ends[0]
    length = float(np.linalg.norm(way))
    return ends[0], way / length if length > 1e-6 else np.array([0.0, 1.0]), length


def _in_trunk(pose: Pose) -> NDArray[np.float64]:
    """Ends of all limbs from the middle of the trunk, in trunk lengths."""
    return (pose.ends - pose.ends[PLACE["torso"]].mean(0)) / pose.unit


def _limbs_shown(pose: Pose, mask: NDArray[np.bool_], unhidden: NDArray[np.bool_]) -> Float32[np.ndarray, " 14"]:
    """Share of points along each limb that lie in the frame and are not hidden; 0 for limbs without a place."""
    height, width = mask.shape
    out = np.zeros(len(LIMBS), np.float32)
    for i, ends in enumerate(pose.ends):
        if np.isnan(ends).any():
            continue
        points = np.round(ends[0] + np.linspace(0, 1, 9)[:, None] * (ends[1] - ends[0])).astype(int)
        inside = ((points >= 0) & (points < (width, height))).all(1)
        seen = points[inside]
        out[i] = float(unhidden[seen[:, 1], seen[:, 0]].sum()) / len(points)
    return out if mask.any() else np.zeros_like(out)


def _box(pose: Pose, margin: float, size: tuple[int, int]) -> tuple[slice, slice] | None:
    ends = pose.ends[~np.isnan(pose.ends).any((1, 2))].reshape(-1, 2)
    low = np.maximum(np.floor(ends.min(0) - margin).astype(int), 0)
    high = np.minimum(np.ceil(ends.max(0) + margin).astype(int) + 1, size)
    return None if (high <= low).any() else (slice(low[1], high[1]), slice(low[0], high[0]))
