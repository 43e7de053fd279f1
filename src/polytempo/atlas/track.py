"""Points followed through a clip by where they lie in an atlas: what paint put there would do."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from polytempo.core.errors import InputError
from polytempo.layers.shading import Shading, at_pixels
from polytempo.layers.sparse import crop_of
from polytempo.layers.stack import LayerStack
from polytempo.layers.tap_vid import PointTracks

COARSE_PX = 4
"""Pixels between those that are looked at first: mappings are smooth."""
HIDDEN = 0.5
"""Share of the picture from which layers in front hide a point, and from which its own layer shows it."""
MISSED_PX = 1.5
"""A UV that is met only so far beyond the frame's edge lies outside."""
SLID = 1 / 16
"""Heights of the frame by which a point may slide off its layer and still be the nearest place on it."""


def atlas_tracks(stack: LayerStack, points: Float[np.ndarray, "N 2"], frames: Int[np.ndarray, " N"]) -> PointTracks:
    """Follow points by atlas: a point belongs to the layer that shows most there, and is where its UV is.

    It is hidden behind the layers in front, outside the frame, and where its UV lies far from all that shows of its
    layer. A point that slid a little way off its layer is taken back to the place around that has the nearest UV: with
    nobody in front, a body that is there shows it somewhere.

    Args:
        stack: Of atlases.
        points: ``(x, y)`` in pixels of the clip.
        frames: Frame of each.

    Raises:
        InputError: a layer has no atlas.

    Source: paper B, Section 4.4; what hides a point is ours, decision 0032 (the paper does not say).
    """
    shadings = [one.shading for one in stack.layers] + [stack.background.shading]
    if any(one is None for one in shadings):
        raise InputError("atlas.track", "all layers must have atlases", got="one that has none")
    known = [one for one in shadings if one is not None]
    width, height = stack.size
    owner = np.full(len(points), len(known) - 1)
    wanted = np.zeros((len(points), 2), np.float32)
    pixels = np.clip(np.rint(points).astype(int), 0, [width - 1, height - 1])
    for t in np.unique(frames):
        here = np.flatnonzero(frames == t)
        shares = _shares(stack, int(t))
        owner[here] = shares[:, pixels[here, 1], pixels[here, 0]].argmax(0)
        for n, shading in enumerate(known):
            mine = here[owner[here] == n]
            if len(mine):
                wanted[mine] = _bilinear(_uv(shading, int(t), stack.size), points[mine])
    found = np.zeros((len(points), stack.n_frames, 2))
    occluded = np.zeros((len(points), stack.n_frames), np.bool_)
    numbers = {one.layer_id: n for n, one in enumerate(stack.layers)}
    for t in range(stack.n_frames):
        shares = _shares(stack, t)
        back_to_front = [len(known) - 1, *(numbers[one] for one in stack.order[t])]
        for n, shading in enumerate(known):
            mine = np.flatnonzero(owner == n)
            if len(mine) == 0:
                continue
            ahead = back_to_front[back_to_front.index(n) + 1 :]
            uv = _uv(shading, t, stack.size)
            places, off = _places(uv, wanted[mine])
            near = np.clip(np.rint(places).astype(int), 0, [width - 1, height - 1])
            at_edge = (near == 0).any(1) | (near == [width - 1, height - 1]).any(1)
            in_front = sum((shares[one] for one in ahead), np.zeros((height, width), np.float32))
            hidden = (in_front[near[:, 1], near[:, 0]] >= HIDDEN) | (at_edge & (off > MISSED_PX))
            slid = ~hidden & (shares[n, near[:, 1], near[:, 0]] < HIDDEN)
            for k in np.flatnonzero(slid):
                back = _back_on(uv, shares[n], in_front, places[k], wanted[mine[k]], reach_px=SLID * height)
                hidden[k] = back is None
                places[k] = places[k] if back is None else back
            found[mine, t], occluded[mine, t] = places, hidden
    found[np.arange(len(points)), frames] = points
    return PointTracks(points=found, occluded=occluded, size=stack.size)


def _uv(shading: Shading, t: int, size: tuple[int, int]) -> NDArray[np.float32]:
    return at_pixels(np.asarray(shading.uv[t], np.float32), size)


def _shares(stack: LayerStack, t: int) -> NDArray[np.float32]:
    """Share of every layer in the picture, the background last."""
    width, height = stack.size
    through = np.ones((height, width), np.float32)
    shares = np.zeros((len(stack.layers) + 1, height, width), np.float32)
    place = {one.layer_id: n for n, one in enumerate(stack.layers)}
    for layer_id in reversed(stack.order[t]):
        crop = crop_of(stack.layers[place[layer_id]].pictures, t)
        rows, columns = crop.picture.shape[:2]
        part = np.s_[crop.y : crop.y + rows, crop.x : crop.x + columns]
        alpha = crop.picture[..., 3].astype(np.float32) / 255
        shares[place[layer_id]][part] = alpha * through[part]
        through[part] *= 1 - alpha
    shares[-1] = through
    return shares


def _places(uv: NDArray[np.float32], wanted: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where in a frame UV are met: the nearest pixel and a step from it; and by how many pixels that missed them."""
    height, width = uv.shape[:2]
    down, across = (np.asarray(np.gradient(uv, axis=axis), np.float64) for axis in (0, 1))
    coarse = uv[::COARSE_PX, ::COARSE_PX]
    places, off = np.zeros((len(wanted), 2)), np.zeros(len(wanted))
    for k, one in enumerate(wanted):
        y, x = (COARSE_PX * n for n in divmod(int(((coarse - one) ** 2).sum(-1).argmin()), coarse.shape[1]))
        top, left = max(y - COARSE_PX, 0), max(x - COARSE_PX, 0)
        near = uv[top : y + COARSE_PX + 1, left : x + COARSE_PX + 1]
        row, column = divmod(int(((near - one) ** 2).sum(-1).argmin()), near.shape[1])
        y, x = top + row, left + column
        jacobian = np.stack([across[y, x], down[y, x]], 1)
        missed = (one - uv[y, x]).astype(np.float64)
        step = np.asarray(np.linalg.lstsq(jacobian, missed, rcond=None)[0], np.float64)
        off[k] = float(np.linalg.norm(step))
        places[k] = (x, y) + step * min(1.0, 1 / max(off[k], 1e-9))
    return np.clip(places, -0.5, [width - 0.5, height - 0.5]), off


def _back_on(
    uv: NDArray[np.float32],
    own: NDArray[np.float32],
    in_front: NDArray[np.float32],
    place: NDArray[np.float64],
    wanted: NDArray[np.float32],
    *,
    reach_px: float,
) -> NDArray[np.float64] | None:
    """Of the pixels around a place that show a layer the one whose UV is nearest.

    None where there is none, or where those in front show more around there than the layer itself.
    """
    height, width = own.shape
    left, top = (max(int(np.floor(one - reach_px)), 0) for one in place)
    right, bottom = (
        min(int(np.ceil(one + reach_px)) + 1, end) for one, end in zip(place, (width, height), strict=True)
    )
    rows, columns = np.mgrid[top:bottom, left:right]
    near = np.hypot(columns - place[0], rows - place[1]) <= reach_px
    y, x = rows[near], columns[near]
    shown = own[y, x] >= HIDDEN
    if not shown.any() or in_front[y, x].sum() > own[y, x].sum():
        return None
    y, x = y[shown], x[shown]
    best = int(((uv[y, x] - wanted) ** 2).sum(-1).argmin())
    return np.array([x[best], y[best]], np.float64)


def _bilinear(field: NDArray[np.float32], points: NDArray[np.float64]) -> NDArray[np.float32]:
    height, width = field.shape[:2]
    low = np.clip(np.floor(points).astype(int), 0, [width - 2, height - 2])
    share = (points - low)[:, None]
    x, y = low[:, 0], low[:, 1]
    upper = field[y, x] * (1 - share[..., 0]) + field[y, x + 1] * share[..., 0]
    lower = field[y + 1, x] * (1 - share[..., 0]) + field[y + 1, x + 1] * share[..., 0]
    return (upper * (1 - share[..., 1]) + lower * share[..., 1]).astype(np.float32)
