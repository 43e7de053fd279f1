"""All frames' samples of each place of the canvas, and the ones among them that show the bare background."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8, UInt16

from polytempo.camera.bare import BESIDE, bare_row
from polytempo.camera.path import CameraPath
from polytempo.core.pictures import Pictures
from polytempo.core.progress import Progress, Report, silent


def robust_mean(
    pictures: Pictures,
    camera: CameraPath,
    *,
    ignore: Bool[np.ndarray, "T H W"],
    exposure: Float32[np.ndarray, "T 3"],
    band_bytes: int,
    outlier_sigmas: float,
    report: Report = silent,
) -> tuple[
    Float32[np.ndarray, "Hc Wc 3"], Float32[np.ndarray, "Hc Wc"], UInt16[np.ndarray, "Hc Wc"], Bool[np.ndarray, "Hc Wc"]
]:
    """Colour, spread and number of the bare samples of every place, and whether many others show another thing there.

    The canvas is worked through in bands of rows, so memory is ``band_bytes`` and the canvas, however long the clip.
    """
    width, height = camera.canvas_size
    colour = np.zeros((height, width, 3), np.float32)
    noise = np.zeros((height, width), np.float32)
    coverage = np.zeros((height, width), np.uint16)
    several = np.zeros((height, width), bool)
    rows = max(8, band_bytes // (len(pictures) * width * 7))
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        samples, calm, weight = band_samples(pictures, camera, ignore, exposure, window=np.s_[top:bottom, 0:width])
        for y in range(bottom - top):
            found = bare_row(
                np.ascontiguousarray(samples[:, y].transpose(1, 0, 2)),
                np.ascontiguousarray(calm[:, y].transpose(1, 0, 2)),
                np.ascontiguousarray(weight[:, y].T),
                outlier_sigmas,
            )
            colour[top + y], noise[top + y], coverage[top + y] = found[0] / 255, found[1] / 255, found[2]
            several[top + y] = found[3]
        report(Progress(stage="plate", done=bottom / height, total=1, message="Cleaning the background"))
    return colour, noise, coverage, several


def band_samples(
    pictures: Pictures,
    camera: CameraPath,
    ignore: Bool[np.ndarray, "T H W"],
    exposure: Float32[np.ndarray, "T 3"],
    *,
    window: tuple[slice, slice],
) -> tuple[UInt8[np.ndarray, "T h w 3"], UInt8[np.ndarray, "T h w 3"], UInt8[np.ndarray, "T h w"]]:
    """Samples of a window of the canvas, their 3x3 means, and their weights.

    Weights are 0 where a place is covered or outside, low beside a mask, at most 255.
    """
    top, left = window[0].start, window[1].start
    size = (window[1].stop - left, window[0].stop - top)
    shift = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1.0]])
    samples = np.zeros((len(pictures), size[1], size[0], 3), np.uint8)
    calm = np.zeros_like(samples)
    weight = np.zeros(samples.shape[:3], np.uint8)
    for t in range(len(pictures)):
        matrix = shift @ camera.canvas_from_frame[t]
        picture = pictures[t]
        if (exposure[t] != 1).any():
            picture = np.clip(picture / exposure[t] + 0.5, 0, 255).astype(np.uint8)
        cv2.warpPerspective(
            picture, matrix, size, dst=samples[t], flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE
        )
        cv2.blur(samples[t], (3, 3), dst=calm[t])
        cv2.warpPerspective(_frame_weight(lasting(ignore, t)), matrix, size, dst=weight[t], flags=cv2.INTER_LINEAR)
    weight[weight < BESIDE - 6] = 0
    return samples, calm, weight


def _frame_weight(ignore: Bool[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W"]:
    if not ignore.any():
        return np.full(ignore.shape, 255, np.uint8)
    distance: Any = cv2.distanceTransform((~ignore).astype(np.uint8), cv2.DIST_L2, 3)
    reach = 0.06 * ignore.shape[1]
    weight = 255 - (255 - BESIDE) * np.exp(-distance / reach)
    return np.where(ignore, 0, weight).astype(np.uint8)


def lasting(ignore: Bool[np.ndarray, "T H W"], t: int) -> Bool[np.ndarray, "H W"]:
    """Mask of frame ``t``, with what is masked both just before and just after it: detectors miss single frames."""
    before = ignore[max(t - 2, 0) : t].any(0) if t > 0 else ignore[t]
    after = ignore[t + 1 : t + 3].any(0) if t + 1 < len(ignore) else ignore[t]
    return ignore[t] | (before & after)
