"""What an edit shows that the clip never did: people in front of each other who never met, and places never seen."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from polytempo.edit.edl import Edl
from polytempo.layers.sparse import Crop, crop_of
from polytempo.layers.stack import LayerStack
from polytempo.render.compose import Movable
from polytempo.render.sequence import output_times
from polytempo.render.showing import Shower, placed
from polytempo.render.unseen import Unseen
from polytempo.render.view import shown_at, view_at
from polytempo.video.clip import Clip

SCALE, LEAST_PX = 8, 32
"""Bodies are compared at an eighth of their size, but with no side below so many pixels."""
MOST_LOOKS = 120
"""Frames looked at, of the clip and of the output."""
OVERLAP_PX = 4
"""Small pixels that two bodies must share to be taken for overlapping."""
UNSEEN = 0.002
"""Share of a frame that must be filled in to be told."""


def edit_findings(stack: LayerStack, edl: Edl, clip: Clip) -> list[str]:
    """Sentences for the report: what of an edit has no model in the clip.

    Args:
        stack: The layers.
        edl: An edit that belongs to them.
        clip: The clip they come from.
    """
    return [*_new_overlaps(stack, edl, clip), *_unseen_places(stack, edl, clip)]


def _new_overlaps(stack: LayerStack, edl: Edl, clip: Clip) -> list[str]:
    met = _pairs_that_met(stack)
    by_name = {one.name: one for one in stack.layers}
    visible = [one for one in edl.instances if one.visible and one.opacity > 0]
    showers = {one.name: Shower(stack, by_name[one.layer], one, clip, None) for one in visible}
    found: dict[tuple[str, str], list[Fraction]] = {}
    times = output_times(edl, clip)
    for n in _looks(len(times)):
        view = view_at(edl, clip, times[n])
        there: list[tuple[str, str, NDArray[np.bool_]]] = []
        for one in visible:
            source = shown_at(one.time_map, clip, times[n])
            if source is not None:
                there.append((one.name, one.layer, _small(showers[one.name].body(source, times[n], view), stack.size)))
        for (name, layer, a), (other, other_layer, b) in combinations(there, 2):
            new = layer == other_layer or frozenset((layer, other_layer)) not in met
            if new and (a & b).sum() >= OVERLAP_PX:
                found.setdefault((name, other), []).append(times[n])
    return [
        f"{name} and {other} overlap from {float(moments[0]):.2f} s on, as they never do in the clip: "
        "who is in front is guessed; set it with --level"
        for (name, other), moments in found.items()
    ]


def _pairs_that_met(stack: LayerStack) -> set[frozenset[str]]:
    met: set[frozenset[str]] = set()
    for t in _looks(stack.n_frames):
        bodies = [(one.name, _small(crop_of(one.pictures, t), stack.size)) for one in stack.layers]
        met |= {
            frozenset((a, b)) for (a, one), (b, other) in combinations(bodies, 2) if (one & other).sum() >= OVERLAP_PX
        }
    return met


def _unseen_places(stack: LayerStack, edl: Edl, clip: Clip) -> list[str]:
    unseen = Unseen(stack)
    worst, at, covered = 0.0, Fraction(0), 0
    times = output_times(edl, clip)
    looks = _looks(len(times))
    by_name = {one.name: one for one in stack.layers}
    for n in looks:
        view = view_at(edl, clip, times[n])
        canvas_from_view = view.canvas_from_view(stack.camera)
        bare = unseen.pixels(canvas_from_view).copy()
        for one in edl.instances:
            source = shown_at(one.time_map, clip, times[n]) if one.visible else None
            if source is not None and bare.any():
                t = clip.frame_at(source)
                crop = placed(
                    stack, Movable(crop_of(by_name[one.layer].pictures, t)), source=t, canvas_from_view=canvas_from_view
                )
                bare &= ~_solid(crop, stack.size)
        share = float(bare.mean())
        covered += share > UNSEEN
        if share > worst:
            worst, at = share, times[n]
    if worst <= UNSEEN:
        return []
    return [
        f"Background that the clip never shows is filled in: up to {worst:.1%} of the frame, at {float(at):.2f} s, "
        f"in {covered} of {len(looks)} frames looked at"
    ]


def _small(crop: Crop, size: tuple[int, int]) -> NDArray[np.bool_]:
    scale = min(SCALE, max(min(size) // LEAST_PX, 1))
    small = (size[0] // scale, size[1] // scale)
    alpha = _whole_alpha(crop, size)
    return cv2.resize(alpha, small, interpolation=cv2.INTER_AREA) > 127


def _solid(crop: Crop, size: tuple[int, int]) -> NDArray[np.bool_]:
    return _whole_alpha(crop, size) > 127


def _whole_alpha(crop: Crop, size: tuple[int, int]) -> NDArray[np.uint8]:
    whole = np.zeros((size[1], size[0]), np.uint8)
    rows, columns = crop.picture.shape[:2]
    top, left = max(crop.y, 0), max(crop.x, 0)
    bottom, right = min(crop.y + rows, size[1]), min(crop.x + columns, size[0])
    if bottom > top and right > left:
        whole[top:bottom, left:right] = crop.picture[top - crop.y : bottom - crop.y, left - crop.x : right - crop.x, 3]
    return whole


def _looks(n: int) -> list[int]:
    return np.unique(np.linspace(0, n - 1, min(n, MOST_LOOKS)).round().astype(int)).tolist()
