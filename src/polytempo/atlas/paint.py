"""Paint laid on a layer's picture, pixel by pixel: the part of drawing an edit that takes time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, no_type_check

import numpy as np
from jaxtyping import Float32
from numba import njit

from polytempo.core.errors import ShapeError
from polytempo.layers.sparse import Crop


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Paint:
    """What paint changes of an atlas, made ready once for all frames."""

    levels: Float32[np.ndarray, "S S 3"]
    """Painted texture minus the texture, in 255ths."""
    box: Float32[np.ndarray, " 4"]
    """Texels ``left, top, right, bottom`` beyond which nothing changes; a texel has a say up to one from its middle."""

    @staticmethod
    def of(change: Float32[np.ndarray, "S S 3"]) -> Paint:
        """Ready the change that an edit is, −1…1."""
        touched = (change != 0).any(-1)
        rows, columns = np.flatnonzero(touched.any(1)), np.flatnonzero(touched.any(0))
        box = [0, 0, 0, 0] if len(rows) == 0 else [columns[0] - 1, rows[0] - 1, columns[-1] + 1, rows[-1] + 1]
        return Paint(levels=np.ascontiguousarray(change * np.float32(255), np.float32), box=np.array(box, np.float32))


def painted_crop(
    crop: Crop,
    paint: Paint,
    *,
    uv: Float32[np.ndarray, "h w 2"],
    light: Float32[np.ndarray, "h w 3"],
    size: tuple[int, int],
) -> Crop:
    """A premultiplied crop with what paint changes of it, under its light; what the layer has not is not painted.

    Args:
        crop: Of a frame of the layer.
        paint: What is painted on its atlas.
        uv: At nodes over the frame.
        light: At the same nodes.
        size: ``(width, height)`` of the frame.

    Raises:
        ShapeError: UV and light lie at different nodes.

    Source: paper B, Section 4.3 and Eq. 6; ``atlas.edit`` tests hold it to plain numpy.
    """
    if uv.shape[:2] != light.shape[:2] or min(uv.shape[:2]) < 2:
        raise ShapeError("atlas.paint", "UV and light must lie at the same nodes", got=f"{uv.shape} and {light.shape}")
    if crop.picture.size == 0 or paint.box[2] <= paint.box[0]:
        return crop
    out = crop.picture.copy(order="C")
    nodes = np.concatenate([(uv + 1) * np.float32(len(paint.levels) / 2) - np.float32(0.5), light], -1).astype(
        np.float32
    )
    _paint(nodes, paint.levels, paint.box, np.array([crop.x, crop.y, *size], np.int64), out)
    return Crop(x=crop.x, y=crop.y, picture=out)


@njit(cache=True, nogil=True, fastmath=True)
@no_type_check  # the checked form cannot be compiled
def _paint(nodes: Any, change: Any, box: Any, place: Any, out: Any) -> None:  # pragma: no cover - compiled
    n_rows, n_columns, side = nodes.shape[0], nodes.shape[1], change.shape[0]
    left, top, width, height = place
    row = np.empty((n_columns, 5), np.float32)
    met = np.empty(n_columns - 1, np.bool_)
    step = np.float32((n_columns - 1) / width)
    for i in range(out.shape[0]):
        down = min(max(np.float32((i + top + 0.5) * ((n_rows - 1) / height)), np.float32(0)), np.float32(n_rows - 1))
        above = min(int(down), n_rows - 2)
        share = np.float32(down - above)
        for k in range(n_columns):
            for c in range(5):
                row[k, c] = nodes[above, k, c] + share * (nodes[above + 1, k, c] - nodes[above, k, c])
        # Between two nodes places lie between theirs, so most of a picture is passed over without looking at pixels.
        some = False
        for k in range(n_columns - 1):
            met[k] = (
                max(row[k, 0], row[k + 1, 0]) > box[0]
                and min(row[k, 0], row[k + 1, 0]) < box[2]
                and max(row[k, 1], row[k + 1, 1]) > box[1]
                and min(row[k, 1], row[k + 1, 1]) < box[3]
            )
            some = some or met[k]
        if not some:
            continue
        for j in range(out.shape[1]):
            across = min(max(np.float32(j + left + 0.5) * step, np.float32(0)), np.float32(n_columns - 1))
            k = min(int(across), n_columns - 2)
            alpha = np.float32(out[i, j, 3])
            if not met[k] or alpha == 0:
                continue
            part = np.float32(across - k)
            x = row[k, 0] + part * (row[k + 1, 0] - row[k, 0])
            y = row[k, 1] + part * (row[k + 1, 1] - row[k, 1])
            if x <= box[0] or y <= box[1] or x >= box[2] or y >= box[3]:
                continue
            # Beyond the border the nearest texel, as ``atlas_sampled`` has it.
            x = min(max(x, np.float32(0)), np.float32(side - 1))
            y = min(max(y, np.float32(0)), np.float32(side - 1))
            u, v = min(int(x), side - 2), min(int(y), side - 2)
            right, below = np.float32(x - u), np.float32(y - v)
            for c in range(3):
                upper = change[v, u, c] + right * (change[v, u + 1, c] - change[v, u, c])
                lower = change[v + 1, u, c] + right * (change[v + 1, u + 1, c] - change[v + 1, u, c])
                light = row[k, 2 + c] + part * (row[k + 1, 2 + c] - row[k, 2 + c])
                value = out[i, j, c] + alpha / np.float32(255) * light * (upper + below * (lower - upper))
                out[i, j, c] = np.uint8(min(max(value, np.float32(0)), alpha) + np.float32(0.5))
