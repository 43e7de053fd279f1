"""Who moves with whom: what a pixel does over some frames, beside what each subject does as a whole.

From one frame to the next, two bodies often do the same, or nothing. Over a few frames a jump and a crawl are far
apart, and a head that comes up beside another one goes its own way.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy.typing import NDArray

from polytempo.objects.evidence import Footage
from polytempo.objects.flow import led, pull, trust

LEAST_PIXELS_SHARE = 0.001
"""Share of the picture below which too little is seen of a subject to tell how it moves."""
N_FITS = 8
"""Times that a motion is fitted, each with the pixels that agreed with the one before."""
STIFFNESS = 3.0
"""How much a subject is held to move without turning, growing or shearing: a limb must not turn the body."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CommonMotionConfig:
    """How motions are compared. Shares are of the picture's width."""

    steps: tuple[int, ...] = (3, 5)
    """Frames to either side to which motion is followed."""
    spread_share: float = 0.011
    """Departure from a subject's motion that is nothing out of the common."""
    agree_share: float = 0.0067
    """Departure at which a pixel begins to have no say in how its subject moves."""
    bound: float = 4.0
    """Largest cost in nats."""
    returns_share: float = 0.009
    """How far from where it began a pixel may end that is led to another frame and back: one standard deviation; more
    by a tenth of its motion."""
    alike: float = 45.0
    """The same for the difference of colour, summed over 8-bit Lab, between it and where it is led."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CommonMotion:
    """How subjects as a whole move from one frame to another."""

    step: int
    """Frames to the other one; negative for one before."""
    there: Float32[np.ndarray, "H W 2"]
    """Where flow leads every pixel, in pixels."""
    own: Float32[np.ndarray, "K H W 2"]
    """Where each subject's own motion, continued over the picture, would lead it."""


def common_motions(
    view: Footage,
    labels: UInt8[np.ndarray, "H W"],
    t: int,
    n_subjects: int,
    *,
    steps: tuple[int, ...],
    config: CommonMotionConfig,
) -> list[CommonMotion]:
    """How every subject of frame ``t`` moves as a whole, to frames before and behind.

    Args:
        view: The clip.
        labels: Of frame ``t``, as far as known: 0 background, ``k + 1`` for the k-th subject. Most of a subject's
            pixels must be its own.
        t: The frame.
        n_subjects: How many.
        steps: Frames to either side that are looked at.
        config: Who has a say in how a subject moves.

    Returns:
        Those before first; none at all where too little is seen of one of them.
    """
    seen = [labels == k + 1 for k in range(n_subjects)]
    if min(int(one.sum()) for one in seen) < LEAST_PIXELS_SHARE * labels.size:
        return []
    agree = config.agree_share * labels.shape[1]
    out: list[CommonMotion] = []
    for step in tuple(-one for one in steps) + steps:
        if 0 <= t + step < len(view.lab):
            there, still = led(view.flow, t, t + step), _camera_alone(view, t, t + step)
            own = np.stack([subject_motion(there - still, mine, agree_px=agree) for mine in seen])
            out.append(CommonMotion(step=step, there=there, own=own + still))
    return out


def motion_costs(
    view: Footage, motions: list[CommonMotion], t: int, n_subjects: int, *, config: CommonMotionConfig
) -> tuple[Float32[np.ndarray, "H W K"], Float32[np.ndarray, "H W"]]:
    """Cost of every subject at every pixel of frame ``t`` by how the pixel moves, and how far that is known.

    Args:
        view: The clip.
        motions: How subjects move as a whole.
        t: The frame.
        n_subjects: How many.
        config: What is far.

    Returns:
        Costs from 0 to ``bound``, all 0 where no motion is known; and how far flow is to be believed, 0 to 1, on the
        frame that is best for it: 0 where a pixel is found on none. All 1 where nothing is asked.
    """
    height, width = view.lab.shape[1:3]
    if not motions:
        return np.zeros((height, width, n_subjects), np.float32), np.ones((height, width), np.float32)
    sides: list[NDArray[np.float32]] = []
    believed = np.zeros((height, width, 1), np.float32)
    for side in ([one for one in motions if one.step < 0], [one for one in motions if one.step > 0]):
        if side:
            heard = np.stack([_believed(view, one.there, t, t + one.step, config) for one in side])[..., None]
            away = np.stack([_departures(one, config) for one in side])
            mean = (heard * away).sum(0) / np.maximum(heard.sum(0), 1e-6)
            sides.append(mean + config.bound * (1 - heard.max(0)))  # a side that is not believed is not the better one
            believed = np.maximum(believed, heard.max(0))
    # A foot that lands stops, one that leaves stood still: either moves with its body on one side of the moment.
    cost = np.min(sides, axis=0)
    return np.asarray(believed * (cost - cost.min(-1, keepdims=True)), np.float32), believed[..., 0]


def _believed(
    view: Footage, there: NDArray[np.float32], t: int, to: int, config: CommonMotionConfig
) -> NDArray[np.float32]:
    """How far flow ``there`` from ``t`` to another frame is to be believed, 0…1 ``[H, W]``.

    It must lead there and back to where it began, and to a colour that is alike.
    """
    width = view.lab.shape[2]
    back = led(view.flow, to, t)
    differs = np.abs(pull(view.lab[to].astype(np.float32), there) - view.lab[t]).sum(-1)
    alike = np.exp(-0.5 * (differs / config.alike) ** 2)
    return trust(there, back, tolerance_px=config.returns_share * width) * alike.astype(np.float32)


def _departures(motion: CommonMotion, config: CommonMotionConfig) -> NDArray[np.float32]:
    spread = config.spread_share * motion.there.shape[1]
    away = ((motion.there - motion.own) ** 2).sum(-1)
    return np.minimum(np.moveaxis(away, 0, -1) / (2 * spread**2), config.bound)


def subject_motion(
    moved: Float32[np.ndarray, "H W 2"], mine: Bool[np.ndarray, "H W"], *, agree_px: float
) -> Float32[np.ndarray, "H W 2"]:
    """The affine motion that most pixels of a subject share, continued over the picture.

    Args:
        moved: How every pixel moves, in pixels.
        mine: The subject's pixels; some may be wrong.
        agree_px: Departure at which a pixel begins to lose its say.

    Source: iteratively reweighted least squares with Geman and McClure's weights.
    """
    height, width = mine.shape
    ys, xs = np.nonzero(mine)
    middle = np.array([xs.mean(), ys.mean()])
    at = np.column_stack([xs - middle[0], ys - middle[1], np.ones(len(xs))])
    by = moved[ys, xs].astype(np.float64)
    found = np.zeros((3, 2))
    found[2] = np.median(by, axis=0)
    held = np.diag([STIFFNESS, STIFFNESS, 1e-4]) * len(xs)
    for _ in range(N_FITS):
        agrees = (1 + ((by - at @ found) ** 2).sum(1) / agree_px**2) ** -2.0
        weighed = at * agrees[:, None]
        found = np.linalg.solve(at.T @ weighed + held, weighed.T @ by)
    y, x = np.mgrid[:height, :width]
    whole = np.stack([x - middle[0], y - middle[1], np.ones(mine.shape)], -1) @ found
    return whole.astype(np.float32)


def _camera_alone(view: Footage, t: int, to: int) -> NDArray[np.float32]:
    """Where a pixel that stands still is led by the camera, in pixels ``[H, W, 2]``."""
    height, width = view.lab.shape[1:3]
    places = np.stack(np.meshgrid(np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64)), -1)
    still = cv2.perspectiveTransform(places.reshape(1, -1, 2), view.camera.frame_from_frame(to, t))
    return (still.reshape(places.shape) - places).astype(np.float32)
