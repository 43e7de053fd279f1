"""The patent's variant of the trimap loss and of its schedule."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

SURE, UNSURE = 5.0, 0.2
"""Weights of the region that is surely the layer, and of the unknown band."""
FULL_UNTIL, TENTH_UNTIL = 50, 100
"""Last epochs of the full weight and of a tenth of it."""


def patent_trimap_distance(trimap: Float[Tensor, "*B H W"], alpha: Float[Tensor, "*B H W"]) -> Float[Tensor, " *B"]:
    """How far an alpha matte is from a trimap: sure body counts five times, the unknown band counts towards 0 a little.

    Args:
        trimap: 0 where surely not the layer, 1 where surely, anything between is unknown.
        alpha: 0…1.

    Source: patent A, paragraph 92, as far as its equation can be read: means over each of the three regions.

    Example:
        >>> import torch
        >>> trimap = torch.tensor([[1.0] * 4, [0.5] * 4, [0.5] + [0.0] * 3, [0.0] * 4])
        >>> round(patent_trimap_distance(trimap, torch.full((4, 4), 0.25)).item(), 4)
        4.05
    """
    sure = (trimap >= 1).to(alpha.dtype)
    never = (trimap <= 0).to(alpha.dtype)
    unsure = 1 - sure - never
    return (
        SURE * _mean(1 - alpha, sure) + UNSURE * _mean(alpha, unsure) + _mean(alpha, never)
    )  # fmt: skip


def patent_mask_weight(epoch: int) -> float:
    """Weight of the trimap loss at an epoch from 0.

    Source: patent A, Eq. 10.

    Example:
        >>> [patent_mask_weight(e) for e in (0, 50, 51, 100, 101)]
        [50.0, 50.0, 5.0, 5.0, 0.0]
    """
    return 50.0 if epoch <= FULL_UNTIL else 5.0 if epoch <= TENTH_UNTIL else 0.0


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    return (values * weight).sum((-2, -1)) / weight.sum((-2, -1)).clamp_min(1)
