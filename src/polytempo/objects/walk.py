"""Who is who where subjects meet, followed frame by frame from frames in which they stand apart.

A body that passes behind another is seen in pieces, each of which looks like a piece of somebody a moment ago, not far
from where it was. Dense flow alone loses thin limbs and outlines; so each pixel looks around the place that flow leads
to for pixels like it, and whose they are. What is like nobody has just come into sight: its colour speaks, and, once
all were followed a first time, how it moves and whose outline it lies in.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import MappingProxyType

import cv2
import numpy as np
from jaxtyping import Bool, Float16, Float32, UInt8
from numpy.typing import NDArray

from polytempo.core.progress import Progress, Report, silent
from polytempo.core.two_at_a_time import in_turn
from polytempo.objects.ask_around import asked_around
from polytempo.objects.bridged import in_one_piece
from polytempo.objects.carried_belief import carried_belief
from polytempo.objects.clear_frames import share_of_forward
from polytempo.objects.colour_model import N_BINS, learn_colours
from polytempo.objects.common_motion import CommonMotionConfig, common_motions, motion_costs
from polytempo.objects.evidence import Footage
from polytempo.objects.flow import led
from polytempo.objects.found_again import FoundAgainConfig, found_again_costs
from polytempo.objects.label_field import edge_weights, solve_labels
from polytempo.objects.like_pixels import match_cost
from polytempo.objects.limb_reach import LimbReachConfig, Limbs, limb_reach
from polytempo.objects.silhouette import SilhouetteConfig, silhouette_costs, silhouettes

OPEN_MIND = 0.1
"""Share of the density of colours that is spread over all of them."""
ROUNDS = 2
"""Times that subjects are followed: how they move and stand is known from the second time on."""
DISPUTED = 0.6
"""Nats by which a way must think otherwise to dispute who was found."""
NEAR_FRAMES = 8.0
"""Over so many frames from a clear one outlines gain their say: a limb that was followed no farther is known, in
whatever posture."""
NEVER = 50.0
"""Cost of a label that cannot be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WalkConfig:
    """How subjects are followed. Shares are of the picture's width."""

    colour: float = 8.0
    """Difference in 8-bit Lab units that costs 1."""
    shift_share: float = 0.007
    """Distance from where flow leads that costs 1."""
    unlike: float = 1.5
    """Cost of a match beyond which a pixel is like nobody."""
    weight: float = 2.5
    """Weight of a match between subjects."""
    body_weight: float = 1.8
    """Weight of a match with anybody, against the background."""
    steps: tuple[int, ...] = (1, 3)
    """Frames back that are looked at."""
    certainty: float = 2.5
    """Largest cost in nats by which a frame's belief is carried on."""
    sure_frames: float = 10.0
    """About so far from a clear frame a way is, the first time, no surer than what is said (``carried_belief``)."""
    colours_weight: float = 0.8
    """Weight of the colours that subjects have on clear frames."""
    colours_bound: float = 5.0
    """Largest advantage in nats of one subject over another from those."""
    context_weight: float = 0.25
    """Weight of what the surroundings say, on the way. It is for ties: the network that says it knows meetings only as
    rehearsed, and takes most of what is near the one in front for the one in front."""
    context_bound: float = 0.8
    """Largest advantage in nats of one subject over another from that."""
    motion: CommonMotionConfig = field(default_factory=CommonMotionConfig)
    """What tells subjects apart by how they move, once they were followed a first time."""
    motion_weight: float = 0.8
    """Weight of that."""
    found_again: FoundAgainConfig = field(default_factory=FoundAgainConfig)
    """Whether their pixels are found on other frames where that motion leads, likewise."""
    found_again_weight: float = 6.0
    """Weight of that."""
    silhouette: SilhouetteConfig = field(default_factory=SilhouetteConfig)
    """What outline each has in its posture, likewise."""
    silhouette_weight: float = 1.0
    """Weight of that."""
    appeared: float = 4.0
    """By how much more outlines weigh where flow is not to be believed: who comes into sight was nowhere before."""
    box_soft: float = 0.1
    """Share of a box's longer side over which leaving it costs a nat: loose boxes leave out hands, and those were
    followed there."""
    limbs: LimbReachConfig = field(default_factory=LimbReachConfig)
    """How much limbs have to say of subjects that have keypoints."""
    strength: float = 3.5
    """Cost of a change of label in an even region, on the way."""
    contrast: float = 10.0
    """Colour step (8-bit Lab) at which that has mostly fallen."""
    who_least: float = 0.6
    """Least cost of a change from one subject to another."""
    fade_frames: float = 130.0
    """What was followed over so many frames more than the other way weighs about a third of that."""
    least_piece_share: float = 0.002
    """Pieces smaller than this share of the picture are nobody's, on the way."""
    around_frames: int = 3
    """Frames to either side that are asked who is who, once both ways were gone."""
    undenied: float = 1.0
    """Cost in nats of going against who was found where neither way denies it, when those frames are asked."""
    settled: float = 8.0
    """Cost in nats of going against who was found on the way, but for ``doubt_px`` around where that changes."""
    bare: float = 2.5
    """Least cost of the background where anybody is."""
    plain: float = 8.0
    """The same where a quiet plate is plainly something else: frames around that missed it are many, and wrong."""
    doubt_px: float = 1.0
    """Standard deviation in pixels by which these costs are softened."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Walked:
    """Who was found to be who on frames that are not clear."""

    costs: Float16[np.ndarray, "T H W L"]
    """Cost of every label in nats, that of the likeliest subject 0; all 0 on clear frames, and where none is clear."""
    labels: UInt8[np.ndarray, "T H W"]
    """0 background, ``k + 1`` for the k-th subject; as given on clear frames."""
    undisputed: Bool[np.ndarray, "T H W"]
    """Where neither way speaks against whom it was found to be; nowhere on clear frames."""


def who_by_walking(
    view: Footage,
    labels: UInt8[np.ndarray, "T H W"],
    bodies: Bool[np.ndarray, "T H W"],
    context: Float16[np.ndarray, "T h w L"],
    clear: Bool[np.ndarray, " T"],
    n_subjects: int,
    *,
    shown: Bool[np.ndarray, " T"],
    told: Mapping[int, Float32[np.ndarray, "H W L"]],
    mute: Bool[np.ndarray, "T H W"] | None = None,
    limbs: Mapping[int, Limbs] = MappingProxyType({}),
    config: WalkConfig,
    report: Report = silent,
) -> Walked:
    """Who is who on frames that are not clear, by following subjects from clear ones, forwards and backwards.

    Each way carries beliefs on, not decisions: what it is unsure of the other way decides.

    Args:
        view: The clip.
        labels: 0 background, ``k + 1`` for the k-th subject; taken at their word on clear frames alone.
        bodies: Where anybody is.
        context: Log probability of every label from what is around a pixel, at any size.
        clear: Frames on which labels tell who is who.
        n_subjects: How many.
        shown: Frames on which what is found shows what outline each has; clear ones and more.
        told: What prompts make each label cost, by frame.
        mute: Pixels that say nothing themselves, nor of others: cloth beside a foot that was somebody's knee's. Their
            neighbours decide.
        limbs: Limbs by subject, from 0, of those that have keypoints.
        config: Weights.
        report: Told after every frame of a way; may raise to stop.
    """
    n, height, width = labels.shape
    costs = np.zeros((n, height, width, n_subjects + 1), np.float16)
    if not clear.any() or clear.all():
        return Walked(costs=costs, labels=labels, undisputed=np.zeros(labels.shape, bool))
    unclear = [int(t) for t in np.flatnonzero(~clear)]
    mute = np.zeros(labels.shape, bool) if mute is None else mute
    walk = _Walk(view, labels, bodies, context, clear, n_subjects, mute, shown, told, limbs, config, report)
    share = share_of_forward(clear, config.fade_frames)
    found = labels.copy()
    there = back = costs
    for index in range(ROUNDS):
        if index:
            walk.learn_from(found, there, back)
        with ThreadPoolExecutor(2) as pool:
            there, back = pool.map(walk.way, (1, -1))
        for t in unclear:
            near, far = (min(2 * float(one), 1.0) for one in (share[t], 1 - share[t]))
            who = near * there[t, ..., 1:].astype(np.float32) + far * back[t, ..., 1:].astype(np.float32)
            solved = heard_around(view, np.asarray(who + walk.told_here(t), np.float32), bodies[t], t, config)
            found[t] = np.where(bodies[t], solved.argmin(-1) + 1, 0)
    undisputed = _undisputed(found, there, back, n_subjects) & ~clear[:, None, None]
    joined = in_one_piece(found, n_subjects, undisputed, view.flow, view.lab)
    found = np.where(clear[:, None, None], labels, joined)
    found = _settled(walk, found, there, back, unclear)
    undisputed = _undisputed(found, there, back, n_subjects) & ~clear[:, None, None]
    for t in unclear:
        against = [config.settled * ((found[t] > 0) & (found[t] != k + 1)) for k in range(n_subjects)]
        soft = [cv2.GaussianBlur(one.astype(np.float32), (0, 0), config.doubt_px) for one in against]
        bare = cv2.GaussianBlur(config.bare * bodies[t].astype(np.float32), (0, 0), config.doubt_px)
        alike = share[t] * there[t, ..., 0] + (1 - share[t]) * back[t, ..., 0]
        costs[t] = np.stack([np.maximum(alike, bare), *soft], -1)
    return Walked(costs=costs, labels=found, undisputed=undisputed)


class _Walk:
    """What both ways share."""

    def __init__(
        self,
        view: Footage,
        labels: NDArray[np.uint8],
        bodies: NDArray[np.bool_],
        context: NDArray[np.float16],
        clear: NDArray[np.bool_],
        n_subjects: int,
        mute: NDArray[np.bool_],
        shown: NDArray[np.bool_],
        told: Mapping[int, NDArray[np.float32]],
        limbs: Mapping[int, Limbs],
        config: WalkConfig,
        report: Report,
    ) -> None:
        self.view, self.labels, self.bodies, self.context = view, labels, bodies, context
        self.clear, self.n_subjects, self.mute, self.shown = clear, n_subjects, mute, shown
        self.told, self.config = told, config
        self.colours = _colours(view.bins, np.where(mute, 0, labels), clear, n_subjects, config)
        self.sources = np.where(clear[:, None, None], labels > 0, bodies) & ~mute
        self.reach = limb_reach(limbs, labels, clear, n_subjects, config=config.limbs)
        self.hints: dict[int, NDArray[np.float16]] = {}
        """What was learned from a round before, by frame."""
        self._report = report
        self._done, self._total = 0, 2 * ROUNDS * len(labels) + (ROUNDS - 1) * int((~clear).sum())

    def _tell(self) -> None:
        self._done += 1
        told = Progress(stage="objects.walk", done=self._done, total=self._total, message="Following who is who")
        self._report(told)

    def told_here(self, t: int) -> NDArray[np.float32]:
        """Cost of every subject ``[H, W, K]`` by this frame alone."""
        config, (height, width) = self.config, self.labels.shape[1:]
        around = cv2.resize(self.context[t].astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
        said = -around[..., 1:]
        said -= said.min(-1, keepdims=True)
        anybody = 1 - np.exp(around[..., :1])
        who = np.minimum(config.context_weight * said, config.context_bound) * np.minimum(2 * anybody, 1)
        who += self.colours[self.view.bins[t]]
        if (reached := self.reach.costs(t, (width, height))) is not None:
            who += reached[..., 1:]
        if t in self.hints:
            who += self.hints[t]
        who[self.mute[t]] = 0
        return who + self.told[t][..., 1:] if t in self.told else who

    def learn_from(self, found: NDArray[np.uint8], there: NDArray[np.float16], back: NDArray[np.float16]) -> None:
        """Once all were followed: how each of them moves, and what outline it has in its posture."""
        config, subjects = self.config, range(self.n_subjects)
        known = silhouettes(self.view.lab, found, self.shown, self.n_subjects)
        at = np.flatnonzero(self.shown)

        def learned(t: int) -> NDArray[np.float16]:
            moves_far, moves_near = (
                common_motions(self.view, found[t], t, self.n_subjects, steps=steps, config=config.motion)
                for steps in (config.motion.steps, config.found_again.steps)
            )
            moving, believed = motion_costs(self.view, moves_far, t, self.n_subjects, config=config.motion)
            missing = found_again_costs(
                self.view, moves_near, found, self.bodies[t], t, self.n_subjects, config=config.found_again
            )
            sure = [(found[t] == k + 1) & (_lead(there[t], back[t], k) > config.silhouette.certain) for k in subjects]
            outside = silhouette_costs(known, np.stack(sure), self.bodies[t], t, config=config.silhouette)
            say = 1 - np.exp(-0.5 * (np.abs(at - t).min() / NEAR_FRAMES) ** 2)
            loud = config.silhouette_weight * (1 + config.appeared * (1 - believed[..., None]) ** 2)
            moves = config.motion_weight * moving + config.found_again_weight * missing
            return np.asarray(moves + float(say) * loud * outside, np.float16)

        unclear = [int(t) for t in np.flatnonzero(~self.clear)]
        for t, hint in zip(unclear, in_turn(learned, ((t,) for t in unclear)), strict=True):
            self.hints[t] = hint
            self._tell()

    def way(self, step: int) -> NDArray[np.float16]:
        """Cost of every label ``[T, H, W, L]`` by what lies behind, going forwards (1) or backwards (-1)."""
        config, view, clear = self.config, self.view, self.clear
        n, height, width = self.labels.shape
        heard = np.zeros((n, height, width, self.n_subjects + 1), np.float16)
        belief = np.zeros((n, height, width, self.n_subjects), np.float16)
        last: int | None = None
        clear_frame = 0
        for t in range(n) if step > 0 else range(n - 1, -1, -1):
            self._tell()
            if clear[t]:
                for k in range(self.n_subjects):
                    belief[t, ..., k] = np.where(self.labels[t] == k + 1, 0, config.certainty)
                last = clear_frame = t
                continue
            if last is None:
                continue
            body = self.bodies[t]
            matched = like_behind(view, belief, self.sources, body & ~self.mute[t], t, step, last, config)
            heard[t, ..., 0] = config.body_weight * np.where(body, config.unlike - matched.min(-1), 0)
            heard[t, ..., 1:] = config.weight * (matched - matched.min(-1, keepdims=True))
            told = self.told_here(t)
            solved = np.minimum(heard_around(view, heard[t, ..., 1:] + told, body, t, config), config.certainty)
            doubt = 0.0 if self.hints else 1 - float(np.exp(-0.5 * ((t - clear_frame) / config.sure_frames) ** 2))
            belief[t] = carried_belief(solved, matched, told, body, view.lab[t], doubt=doubt)
            if t in self.told:  # what was thought before it was told is not asked again
                last = t
        return heard


def _lead(there: NDArray[np.float16], back: NDArray[np.float16], k: int) -> NDArray[np.float32]:
    """By how many nats both ways, the one that is less sure of it, have the k-th subject ahead of all others."""
    ways = [one[..., 1:].astype(np.float32) for one in (there, back)]
    return np.minimum(*(np.delete(one, k, -1).min(-1) - one[..., k] for one in ways))


def _undisputed(
    found: NDArray[np.uint8], there: NDArray[np.float16], back: NDArray[np.float16], n_subjects: int
) -> NDArray[np.bool_]:
    """Where neither way speaks against whom it was found to be."""
    out = np.zeros(found.shape, bool)
    for t in range(len(found)):
        for k in range(n_subjects):
            out[t] |= (found[t] == k + 1) & (_lead(there[t], back[t], k) > -DISPUTED)
    return out


def _settled(
    walk: _Walk, found: NDArray[np.uint8], there: NDArray[np.float16], back: NDArray[np.float16], unclear: list[int]
) -> NDArray[np.uint8]:
    """Who was found as the frames around have it: what both ways agree on counts a little, what one denies nothing."""
    config, view, n_subjects = walk.config, walk.view, walk.n_subjects
    sure = _undisputed(found, there, back, n_subjects)
    out = found.copy()

    def settled(t: int) -> NDArray[np.uint8]:
        body = walk.bodies[t]
        asked = asked_around(
            view, found, body, t, n_subjects, reach_frames=config.around_frames,
            otherwise=config.certainty, colour=config.colour, shift_px=config.shift_share * found.shape[2],
            unlike=config.unlike,
        )  # fmt: skip
        if asked is None:
            return found[t]
        others = (found[t][..., None] != np.arange(1, n_subjects + 1)) & sure[t][..., None]
        who = np.where((body & ~walk.mute[t])[..., None], config.weight * asked + config.undenied * others, 0)
        return np.where(body, heard_around(view, who.astype(np.float32), body, t, config).argmin(-1) + 1, 0).astype(
            np.uint8
        )

    asked = [t for t in unclear if t not in walk.told]
    for t, labels in zip(asked, in_turn(settled, ((t,) for t in asked)), strict=True):
        out[t] = labels
    return out


def _colours(
    bins: NDArray[np.uint16],
    labels: NDArray[np.uint8],
    clear: NDArray[np.bool_],
    n_subjects: int,
    config: WalkConfig,
) -> NDArray[np.float32]:
    """Cost of every subject by a pixel's bin of colour ``[N_BINS, K]``, learned on clear frames."""
    known = [bins[clear][labels[clear] == k + 1] for k in range(n_subjects)]
    models = [learn_colours(np.bincount(one, minlength=N_BINS), open_mind=OPEN_MIND) for one in known]
    cost = np.stack([-np.log(model.density) for model in models], -1)
    cost -= cost.min(-1, keepdims=True)
    return np.minimum(config.colours_weight * cost, config.colours_bound).astype(np.float32)


def heard_around(
    view: Footage, who: NDArray[np.float32], body: NDArray[np.bool_], t: int, config: WalkConfig
) -> NDArray[np.float32]:
    """Cost of each subject ``[H, W, K]`` where a body is, that of the likeliest 0, after neighbours were heard."""
    bare = np.where(body, NEVER, 0.0)[..., None]
    cost = np.concatenate([bare, np.where(body[..., None], who, NEVER)], -1).astype(np.float32)
    right, down = edge_weights(view.lab[t].astype(np.float32), strength=config.strength, contrast=config.contrast)
    solved = solve_labels(cost, right, down, who_least=config.who_least)[..., 1:]
    return solved - solved.min(-1, keepdims=True)


def like_behind(
    view: Footage,
    belief: NDArray[np.float16],
    somebody: NDArray[np.bool_],
    body: NDArray[np.bool_],
    t: int,
    step: int,
    last: int,
    config: WalkConfig,
) -> NDArray[np.float32]:
    """Cost of each subject at ``t`` by the pixels like it in the frames behind, 0 to ``unlike``."""
    sources = [t - step * back for back in config.steps]
    sources = [s for s in sources if (s >= last if step > 0 else s <= last)] or [t - step]
    total = np.zeros(belief.shape[1:], np.float32)
    for source in sources:
        believed = np.where(somebody[source, ..., None], belief[source].astype(np.float32), np.inf)
        total += match_cost(view.lab[t], view.lab[source], believed, led(view.flow, t, source), body,
                            colour=config.colour, shift_px=config.shift_share * belief.shape[2],
                            unlike=config.unlike)  # fmt: skip
    return (total / len(sources)).astype(np.float32)
