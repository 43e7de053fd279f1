"""What was found on the frames around decides where both ways of a walk disagree, and where one frame is alone.

One way knows a head until it passes behind an arm, the other from where it comes back; in between the louder one wins,
and a foot is somebody else's for a frame. The frames around, on which it was found, have seen it on both sides.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from polytempo.objects.evidence import Footage
from polytempo.objects.flow import led
from polytempo.objects.like_pixels import match_cost

LEAST_PIXELS = 16
"""Fewer pixels are left to their neighbours."""


def asked_around(
    view: Footage,
    found: UInt8[np.ndarray, "T H W"],
    where: Bool[np.ndarray, "H W"],
    t: int,
    n_subjects: int,
    *,
    reach_frames: int,
    otherwise: float,
    colour: float,
    shift_px: float,
    unlike: float,
) -> Float32[np.ndarray, "H W K"] | None:
    """Cost of every subject at pixels of frame ``t`` by the pixels like them on each frame around.

    Args:
        view: The clip.
        found: 0 background, ``k + 1`` for the k-th subject, as found so far.
        where: Pixels of which it is asked.
        t: The frame.
        n_subjects: How many.
        reach_frames: Frames to either side that are asked.
        otherwise: Cost of a pixel that was found to be somebody else.
        colour: Difference in 8-bit Lab units that costs 1 (see ``match_cost``).
        shift_px: Distance that costs 1.
        unlike: Largest cost.

    Returns:
        The mean over the frames, that of the likeliest subject 0; none where next to nothing is asked.
    """
    if where.sum() < LEAST_PIXELS:
        return None
    around = [s for s in range(t - reach_frames, t + reach_frames + 1) if s != t and 0 <= s < len(found)]
    total = np.zeros((*where.shape, n_subjects), np.float32)
    for s in around:
        mine = found[s][..., None] == np.arange(1, n_subjects + 1)
        believed = np.where(found[s][..., None] > 0, np.where(mine, 0, otherwise), np.inf).astype(np.float32)
        total += match_cost(
            view.lab[t], view.lab[s], believed, led(view.flow, t, s), where,
            colour=colour, shift_px=shift_px, unlike=unlike,
        )  # fmt: skip
    total /= max(len(around), 1)
    return total - total.min(-1, keepdims=True)
