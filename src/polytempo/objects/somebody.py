"""Where anybody is at all, whoever it is."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Bool, Float16, UInt8

from polytempo.core.discs import closed, grown, opened
from polytempo.objects.evidence import Footage
from polytempo.objects.folds import Folds
from polytempo.objects.persistence import STEPS
from polytempo.objects.walk import WalkConfig, Walked

DIFFERS = 9.5
"""Cost of the background (nats) from which a pixel that nowhere lasts is somebody's: a match costs about 7."""
STARTLING = 15.0
"""Cost of the background (nats) of what looks like nothing in the plate; about 17 is the most it can be."""

STRIP_SHARE = 0.0045
"""Half the width, as a share of the picture's, up to which what looks like cloth is a strip: a hem, a row of dots."""


def somebody(
    view: Footage,
    background: Float16[np.ndarray, "T H W"],
    labels: UInt8[np.ndarray, "T H W"],
    cloth: Folds,
    *,
    config: WalkConfig,
) -> Bool[np.ndarray, "T H W"]:
    """Where anybody is: labelled so and not lasting, or like nothing in the plate and nowhere lasting.

    What looks like nothing in the plate at its place, but like something nearby, may be cloth that gives way: that is
    nobody unless it is startling, or lies in the midst of somebody, or is but a strip on them. Thin dark lines on
    such cloth are its own.

    Args:
        view: The clip.
        background: Negative log density of every pixel if the background shows.
        labels: As found so far.
        cloth: Where it may be (``folds``).
        config: See ``least_piece_share``.
    """
    out = np.zeros(labels.shape, bool)
    least = max(8, round(config.least_piece_share * labels[0].size))
    strip_px = max(1, round(STRIP_SHARE * labels.shape[2]))
    for t in range(len(labels)):
        mine = (labels[t] > 0) & (view.lasting[t] < STEPS - 2)
        bare = ~mine | _beside(cloth.lit[t] & mine & (background[t] <= STARTLING), mine, strip_px)
        mine &= ~(bare | (closed(bare, strip_px) & cloth.coloured[t]))
        unlike = (view.lasting[t] == 0) & (background[t] > np.where(cloth.lit[t], STARTLING, DIFFERS))
        mine |= opened(unlike, strip_px) | (unlike & ~cloth.coloured[t])
        joined = cv2.morphologyEx(mine.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        n, pieces, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=4)
        big = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= least)
        out[t] = np.isin(pieces, big[big > 0]) if n > 1 else False
    return out


def _beside(cloth: Bool[np.ndarray, "H W"], anybody: Bool[np.ndarray, "H W"], strip_px: int) -> Bool[np.ndarray, "H W"]:
    """What may be cloth, in and around pieces of it that are no strips and reach to where nobody is."""
    _, pieces = cv2.connectedComponents(opened(cloth, strip_px).astype(np.uint8), connectivity=4)
    outside = cv2.dilate((~anybody).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    reaching = np.unique(np.asarray(pieces)[outside])
    return cloth & grown(np.isin(pieces, reaching[reaching > 0]), strip_px + 1)


def plainly_somebody(
    walked: Walked,
    view: Footage,
    background: Float16[np.ndarray, "T H W"],
    quiet: Bool[np.ndarray, "T H W"],
    clear: Bool[np.ndarray, " T"],
) -> Bool[np.ndarray, "T H W"]:
    """Where somebody was followed and a plate that is to be relied on shows something else.

    Args:
        walked: Who was found.
        view: The clip.
        background: Negative log density of every pixel if the background shows.
        quiet: Where the plate is to be relied on.
        clear: Frames that tell by themselves who is who: of these nothing is said.
    """
    unlike = (background > DIFFERS) & (view.lasting == 0)
    return quiet & (walked.labels > 0) & unlike & ~clear[:, None, None]


def unmistakably(walked: Walked, view: Footage, background: Float16[np.ndarray, "T H W"]) -> Bool[np.ndarray, "T H W"]:
    """Where neither way disputes who it is, nothing lasts, and the plate, quiet or not, shows nothing like it.

    Args:
        walked: Who was found.
        view: The clip.
        background: Negative log density of every pixel if the background shows.
    """
    return walked.undisputed & (walked.labels > 0) & (background > STARTLING) & (view.lasting == 0)


def no_background(walked: Walked, plainly: Bool[np.ndarray, "T H W"], *, config: WalkConfig) -> Walked:
    """Who was found, the background ruled out where plainly somebody is."""
    costs = walked.costs.copy()
    costs[..., 0] = np.where(plainly, np.maximum(costs[..., 0], np.float16(config.plain)), costs[..., 0])
    return replace(walked, costs=costs)
