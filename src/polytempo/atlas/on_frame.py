"""Paint drawn on a frame, carried to where it lies in the atlas, and so to all other frames."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from numpy.typing import NDArray

from polytempo.core.errors import InputError, ShapeError
from polytempo.layers.shading import Shading, at_pixels, texels
from polytempo.layers.sparse import crop_of
from polytempo.layers.stack import Layer, LayerStack

WHERE = "atlas.on_frame"
MOST_SAMPLES = 6
"""Samples along the side of a pixel, at most."""
SHOWN = 26
"""Alpha, of 255, from which a pixel is a layer's: a tenth."""


def overlay_from_frame(
    stack: LayerStack, layer_id: int, painted: UInt8[np.ndarray, "H W 4"], frame: int, *, side_px: int
) -> tuple[UInt8[np.ndarray, "S S 4"], float]:
    """An overlay on an atlas that shows in a frame what was drawn on it.

    Args:
        stack: Of atlases.
        layer_id: Whose atlas; 0 is the background's. What is drawn beside somebody is not theirs, and is left out; the
            background is there behind everybody, too.
        painted: Straight RGBA of the stack's size, drawn over the frame.
        frame: Its number.
        side_px: Side of the atlas picture.

    Returns:
        Straight RGBA over the atlas, and the share of what was drawn that lies outside the layer or its atlas.

    Raises:
        ShapeError: the drawing has another size than the frames, or no alpha.
        InputError: there is no such frame, the layer has no atlas, or all of it lies outside.

    Source: paper B, Section 4.3 (an edit on one frame goes with all of them).
    """
    width, height = stack.size
    if painted.shape != (height, width, 4) or painted.dtype != np.uint8:
        raise ShapeError(
            WHERE, f"what is drawn on a frame must be {width}x{height} pixels of 8-bit RGBA",
            got=f"{painted.dtype} {painted.shape}", todo="Draw on a picture of the clip's size, transparent elsewhere",
        )  # fmt: skip
    if not 0 <= frame < stack.n_frames:
        raise InputError(WHERE, f"the frame must be 0 to {stack.n_frames - 1}", got=str(frame))
    layer = next((one for one in stack.layers if one.layer_id == layer_id), None)
    shading = stack.background.shading if layer is None else layer.shading
    if shading is None:
        raise InputError(WHERE, "the layer must have an atlas", got=f"layer id {layer_id}")
    alpha = painted[..., 3].astype(np.float32) / 255
    drawn = float(alpha.sum())
    if layer is not None:
        alpha = alpha * _shown(layer, frame, stack.size)
    overlay, lost = _carried(painted, alpha, shading, frame, side_px)
    kept = float(alpha.sum()) - lost
    if kept < 0.5:
        got = f"nothing of it that does, in frame {frame}" if drawn > 0 else "a picture that is transparent everywhere"
        raise InputError(
            WHERE, "what is drawn must lie on the layer", got=got, todo="Draw where the frame shows the layer"
        )
    return overlay, 1 - kept / drawn


def _shown(layer: Layer, frame: int, size: tuple[int, int]) -> NDArray[np.float32]:
    crop, shown = crop_of(layer.pictures, frame), np.zeros((size[1], size[0]), np.float32)
    rows, columns = crop.picture.shape[:2]
    shown[crop.y : crop.y + rows, crop.x : crop.x + columns] = crop.picture[..., 3] >= SHOWN
    return shown


def _carried(
    painted: UInt8[np.ndarray, "H W 4"], alpha: Float32[np.ndarray, "H W"], shading: Shading, frame: int, side: int
) -> tuple[NDArray[np.uint8], float]:
    """Pixels laid into the atlas, so finely that no texel between them stays empty; and what of them fell outside."""
    uv = np.asarray(shading.uv[frame], np.float32)
    height, width = alpha.shape
    place = texels(uv, side)
    steps = [
        np.abs(np.diff(place, axis=axis)).max() * (uv.shape[axis] - 1) / n for axis, n in ((0, height), (1, width))
    ]
    fine = int(np.clip(np.ceil(1.5 * max(steps)), 1, MOST_SAMPLES))
    rows, columns = np.flatnonzero((alpha > 0).any(1)), np.flatnonzero((alpha > 0).any(0))
    total = np.zeros((side * side, 5), np.float64)
    if len(rows) == 0:
        return np.zeros((side, side, 4), np.uint8), 0.0
    # Only the box that was drawn in, with a margin so that its edge stays sharp.
    box = (
        max(int(columns[0]) - 2, 0), max(int(rows[0]) - 2, 0),
        min(int(columns[-1]) + 3, width), min(int(rows[-1]) + 3, height),
    )  # fmt: skip
    part = np.s_[box[1] : box[3], box[0] : box[2]]
    premultiplied = np.dstack([painted[part][..., :3] * alpha[part][..., None], alpha[part]]).astype(np.float32)
    size = ((box[2] - box[0]) * fine, (box[3] - box[1]) * fine)
    samples = cv2.resize(premultiplied, size, interpolation=cv2.INTER_LINEAR)
    where = at_pixels(place, (width * fine, height * fine), box=(box[0] * fine, box[1] * fine, *size))
    low = np.floor(where).astype(np.int64)
    inside = ((where > -0.5) & (where < side - 0.5)).all(-1)
    lost = float(samples[~inside][:, 3].sum()) / fine**2
    share = (where - low)[inside]
    values = np.concatenate([samples[inside], np.ones((int(inside.sum()), 1), np.float32)], 1)
    for dx in (0, 1):
        for dy in (0, 1):
            weight = np.abs(1 - dx - share[:, 0]) * np.abs(1 - dy - share[:, 1])
            x, y = (np.clip(low[inside][:, k] + step, 0, side - 1) for k, step in ((0, dx), (1, dy)))
            for channel in range(5):
                total[:, channel] += np.bincount(y * side + x, weight * values[:, channel], minlength=side * side)
    mean = total[:, :4] / np.maximum(total[:, 4:], 1e-6)
    straight = mean[:, :3] / np.maximum(mean[:, 3:], 1e-6)
    out = np.concatenate([straight, mean[:, 3:] * 255 * (total[:, 4:] > 0.05)], 1)
    return np.clip(out + 0.5, 0, 255).astype(np.uint8).reshape(side, side, 4), lost
