"""How bright each frame is against the others, where a camera sets its own exposure."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float32
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.core.pictures import Pictures

WORK_WIDTH_PX = 96
"""Width at which brightness is compared."""
LEAST_GAIN = 0.006
"""Deviation from 1 below which an exposure counts as standing still; 1.5 grey levels of 255 in white."""
N_INDEPENDENT = 48
"""Independent places that a frame is taken to have: neighbours err alike."""


def exposure_gains(
    pictures: Pictures, camera: CameraPath, *, ignore: Bool[np.ndarray, "T H W"]
) -> Float32[np.ndarray, "T 3"]:
    """Gain per frame and channel against the middle of all frames.

    Compared are places that are bare, neither dark nor near white; the gain is the middle of their ratios, so moving
    shadows do not count unless they cover half the frame.

    Returns:
        Gains; exactly 1 everywhere when no frame differs by more than the noise allows.
    """
    n_frames = len(pictures)
    gains = np.ones((n_frames, 3))
    width, height = camera.frame_size
    size = (min(width, WORK_WIDTH_PX), max(round(height * min(width, WORK_WIDTH_PX) / width), 2))
    scale = np.array([[size[0] / width, 0, 0], [0, size[1] / height, 0], [0, 0, 1.0]])
    canvas = (
        max(int(np.ceil(camera.canvas_size[0] * scale[0, 0])), 2),
        max(int(np.ceil(camera.canvas_size[1] * scale[1, 1])), 2),
    )
    samples = np.zeros((n_frames, canvas[1], canvas[0], 3), np.float16)
    for t in range(n_frames):
        small: Any = cv2.resize(pictures[t], size, interpolation=cv2.INTER_AREA)
        covered: Any = cv2.resize(ignore[t].astype(np.float32), size, interpolation=cv2.INTER_AREA)
        matrix = scale @ camera.canvas_from_frame[t] @ np.linalg.inv(scale)
        bare: Any = cv2.warpPerspective((covered == 0).astype(np.float32), matrix, canvas)
        placed: Any = cv2.warpPerspective(small, matrix, canvas)
        samples[t] = np.where((bare > 0.99)[..., None], placed, np.nan)
    flat = samples.reshape(n_frames, -1, 3)
    sure = np.zeros((n_frames, 3), np.bool_)
    likely = np.zeros((n_frames, 3), np.bool_)
    for _ in range(2):
        middle = _median(flat / gains[:, None].astype(np.float16))
        usable = (middle > 24) & (middle < 225)
        for t in range(n_frames):
            for channel in range(3):
                ratio = flat[t, :, channel].astype(np.float64) / np.where(
                    usable[:, channel], middle[:, channel], np.nan
                )
                ratio = ratio[np.isfinite(ratio)]
                if len(ratio) < N_INDEPENDENT:
                    continue
                gain = float(np.median(ratio))
                error = 1.4826 * float(np.median(np.abs(ratio - gain))) / np.sqrt(N_INDEPENDENT)
                gains[t, channel] = gain
                sure[t, channel] = abs(gain - 1) > max(LEAST_GAIN, 4 * error)
                # Once a clip's exposure is known to move, small gains count too: switching them off would flicker.
                likely[t, channel] = abs(gain - 1) > 2 * error
    if sure.any(1).mean() < 0.04:
        return np.ones((n_frames, 3), np.float32)
    return np.where(likely, gains, 1.0).astype(np.float32)


def _median(flat: NDArray[np.float16]) -> NDArray[np.float64]:
    """Median over frames of what is not NaN, ``[N, 3]``; NaN where nothing was seen."""
    ordered = np.sort(flat, axis=0)  # NaN sorts to the end
    count = np.isfinite(flat).sum(0)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0)[None] // 2, 0)[0]
    high = np.take_along_axis(ordered, np.minimum(count, len(flat) - 1)[None] // 2, 0)[0]
    with np.errstate(invalid="ignore"):  # some builds warn of NaN in half precision
        return np.where(count > 0, (low.astype(np.float64) + high) / 2, np.nan)
