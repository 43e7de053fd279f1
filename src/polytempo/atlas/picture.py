"""Atlases as pictures: what a layer looks like unrolled, and how much of it the clip ever shows."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray

from polytempo.core.errors import InputError
from polytempo.core.progress import Progress, Report, silent
from polytempo.decompose.nvd.export import POINTS_AT_ONCE, frame_of_model
from polytempo.decompose.nvd.model import AtlasModel
from polytempo.layers.shading import texels

SIDE_PX = 1000
"""Side of an atlas picture. Source: paper B, Section 4.3."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class AtlasPicture:
    """The texture of one layer over all of its atlas, −1…1 in u to the right and v down.

    Texel ``i`` of ``S`` has its centre at ``(i + 0.5) · 2 / S − 1``, for sampling as for drawing.
    """

    colour: UInt8[np.ndarray, "S S 3"]
    """Coded RGB, without light."""
    coverage: UInt8[np.ndarray, "S S"]
    """Largest share that the layer ever has in the picture at a place; 0 where the clip never shows it."""

    @property
    def rgba(self) -> UInt8[np.ndarray, "S S 4"]:
        """For a paint program: straight alpha, transparent where nothing is known."""
        return np.concatenate([self.colour, self.coverage[..., None]], -1)


def atlas_pictures(model: AtlasModel, *, side_px: int = SIDE_PX, report: Report = silent) -> list[AtlasPicture]:
    """The atlases of all layers; objects in their order, then the background.

    Args:
        model: Trained.
        side_px: Side of a picture.
        report: Told once a frame.

    Raises:
        InputError: the side is too small or too large.

    Source: paper B, Section 4.3; coverage as in its released system, in one convention for texels.
    """
    if not 16 <= side_px <= 8192:
        raise InputError("atlas", "an atlas picture must be 16 to 8192 pixels wide", got=str(side_px))
    coverage = np.zeros((model.n_layers, side_px * side_px), np.uint8)
    extent = model.extent
    for t in range(extent.n_frames):
        said = frame_of_model(model, t)
        share = np.clip(said.alpha.numpy() * 255 + 0.5, 0, 255).astype(np.uint8)
        for n in range(model.n_layers):
            _splat(coverage[n], texels(said.uv[n].numpy(), side_px), share[n], side_px)
        report(Progress(stage="atlas", done=t + 1, total=extent.n_frames, message="looking where the atlases are seen"))
    centres = (torch.arange(side_px) + 0.5) * (2 / side_px) - 1
    v, u = torch.meshgrid(centres, centres, indexing="ij")
    uv = torch.stack([u, v], -1).reshape(-1, 2).to(next(model.parameters()).device)
    pictures: list[AtlasPicture] = []
    for n in range(model.n_layers):
        with torch.no_grad():
            colour = torch.cat([model.colour(some, n) for some in uv.split(POINTS_AT_ONCE)]).cpu().numpy()
        pictures.append(
            AtlasPicture(
                colour=np.clip(colour * 255 + 0.5, 0, 255).astype(np.uint8).reshape(side_px, side_px, 3),
                coverage=_closed(coverage[n].reshape(side_px, side_px), model.uv_scales[n] / extent.half * side_px / 2),
            )
        )
    return pictures


def _closed(coverage: UInt8[np.ndarray, "S S"], spacing: float) -> UInt8[np.ndarray, "S S"]:
    """Coverage without the gaps between pixels that lie ``spacing`` texels apart."""
    if spacing <= 1:
        return coverage
    reach = 2 * int(np.ceil(spacing)) + 1
    kernel = np.ones((reach, reach), np.uint8)
    padded = cv2.copyMakeBorder(coverage, reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=0)
    closed = np.asarray(cv2.morphologyEx(padded, cv2.MORPH_CLOSE, kernel), np.uint8)
    return np.ascontiguousarray(closed[reach:-reach, reach:-reach])


def _splat(
    into: NDArray[np.uint8], place: Float[np.ndarray, "H W 2"], share: UInt8[np.ndarray, "H W"], side: int
) -> None:
    """Raise the four texels around every place to its share, in place."""
    seen = share > 0
    low = np.floor(place[seen]).astype(np.int64)
    values = share[seen]
    for dx in (0, 1):
        for dy in (0, 1):
            x, y = low[:, 0] + dx, low[:, 1] + dy
            inside = (x >= 0) & (x < side) & (y >= 0) & (y < side)
            np.maximum.at(into, (y * side + x)[inside], values[inside])
