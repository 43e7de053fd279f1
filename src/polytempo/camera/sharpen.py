"""What resampling takes from the clean plate, given back by comparing it with the frames again."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from polytempo.camera.path import CameraPath
from polytempo.camera.samples import lasting
from polytempo.camera.warp import canvas_window
from polytempo.core.pictures import Pictures

_YCC_FROM_RGB = np.array([[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]], np.float32)
_RGB_FROM_YCC = np.linalg.inv(_YCC_FROM_RGB).astype(np.float32)
MOST_FRAMES = 80
"""Frames compared, evenly spread: more bring no new places between the pixels."""


def sharpened(
    colour: Float32[np.ndarray, "Hc Wc 3"],
    noise: Float32[np.ndarray, "Hc Wc"],
    pictures: Pictures,
    camera: CameraPath,
    *,
    ignore: Bool[np.ndarray, "T H W"],
    exposure: Float32[np.ndarray, "T 3"],
    n_rounds: int,
) -> Float32[np.ndarray, "Hc Wc 3"]:
    """The plate after frames were compared with what it predicts of them, and the fine difference was put back.

    The prediction has its chroma halved in both directions as coded video has, so a moving camera brings back colour
    edges that no single frame holds. Only fine differences are put back: which samples are bare was settled before.

    Source: iterative back-projection (Irani and Peleg, 1991).
    """
    plate = colour
    chosen = np.unique(np.linspace(0, len(pictures) - 1, min(len(pictures), MOST_FRAMES)).round().astype(int)).tolist()
    for _ in range(n_rounds):
        total = np.zeros_like(plate)
        weight = np.zeros(plate.shape[:2], np.float32)
        for t in chosen:
            matrix = camera.canvas_from_frame[t]
            back = np.linalg.inv(matrix)
            view: Any = cv2.warpPerspective(
                plate, back, camera.frame_size, flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE
            )
            spread: Any = cv2.warpPerspective(noise, back, camera.frame_size, borderMode=cv2.BORDER_REPLICATE)
            difference = pictures[t].astype(np.float32) / (255 * exposure[t]) - _as_coded(view)
            near = (np.abs(difference).max(-1) < 3 * spread + 0.02) & ~lasting(ignore, t)
            kept = difference * near[..., None]
            left, top, right, bottom = canvas_window(camera, t)
            shift = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1.0]]) @ matrix
            window, size = np.s_[top:bottom, left:right], (right - left, bottom - top)
            total[window] += cv2.warpPerspective(kept, shift, size, flags=cv2.INTER_LANCZOS4)
            weight[window] += cv2.warpPerspective(near.astype(np.float32), shift, size)
        change = total / np.maximum(weight, 1)[..., None]
        plate = plate + change - cv2.GaussianBlur(change, (0, 0), 2.0)
    return plate.astype(np.float32)


def _as_coded(view: Float32[np.ndarray, "H W 3"]) -> Float32[np.ndarray, "H W 3"]:
    height, width = view.shape[:2]
    coded = view @ _YCC_FROM_RGB.T
    half: Any = cv2.resize(coded[..., 1:], (max(width // 2, 1), max(height // 2, 1)), interpolation=cv2.INTER_AREA)
    coded[..., 1:] = cv2.resize(half, (width, height), interpolation=cv2.INTER_CUBIC)
    return coded @ _RGB_FROM_YCC.T
