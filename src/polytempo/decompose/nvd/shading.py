"""From a learned model to what edits of light and look need of it: UV and light of every layer, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float32

from polytempo.core.progress import Progress, Report, silent
from polytempo.decompose.nvd.export import POINTS_AT_ONCE
from polytempo.decompose.nvd.model import AtlasModel
from polytempo.layers.shading import Shading, node_places, texels

NODE_PX = 3.0
"""Working pixels between two nodes of UV at most."""
CELL_PX = 3.0
"""Working pixels of a cell of light where the residual's own cells are not told."""
MOST_CELLS = 192
SEEN = 0.3
"""Share from which a place of an atlas counts as seen in a frame."""
REACH = 0.1
"""How far around a place unknown light is taken from, as a share of the atlas's side."""
BRIGHTEST = 64.0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LayerShading:
    """One layer in one frame; see ``layers.shading``."""

    uv: Float32[np.ndarray, "h w 2"]
    light: Float32[np.ndarray, "S S 3"]


def layer_shadings(model: AtlasModel, *, report: Report = silent) -> Iterator[list[LayerShading]]:
    """UV and light of all layers in one frame after the other; objects in their order, then the background.

    At places of an atlas that a frame does not show, nothing taught the residual what light falls there at that time;
    there the light of the places around is taken that it does show, and where a frame shows nothing of a layer, the
    light of the last frame that did.

    Args:
        model: Trained. With an additive residual there is no light to speak of, and nothing is given.
        report: Told once a frame.

    Source: paper B, Eq. 3 and Eq. 4; the filling is ours, decision 0029.
    """
    if model.config.residual_kind == "additive":
        return
    extent = model.extent
    columns, rows = (int(np.ceil(one / NODE_PX)) + 1 for one in (extent.width, extent.height))
    y, x = np.meshgrid(node_places(rows, extent.height), node_places(columns, extent.width), indexing="ij")
    sides = [_side(model, n) for n in range(model.n_layers)]
    device = next(model.parameters()).device
    last = [np.ones((side, side, 3), np.float32) for side in sides]
    for t in range(extent.n_frames):
        points = torch.from_numpy(np.stack([x, y, np.full_like(x, t)], -1).reshape(-1, 3)).to(device)
        out: list[LayerShading] = []
        with torch.no_grad():
            shares = model.alphas(points).cpu().numpy().reshape(model.n_layers, rows, columns)
            for n, side in enumerate(sides):
                uv = torch.cat([model.uv(some, n) for some in points.split(POINTS_AT_ONCE)]).cpu().numpy()
                uv = np.ascontiguousarray(uv.reshape(rows, columns, 2), np.float32)
                seen = _seen(uv, shares[n] > SEEN, side)
                if seen.any():
                    last[n] = _filled(_light(model, t, n, side), seen)
                out.append(LayerShading(uv=uv, light=last[n]))
        yield out
        report(Progress(stage="layers", done=t + 1, total=extent.n_frames, message="keeping the light"))


def layer_shadings_in_memory(model: AtlasModel, *, report: Report = silent) -> list[Shading | None]:
    """UV and light of all layers over the whole clip; objects in their order, then the background."""
    frames = list(layer_shadings(model, report=report))
    if not frames:
        return [None] * model.n_layers
    return [
        Shading(uv=np.stack([one[n].uv for one in frames]), light=np.stack([one[n].light for one in frames]))
        for n in range(model.n_layers)
    ]


def _side(model: AtlasModel, n: int) -> int:
    config = model.config
    field = config.residual_background if n + 1 == model.n_layers else None
    cell = (field or config.residual).finest_px or CELL_PX
    return int(np.clip(np.ceil(2 * model.extent.half / model.uv_scales[n] / cell), 16, MOST_CELLS))


def _light(model: AtlasModel, t: int, n: int, side: int) -> Float32[np.ndarray, "S S 3"]:
    centres = (torch.arange(side) + 0.5) * (2 / side) - 1
    v, u = torch.meshgrid(centres, centres, indexing="ij")
    uv = torch.stack([u, v], -1).reshape(-1, 2).to(next(model.parameters()).device)
    found = model.light(uv, torch.full_like(uv[:, 0], t), n)
    return np.clip(found.cpu().numpy(), 0, BRIGHTEST).astype(np.float32).reshape(side, side, 3)


def _seen(uv: Float32[np.ndarray, "h w 2"], shown: np.ndarray, side: int) -> Float32[np.ndarray, "S S"]:
    """1 where a frame shows a place of the atlas; its nodes lie about a cell apart, so gaps are closed."""
    place = np.rint(texels(uv[shown], side)).astype(int)
    inside = ((place >= 0) & (place < side)).all(1)
    seen = np.zeros((side, side), np.uint8)
    seen[place[inside, 1], place[inside, 0]] = 1
    padded = cv2.copyMakeBorder(seen, 3, 3, 3, 3, cv2.BORDER_CONSTANT, value=0)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    return np.ascontiguousarray(closed[3:-3, 3:-3]).astype(np.float32)


def _filled(light: Float32[np.ndarray, "S S 3"], seen: Float32[np.ndarray, "S S"]) -> Float32[np.ndarray, "S S 3"]:
    weight = seen[..., None]
    sigma = max(REACH * len(light), 1.0)
    mean = (light * weight).sum((0, 1)) / weight.sum()
    near = cv2.GaussianBlur(light * weight, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
    share = cv2.GaussianBlur(seen, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)[..., None]
    around = (near + 1e-3 * mean) / (share + 1e-3)
    return np.ascontiguousarray(weight * light + (1 - weight) * around, np.float32)
