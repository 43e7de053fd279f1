"""Points followed by adding up the flow from frame to frame: what better ways are measured against."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from polytempo.layers.tap_vid import PointTracks
from polytempo.objects.flow import FlowField, trust

SURE = 0.3
"""Trust in a step of the flow below which a point counts as hidden."""


def chained_tracks(flow: FlowField, points: Float[np.ndarray, "N 2"], frames: Int[np.ndarray, " N"]) -> PointTracks:
    """Follow points forwards and backwards; hidden where the flow there and back disagrees, or outside the frame.

    Args:
        flow: Between all neighbours.
        points: ``(x, y)`` in pixels.
        frames: Frame of each.

    Source: paper B, Section 4.4 (its baseline chains RAFT).
    """
    n_pairs, height, width = flow.to_next.shape[:3]
    n_frames = n_pairs + 1
    found = np.zeros((len(points), n_frames, 2))
    occluded = np.zeros((len(points), n_frames), np.bool_)
    found[np.arange(len(points)), frames] = points
    for step in (1, -1):
        for t in range(n_frames) if step > 0 else reversed(range(n_frames)):
            target = t + step
            active = (frames <= t) if step > 0 else (frames >= t)
            if not 0 <= target < n_frames or not active.any():
                continue
            back, there = flow.step(t, target)
            here = found[active, t]
            moved = here + _at(there, here)
            sure = _at(trust(there, back)[..., None], here)[:, 0] > SURE
            inside = ((moved > -0.5) & (moved < [width - 0.5, height - 0.5])).all(1)
            found[active, target] = moved
            occluded[active, target] = ~(sure & inside)
    return PointTracks(points=found, occluded=occluded, size=(width, height))


def _at(field: NDArray[np.float32], points: NDArray[np.float64]) -> NDArray[np.float32]:
    x, y = (points[None, :, k].astype(np.float32) for k in (0, 1))
    found = cv2.remap(field, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32).reshape(len(points), field.shape[2])
