"""The losses of paper A, one function an equation."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def reconstruction_loss(composite: Float[Tensor, "B 3 H W"], frame: Float[Tensor, "B 3 H W"]) -> Float[Tensor, ""]:
    """L1 distance between the composite of all layers and the frame, mean over pixels, channels and frames.

    The paper prints a sum over pixels and a mean over frames; the mean over pixels only changes the unit of the
    other weights, as in its released code.

    Source: LNR, Eq. 3.
    """
    return (composite - frame).abs().mean()


def trimap_distance(trimap: Float[Tensor, "*B H W"], alpha: Float[Tensor, "*B H W"]) -> Float[Tensor, " *B"]:
    """How far an alpha matte is from a trimap, its positive and its negative region weighing half each.

    Args:
        trimap: 0 where surely not the subject, 1 where surely, anything between is left out.
        alpha: 0…1.

    Returns:
        0 (agrees) … 1. A region without pixels counts 0.

    Source: LNR, Eq. 5.

    Example:
        >>> trimap = torch.tensor([[1.0, 1.0, 0.5, 0.0]])
        >>> trimap_distance(trimap, torch.full((1, 4), 0.25)).item()
        0.5
    """
    sure = (trimap >= 1).to(alpha.dtype)
    never = (trimap <= 0).to(alpha.dtype)
    positive = (sure * (1 - alpha)).sum((-2, -1)) / (2 * sure.sum((-2, -1))).clamp_min(1)
    negative = (never * alpha).sum((-2, -1)) / (2 * never.sum((-2, -1))).clamp_min(1)
    return positive + negative


def mask_loss(trimaps: Float[Tensor, "B L H W"], alphas: Float[Tensor, "B L H W"]) -> Float[Tensor, ""]:
    """Mean trimap distance over frames and layers.

    Source: LNR, Eq. 4.
    """
    return trimap_distance(trimaps, alphas).mean()


def approximate_l0(alpha: Float[Tensor, "*B"]) -> Float[Tensor, "*B"]:
    """Smooth stand-in for "is not zero": 0 at 0, about 0.99 at 1.

    Source: LNR, below Eq. 6: 2·sigmoid(5x) − 1.

    Example:
        >>> approximate_l0(torch.tensor([0.0, 1.0]))
        tensor([0.0000, 0.9866])
    """
    return 2 * torch.sigmoid(5 * alpha) - 1


def alpha_regulariser(alphas: Float[Tensor, "*B L H W"], *, l1_weight: float) -> Float[Tensor, ""]:
    """Prefer mattes that are empty nearly everywhere: L1 times ``l1_weight`` plus approximate L0, mean over pixels.

    Source: LNR, Eq. 6; ``l1_weight`` is the paper's gamma.
    """
    return l1_weight * alphas.abs().mean() + approximate_l0(alphas).mean()
