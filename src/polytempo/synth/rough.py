"""Masks as a detector would give them: near the truth, never the same twice."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool

from polytempo.synth.texture import value_noise


def rough_masks(
    masks: Bool[np.ndarray, "*L T H W"], *, seed: int = 0, most_px: float = 4.0, empty_share: float = 0.03
) -> Bool[np.ndarray, "*L T H W"]:
    """Spoil masks: outlines off by up to ``most_px``, trembling from frame to frame, some frames empty.

    Args:
        masks: True modal masks; the last three axes are frames, rows, columns.
        seed: Same seed, same masks.
        most_px: Largest error of an outline in pixels.
        empty_share: Share of the frames with a mask that lose it; rounded, at least one frame if above 0.
    """
    rng = np.random.default_rng([seed, 59])
    flat = masks.reshape(-1, *masks.shape[-3:])
    out = np.zeros_like(flat)
    size = (masks.shape[-1], masks.shape[-2])
    for i, frames in enumerate(flat):
        slow = value_noise(size, rng, cell=24, octaves=2)
        for t, mask in enumerate(frames):
            fast = value_noise(size, rng, cell=11, octaves=2)
            if mask.any():
                error = np.clip(1.3 * slow + 1.3 * fast + 0.8 * rng.standard_normal(), -most_px, most_px)
                out[i, t] = _distance(mask) + error < 0
        present = np.flatnonzero(frames.any((1, 2)))
        n_lost = min(max(round(empty_share * len(present)), int(empty_share > 0)), len(present) - 1)
        if n_lost > 0:
            out[i, rng.choice(present, n_lost, replace=False)] = False
    return out.reshape(masks.shape)


def _distance(mask: Bool[np.ndarray, "H W"]) -> np.ndarray:
    """Signed distance to a mask's outline in pixels, below 0 inside."""
    inside, outside = (cv2.distanceTransform(one.astype(np.uint8), cv2.DIST_L2, 5) for one in (mask, ~mask))
    return np.where(mask, 0.5 - inside, outside - 0.5)
