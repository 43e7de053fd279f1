"""Who is in front of whom, guessed from masks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

CUT = 0.04
"""Share of its area that who is behind lacks more than who is in front, from which on it is told who that is."""
SURELY_CUT = 0.1
"""The same from which on it is beyond doubt."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Meeting:
    """A run of frames in which two subjects touch, and who of them is in front."""

    front: str
    back: str
    start: int
    """First frame of the run."""
    stop: int
    """One past the last."""
    certainty: float
    """How much more of the one behind is missing, as a share of its area; about 0 where it cannot be told."""


def touching(
    a: Bool[np.ndarray, "T H W"], b: Bool[np.ndarray, "T H W"], *, margin_px: int = 3
) -> Bool[np.ndarray, " T"]:
    """In which frames two subjects come within a few pixels of each other."""
    kernel = np.ones((2 * margin_px + 1, 2 * margin_px + 1), np.uint8)
    both = a.any((1, 2)) & b.any((1, 2))
    out = np.zeros(len(a), bool)
    for t in np.flatnonzero(both):
        out[t] = bool((cv2.dilate(a[t].astype(np.uint8), kernel).astype(bool) & b[t]).sum() > 2 * margin_px)
    return out


def runs(flags: Bool[np.ndarray, " T"], *, join: int = 0) -> list[tuple[int, int]]:
    """Half-open runs of true frames; runs at most ``join`` frames apart are joined."""
    out: list[tuple[int, int]] = []
    for t in np.flatnonzero(flags):
        if out and t - out[-1][1] <= join:
            out[-1] = (out[-1][0], int(t) + 1)
        else:
            out.append((int(t), int(t) + 1))
    return out


def meetings(masks: dict[str, Bool[np.ndarray, "T H W"]], *, join: int = 3) -> list[Meeting]:
    """All runs in which two subjects touch, with the guess of who cuts whom.

    The one behind loses area while they touch; where neither does, the one whose feet are lower is nearer.
    """
    out: list[Meeting] = []
    for a, b in combinations(masks, 2):
        flags = touching(masks[a], masks[b])
        for start, stop in runs(flags, join=join):
            loss_a, loss_b = (_loss(masks[k], flags, start, stop) for k in (a, b))
            gap = loss_a - loss_b
            if abs(gap) > CUT:
                front, back = (b, a) if gap > 0 else (a, b)
            else:
                front, back = (a, b) if _feet(masks[a], start, stop) >= _feet(masks[b], start, stop) else (b, a)
            out.append(Meeting(front=front, back=back, start=start, stop=stop, certainty=abs(gap)))
    return out


def back_to_front(masks: dict[str, Bool[np.ndarray, "T H W"]], met: list[Meeting]) -> list[tuple[str, ...]]:
    """Order of all subjects for every frame: meetings decide near their time, feet otherwise.

    Args:
        masks: Modal masks.
        met: From :func:`meetings`.
    """
    names = list(masks)
    n = len(next(iter(masks.values())))
    feet = {k: _feet_path(masks[k]) for k in names}
    out: list[tuple[str, ...]] = []
    for t in range(n):
        wins = dict.fromkeys(names, 0)
        for a, b in combinations(names, 2):
            between = [m for m in met if {m.front, m.back} == {a, b}]
            if between:
                nearest = min(between, key=lambda m: max(m.start - t, t - m.stop + 1, 0))
                wins[nearest.front] += 1
            else:
                # Over the whole clip, so that the order does not flicker as feet pass each other.
                wins[a if np.nanmedian(feet[a]) >= np.nanmedian(feet[b]) else b] += 1
        out.append(tuple(sorted(names, key=lambda k: (wins[k], names.index(k)))))
    return out


def known_behind(masks: list[Bool[np.ndarray, "T H W"]]) -> Bool[np.ndarray, "T K K"]:
    """On which frames the second subject is behind the first: those on which they meet, and one is plainly cut.

    Args:
        masks: Modal masks.
    """
    out = np.zeros((len(masks[0]), len(masks), len(masks)), bool)
    for meeting in meetings({str(k): one for k, one in enumerate(masks)}):
        if meeting.certainty > SURELY_CUT:
            out[meeting.start : meeting.stop, int(meeting.front), int(meeting.back)] = True
    return out


def _loss(mask: NDArray[np.bool_], flags: NDArray[np.bool_], start: int, stop: int) -> float:
    """Share of its usual area that a subject lacks in a run, against the frames around it."""
    areas = mask.sum((1, 2)).astype(float)
    free = np.flatnonzero(~flags & (areas > 0))
    before, after = free[free < start][-6:], free[free >= stop][:6]
    if len(before) + len(after) == 0:
        return 0.0
    levels = [float(np.median(areas[side])) for side in (before, after) if len(side)]
    expected = sum(levels) / len(levels)
    return float(1.0 - np.clip(areas[start:stop] / expected, 0.0, 1.0).mean())


def _feet_path(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    rows = np.asarray(mask.any(2))
    low = mask.shape[1] - 1 - rows[:, ::-1].argmax(1).astype(float)
    low[~rows.any(1)] = np.nan
    if np.isnan(low).all():
        low[:] = -1.0
    return low


def _feet(mask: NDArray[np.bool_], start: int, stop: int) -> float:
    path = _feet_path(mask)[start:stop]
    return float(np.nanmedian(path)) if not np.isnan(path).all() else -1.0
