"""Event by event: jump to jump, step to step, wherever they fall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from polytempo.core.errors import InputError
from polytempo.edit.align.peaks import peaks
from polytempo.edit.align.warp import Warp

WHERE = "edit.align.events"
PROMINENCE = 1.0
"""Of an event, in standard deviations of its motion."""
FASTEST = 2.0
"""Speed between two events must lie between this and its inverse."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EventMatch:
    """A warp through pairs of events."""

    warp: Warp
    pairs: tuple[tuple[float, float], ...]
    """Frames of target and sample that fall together."""


def match_events(target: Float[np.ndarray, " N"], sample: Float[np.ndarray, " M"]) -> list[EventMatch]:
    """All ways to lay the tops of one motion on those of another, one after the other without leaving any out.

    In picture coordinates a top is a lowest place: where somebody touches the ground. Between events the sample runs
    evenly; before the first and after the last it keeps its own time at the ends of the clip where the speed allows it,
    else it runs at normal speed.

    Args:
        target: The motion that stays, normalised.
        sample: The motion that is warped, normalised.

    Raises:
        InputError: fewer than two events in a row can be laid on each other at half to double speed.
    """
    first, second = (peaks(one, prominence=PROMINENCE, apart=3) for one in (target, sample))
    found: list[EventMatch] = []
    for offset in range(-len(first) + 1, len(second)):
        a = first[max(0, -offset) : len(second) - offset if offset > len(second) - len(first) else len(first)]
        b = second[max(0, offset) : max(0, offset) + len(a)]
        if len(a) < 2:
            continue
        speeds = np.diff(b) / np.diff(a)
        if (speeds > FASTEST).any() or (speeds < 1 / FASTEST).any():
            continue
        found.append(
            EventMatch(
                warp=_with_ends(a, b, len(target) - 1.0, len(sample) - 1.0),
                pairs=tuple(zip(a.tolist(), b.tolist(), strict=True)),
            )
        )
    if not found:
        raise InputError(
            WHERE,
            "two events in a row of both motions must match at half to double speed",
            got=f"events at frames {_told(first)} and {_told(second)}",
            todo="Use cow or landmarks",
        )
    return found


def _with_ends(a: NDArray[np.float64], b: NDArray[np.float64], last_a: float, last_b: float) -> Warp:
    target, sample = a.tolist(), b.tolist()
    head, tail = _end(a[0], b[0]), _end(last_a - a[-1], last_b - b[-1])
    target = [a[0] - head[0], *target, a[-1] + tail[0]]
    sample = [b[0] - head[1], *sample, b[-1] + tail[1]]
    return Warp(target=tuple(map(float, target)), sample=tuple(map(float, sample)))


def _end(room: float, sample_room: float) -> tuple[float, float]:
    """How far a warp goes beyond its last event, in target and in sample frames."""
    if room > 0 and 1 / FASTEST <= sample_room / room <= FASTEST:
        return room, sample_room
    length = min(room, sample_room)
    return max(length, 1e-3), max(length, 1e-3)


def _told(frames: NDArray[np.float64]) -> str:
    return ", ".join(f"{one:.0f}" for one in frames) or "none"
