"""To the beat: onsets of a sound, and motion that meets them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from polytempo.core.errors import InputError
from polytempo.edit.align.peaks import peaks

WHERE = "edit.align.beat"
WINDOW, HOP = 1024, 256
QUIET_DB = -60.0
"""Loudness of a window below which nothing is heard."""


def onsets(samples: Float[np.ndarray, " N"], rate: int) -> NDArray[np.float64]:
    """Moments at which something begins to sound, in seconds.

    Where the spectrum grows: the sum over all bands of what each has become louder from one window to the next, on a
    logarithmic scale, stands out from its surroundings.

    Args:
        samples: One channel, -1…1.
        rate: Samples a second.

    Raises:
        InputError: the sound is too short or nothing begins in it.

    Source: spectral flux as in Bello et al. 2005, Section IV-B; peaks by prominence are ours.
    """
    if len(samples) < 4 * WINDOW:
        raise InputError(WHERE, "the sound must be long enough to hear a beat in", got=f"{len(samples)} samples")
    window = np.hanning(WINDOW)
    starts = np.arange(0, len(samples) - WINDOW, HOP)
    loud = np.empty((len(starts), WINDOW // 2 + 1), np.float32)
    for n, start in enumerate(starts):
        loud[n] = np.abs(np.fft.rfft(samples[start : start + WINDOW] * window))
    floor = 10 ** (QUIET_DB / 20) * window.sum() / 2
    heard = np.log1p(loud / floor)
    flux = np.maximum(np.diff(heard, axis=0), 0).mean(axis=1)
    around = max(round(0.5 * rate / HOP), 1)
    padded = np.pad(flux, around, mode="edge")
    level = np.array([np.median(padded[n : n + 2 * around + 1]) for n in range(len(flux))])
    spread = float(np.std(flux))
    found = peaks(flux - level, prominence=1.5 * spread, apart=max(round(0.1 * rate / HOP), 1))
    if spread < 1e-4 or len(found) == 0:
        raise InputError(WHERE, "something must begin to sound", got="an even sound or silence", todo="Use landmarks")
    # The jump lies between two windows; their newest samples are half a window after their middle.
    return (found + 1) * HOP / rate + WINDOW / 2 / rate


def beat_pairs(
    events: Sequence[Fraction], beats: Sequence[Fraction], *, fastest: Fraction = Fraction(2)
) -> list[tuple[Fraction, Fraction]]:
    """Which beat each event of a motion meets, so that speeds change least.

    Events keep their order, each meets a beat of its own, and between two of them the motion runs at ``1 / fastest`` to
    ``fastest``; as many events as possible meet one, and of all such ways the one of least change of speed is taken.

    Args:
        events: Source times, rising.
        beats: Output times, rising.
        fastest: Limit on the speed.

    Returns:
        Pairs ``(output time, source time)``, rising.

    Raises:
        InputError: no event can meet a beat.
    """
    n, m = len(events), len(beats)
    if n == 0 or m == 0:
        raise InputError(WHERE, "there must be events and beats", got=f"{n} events and {m} beats")
    at, on = np.array([float(one) for one in events]), np.array([float(one) for one in beats])
    limit = float(np.log2(float(fastest)))
    best = np.full((n, m), np.inf)
    count = np.ones((n, m), np.int64)
    came = np.full((n, m, 2), -1, np.int64)
    for i in range(n):
        for j in range(m):
            # From the clip's start to the first event, which must be reached at a speed within the limit, too.
            pace = abs(np.log2(at[i] / on[j])) if at[i] > 0 and on[j] > 0 else (0.0 if at[i] == on[j] else np.inf)
            best[i, j] = pace**2 if pace <= limit else np.inf
            if i == 0 or j == 0:
                continue
            change = np.log2((at[i] - at[:i])[:, None] / (on[j] - on[:j])[None, :])
            costs = np.where(np.abs(change) <= limit, best[:i, :j] + change**2, np.inf)
            counts = np.where(np.isfinite(costs), count[:i, :j] + 1, 0)
            most = int(counts.max())
            if most >= count[i, j]:
                k, h = np.unravel_index(int(np.argmin(np.where(counts == most, costs, np.inf))), costs.shape)
                if most > count[i, j] or not np.isfinite(best[i, j]) or costs[k, h] < best[i, j]:
                    count[i, j], best[i, j], came[i, j] = most, costs[k, h], (k, h)
    ends = [(int(count[i, j]), -float(best[i, j]), i, j) for i in range(n) for j in range(m) if np.isfinite(best[i, j])]
    if not ends:
        raise InputError(
            WHERE,
            f"an event must meet a beat at {float(1 / fastest):.0%} to {float(fastest):.0%} speed",
            got=f"{n} events and {m} beats too far apart",
            todo="Allow a higher speed",
        )
    _, _, i, j = max(ends)
    pairs: list[tuple[Fraction, Fraction]] = []
    while i >= 0:
        pairs.append((beats[j], events[i]))
        i, j = int(came[i, j, 0]), int(came[i, j, 1])
    return pairs[::-1]
