"""Slow motion: what a layer shows between two of its frames."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from polytempo.layers.sparse import Crop
from polytempo.render.between import BORDER_PX, between
from polytempo.render.compose import enlarged

FLOW_SIDE_PX = 240
"""Longer side at which flow is found; larger pictures are halved until they fit. Filmed bodies lose nothing against
twice the side, effects up to half a decibel."""
MARGIN_PX = 16
"""Clear space around a crop, so that flow sees where it ends."""
GREY = 128
"""What shows through a clear layer while flow is found."""


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
        soft: Sample between pixels linearly, for shadows and reflections; else pictures are enlarged twice by a cubic
            kernel first, each one once.

    Source: Kroeger et al. 2016 (flow); the rest is ours, decision 0012.
    """

    def __init__(self, *, side_px: int | None = FLOW_SIDE_PX, soft: bool = False) -> None:
        self._side_px, self._soft = side_px, soft
        self._engine = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._pair: Hashable = None
        self._flows: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
        self._large: list[tuple[Crop, NDArray[np.uint8]]] = []

    def __call__(self, first: Crop, second: Crop, share: float, *, pair: Hashable) -> Crop:
        """The crop at ``share`` of the way from the first to the second; ``pair`` says which two they are."""
        box, (a, b) = _in_one_box(first, second, margin=MARGIN_PX)
        if first.picture.size == 0 or second.picture.size == 0:
            return blended(first, second, share)
        if self._flows is None or self._pair != pair:
            self._flows, self._pair = self._both_ways(a, b), pair
        forward, backward = self._flows
        x, y = box
        if self._soft:
            return Crop(x=x, y=y, picture=between(a, b, forward, backward, share, ((a, 0, 0, 1), (b, 0, 0, 1))))
        self._large = [(one, self._enlarged(one)) for one in (first, second)]
        near, far = ((large, one.x - x - BORDER_PX, one.y - y - BORDER_PX, 2) for one, large in self._large)
        return Crop(x=x, y=y, picture=between(a, b, forward, backward, share, (near, far)))

    def _enlarged(self, crop: Crop) -> NDArray[np.uint8]:
        for kept, large in self._large:
            if kept is crop:
                return large
        border = cv2.copyMakeBorder(
            crop.picture, BORDER_PX, BORDER_PX, BORDER_PX, BORDER_PX, cv2.BORDER_CONSTANT, value=0
        )
        return enlarged(np.asarray(border, np.uint8), 2)

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
