"""Guided filtering: small maps brought to full size along the edges of the full-size frame."""

from __future__ import annotations

from typing import Any, no_type_check

import cv2
import numpy as np
import torch
from jaxtyping import Float
from numba import njit
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

    Source: guided filter, colour guide; fitted small and applied large as in its authors' later fast variant.
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
    model = _linear_model(_pixels_last(values), _pixels_last(guide_low), radius=radius, eps=eps)
    high = _pixels_last(guide_high)
    out = np.empty((values.shape[0], *high.shape[:2]), np.float32)
    _apply(model, high, out)
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


def _linear_model(values: Planes, guide: Planes, *, radius: int, eps: float) -> Planes:
    """Window means of the least-squares fit, ``[h, w, C, 4]``: three slopes and the offset of each map."""
    side, n_maps = 2 * radius + 1, values.shape[2]

    def mean(picture: Planes) -> Planes:
        flat = picture.reshape(*picture.shape[:2], -1)
        smooth = cv2.boxFilter(flat, -1, (side, side), borderType=cv2.BORDER_REFLECT)
        return np.asarray(smooth, np.float32).reshape(picture.shape)

    # Colours from the middle of their range, so that squares lose no digits against each other.
    centre = guide.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)
    guide = guide - centre
    squares = guide[..., [0, 0, 0, 1, 1, 2]] * guide[..., [0, 1, 2, 1, 2, 2]]
    products = (values[..., :, None] * guide[..., None, :]).reshape(*guide.shape[:2], -1)
    moments = mean(np.concatenate([guide, squares, values, products], axis=2))
    model = np.empty((*guide.shape[:2], n_maps, 4), np.float32)
    _fit(moments, eps, model)
    model = mean(model)
    model[..., 3] -= model[..., :3] @ centre
    return model


@njit(cache=True, nogil=True)
@no_type_check  # the checked form cannot be compiled
def _fit(moments: Any, eps: float, model: Any) -> None:  # pragma: no cover - compiled
    """Solve every window's three equations by cofactors."""
    height, width, n_maps = model.shape[:3]
    for y in range(height):
        for x in range(width):
            m = moments[y, x]
            r, g, b = np.float64(m[0]), np.float64(m[1]), np.float64(m[2])
            rr, rg, rb = m[3] - r * r + eps, m[4] - r * g, m[5] - r * b
            gg, gb, bb = m[6] - g * g + eps, m[7] - g * b, m[8] - b * b + eps
            c00, c01, c02 = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
            c11, c12, c22 = rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg
            over = 1.0 / (rr * c00 + rg * c01 + rb * c02)
            for k in range(n_maps):
                v = np.float64(m[9 + k])
                base = 9 + n_maps + 3 * k
                vr, vg, vb = m[base] - r * v, m[base + 1] - g * v, m[base + 2] - b * v
                a0 = (c00 * vr + c01 * vg + c02 * vb) * over
                a1 = (c01 * vr + c11 * vg + c12 * vb) * over
                a2 = (c02 * vr + c12 * vg + c22 * vb) * over
                model[y, x, k, 0], model[y, x, k, 1], model[y, x, k, 2] = a0, a1, a2
                model[y, x, k, 3] = v - a0 * r - a1 * g - a2 * b


@njit(cache=True, nogil=True, fastmath=True)
@no_type_check
def _apply(model: Any, guide: Any, out: Any) -> None:  # pragma: no cover - compiled
    """Evaluate the model, enlarged linearly, on the full-size guide; the outer edges of both pictures meet."""
    h, w, n_maps = model.shape[:3]
    height, width = guide.shape[:2]
    row = np.empty((w, n_maps, 4), np.float32)
    for y in range(height):
        v = min(max((y + 0.5) * h / height - 0.5, 0.0), h - 1.0)
        top = min(int(v), max(h - 2, 0))
        below = min(top + 1, h - 1)
        share = np.float32(v - top)
        for x in range(w):
            for k in range(n_maps):
                for i in range(4):
                    row[x, k, i] = model[top, x, k, i] + share * (model[below, x, k, i] - model[top, x, k, i])
        for x in range(width):
            u = min(max((x + 0.5) * w / width - 0.5, 0.0), w - 1.0)
            left = min(int(u), max(w - 2, 0))
            right = min(left + 1, w - 1)
            part = np.float32(u - left)
            r, g, b = guide[y, x, 0], guide[y, x, 1], guide[y, x, 2]
            for k in range(n_maps):
                one = row[left, k, 0] * r + row[left, k, 1] * g + row[left, k, 2] * b + row[left, k, 3]
                other = row[right, k, 0] * r + row[right, k, 1] * g + row[right, k, 2] * b + row[right, k, 3]
                out[k, y, x] = one + part * (other - one)


def _pixels_last(picture: Tensor) -> Planes:
    return np.ascontiguousarray(picture.detach().cpu().permute(1, 2, 0).numpy(), dtype=np.float32)
