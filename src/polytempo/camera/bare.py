"""Which of a place's samples show it bare: a kernel that looks at one canvas pixel after the other."""

from __future__ import annotations

from typing import Any, no_type_check

import numba
import numpy as np
from numpy.typing import NDArray

BESIDE = 70
"""Weight of 255 of a sample that touches a mask: shadows and reflections keep near their owner."""
LIT_SHARE = 0.45
"""Share of the densest state's weight from which a brighter state is taken for the bare one."""
COMMON_SHARE = 0.3
"""Share of samples far from the middle from which they count as a state of their own and not as outliers."""
LEAST_JITTER = 0.7
"""Smallest noise of a 3x3 mean that is believed, in grey levels."""
N_CANDIDATES = 32
"""Samples that are tried as the middle of a state."""
APART = 20.0
"""Grey levels from which a sample shows another thing, or the same one in shadow."""
OTHER_SHARE = 0.2
"""Share of the samples' weight that must show another thing for a place to have several states."""


@numba.njit(cache=True, fastmath=True)
@no_type_check  # the checked form cannot be compiled
def bare_row(
    samples: NDArray[Any], calm: NDArray[Any], weight: NDArray[Any], outlier_sigmas: float
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Middle of the bare samples of one canvas row, or of any other places.

    Judged on the 3x3 means, which have a third of the noise, so that faint effects show. A place whose samples spread
    far beyond their jitter from frame to frame has several states; the one with most weight is bare, or a brighter
    one of which it looks like the shadow.

    Args:
        samples: uint8 ``[W, T, 3]``.
        calm: uint8 ``[W, T, 3]``, the 3x3 means.
        weight: uint8 ``[W, T]``, 0 where covered.
        outlier_sigmas: Distance in sigmas beyond which a sample is left out.

    Returns:
        Colour ``[W, 3]`` and standard deviation ``[W]`` in grey levels, number of samples ``[W]``, and whether others
        show another thing there ``[W]``.
    """
    n_pixels, n_frames = weight.shape
    colour = np.zeros((n_pixels, 3), np.float32)
    noise = np.zeros(n_pixels, np.float32)
    count = np.zeros(n_pixels, np.uint16)
    several = np.zeros(n_pixels, np.bool_)
    value = np.empty((n_frames, 3), np.float32)
    strength = np.empty(n_frames, np.float32)
    away = np.empty(n_frames, np.float32)
    one = np.empty(n_frames, np.float32)
    scratch = np.empty(n_frames, np.float32)
    density = np.empty(N_CANDIDATES, np.float32)
    middle = np.empty(3, np.float32)
    for x in range(n_pixels):
        n = 0
        n_steps = 0
        previous = -2
        for t in range(n_frames):
            if weight[x, t] == 0:
                continue
            for c in range(3):
                value[n, c] = calm[x, t, c]
            strength[n] = weight[x, t]
            if previous == t - 1:
                one[n_steps] = _far(value, n, value[n - 1])
                n_steps += 1
            previous = t
            n += 1
        if n == 0:
            continue
        jitter = 20.0
        if n_steps >= 3:
            jitter = min(max(_median(one, n_steps, scratch), LEAST_JITTER), 20.0)
        for c in range(3):
            for i in range(n):
                one[i] = value[i, c]
            middle[c] = _median(one, n, scratch)
        for i in range(n):
            away[i] = _far(value, i, middle)
        sigma = max(_median(away, n, scratch), LEAST_JITTER)
        beyond = 0
        for i in range(n):
            if away[i] > 4 * max(sigma, jitter):
                beyond += 1
        if n >= 4 and (sigma > 1.6 * jitter or beyond > COMMON_SHARE * n):
            _densest(value, strength, n, jitter, density, middle)
            for i in range(n):
                away[i] = _far(value, i, middle)
            sigma = min(max(_median(away, n, scratch), LEAST_JITTER), 1.5 * jitter + 0.5)
            other, all_of_it = 0.0, 0.0
            for i in range(n):
                all_of_it += strength[i]
                if away[i] > APART:
                    other += strength[i]
            several[x] = other > OTHER_SHARE * all_of_it
        total = 0.0
        kept = 0
        i = 0
        for t in range(n_frames):
            if weight[x, t] == 0:
                continue
            if away[i] <= outlier_sigmas * sigma:
                total += strength[i]
                kept += 1
                for c in range(3):
                    colour[x, c] += strength[i] * samples[x, t, c]
            i += 1
        if kept == 0:
            continue
        for c in range(3):
            colour[x, c] /= total
        square = 0.0
        i = 0
        for t in range(n_frames):
            if weight[x, t] == 0:
                continue
            if away[i] <= outlier_sigmas * sigma:
                for c in range(3):
                    square += (samples[x, t, c] - colour[x, c]) ** 2
            i += 1
        noise[x] = np.sqrt(max(square / (3 * max(kept - 1, 1)), 0.25))
        count[x] = kept
    return colour, noise, count, several


@numba.njit(cache=True, fastmath=True)
@no_type_check
def _densest(
    value: NDArray[Any], strength: NDArray[Any], n: int, jitter: float, density: NDArray[Any], middle: NDArray[Any]
) -> None:
    """Put the colour that most weight of the samples lies about into ``middle``."""
    width = 3 * (2.0 * jitter + 1.0) ** 2
    n_candidates = min(n, N_CANDIDATES)
    best = 0
    for k in range(n_candidates):
        density[k] = _weight_about(value, strength, n, value[(k * n) // n_candidates], width)
        if density[k] > density[best]:
            best = k
    dark = (best * n) // n_candidates
    chosen = dark
    found = 0.0
    for k in range(n_candidates):
        other = (k * n) // n_candidates
        if density[k] < LIT_SHARE * density[best] or density[k] <= found:
            continue
        low, high, rise = 1e9, 0.0, 0.0
        for c in range(3):
            ratio = value[other, c] / max(value[dark, c], 4.0)
            low = min(low, ratio)
            high = max(high, ratio)
            rise += (value[other, c] - value[dark, c]) / 3
        if low > 1.15 and high < 1.5 * low and rise > 4 * jitter + 4:
            chosen = other
            found = density[k]
    start = value[chosen].copy()
    total = 0.0
    for c in range(3):
        middle[c] = 0.0
    for i in range(n):
        near = strength[i] * _kernel(value, i, start, width)
        total += near
        for c in range(3):
            middle[c] += near * value[i, c]
    for c in range(3):
        middle[c] /= total


@numba.njit(cache=True, fastmath=True)
@no_type_check
def _weight_about(value: NDArray[Any], strength: NDArray[Any], n: int, centre: NDArray[Any], width: float) -> float:
    total = 0.0
    for i in range(n):
        total += strength[i] * _kernel(value, i, centre, width)
    return total


@numba.njit(cache=True, fastmath=True)
@no_type_check
def _kernel(value: NDArray[Any], i: int, centre: NDArray[Any], width: float) -> float:
    """A bell without an exponential: nearly Gaussian near its middle, falling off fast."""
    square = ((value[i, 0] - centre[0]) ** 2 + (value[i, 1] - centre[1]) ** 2 + (value[i, 2] - centre[2]) ** 2) / width
    flank = 1 + 0.25 * square
    return 1 / (flank * flank * flank * flank)


@numba.njit(cache=True, fastmath=True)
@no_type_check
def _far(value: NDArray[Any], i: int, centre: NDArray[Any]) -> float:
    return max(abs(value[i, 0] - centre[0]), abs(value[i, 1] - centre[1]), abs(value[i, 2] - centre[2]))


@numba.njit(cache=True, fastmath=True)
@no_type_check
def _median(values: NDArray[Any], n: int, scratch: NDArray[Any]) -> float:
    """Median of the first ``n``, by selection: sorting is slower, and compiling a sort takes seconds on a first run."""
    for i in range(n):
        scratch[i] = values[i]
    middle = (n - 1) // 2
    low, high = 0, n - 1
    while low < high:
        pivot = scratch[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while scratch[i] < pivot:
                i += 1
            while pivot < scratch[j]:
                j -= 1
            if i <= j:
                scratch[i], scratch[j] = scratch[j], scratch[i]
                i += 1
                j -= 1
        if middle <= j:
            high = j
        elif middle >= i:
            low = i
        else:
            break
    above = scratch[middle]
    if n % 2 == 0:
        above = scratch[middle + 1]
        for i in range(middle + 2, n):
            above = min(above, scratch[i])
    return 0.5 * (scratch[middle] + above)
