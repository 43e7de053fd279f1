"""Slow motion: what a layer shows between two of its frames."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Protocol, no_type_check, runtime_checkable

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from numba import njit
from numpy.typing import NDArray

from polytempo.layers.sparse import Crop

FLOW_SIDE_PX = 240
"""Longer side at which flow is found; larger pictures are halved until they fit. Filmed bodies lose nothing against
twice the side, effects up to half a decibel."""
MARGIN_PX = 16
"""Clear space around a crop, so that flow sees where it ends."""
GREY = 128
"""What shows through a clear layer while flow is found."""
ROUNDS = 3
"""Steps in which a pixel's motion is looked up where it leads to."""
TOLERANCE_PX = 1.0
"""Error of going there and back at which a flow is half believed; grows by a tenth of the motion."""


@runtime_checkable
class Interpolator(Protocol):
    """Makes the picture between two; for learned interpolators, whose weights are the user's own."""

    def __call__(
        self, first: UInt8[np.ndarray, "H W 4"], second: UInt8[np.ndarray, "H W 4"], share: float, /
    ) -> UInt8[np.ndarray, "H W 4"]:
        """Premultiplied picture at ``share`` (0…1) of the way from the first to the second."""
        ...


def blended(first: Crop, second: Crop, share: float) -> Crop:
    """Both crops mixed: ``share`` of the second, the rest of the first."""
    box, (a, b) = _in_one_box(first, second, margin=0)
    if a.size == 0:
        return first
    return Crop(x=box[0], y=box[1], picture=_mixed(a, b, share))


class FlowBetween:
    """Moves both neighbours along their motion to the moment between them, and keeps the last pair's motion.

    Flow is found both ways on premultiplied colour over grey, so the outline counts as well as what is inside. For each
    pixel of the picture between, the motion is looked up where it leads to, in either neighbour; each neighbour counts
    by how near the moment is and by how well going there and back agrees. Where neither is believed (something comes
    out from behind something, or changes its form) the two are mixed as they lie.

    Args:
        side_px: Longer side at which flow is found; None for the pictures' own size, the slow reference.
        soft: Sample between pixels linearly, for shadows and reflections, at a tenth of what cubic sampling costs.

    Source: Kroeger et al. 2016 (flow); the rest is ours, decision 0012.
    """

    def __init__(self, *, side_px: int | None = FLOW_SIDE_PX, soft: bool = False) -> None:
        self._side_px, self._sampling = side_px, cv2.INTER_LINEAR if soft else cv2.INTER_CUBIC
        self._engine = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._pair: Hashable = None
        self._flows: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None

    def __call__(self, first: Crop, second: Crop, share: float, *, pair: Hashable) -> Crop:
        """The crop at ``share`` of the way from the first to the second; ``pair`` says which two they are."""
        box, (a, b) = _in_one_box(first, second, margin=MARGIN_PX)
        if first.picture.size == 0 or second.picture.size == 0:
            return blended(first, second, share)
        if self._flows is None or self._pair != pair:
            self._flows, self._pair = self._both_ways(a, b), pair
        forward, backward = self._flows
        return Crop(x=box[0], y=box[1], picture=_between(a, b, forward, backward, share, self._sampling))

    def _both_ways(
        self, a: UInt8[np.ndarray, "H W 4"], b: UInt8[np.ndarray, "H W 4"]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        height, width = a.shape[:2]
        factor = 1
        while self._side_px is not None and max(height, width) / factor > self._side_px:
            factor *= 2
        small = (max(width // factor, 16), max(height // factor, 16))
        shrunk = [cv2.resize(one, small, interpolation=cv2.INTER_AREA) for one in (a, b)]
        greys = [_over_grey(one) for one in shrunk]
        # A layer stands alone, so most of its motion is that of its centre; flow has to find the rest.
        centres = [_centre(one[..., 3]) for one in shrunk]
        flows: list[NDArray[np.float32]] = []
        for one, other in ((0, 1), (1, 0)):
            shift = np.rint(centres[other] - centres[one])
            back = np.array([[1, 0, -shift[0]], [0, 1, -shift[1]]])
            nearer = cv2.warpAffine(greys[other], back, small, flags=cv2.INTER_NEAREST, borderValue=GREY)
            flow = self._engine.calc(greys[one], nearer, np.zeros((*nearer.shape, 2), np.float32))
            flows.append(np.asarray(flow + shift.astype(np.float32)))
        return flows[0], flows[1]


def _between(
    a: UInt8[np.ndarray, "H W 4"],
    b: UInt8[np.ndarray, "H W 4"],
    forward: Float32[np.ndarray, "h w 2"],
    backward: Float32[np.ndarray, "h w 2"],
    share: float,
    sampling: int,
) -> UInt8[np.ndarray, "H W 4"]:
    height, width = a.shape[:2]
    rows, columns = forward.shape[:2]
    x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    # Motions are followed where they were found, at their own size: they are smooth, the picture is not.
    (to_a, trust_a), (to_b, trust_b) = (
        _enlarged(motion, trust, (width, height))
        for motion, trust in (
            _traced(forward, backward, x, y, share),
            _traced(backward, forward, x, y, 1 - share),
        )
    )
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    from_a, from_b = (
        cv2.remap(one, x + to[..., 0], y + to[..., 1], sampling, borderMode=cv2.BORDER_CONSTANT)
        for one, to in ((a, to_a), (b, to_b))
    )
    weight_a, weight_b = (1 - share) * trust_a, share * trust_b
    belief = np.maximum(trust_a, trust_b)
    scale = belief / np.maximum(weight_a + weight_b, 1e-6)
    return _joined(from_a, from_b, weight_a * scale, weight_b * scale, a, b, 1 - belief, np.float32(share))


@njit(cache=True, nogil=True)
@no_type_check  # the checked form cannot be compiled
def _joined(
    from_a: Any, from_b: Any, weight_a: Any, weight_b: Any, a: Any, b: Any, doubt: Any, share: Any
) -> Any:  # pragma: no cover - compiled
    out = np.empty_like(a)
    for row in range(a.shape[0]):
        for column in range(a.shape[1]):
            still_a, still_b = doubt[row, column] * (1 - share), doubt[row, column] * share
            for channel in range(4):
                value = (
                    weight_a[row, column] * from_a[row, column, channel]
                    + weight_b[row, column] * from_b[row, column, channel]
                    + still_a * a[row, column, channel]
                    + still_b * b[row, column, channel]
                )
                out[row, column, channel] = np.uint8(min(max(value + 0.5, 0.0), 255.0))
    return out


def _enlarged(
    motion: NDArray[np.float32], trust: NDArray[np.float32], size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rows, columns = trust.shape
    scale = np.array([size[0] / columns, size[1] / rows], np.float32)
    if (columns, rows) == size:
        return motion, trust
    large = cv2.resize(motion * scale, size, interpolation=cv2.INTER_LINEAR)
    belief = cv2.resize(trust, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.float32), np.asarray(belief, np.float32)


def _traced(
    there: Float32[np.ndarray, "H W 2"],
    back: Float32[np.ndarray, "H W 2"],
    x: Float32[np.ndarray, "H W"],
    y: Float32[np.ndarray, "H W"],
    share: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """From pixels of the picture between to where they are in a neighbour, and how far that is to be believed.

    ``there`` lives on the neighbour and leads to the other one, ``share`` of it lies between.
    """
    motion = there
    for _ in range(ROUNDS):
        motion = cv2.remap(
            there,
            x - share * motion[..., 0],
            y - share * motion[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
    far_x, far_y = x + (1 - share) * motion[..., 0], y + (1 - share) * motion[..., 1]
    returned = cv2.remap(back, far_x, far_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    error = ((motion + returned) ** 2).sum(axis=2)
    slack = TOLERANCE_PX**2 + 0.01 * (motion**2).sum(axis=2)
    trust = np.exp(-0.5 * error / slack)
    return np.asarray(-share * motion, np.float32), np.asarray(trust, np.float32)


def _centre(alpha: NDArray[Any]) -> NDArray[np.float64]:
    weights = alpha.astype(np.float64)
    total = max(float(weights.sum()), 1e-9)
    return np.array(
        [
            weights.sum(axis=0) @ np.arange(alpha.shape[1]) / total,
            weights.sum(axis=1) @ np.arange(alpha.shape[0]) / total,
        ]
    )


def _over_grey(picture: UInt8[np.ndarray, "H W 4"]) -> NDArray[np.uint8]:
    grey = cv2.cvtColor(np.ascontiguousarray(picture[..., :3]), cv2.COLOR_RGB2GRAY).astype(np.uint16)
    through = GREY * (255 - picture[..., 3].astype(np.uint16)) // 255
    return np.minimum(grey + through, 255).astype(np.uint8)


def _mixed(a: NDArray[np.uint8], b: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    return np.asarray(cv2.addWeighted(a, 1 - share, b, share, 0), np.uint8)


def _in_one_box(
    first: Crop, second: Crop, *, margin: int
) -> tuple[tuple[int, int], tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Both crops in the box that holds them, with clear space around: its corner, and the two pictures."""
    there = [one for one in (first, second) if one.picture.size]
    if not there:
        empty = np.zeros((0, 0, 4), np.uint8)
        return (first.x, first.y), (empty, empty)
    left, top = min(one.x for one in there) - margin, min(one.y for one in there) - margin
    right = max(one.x + one.picture.shape[1] for one in there) + margin
    bottom = max(one.y + one.picture.shape[0] for one in there) + margin
    out: list[NDArray[np.uint8]] = []
    for one in (first, second):
        whole = np.zeros((bottom - top, right - left, 4), np.uint8)
        if one.picture.size:
            rows, columns = one.picture.shape[:2]
            whole[one.y - top : one.y - top + rows, one.x - left : one.x - left + columns] = one.picture
        out.append(whole)
    return (left, top), (out[0], out[1])


def by_interpolator(interpolator: Interpolator, first: Crop, second: Crop, share: float) -> Crop:
    """The crop between two by an interpolator of the user's."""
    box, (a, b) = _in_one_box(first, second, margin=MARGIN_PX)
    if first.picture.size == 0 or second.picture.size == 0:
        return blended(first, second, share)
    return Crop(x=box[0], y=box[1], picture=interpolator(a, b, share))
