"""All frames' samples of each place of the canvas, and the ones among them that show the bare background."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8, UInt16
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.core.pictures import Pictures
from polytempo.core.progress import Progress, Report, silent

NOT_SEEN = np.float32(1e4)
"""Sorts behind every sample."""
LIT_SHARE = 0.45
"""Share of the densest state's weight from which a brighter state is taken for the bare one."""
BESIDE = 70
"""Weight of 255 of a sample that touches a mask: shadows and reflections keep near their owner."""


def robust_mean(
    pictures: Pictures,
    camera: CameraPath,
    *,
    ignore: Bool[np.ndarray, "T H W"],
    exposure: Float32[np.ndarray, "T 3"],
    band_bytes: int,
    outlier_sigmas: float,
    report: Report = silent,
) -> tuple[Float32[np.ndarray, "Hc Wc 3"], Float32[np.ndarray, "Hc Wc"], UInt16[np.ndarray, "Hc Wc"]]:
    """Colour, spread and number of the bare samples of every place.

    The canvas is worked through in bands of rows, so memory is ``band_bytes`` and the canvas, however long the clip.
    """
    width, height = camera.canvas_size
    colour = np.zeros((height, width, 3), np.float32)
    noise = np.zeros((height, width), np.float32)
    coverage = np.zeros((height, width), np.uint16)
    rows = max(8, band_bytes // (len(pictures) * width * 4))
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        # A row more on each side, since samples are judged on their neighbourhood.
        samples, weight = _band(pictures, camera, ignore, exposure, top=max(top - 1, 0), bottom=min(bottom + 1, height))
        for y in range(top, bottom):
            found = _row(samples, weight, y - max(top - 1, 0), outlier_sigmas)
            colour[y], noise[y], coverage[y] = found
        report(Progress(stage="plate", done=bottom / height, total=1, message="Cleaning the background"))
    return colour, noise, coverage


def _band(
    pictures: Pictures,
    camera: CameraPath,
    ignore: Bool[np.ndarray, "T H W"],
    exposure: Float32[np.ndarray, "T 3"],
    *,
    top: int,
    bottom: int,
) -> tuple[UInt8[np.ndarray, "T h Wc 3"], UInt8[np.ndarray, "T h Wc"]]:
    """Samples of a band of rows, and their weights: 0 where covered or outside, low beside a mask, up to 255."""
    width = camera.canvas_size[0]
    size = (width, bottom - top)
    shift = np.array([[1, 0, 0], [0, 1, -top], [0, 0, 1.0]])
    samples = np.zeros((len(pictures), size[1], width, 3), np.uint8)
    weight = np.zeros((len(pictures), size[1], width), np.uint8)
    for t in range(len(pictures)):
        matrix = shift @ camera.canvas_from_frame[t]
        picture = pictures[t]
        if (exposure[t] != 1).any():
            picture = np.clip(picture / exposure[t] + 0.5, 0, 255).astype(np.uint8)
        cv2.warpPerspective(
            picture, matrix, size, dst=samples[t], flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE
        )
        cv2.warpPerspective(_frame_weight(lasting(ignore, t)), matrix, size, dst=weight[t], flags=cv2.INTER_LINEAR)
    weight[weight < BESIDE - 6] = 0
    return samples, weight


def _frame_weight(ignore: Bool[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W"]:
    if not ignore.any():
        return np.full(ignore.shape, 255, np.uint8)
    distance: Any = cv2.distanceTransform((~ignore).astype(np.uint8), cv2.DIST_L2, 3)
    reach = 0.06 * ignore.shape[1]
    weight = 255 - (255 - BESIDE) * np.exp(-distance / reach)
    return np.where(ignore, 0, weight).astype(np.uint8)


def _row(
    samples: UInt8[np.ndarray, "T h Wc 3"], weight: UInt8[np.ndarray, "T h Wc"], y: int, outlier_sigmas: float
) -> tuple[Float32[np.ndarray, "Wc 3"], Float32[np.ndarray, " Wc"], UInt16[np.ndarray, " Wc"]]:
    row = samples[:, y].astype(np.float32)
    # Judged on the mean of three by three: a third of the noise, so that faint effects show.
    tall = samples[:, max(y - 1, 0) : y + 2].mean(1, dtype=np.float32)
    calm = tall.copy()
    calm[:, 1:-1] = (tall[:, :-2] + tall[:, 1:-1] + tall[:, 2:]) / 3
    strength = weight[:, y].astype(np.float32) / 255
    free = strength > 0
    count = free.sum(0)
    middle = _sorted_middle(np.where(free[..., None], calm, NOT_SEEN), count[:, None])
    away = np.abs(calm - middle).max(-1)
    spread = _sorted_middle(np.where(free, away, NOT_SEEN), count)
    pairs = free[1:] & free[:-1]
    steps = np.where(pairs, np.abs(calm[1:] - calm[:-1]).max(-1), NOT_SEEN)
    jitter = np.clip(_sorted_middle(steps, pairs.sum(0)), 0.7, 20.0)
    # Where the spread is far above the jitter from frame to frame, something stayed here for a while.
    mixed = np.nonzero((spread > 1.6 * jitter) & (count >= 4))[0]
    for start in range(0, len(mixed), 128):
        columns = mixed[start : start + 128]
        middle[columns] = _densest(calm[:, columns], strength[:, columns], jitter[columns])
    away = np.abs(calm - middle).max(-1)
    sigma = np.maximum(_sorted_middle(np.where(free, away, NOT_SEEN), count), 0.7)
    sigma[mixed] = np.minimum(sigma, 1.5 * jitter + 0.5)[mixed]
    good = free & (away <= outlier_sigmas * sigma)
    n_good = good.sum(0)
    share = np.where(good, strength, 0)
    mean = (row * share[..., None]).sum(0) / np.maximum(share.sum(0), 1e-6)[:, None]
    variance = (((row - mean) ** 2).mean(-1) * good).sum(0) / np.maximum(n_good - 1, 1)
    return mean / 255, np.sqrt(np.maximum(variance, 0.25)) / 255, n_good.astype(np.uint16)


def _sorted_middle(values: NDArray[np.float32], count: NDArray[np.int_]) -> NDArray[np.float32]:
    """Median over the first axis of the ``count`` smallest."""
    ordered = np.sort(values, axis=0)
    low = np.broadcast_to(np.maximum(count - 1, 0) // 2, ordered.shape[1:])[None]
    high = np.broadcast_to(np.minimum(count // 2, len(ordered) - 1), ordered.shape[1:])[None]
    return (np.take_along_axis(ordered, low, 0)[0] + np.take_along_axis(ordered, high, 0)[0]) / 2


def _densest(
    values: NDArray[np.float32], strength: NDArray[np.float32], jitter: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Colour ``[N, 3]`` that most weight of the samples ``[T, N, 3]`` lies about, then the mean of what is near it."""
    candidates = values[np.unique(np.linspace(0, len(values) - 1, min(len(values), 40)).round().astype(int))]
    width = np.square(2.0 * jitter + 1.0)
    density = np.stack([(np.exp(-np.square(values - c).mean(-1) / width) * strength).sum(0) for c in candidates])
    chosen = np.take_along_axis(candidates, density.argmax(0)[None, :, None], 0)[0]
    # Of two states that are both common, and one of which looks like the other in shadow, the lit one is bare.
    brightness = chosen.mean(-1)
    ratio = candidates / np.maximum(chosen, 4.0)
    lit = (
        (density >= LIT_SHARE * density.max(0))
        & (ratio.min(-1) > 1.15)
        & (ratio.max(-1) < 1.5 * ratio.min(-1))
        & (candidates.mean(-1) - brightness > 4 * jitter + 4)
    )
    among = np.where(lit, density, -1.0)
    brighter = np.take_along_axis(candidates, among.argmax(0)[None, :, None], 0)[0]
    chosen = np.where(lit.any(0)[:, None], brighter, chosen)
    near = np.exp(-np.square(values - chosen).mean(-1) / width) * strength
    return ((values * near[..., None]).sum(0) / np.maximum(near.sum(0), 1e-6)[:, None]).astype(np.float32)


def lasting(ignore: Bool[np.ndarray, "T H W"], t: int) -> Bool[np.ndarray, "H W"]:
    """Mask of frame ``t``, with what is masked both just before and just after it: detectors miss single frames."""
    before = ignore[max(t - 2, 0) : t].any(0) if t > 0 else ignore[t]
    after = ignore[t + 1 : t + 3].any(0) if t + 1 < len(ignore) else ignore[t]
    return ignore[t] | (before & after)
