"""Another light on what an edit shows: that of the output's moment, of another time, stronger, flatter or none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, no_type_check

import cv2
import numpy as np
from jaxtyping import Float64, UInt8
from numba import njit
from numpy.typing import NDArray

from polytempo.camera.warp import moved_points
from polytempo.core.errors import InputError
from polytempo.edit.light import Light
from polytempo.layers.shading import Shading, atlas_sampled, node_places
from polytempo.layers.sparse import Crop
from polytempo.layers.stack import Layer, LayerStack
from polytempo.render.falls import LOOKS, AtlasLight, BackgroundLight, Falls, LookLight, Nodes
from polytempo.render.view import View, source_frame
from polytempo.video.clip import Clip

MOST = 8.0
"""Factor between two lights at most: beyond it there is nothing in the dark to be lit."""
DARK = 0.02
"""Laid on both sides of a ratio of lights, so that black stays calm."""


class Relight:
    """Gives crops of an instance, or frames of the background, the light that an edit asks for."""

    def __init__(self, falls: Falls, around: Falls | None, light: Light, clip: Clip) -> None:
        self._falls, self._around, self._light, self._clip = falls, around, light, clip

    def moment(self, source: int, output: int) -> int:
        """Frame whose light falls, of what frame ``source`` shows while the output is at frame ``output``."""
        match self._light.of:
            case "own":
                return source
            case "output":
                return output
            case time:
                return source_frame(self._clip, time)

    def factors(self, source: int, own: int, moment: int) -> Nodes | None:
        """Factors at nodes over frame ``source``, which fell under the light of ``own``, for that of ``moment``."""
        gain = np.float32(self._light.gain)
        for falls in (self._falls, self._around):
            if falls is None:
                continue
            ratio: Nodes | float = 1.0
            if moment != own:
                fell, falling = (falls.light(source, of, carried=True) for of in (own, moment))
                if fell is None or falling is None:
                    continue
                ratio = (falling + DARK) / (fell + DARK)
            if gain == 1:
                return _held(np.asarray(ratio, np.float32)) if moment != own else None
            light = falls.light(source, own, carried=False)
            if light is not None:
                return _held((np.maximum(1 + gain * (ratio * light - 1), 0) + DARK) / (light + DARK))
        return None

    def crop(self, crop: Crop, size: tuple[int, int], *, source: int, moment: int) -> Crop:
        """A crop of a layer's frame ``source`` under the light of another."""
        factors = self.factors(source, source, moment)
        if factors is None or crop.picture.size == 0:
            return crop
        return Crop(x=crop.x, y=crop.y, picture=scaled(crop.picture, factors, size, x=crop.x, y=crop.y))


def layer_relight(
    stack: LayerStack, layer: Layer, light: Light | None, clip: Clip, *, offset: tuple[float, float] = (0.0, 0.0)
) -> Relight | None:
    """What lights an instance of a layer; None where it stays as filmed."""
    if light is None or not light.changes:
        return None
    around = BackgroundLight(stack, offset=offset)
    if light.by == "background":
        return Relight(around, None, light, clip)
    own = LookLight(layer, stack.size) if layer.shading is None else AtlasLight(layer.shading, moves=True)
    return Relight(own, around, light, clip)


def background_relight(stack: LayerStack, light: Light | None, clip: Clip) -> Callable[[NDArray[np.uint8], View], None]:
    """What lights the background: changes an opaque frame of a view, in place."""
    if light is None or not light.changes or light.of == "output":
        return lambda frame, view: None
    shading = stack.background.shading
    falls = BackgroundLight(stack) if shading is None else AtlasLight(shading, moves=False)
    relight = Relight(falls, None, light, clip)

    def lit(frame: NDArray[np.uint8], view: View) -> None:
        shown = view.background_frame
        factors = relight.factors(view.camera_frame, shown, relight.moment(shown, shown))
        if factors is not None:
            frame_from_canvas = np.linalg.inv(stack.camera.canvas_from_frame[view.camera_frame])
            seen = frame_from_canvas @ view.canvas_from_view(stack.camera)
            frame[:] = scaled(frame, _seen_through(factors, seen, stack.size), stack.size)

    return lit


def _seen_through(nodes: Nodes, frame_from_view: Float64[np.ndarray, "3 3"], size: tuple[int, int]) -> Nodes:
    """Nodes over a frame as nodes over a view of it; beyond the frame its edge's."""
    rows, columns = nodes.shape[:2]
    y, x = np.meshgrid(node_places(rows, size[1]), node_places(columns, size[0]), indexing="ij")
    places = np.stack([x, y], -1).reshape(1, -1, 2).astype(np.float64)
    moved = np.asarray(cv2.perspectiveTransform(places, frame_from_view), np.float32).reshape(rows, columns, 2) + 0.5
    to_x, to_y = moved[..., 0] * ((columns - 1) / size[0]), moved[..., 1] * ((rows - 1) / size[1])
    found = cv2.remap(nodes, to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32)


class PlateLight:
    """Lights the clean plate of an atlas scene as its moment is lit, beyond what the moment's own frame shows.

    Source: paper B, Section 4.5 (the residual where the clip shows nothing at that time); ours, decision 0031.
    """

    def __init__(self, stack: LayerStack, shading: Shading) -> None:
        self._stack, self._shading = stack, shading
        rows, columns = np.asarray(shading.uv[0]).shape[:2]
        y, x = np.meshgrid(
            *(node_places(n, px) for n, px in ((rows, stack.size[1]), (columns, stack.size[0]))), indexing="ij"
        )
        self._nodes = np.stack([x, y], -1).reshape(-1, 2).astype(np.float64)
        self._shape = (rows, columns)
        self._usual: NDArray[np.float32] | None = None
        on_canvas = moved_points(self._nodes, stack.camera.canvas_from_frame[0])
        uv = np.asarray(shading.uv[0], np.float64).reshape(-1, 2)
        self._uv_from_canvas = np.asarray(cv2.findHomography(on_canvas, uv)[0], np.float64)

    def __call__(self, frame: UInt8[np.ndarray, "H W 4"], view: View) -> None:
        """Light an opaque frame of the plate, in place."""
        if self._usual is None:
            n_frames = len(self._shading.light)
            moments = np.unique(np.linspace(0, n_frames - 1, min(n_frames, LOOKS)).round().astype(int))
            lights = np.stack([np.asarray(self._shading.light[int(t)], np.float32) for t in moments])
            self._usual = np.asarray(lights.mean(0), np.float32)
        light = np.asarray(self._shading.light[view.background_frame], np.float32)
        factors = _held((light + DARK) / (self._usual + DARK))
        uv_from_view = self._uv_from_canvas @ view.canvas_from_view(self._stack.camera)
        uv = moved_points(self._nodes, uv_from_view).reshape(*self._shape, 2).astype(np.float32)
        frame[:] = scaled(frame, atlas_sampled(factors, uv), self._stack.size)


def plate_light(stack: LayerStack) -> PlateLight | None:
    """What lights the plate; None where nothing is known of it."""
    background = stack.background
    return None if background.live is None or background.shading is None else PlateLight(stack, background.shading)


def scaled(
    picture: UInt8[np.ndarray, "H W 4"], factors: Nodes, size: tuple[int, int], *, x: int = 0, y: int = 0
) -> UInt8[np.ndarray, "H W 4"]:
    """A premultiplied crop with its colours times factors, no brighter than its alpha lets it be.

    Args:
        picture: The crop.
        factors: At nodes over the whole frame.
        size: ``(width, height)`` of the frame.
        x: Column of the crop in the frame.
        y: Row of the crop in the frame.

    Source: ``layers.shading.at_pixels`` is the slow reference for the factors.
    """
    if min(factors.shape[:2]) < 2:
        raise InputError("render.light", "there must be two nodes or more along an axis", got=str(factors.shape))
    out = np.empty_like(picture, order="C")
    _scale(np.ascontiguousarray(picture), np.ascontiguousarray(factors, np.float32), size[0], size[1], x, y, out)
    return out


@njit(cache=True, nogil=True, fastmath=True)
@no_type_check  # the checked form cannot be compiled
def _scale(
    picture: Any, nodes: Any, width: int, height: int, left: int, top: int, out: Any
) -> None:  # pragma: no cover - compiled
    n_rows, n_columns = nodes.shape[0], nodes.shape[1]
    row = np.empty((n_columns, 3), np.float32)
    for i in range(picture.shape[0]):
        down = min(max((i + top + np.float32(0.5)) * np.float32((n_rows - 1) / height), np.float32(0)), n_rows - 1)
        above = min(int(down), n_rows - 2)
        share = np.float32(down - above)
        for k in range(n_columns):
            for c in range(3):
                row[k, c] = nodes[above, k, c] + share * (nodes[above + 1, k, c] - nodes[above, k, c])
        for j in range(picture.shape[1]):
            alpha = picture[i, j, 3]
            across = min(max((j + left + np.float32(0.5)) * np.float32((n_columns - 1) / width), 0), n_columns - 1)
            before = min(int(across), n_columns - 2)
            part = np.float32(across - before)
            for c in range(3):
                factor = row[before, c] + part * (row[before + 1, c] - row[before, c])
                out[i, j, c] = np.uint8(min(picture[i, j, c] * factor + np.float32(0.5), np.float32(alpha)))
            out[i, j, 3] = alpha


def _held(factors: Any) -> Nodes:
    return np.clip(factors, 1 / MOST, MOST).astype(np.float32)
