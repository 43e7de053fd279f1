"""Who is in front is in one piece: between a foot that was followed there and its knee lies a shin.

Where somebody is plainly behind, nothing of theirs can part who is in front. If a piece of the one in front is apart
from its body all the same, and was followed there, then what lies between them was taken for the one behind.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, UInt8
from numpy.typing import NDArray

from polytempo.core.discs import grown
from polytempo.objects.flow import FlowField
from polytempo.objects.hang_together import areas_px, rejoined, usual_sides_px
from polytempo.objects.order import known_behind

REACH = 0.45
"""Longest gap that is bridged, in units of the square root of the body's usual area."""
LEAST_AREA = 0.004
"""Smaller pieces than this share of the body's usual area are specks."""
MOST = 0.5
"""Share of a piece that must have been followed there."""
AT_MOST = 0.15
"""Share of what joins it that may have been: on a gap that both ways through time have as who is behind, the piece is
wrong."""
COVERED = 0.8
"""Share of the gap that must be somebody's who is behind."""
WIDEST = 0.12
"""Half the width of a limb, in units of the square root of the body's usual area."""
ALIKE = 22.0
"""Difference of colour, summed over 8-bit Lab, from the middle of the gap up to which a pixel is of the same limb."""


def in_one_piece(
    labels: UInt8[np.ndarray, "T H W"],
    n_subjects: int,
    followed: Bool[np.ndarray, "T H W"],
    flow: FlowField,
    lab: UInt8[np.ndarray, "T H W 3"],
) -> UInt8[np.ndarray, "T H W"]:
    """Labels whose pieces hang together: joined through who is behind, or given to whom they touch (``rejoined``).

    Args:
        labels: 0 background, ``k + 1`` for the k-th subject.
        n_subjects: How many.
        followed: Where labels come from following subjects from other frames, undisputed.
        flow: Between neighbouring frames.
        lab: Frames in 8-bit Lab.
    """
    behind = known_behind([labels == k + 1 for k in range(n_subjects)])
    return rejoined(bridged(labels, n_subjects, followed, behind, lab), n_subjects, followed, flow, behind)


def bridged(
    labels: UInt8[np.ndarray, "T H W"],
    n_subjects: int,
    followed: Bool[np.ndarray, "T H W"],
    behind: Bool[np.ndarray, "T K K"],
    lab: UInt8[np.ndarray, "T H W 3"],
) -> UInt8[np.ndarray, "T H W"]:
    """Labels with pieces of subjects in front joined to their bodies through what was taken for who is behind.

    Args:
        labels: 0 background, ``k + 1`` for the k-th subject.
        n_subjects: How many.
        followed: Where labels come from following subjects from other frames, undisputed.
        behind: Whether, on a frame, the second subject is known to be behind the first.
        lab: Frames in 8-bit Lab.

    Source: ours.
    """
    out = labels.copy()
    sides = usual_sides_px(areas_px(labels, n_subjects))
    for t, k in np.argwhere(behind.any(-1)):
        back = np.isin(labels[t], 1 + np.flatnonzero(behind[t, k]))
        out[t][_joins(labels[t] == k + 1, back, followed[t], lab[t], sides[k])] = k + 1
    return out


def _joins(
    mine: NDArray[np.bool_],
    back: NDArray[np.bool_],
    followed: NDArray[np.bool_],
    lab: NDArray[np.uint8],
    side_px: float,
) -> NDArray[np.bool_]:
    """What lies between pieces of a subject and its largest one and is of the same limb."""
    out = np.zeros(mine.shape, bool)
    n, pieces, stats, _ = cv2.connectedComponentsWithStats(mine.astype(np.uint8), connectivity=8)
    if n < 3:
        return out
    body = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    rest = pieces == body
    for i in range(1, n):
        piece = pieces == i
        if i == body or stats[i, cv2.CC_STAT_AREA] < LEAST_AREA * side_px**2 or followed[piece].mean() <= MOST:
            continue
        here, there = _facing(piece, rest), _facing(rest, piece)
        line = np.zeros(mine.shape, np.uint8)
        cv2.line(line, here[::-1].tolist(), there[::-1].tolist(), 1)
        gap = (line > 0) & ~mine
        if not gap.any() or gap.sum() > REACH * side_px or back[gap].mean() < COVERED:
            continue
        width = min(WIDEST * side_px, 0.5 * float(stats[i, cv2.CC_STAT_AREA]) ** 0.5)
        near = grown(gap, max(1, round(width))) & back
        middle = np.median(lab[gap].astype(np.float32), axis=0)
        alike = near & (np.abs(lab.astype(np.float32) - middle).sum(-1) < ALIKE)
        _, parts = cv2.connectedComponents((alike | gap).astype(np.uint8), connectivity=4)
        reached = np.unique(np.asarray(parts)[gap])
        join = np.isin(parts, reached[reached > 0])
        if followed[join].mean() <= AT_MOST:
            out |= join
    return out


def _facing(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Place ``(y, x)`` in the middle of the edge that a piece turns to another one."""
    away = np.asarray(cv2.distanceTransform((~other).astype(np.uint8), cv2.DIST_L2, 5))
    edge = np.argwhere(one & (away <= away[one].min() + 1))
    return edge[int(((edge - edge.mean(0)) ** 2).sum(1).argmin())]
