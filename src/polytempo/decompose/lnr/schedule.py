"""When each loss weighs how much, and which frames are learned first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool


@dataclass(frozen=True, kw_only=True, slots=True)
class LossWeights:
    """Weights of paper A's total loss at one epoch."""

    mask: float
    """Weight of the trimap loss (the paper's gamma_m)."""
    alpha_l1: float
    """Share of L1 inside the regulariser (the paper's gamma)."""
    regulariser: float
    """Weight of the regulariser (the paper's beta)."""


def loss_weights(epoch: int, *, bootstrap_epoch: int | None, l1_epochs: int = 200) -> LossWeights:
    """Weights at an epoch.

    Args:
        epoch: From 0.
        bootstrap_epoch: First epoch whose mask loss was below 0.02, None while there was none.
        l1_epochs: Last epoch with L1 in the regulariser.

    Source: LNR, Eq. 8.

    Example:
        >>> [loss_weights(e, bootstrap_epoch=10).mask for e in (10, 11, 20, 21)]
        [50.0, 5.0, 5.0, 0.0]
    """
    if bootstrap_epoch is None or epoch <= bootstrap_epoch:
        mask = 50.0
    elif epoch <= 2 * bootstrap_epoch:
        mask = 5.0
    else:
        mask = 0.0
    return LossWeights(mask=mask, alpha_l1=2.0 if epoch <= l1_epochs else 0.0, regulariser=0.005)


def easiest_first(masks: Bool[np.ndarray, "L T H W"]) -> list[int]:
    """Frame numbers from easiest to hardest: least overlap of any two layers, then farthest apart, then first.

    Source: LNR, A.1 (pairwise IoU of the positive trimaps, box-centre distance breaks ties); how pairs combine is not
    printed there: the largest IoU and the smallest distance count.
    """
    n_layers, n_frames = masks.shape[:2]
    keys: list[tuple[float, float, int]] = []
    for t in range(n_frames):
        present = [i for i in range(n_layers) if masks[i, t].any()]
        iou, distance = 0.0, np.inf
        for a, i in enumerate(present):
            for j in present[a + 1 :]:
                both = float((masks[i, t] & masks[j, t]).sum())
                iou = max(iou, both / float((masks[i, t] | masks[j, t]).sum()))
                distance = min(distance, float(np.hypot(*(_box_centre(masks[i, t]) - _box_centre(masks[j, t])))))
        keys.append((iou, -distance, t))
    return [t for *_, t in sorted(keys)]


def _box_centre(mask: Bool[np.ndarray, "H W"]) -> np.ndarray:
    ys, xs = np.nonzero(mask)
    return np.array([ys.min() + ys.max(), xs.min() + xs.max()]) / 2
