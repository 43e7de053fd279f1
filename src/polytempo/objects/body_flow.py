"""Flow of one body's own pixels between neighbouring frames, and how far it is to be believed.

A head that comes up beside somebody else moves ten pixels in a frame between a wall that stands and hair that flies:
dense flow goes along with either. Cut out, with one grey in place of all that is not of the body, it has nothing to go
along with.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float16, Float32, UInt8
from numpy.typing import NDArray

from polytempo.core.discs import window_around
from polytempo.objects.flow import trust
from polytempo.objects.registration import dense_flow, pull

GREYS = (60, 200)
"""What stands around a body that is cut out: of two greys, one is unlike most of what lies along an outline."""
MARGIN_PX = 24
"""So far around a body flow is looked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BodyFlowConfig:
    """When a flow is believed."""

    round_trip_px: float = 1.5
    """Error of going there and back at which trust falls to about 0.6."""
    colour: float = 25.0
    """Difference in 8-bit RGB from what it leads to, in the worst channel, at which it falls so, too."""
    blur_px: float = 1.0
    """Standard deviation by which grain is averaged away before colours are compared."""
    cut_out_margin: float = 0.2
    """By so much trust a cut-out must be ahead of the picture: its outline, not quite the body's, pulls at it."""
    even_px: float = 1.5
    """Standard deviation over which trust is averaged: flows compete by neighbourhoods, not by pixels."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BodyFlow:
    """Where the pixels of one body go, in pixels, kept in half precision; 0, and not believed, far around it."""

    forward: Float16[np.ndarray, "N H W 2"]
    """``(dx, dy)`` from frame ``t`` to ``t + 1``."""
    backward: Float16[np.ndarray, "N H W 2"]
    """From frame ``t + 1`` to ``t``."""
    forward_trust: Float16[np.ndarray, "N H W"]
    """0…1."""
    backward_trust: Float16[np.ndarray, "N H W"]

    def to_neighbour(self, frame: int, step: int) -> tuple[Float32[np.ndarray, "H W 2"], Float32[np.ndarray, "H W"]]:
        """Flow from ``frame`` to ``frame + step``, and how far it is believed; step is 1 or -1."""
        flow, believed = (
            (self.forward[frame], self.forward_trust[frame])
            if step == 1
            else (self.backward[frame - 1], self.backward_trust[frame - 1])
        )
        return flow.astype(np.float32), believed.astype(np.float32)


def body_flow(
    mask: Bool[np.ndarray, "T H W"], pictures: UInt8[np.ndarray, "T H W 3"], *, config: BodyFlowConfig
) -> BodyFlow:
    """Flow of a body between all neighbouring frames: of what the pictures say and what its cut-outs say the surer.

    Args:
        mask: Where the body is seen.
        pictures: These frames.
        config: When a flow is believed.

    Source: flow by dense inverse search (Kroeger et al., ECCV 2016).
    """
    n, height, width = mask.shape
    flows = np.zeros((2, max(n - 1, 0), height, width, 2), np.float16)
    trusts = np.zeros(flows.shape[:-1], np.float16)
    for t in range(n - 1):
        either = mask[t] | mask[t + 1]
        if not either.any():
            continue
        box = window_around(either, MARGIN_PX)
        shots = [np.ascontiguousarray(pictures[at][box]) for at in (t, t + 1)]
        bodies = [mask[at][box] for at in (t, t + 1)]
        for grey in (None, *GREYS):
            cut = shots if grey is None else [
                np.where(body[..., None], shot, np.uint8(grey)) for shot, body in zip(shots, bodies, strict=True)
            ]  # fmt: skip
            first, second = (np.asarray(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY), np.uint8) for one in cut)
            there, back = dense_flow(first, second), dense_flow(second, first)
            for way, flow, other, here, beyond in ((0, there, back, *shots), (1, back, there, *shots[::-1])):
                believed = _believed(flow, other, here, beyond, config)
                known = trusts[way, t][box]
                surer = believed > known + (0 if grey is None else config.cut_out_margin)
                flows[way, t][box] = np.where(surer[..., None], flow, flows[way, t][box])
                trusts[way, t][box] = np.where(surer, believed, known)
    return BodyFlow(forward=flows[0], backward=flows[1], forward_trust=trusts[0], backward_trust=trusts[1])


def _believed(
    there: NDArray[np.float32],
    back: NDArray[np.float32],
    here: NDArray[np.uint8],
    beyond: NDArray[np.uint8],
    config: BodyFlowConfig,
) -> NDArray[np.float32]:
    """How far a flow is believed: it leads back, and to what looks the same."""
    soft, soft_beyond = (cv2.GaussianBlur(one.astype(np.float32), (0, 0), config.blur_px) for one in (here, beyond))
    other = np.abs(soft - pull(soft_beyond, there)).max(-1)
    sure = trust(there, back, tolerance_px=config.round_trip_px) * np.exp(-0.5 * (other / config.colour) ** 2)
    return np.asarray(cv2.GaussianBlur(sure.astype(np.float32), (0, 0), config.even_px), np.float32)
