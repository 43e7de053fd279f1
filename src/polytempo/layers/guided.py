"""Guided filtering: small maps brought to full size along the edges of the full-size frame."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from polytempo.core.errors import InputError, ShapeError

Planes = NDArray[np.float32]


def guided_upsample(
    values: Float[Tensor, "C h w"],
    guide_low: Float[Tensor, "3 h w"],
    guide_high: Float[Tensor, "3 H W"],
    *,
    radius: int = 4,
    eps: float = 1e-4,
) -> Float[Tensor, "C H W"]:
    """Maps at the guide's full size, following its edges.

    In every window of the small picture each map is fitted as a linear function of the guide's three colours; the
    coefficients, which are smooth, are enlarged and applied to the full-size guide. An edge of the map that the guide
    shows thereby becomes as sharp as the guide's. Values may leave the range of the input a little: clamp where that
    matters.

    Args:
        values: Maps at the small size, e.g. alpha or colours, 0…1.
        guide_low: The guide at the small size, 0…1.
        guide_high: The guide at full size; pixel centres at whole numbers, the outer edges of both pictures meet.
        radius: Half side of the window in pixels of the small size.
        eps: Variance of the guide, in squared units of 0…1, below which a window counts as flat.

    Raises:
        ShapeError: the sizes of values and guide_low differ, or a guide does not have three channels.
        InputError: radius or eps is not above 0.

    Source: He, Sun, Tang 2013 "Guided Image Filtering", Eq. 14-16; He and Sun 2015 "Fast Guided Filter".
    """
    if values.ndim != 3 or values.shape[-2:] != guide_low.shape[-2:] or guide_low.shape[0] != 3:
        raise ShapeError(
            "layers.guided",
            "values [C, h, w] and the small guide [3, h, w] must have one size",
            got=f"{tuple(values.shape)} and {tuple(guide_low.shape)}",
        )
    if guide_high.ndim != 3 or guide_high.shape[0] != 3:
        raise ShapeError("layers.guided", "the full-size guide must be [3, H, W]", got=str(tuple(guide_high.shape)))
    if radius < 1 or eps <= 0:
        raise InputError("layers.guided", "radius and eps must be above 0", got=f"radius {radius}, eps {eps}")
    low = _pixels_last(guide_low)
    high = _pixels_last(guide_high)
    slope, offset = _linear_model(_pixels_last(values), low, radius=radius, eps=eps)
    height, width = high.shape[:2]
    out = np.empty((values.shape[0], height, width), np.float32)
    for channel in range(values.shape[0]):
        model = np.dstack([slope[..., channel], offset[..., channel]])
        large = np.asarray(cv2.resize(model, (width, height), interpolation=cv2.INTER_LINEAR))
        out[channel] = np.einsum("hwc,hwc->hw", large[..., :3], high) + large[..., 3]
    return torch.from_numpy(out).to(values.device, values.dtype)


def guided_filter(
    values: Float[Tensor, "C H W"], guide: Float[Tensor, "3 H W"], *, radius: int = 4, eps: float = 1e-4
) -> Float[Tensor, "C H W"]:
    """Maps smoothed along the guide, at one size; see ``guided_upsample``.

    Raises:
        ShapeError: the sizes differ, or the guide does not have three channels.
        InputError: radius or eps is not above 0.
    """
    return guided_upsample(values, guide, guide, radius=radius, eps=eps)


def _linear_model(values: Planes, guide: Planes, *, radius: int, eps: float) -> tuple[Planes, Planes]:
    """Window means of the least-squares slope ``[h, w, 3, C]`` and offset ``[h, w, C]``."""

    def mean(picture: NDArray[np.float64]) -> NDArray[np.float64]:
        flat = picture.reshape(*picture.shape[:2], -1)
        side = 2 * radius + 1
        # OpenCV filters four channels at a time at most in its fast paths, any number in all.
        smooth = np.asarray(cv2.boxFilter(flat, -1, (side, side), borderType=cv2.BORDER_REFLECT), np.float64)
        return smooth.reshape(picture.shape)

    # Doubles: variances are differences of near-equal squares, and eps is small.
    guide64, values64 = guide.astype(np.float64), values.astype(np.float64)
    mean_guide, mean_values = mean(guide64), mean(values64)
    second = mean(guide64[..., :, None] * guide64[..., None, :])
    variance = second - mean_guide[..., :, None] * mean_guide[..., None, :] + eps * np.eye(3)
    covariance = mean(guide64[..., :, None] * values64[..., None, :])
    covariance -= mean_guide[..., :, None] * mean_values[..., None, :]
    slope = _inverse_3x3(variance) @ covariance
    offset = mean_values - np.einsum("hwi,hwic->hwc", mean_guide, slope)
    return mean(slope).astype(np.float32), mean(offset).astype(np.float32)


def _inverse_3x3(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse of symmetric positive definite matrices ``[..., 3, 3]`` by cofactors, many at once."""
    a, b, c = matrix[..., 0, 0], matrix[..., 0, 1], matrix[..., 0, 2]
    d, e, f = matrix[..., 1, 1], matrix[..., 1, 2], matrix[..., 2, 2]
    cofactors = np.stack(
        [d * f - e * e, c * e - b * f, b * e - c * d, a * f - c * c, b * c - a * e, a * d - b * b], axis=-1
    )
    determinant = a * cofactors[..., 0] + b * cofactors[..., 1] + c * cofactors[..., 2]
    order = np.array([[0, 1, 2], [1, 3, 4], [2, 4, 5]])
    return cofactors[..., order] / determinant[..., None, None]


def _pixels_last(picture: Tensor) -> Planes:
    return np.ascontiguousarray(picture.detach().cpu().permute(1, 2, 0).numpy(), dtype=np.float32)
