"""Layers whose masks never meet the motion: their atlases are held together by nothing, and paint on them swims."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from jaxtyping import Bool, Float32
from numpy.typing import NDArray

from polytempo.decompose.nvd.footage import Footage
from polytempo.objects.flow import pull

DETAIL_PX = 4.0
"""Blur that is taken away from pictures before they are compared: what light does to whole places does not count."""
ALIKE = 0.25
"""Correlation of detail from which a frame is met again in the next; 0.6 to 0.9 in clips, 0.05 in noise."""
TRUSTED = 0.1
"""Share of a mask on which flow there and back must agree for a frame to be met."""
MOST_LOST = 0.75
"""Share of its frames that a layer may lose before it is named."""
LEAST_PX = 30
"""Pixels of a mask from which a frame says something."""
LEAST_ALONG = 0.05
"""Share of what masks leave and take that must go with the motion; 0.2 to 0.7 in clips, 0 or less beside them."""
MOVES = 0.02
"""Share of their pixels that masks must exchange from frame to frame, in the mean, to have a motion of their own."""

Why = Literal["lost", "elsewhere"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Unfollowed:
    """A layer that motion does not follow."""

    layer_id: int
    why: Why
    """``lost``: what its masks show is not found where flow leads; ``elsewhere``: its masks go another way."""
    frames: tuple[int, ...]
    """Frames in which that is so."""
    n_frames: int
    """Frames in which the layer and the next frame's masks are there."""


def unfollowed_layers(footage: Footage) -> tuple[Unfollowed, ...]:
    """Layers on whose masks nearly no motion can be trusted, or whose masks do not go where it leads.

    Flow that is confirmed there and back is not enough: over noise it is smooth, and agrees with itself. So what a mask
    shows must be alike where flow takes it; and where a mask leaves pixels and takes others, flow must lead there, more
    often than it leads out of pixels that stay.

    Args:
        footage: With flow.

    Source: ours; measured in decision 0035.
    """
    frames = footage.frames.numpy()
    detail = [_detail(one) for one in frames]
    found: list[Unfollowed] = []
    for layer_id, masks in zip(footage.layer_ids, footage.masks.numpy() > 0, strict=True):
        pairs = [t for t in range(len(masks) - 1) if min(masks[t].sum(), masks[t + 1].sum()) >= LEAST_PX]
        lost: list[int] = []
        elsewhere: list[int] = []
        net, changed, area = 0, 0, 0
        for t in pairs:
            there, back = (footage.flow[k][t + k].numpy().astype(np.float32) for k in (0, 1))
            trusted = footage.trusted[0][t].numpy()[masks[t]].mean()
            alike = _correlation(detail[t], pull(detail[t + 1], there), masks[t])
            if trusted < TRUSTED or alike < ALIKE:
                lost.append(t)
            with_it, changes = _went_along(masks[t], masks[t + 1], there, back)
            net, changed, area = net + with_it, changed + changes, area + int(masks[t].sum() + masks[t + 1].sum())
            if with_it <= LEAST_ALONG * changes:
                elsewhere.append(t)
        if len(lost) > MOST_LOST * len(pairs):
            found.append(Unfollowed(layer_id=layer_id, why="lost", frames=tuple(lost), n_frames=len(pairs)))
        elif net < LEAST_ALONG * changed and changed > MOVES * area:
            found.append(Unfollowed(layer_id=layer_id, why="elsewhere", frames=tuple(elsewhere), n_frames=len(pairs)))
    return tuple(found)


def _detail(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.asarray(grey - cv2.GaussianBlur(grey, (0, 0), DETAIL_PX), np.float32)


def _correlation(a: Float32[np.ndarray, "H W"], b: Float32[np.ndarray, "H W"], where: Bool[np.ndarray, "H W"]) -> float:
    x, y = (one[where] - one[where].mean() for one in (a, b))
    return float((x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum() + 1e-6))


def _went_along(
    now: Bool[np.ndarray, "H W"],
    then: Bool[np.ndarray, "H W"],
    there: Float32[np.ndarray, "H W 2"],
    back: Float32[np.ndarray, "H W 2"],
) -> tuple[int, int]:
    """Pixels that masks leave or take as flow has it, less those that they keep against it; and all left or taken."""
    into, out_of = pull(then.astype(np.float32), there) > 0.5, pull(now.astype(np.float32), back) > 0.5
    left, taken, kept = now & ~then, then & ~now, now & then
    along = int((left & into).sum() + (taken & out_of).sum())
    against = int((kept & ~into).sum() + (kept & ~out_of).sum())
    return along - against, int(left.sum() + taken.sum())
