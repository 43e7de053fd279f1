"""Dense optical flow between neighbouring frames, both ways, and where it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float16, Float32
from numpy.typing import NDArray

from polytempo.core.pictures import Picture, Pictures
from polytempo.core.progress import Progress, Report, silent


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FlowField:
    """Where every pixel came from and where it goes, in pixels; kept in half precision to save memory.

    ``to_next[t][y, x] = (dx, dy)``: the pixel ``(x, y)`` of frame ``t`` shows at ``(x + dx, y + dy)`` in ``t + 1``.
    """

    to_next: Float16[np.ndarray, "N H W 2"]
    to_previous: Float16[np.ndarray, "N H W 2"]
    """``to_previous[t]`` lives on frame ``t + 1`` and points into frame ``t``."""

    def step(self, source: int, target: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Flow from ``target`` back into its neighbour ``source``, and the one the other way (on ``source``)."""
        if target == source + 1:
            return self.to_previous[source].astype(np.float32), self.to_next[source].astype(np.float32)
        return self.to_next[target].astype(np.float32), self.to_previous[target].astype(np.float32)


def neighbour_flow(pictures: Pictures, *, report: Report = silent) -> FlowField:
    """Flow between all neighbouring frames by dense inverse search.

    Args:
        pictures: T frames ``uint8 [H, W, 3]``, T at least 1.
        report: Told after every pair; may raise to stop.

    Source: Kroeger et al., Fast Optical Flow using Dense Inverse Search, ECCV 2016 (in OpenCV).
    """
    n = len(pictures)
    previous = _grey(pictures[0])
    shape = (max(n - 1, 0), *previous.shape, 2)
    forward, backward = np.zeros(shape, np.float16), np.zeros(shape, np.float16)
    engine = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    for t in range(n - 1):
        following = _grey(pictures[t + 1])
        forward[t] = engine.calc(previous, following, np.zeros((*previous.shape, 2), np.float32))
        backward[t] = engine.calc(following, previous, np.zeros((*previous.shape, 2), np.float32))
        previous = following
        report(Progress(stage="objects.flow", done=t + 1, total=n - 1, message="Following motion"))
    return FlowField(to_next=forward, to_previous=backward)


def scaled_flow(flow: FlowField, size: tuple[int, int]) -> FlowField:
    """Give the flow of frames resized to ``(width, height)``."""
    n, height, width = flow.to_next.shape[:3]
    factor = np.array([size[0] / width, size[1] / height], np.float32)

    def scale(field: NDArray[np.float16]) -> NDArray[np.float16]:
        out = np.zeros((n, size[1], size[0], 2), np.float16)
        for t in range(n):
            out[t] = cv2.resize(field[t].astype(np.float32), size, interpolation=cv2.INTER_AREA) * factor
        return out

    return FlowField(to_next=scale(flow.to_next), to_previous=scale(flow.to_previous))


def pull(field: Float32[np.ndarray, "H W *C"], flow: Float32[np.ndarray, "H W 2"]) -> Float32[np.ndarray, "H W *C"]:
    """Bring values of the frame that ``flow`` points into onto the frame that ``flow`` lives on; edges repeat."""
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return cv2.remap(field, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def led(flow: FlowField, t: int, to: int) -> Float32[np.ndarray, "H W 2"]:
    """Flow on frame ``t`` into a frame some steps away, chained; nothing is known of what is hidden on the way."""
    if t == to:
        raise ValueError("a frame leads to others, not to itself")
    step = 1 if to > t else -1
    total, _ = flow.step(t + step, t)
    for at in range(t + step, to, step):
        total = total + pull(flow.step(at + step, at)[0], total)
    return total


def trust(
    there: Float32[np.ndarray, "H W 2"], back: Float32[np.ndarray, "H W 2"], *, tolerance_px: float = 1.0
) -> Float32[np.ndarray, "H W"]:
    """How far a flow is confirmed by the flow the other way, 0…1.

    Args:
        there: Flow on this frame into the other.
        back: Flow on the other frame into this one.
        tolerance_px: Round-trip error at which trust falls to about 0.6; grows by a tenth of the motion.

    Returns:
        1 where going there and back ends where it began; 0 where it leads outside the frame.
    """
    height, width = there.shape[:2]
    round_trip = there + pull(back, there)
    error = (round_trip**2).sum(-1)
    slack = tolerance_px**2 + 0.01 * (there**2).sum(-1)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    x, y = x + there[..., 0], y + there[..., 1]
    inside = (x > -1) & (x < width) & (y > -1) & (y < height)
    return (np.exp(-0.5 * error / slack) * inside).astype(np.float32)


def _grey(picture: Picture) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY), np.uint8)
