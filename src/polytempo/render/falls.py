"""What light falls on a layer: told by its atlas, by the background around it, or by how it looks itself."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from numpy.typing import NDArray

from polytempo.layers.shading import Shading, atlas_sampled, node_places
from polytempo.layers.sparse import crop_of
from polytempo.layers.stack import Layer, LayerStack
from polytempo.render.plate import PlateView

Nodes = Float32[np.ndarray, "h w 3"]
SMOOTH_UV = 0.19
"""Standard deviation, in UV, of a light that is carried to another time."""
AROUND = 0.3
"""And of a light that is seen on the background, in heights of the frame."""
LOCAL = 0.6
"""Power of what a light is here more than on the whole, where it is guessed from looks, which hold more than light."""
MOST_LOCAL = 1.5
"""And the most that it may be."""
BLACK = 0.004
"""Of 0…1, laid on both sides of a ratio of colours: one of 255."""
NODE_PX = 8
"""Pixels between two nodes where the background or the layer's look tells the light, at most."""
LOOKS = 24
"""Frames of which the mean light is taken, and side of a layer's look in cells."""
MOST_OF = 0.06
"""Share of a layer's pixels that may lie beside its box, on either side."""
PRESENT = 32
"""Solid pixels of a layer from which its look tells something."""


@runtime_checkable
class Falls(Protocol):
    """What light falls on a layer."""

    def light(self, source: int, of: int, *, carried: bool) -> Nodes | None:
        """Light of frame ``of`` on what frame ``source`` shows, at nodes over frame ``source``.

        ``carried`` asks for what may be carried to another time: smooth enough that no texture is in it. None where
        nothing is known.
        """
        ...


class AtlasLight:
    """The light that atlases were learned with.

    What a texel of somebody who moves shows differs a little from time to time, and a residual takes that for light;
    smoothed over a tenth of the atlas, only the light is left. A background stays in place, and needs no such care.

    Source: paper B, Eq. 4; carried to another time, ours, decision 0029.
    """

    def __init__(self, shading: Shading, *, moves: bool) -> None:
        self._shading, self._moves = shading, moves
        self._fine = lru_cache(maxsize=4)(self._read)
        self._smooth = lru_cache(maxsize=4)(self._smoothed)

    def light(self, source: int, of: int, *, carried: bool) -> Nodes | None:
        """See ``Falls``."""
        light = self._smooth(of) if carried and self._moves else self._fine(of)
        return atlas_sampled(light, self._shading.uv[source])

    def _read(self, t: int) -> NDArray[np.float32]:
        return np.asarray(self._shading.light[t], np.float32)

    def _smoothed(self, t: int) -> NDArray[np.float32]:
        light = self._fine(t)
        sigma = SMOOTH_UV * len(light) / 2
        return np.asarray(cv2.GaussianBlur(light, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)


class BackgroundLight:
    """The light on the background around a place, against the clean plate.

    Source: ours, decision 0029.
    """

    def __init__(self, stack: LayerStack, *, offset: tuple[float, float] = (0.0, 0.0)) -> None:
        self._stack, self._plates, self._offset = stack, PlateView(stack), offset
        self._seen = lru_cache(maxsize=4)(self._around)

    def light(self, source: int, of: int, *, carried: bool) -> Nodes | None:
        """See ``Falls``."""
        del carried  # it is smooth as it is
        light = self._seen(of)
        width, height = self._stack.size
        rows, columns = light.shape[:2]
        y, x = np.meshgrid(node_places(rows, height), node_places(columns, width), indexing="ij")
        places = np.stack([x + self._offset[0], y + self._offset[1]], -1).reshape(1, -1, 2).astype(np.float64)
        moved = cv2.perspectiveTransform(places, self._stack.camera.frame_from_frame(of, source))
        moved = np.asarray(moved).reshape(rows, columns, 2)
        # From pixels to cells of the small picture, both with centres at whole numbers.
        to_x = ((moved[..., 0] + 0.5) * (columns / width) - 0.5).astype(np.float32)
        to_y = ((moved[..., 1] + 0.5) * (rows / height) - 0.5).astype(np.float32)
        found = cv2.remap(light, to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(found, np.float32)

    def _around(self, t: int) -> NDArray[np.float32]:
        size = _small(self._stack.size)
        exposed = _reduced(self._plates.frame(t), size)[..., :3]
        gains = self._stack.background.exposure
        plate = exposed if gains is None else exposed / gains[t]
        seen, share = exposed, np.ones_like(plate)
        if self._stack.background.live is not None:
            live = _reduced(np.asarray(self._stack.background.live[t]), size)
            # Where a layer stands, the background shows nothing of itself; what is around it speaks for it.
            seen = live[..., :3] + 1e-3 * exposed
            share = np.repeat(live[..., 3:] + np.float32(1e-3), 3, -1)
        sigma = AROUND * size[1]
        lit, bare = (cv2.GaussianBlur(one, (0, 0), sigma) for one in (seen, share * plate))
        return _trusted(np.asarray(lit, np.float32), np.asarray(bare, np.float32))


class LookLight:
    """How a layer itself looks from a distance at a time, against how it looks on the whole; it needs no atlas.

    Looks are compared box by box: the same part of somebody's box is taken for the same part of them. The box is as
    wide as most of them is, so that an arm stretched out does not move the rest.

    Source: ours, decision 0029.
    """

    def __init__(self, layer: Layer, size: tuple[int, int]) -> None:
        self._layer, self._size = layer, size
        self._look = lru_cache(maxsize=8)(self._seen)
        self._mean: NDArray[np.float32] | None = None

    def light(self, source: int, of: int, *, carried: bool) -> Nodes | None:
        """See ``Falls``."""
        del carried
        here, there = self._look(source), self._look(of)
        if here is None or there is None:
            return None
        (left, top, width, height), _ = here
        columns, rows = (one + 1 for one in _small(self._size))
        # A node's place in the box, in cells of the look.
        x = ((node_places(columns, self._size[0]) - left + 0.5) * (LOOKS / width) - 0.5).astype(np.float32)
        y = ((node_places(rows, self._size[1]) - top + 0.5) * (LOOKS / height) - 0.5).astype(np.float32)
        look = _trusted(there[1], self._usual(here[1]))
        found = cv2.remap(look, *np.meshgrid(x, y), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(found, np.float32)

    def _usual(self, otherwise: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._mean is None:
            n_frames = len(self._layer.pictures)
            frames = np.unique(np.linspace(0, n_frames - 1, min(n_frames, LOOKS)).round().astype(int))
            looks = [one[1] for t in frames if (one := self._look(int(t))) is not None]
            # Who is seen for a moment alone may be in none of those frames.
            self._mean = np.asarray(np.stack(looks or [otherwise]).mean(0), np.float32)
        return self._mean

    def _seen(self, t: int) -> tuple[tuple[int, int, int, int], NDArray[np.float32]] | None:
        crop = crop_of(self._layer.pictures, t)
        solid = crop.picture[..., 3] > 127
        if int(solid.sum()) < PRESENT:
            return None
        rows, columns = np.flatnonzero(solid.any(1)), np.nonzero(solid)[1]
        top, height = int(rows[0]), int(rows[-1] - rows[0]) + 1
        low, high = np.quantile(columns, [MOST_OF, 1 - MOST_OF])
        left, width = int(low), max(int(high) - int(low) + 1, 2)
        body = crop.picture[top : top + height, left : left + width]
        small = _reduced(np.ascontiguousarray(body), (LOOKS, LOOKS))
        sigma = SMOOTH_UV * LOOKS / 2
        blurred = cv2.GaussianBlur(small, (0, 0), 1.7 * sigma, sigmaY=sigma, borderType=cv2.BORDER_CONSTANT)
        whole = small.reshape(-1, 4).mean(0)
        look = (blurred[..., :3] + 1e-2 * whole[:3]) / (blurred[..., 3:] + 1e-2 * whole[3])
        return (crop.x + left, crop.y + top, width, height), np.asarray(look, np.float32)


def _trusted(lit: NDArray[np.float32], bare: NDArray[np.float32]) -> NDArray[np.float32]:
    """Light that makes ``lit`` of ``bare``: on the whole as it is, in its parts with more care."""
    light = (lit + BLACK) / (bare + BLACK)
    whole = (lit.mean((0, 1)) + BLACK) / (bare.mean((0, 1)) + BLACK)
    return np.asarray(whole * np.clip((light / whole) ** LOCAL, 1 / MOST_LOCAL, MOST_LOCAL), np.float32)


def _small(size: tuple[int, int]) -> tuple[int, int]:
    """Cells of a frame in which lights are smooth: of ``NODE_PX``, or wider in large frames."""
    factor = max(NODE_PX, min(size) / 64)
    return max(round(size[0] / factor), 4), max(round(size[1] / factor), 4)


def _reduced(picture: UInt8[np.ndarray, "H W 4"], size: tuple[int, int]) -> NDArray[np.float32]:
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255)
