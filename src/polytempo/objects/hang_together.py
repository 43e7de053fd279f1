"""A body hangs together: a piece that lies apart belongs to whoever it touches, unless something hides the join."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Int64, UInt8
from numpy.typing import NDArray

from polytempo.objects.flow import FlowField

REACH = 0.15
"""Longest bare gap between a piece and its body, in units of the square root of the body's usual area."""
COVERED = 0.25
"""What a pixel of the gap counts where another subject covers it, as the join may be hidden there."""
ACROSS = 3.0
"""The same where somebody lies who cannot hide it: of nobody a limb may be that was missed, of them it may not."""
HIDDEN = 0.04
"""The same for pieces that were followed there: who was seen to go behind somebody is behind them."""
HIDDEN_REACH = 0.11
"""Longest gap between such a piece and its body."""
NO_LOOSE_PIECE = 0.6
"""A piece of at least this share of the largest one is as much the body as that."""
MOST = 0.5
"""Share of a piece's pixels that speaks for all of it."""
ALONG = 0.38
"""Share of a piece's outline along somebody who cannot hide its join, from which it is theirs, however near its body
is: a strip of his knees between him and the bed was hers, a step from her foot."""
TOUCH_SHARE = 0.06
"""A piece goes to another subject only if they share this much of the piece's outline."""


def rejoined(
    labels: UInt8[np.ndarray, "T H W"],
    n_subjects: int,
    followed: Bool[np.ndarray, "T H W"] | None = None,
    flow: FlowField | None = None,
    behind: Bool[np.ndarray, "T K K"] | None = None,
) -> UInt8[np.ndarray, "T H W"]:
    """Give pieces that lie apart from their own subject's largest piece to the subject they touch.

    Which of two legs is whose cannot be told from skin; that a leg has a body above it can. A piece far from its body
    that touches nobody keeps its label: it may be a hand whose arm was missed, and specks go elsewhere.

    Args:
        labels: 0 background, ``k + 1`` for the k-th subject.
        n_subjects: How many.
        followed: Where labels come from following subjects from other frames. Of a piece that is mostly so, the join
            may be hidden all the way.
        flow: Between neighbouring frames. Where it is given, a piece between which and its body there is more of
            somebody else than of nothing stays as long as flow leads most of it to what hung together with that body
            a frame before or after: a head was on its shoulders before an arm came between them.
        behind: Whether, on a frame, the second subject is known to be behind the first: it hides no join of that one. A
            piece that lies along it, apart from the first one's body, is the second one's.

    Source: ours.
    """
    out = labels.copy()
    if n_subjects < 2:
        return out
    areas = areas_px(labels, n_subjects)
    usual = usual_sides_px(areas)
    ways = [None if followed is None else followed[t] for t in range(len(labels))]
    hides = np.ones((len(labels), n_subjects, n_subjects), bool) if behind is None else ~behind
    hidden_by = np.pad(hides, ((0, 0), (0, 0), (1, 0)))  # by label; nothing is hidden by 0
    kept = np.zeros(labels.shape, bool)
    if flow is not None:
        loose = [
            [
                one
                for k in range(n_subjects)
                if areas[k, t]
                for one in _loose(labels[t], k + 1, usual[k], ways[t], hidden_by[t, k])
            ]
            for t in range(len(labels))
        ]
        kept = _once_joined(labels, loose, flow)
    for t in range(len(labels)):
        for k in np.argsort(areas[:, t]):  # the smallest first: what it gains may bring its body together
            if areas[k, t]:
                for piece, _ in _loose(out[t], int(k) + 1, usual[int(k)], ways[t], hidden_by[t, k]):
                    if kept[t][piece[:, 0], piece[:, 1]].mean() <= MOST:
                        _give_away(out[t], piece, int(k) + 1)
    return out


def areas_px(labels: UInt8[np.ndarray, "T H W"], n_subjects: int) -> Int64[np.ndarray, "K T"]:
    """How many pixels of each subject there are on every frame."""
    return np.stack([(labels == k + 1).sum((1, 2)) for k in range(n_subjects)]).astype(np.int64)


def usual_sides_px(areas: Int64[np.ndarray, "K T"]) -> list[float]:
    """Square root of the area that each subject usually has where it is seen, in pixels; 0 of one never seen."""
    return [float(np.median(one[one > 0])) ** 0.5 if one.any() else 0.0 for one in areas]


def _once_joined(
    labels: NDArray[np.uint8], loose: list[list[tuple[NDArray[np.int64], bool]]], flow: FlowField
) -> NDArray[np.bool_]:
    """Loose pieces ``[T, H, W]`` that flow leads, frame by frame, to where they hung together with their body."""
    joined = labels.copy()
    for t, pieces in enumerate(loose):
        for piece, _ in pieces:
            joined[t][piece[:, 0], piece[:, 1]] = 0
    kept = np.zeros(labels.shape, bool)
    n, height, width = labels.shape
    for step in (1, -1):
        for t in range(n)[::step]:
            before = t - step
            if not 0 <= before < n or not loose[t]:
                continue
            there = flow.step(before, t)[0]
            for piece, hidden in loose[t]:
                y, x = piece.T
                if kept[t, y, x].all() or not hidden:
                    continue
                to_y = np.clip(np.rint(y + there[y, x, 1]), 0, height - 1).astype(int)
                to_x = np.clip(np.rint(x + there[y, x, 0]), 0, width - 1).astype(int)
                if (joined[before, to_y, to_x] == labels[t, y, x]).mean() > MOST:
                    kept[t, y, x] = True
                    joined[t, y, x] = labels[t, y, x]
    return kept


def _loose(
    labels: NDArray[np.uint8],
    label: int,
    side_px: float,
    followed: NDArray[np.bool_] | None,
    hidden_by: NDArray[np.bool_],
) -> list[tuple[NDArray[np.int64], bool]]:
    """Places ``[N, 2]`` of pieces that are too far from a subject's largest one, and whether most between is others."""
    mine = labels == label
    n, pieces, stats, _ = cv2.connectedComponentsWithStats(mine.astype(np.uint8), connectivity=8)
    out: list[tuple[NDArray[np.int64], bool]] = []
    if n < 3:
        return out
    body = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    away, nearest = cv2.distanceTransformWithLabels(
        (pieces != body).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    places = np.zeros((int(nearest.max()) + 1, 2), np.int64)
    on = np.argwhere(pieces == body)
    places[nearest[on[:, 0], on[:, 1]]] = on
    for i in range(1, n):
        if i == body or stats[i, cv2.CC_STAT_AREA] >= NO_LOOSE_PIECE * stats[body, cv2.CC_STAT_AREA]:
            continue
        piece = np.argwhere(pieces == i)
        around = _around(labels, piece)
        if (~hidden_by[around] & (around > 0) & (around != label)).sum() >= ALONG * len(around):
            out.append((piece, False))
            continue
        gaps = away[piece[:, 0], piece[:, 1]]
        at = piece[int(gaps.argmin())]
        bare, covered = _gap(labels, label, at, places[nearest[at[0], at[1]]], hidden_by)
        if bare + COVERED * covered <= REACH * side_px:
            continue
        was_followed = followed is not None and followed[piece[:, 0], piece[:, 1]].mean() > MOST
        if not (was_followed and bare + HIDDEN * covered <= HIDDEN_REACH * side_px):
            out.append((piece, covered > bare))
    return out


def _give_away(labels: NDArray[np.uint8], piece: NDArray[np.int64], label: int) -> None:
    """Give a piece to the subject that it touches, in place; to nobody if it hardly touches anybody."""
    around = _around(labels, piece)
    counts = np.bincount(around[(around > 0) & (around != label)], minlength=label + 1)
    if counts.sum() and counts.max() >= TOUCH_SHARE * len(around):
        labels[piece[:, 0], piece[:, 1]] = counts.argmax()


def _around(labels: NDArray[np.uint8], piece: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Labels ``[N]`` of the pixels next to a piece."""
    top, left = np.maximum(piece.min(0) - 2, 0)
    down, right = piece.max(0) + 3
    window = labels[top:down, left:right]
    one = np.zeros(window.shape, bool)
    one[piece[:, 0] - top, piece[:, 1] - left] = True
    return window[(cv2.dilate(one.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & ~one]


def _gap(
    labels: NDArray[np.uint8],
    label: int,
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    hidden_by: NDArray[np.bool_],
) -> tuple[float, float]:
    """Pixels on the straight line between two places: bare ones, and those under a subject that may hide this one.

    Those under one that may not count as several bare ones each.
    """
    n = int(np.abs(a - b).max()) + 1
    y, x = np.round(np.linspace(a, b, n)).astype(int).T
    other = labels[y, x] != label
    covered = other & hidden_by[labels[y, x]]
    across = other & ~covered & (labels[y, x] > 0)
    length = float(np.hypot(*(a - b))) / n
    bare = float((other & ~covered).sum()) + (ACROSS - 1) * float(across.sum())
    return length * bare, length * float(covered.sum())
