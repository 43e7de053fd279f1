"""How near pictures are to a truth: PSNR, SSIM, errors of mattes."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float, Shaped
from numpy.typing import NDArray

from polytempo.core.errors import ShapeError


def psnr(
    predicted: Shaped[np.ndarray, "*T H W C"],
    truth: Shaped[np.ndarray, "*T H W C"],
    *,
    where: Bool[np.ndarray, "*T H W"] | None = None,
) -> float:
    """Peak signal-to-noise ratio in dB, pooled: one mean square error over all pixels, channels and frames given.

    The mean of the values per frame, which most papers print, is another number (30.0 against 23.0 dB for two frames
    with errors 0.01 and 0.0001): call it per frame and take the mean for that.

    Args:
        predicted: uint8 0…255, or floats 0…1.
        truth: The same shape; its type may differ.
        where: Count only these pixels.

    Returns:
        Infinity for equal pictures; NaN when ``where`` holds no pixel.

    Raises:
        ShapeError: shapes differ.

    Example:
        >>> round(psnr(np.full((4, 4, 3), 0.6), np.full((4, 4, 3), 0.5)), 6)
        20.0
    """
    _require_equal(predicted, truth)
    error = (_unit(predicted) - _unit(truth)) ** 2
    if where is not None:
        if where.shape != truth.shape[:-1]:
            raise ShapeError(
                "layers.metrics",
                "where must have the pictures' shape without channels",
                got=f"{where.shape} for pictures {truth.shape}",
            )
        error = error[where]
    if error.size == 0:
        return math.nan
    mean = float(error.mean())
    return math.inf if mean == 0 else -10 * math.log10(mean)


def ssim(predicted: Shaped[np.ndarray, "*T H W C"], truth: Shaped[np.ndarray, "*T H W C"]) -> float:
    """Structural similarity, mean over pixels, channels and frames; 1 for equal pictures.

    Gaussian window of 11 x 11 pixels, σ = 1.5, biased moments, range 1. Borders are mirrored and counted.

    Args:
        predicted: uint8 0…255, or floats 0…1.
        truth: The same shape; its type may differ.

    Raises:
        ShapeError: shapes differ.

    Source: SSIM, Eq. 13.

    Example:
        >>> round(ssim(np.full((16, 16, 3), 0.6), np.full((16, 16, 3), 0.5)), 4)
        0.9836
    """
    _require_equal(predicted, truth)
    frames_a = _unit(predicted).reshape(-1, *predicted.shape[-3:])
    frames_b = _unit(truth).reshape(-1, *truth.shape[-3:])
    return float(np.mean([_ssim_of_frame(a, b) for a, b in zip(frames_a, frames_b, strict=True)]))


def alpha_error(predicted: Shaped[np.ndarray, "*T H W"], truth: Shaped[np.ndarray, "*T H W"]) -> float:
    """Mean absolute difference of two alpha mattes, 0…1.

    Raises:
        ShapeError: shapes differ.
    """
    _require_equal(predicted, truth)
    return float(np.abs(_unit(predicted) - _unit(truth)).mean())


def mask_iou(predicted: Bool[np.ndarray, "*T H W"], truth: Bool[np.ndarray, "*T H W"]) -> float:
    """Intersection over union of two masks; 1 when both are empty.

    Raises:
        ShapeError: shapes differ.
    """
    _require_equal(predicted, truth)
    union = int((predicted | truth).sum())
    return 1.0 if union == 0 else int((predicted & truth).sum()) / union


def _ssim_of_frame(a: Float[np.ndarray, "H W C"], b: Float[np.ndarray, "H W C"]) -> float:
    c1, c2 = 0.01**2, 0.03**2

    def smooth(picture: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(cv2.GaussianBlur(picture, (11, 11), 1.5, borderType=cv2.BORDER_REFLECT))

    mean_a, mean_b = smooth(a), smooth(b)
    variance_a, variance_b = smooth(a * a) - mean_a**2, smooth(b * b) - mean_b**2
    covariance = smooth(a * b) - mean_a * mean_b
    top = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return float(np.mean(top / ((mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2))))


def _unit(picture: NDArray[Any]) -> NDArray[np.float64]:
    return picture / 255.0 if picture.dtype == np.uint8 else picture.astype(np.float64)


def _require_equal(a: NDArray[Any], b: NDArray[Any]) -> None:
    if a.shape != b.shape:
        raise ShapeError("layers.metrics", "shapes must be equal", got=f"{a.shape} and {b.shape}")
