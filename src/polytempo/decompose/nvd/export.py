"""From learned atlases to a layer stack: layers and the lit background of every frame at clip size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from numpy.typing import NDArray
from torch import Tensor

from polytempo.camera.path import CameraPath
from polytempo.camera.plate import CleanPlate
from polytempo.camera.warp import canvas_in_frame
from polytempo.core.pictures import Pictures, picture_size
from polytempo.core.progress import Progress, Report, silent
from polytempo.decompose.nvd.footage import NEAR_PX
from polytempo.decompose.nvd.model import AtlasModel
from polytempo.layers.detail import transfer_detail

NOTHING = 0.008
"""Alpha below which a pixel is nothing, so that layers stay sparse on disk: two of 255."""
SOMEBODY = 0.05
"""Alpha from which somebody is there."""
POINTS_AT_ONCE = 65_536


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RenderedFrame:
    """One frame of all layers at clip size."""

    pictures: dict[int, UInt8[np.ndarray, "H W 4"]]
    """By layer id, premultiplied: texture under its own light, with the matte that nobody in front cuts into."""
    live: UInt8[np.ndarray, "H W 4"]
    """The background under its light at this moment; empty where it was never seen bare."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FrameOfModel:
    """What a model says of a frame; all 0…1, but that light and what it shades may exceed 1."""

    uv: Float[Tensor, "L H W 2"]
    colour: Float[Tensor, "L H W 3"]
    residual: Float[Tensor, "L H W 3"]
    shaded: Float[Tensor, "L H W 3"]
    raw_alpha: Float[Tensor, "K H W"]
    """Mattes of the objects by themselves."""
    alpha: Float[Tensor, "L H W"]
    """Shares of all layers."""

    @property
    def composite(self) -> Float[Tensor, "H W 3"]:
        """The picture, not clamped. Source: paper B, Eq. 6."""
        return (self.shaded * self.alpha[..., None]).sum(0)


def frame_of_model(model: AtlasModel, frame: int, *, size: tuple[int, int] | None = None) -> FrameOfModel:
    """Ask a model for all pixels of a frame.

    Args:
        model: Trained.
        frame: Its number.
        size: ``(width, height)`` of the same aspect; the working size when left out. Places between working pixels are
            places like any others.
    """
    extent = model.extent
    width, height = size or (extent.width, extent.height)
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    # Pixel centres are whole numbers, so scaling is about (-0.5, -0.5).
    columns = (x + 0.5) * (extent.width / width) - 0.5
    rows = (y + 0.5) * (extent.height / height) - 0.5
    points = torch.stack([columns, rows, torch.full_like(rows, frame)], -1).reshape(-1, 3)
    device = next(model.parameters()).device
    parts: list[tuple[Tensor, ...]] = []
    with torch.no_grad():
        for some in points.split(POINTS_AT_ONCE):
            place = some.to(device)
            one = model(place)
            found = (
                one.uv,
                one.colour,
                one.residual,
                one.shaded,
                model.raw_alpha(place)[..., None],
                one.alpha[..., None],
            )
            parts.append(tuple(value.cpu() for value in found))
    uv, colour, residual, shaded, raw, alpha = (
        torch.cat(values, 1).unflatten(1, (height, width)) for values in zip(*parts, strict=True)
    )
    return FrameOfModel(
        uv=uv, colour=colour, residual=residual, shaded=shaded, raw_alpha=raw[..., 0], alpha=alpha[..., 0]
    )


def render_frames(
    model: AtlasModel,
    layer_ids: tuple[int, ...],
    camera: CameraPath,
    pictures: Pictures,
    plate: CleanPlate,
    *,
    with_detail: bool = True,
    report: Report = silent,
) -> Iterator[RenderedFrame]:
    """Layers of one frame after the other.

    Args:
        model: Trained.
        layer_ids: Of its objects.
        camera: At clip size.
        pictures: The clip.
        plate: Clean plate at clip size; where it was never seen bare, nothing taught the atlas what is there.
        with_detail: Whether what the composite misses of the frame goes into the layers, and where nobody is near into
            the background: not beside somebody, where it would keep their outline.
        report: Told once a frame.

    Source: paper B, Eq. 6; detail as in LNR, Section 4.4.
    """
    size = picture_size(pictures)
    bare = plate.coverage > 0
    for t in range(model.extent.n_frames):
        known = canvas_in_frame(bare, camera, t, border="constant", interpolation="nearest")
        said = frame_of_model(model, t, size=size)
        below = said.shaded[-1].clamp(0, 1)
        front_to_back = model.order[t].tolist()
        opaque = torch.cat([below, torch.ones_like(below[..., :1])], -1)
        stacked = [opaque]
        for k in reversed(front_to_back):
            alpha = said.raw_alpha[k][..., None]
            stacked.append(torch.cat([said.shaded[k].clamp(0, 1) * alpha, alpha], -1))
        layers = torch.stack(stacked).permute(0, 3, 1, 2)
        if with_detail:
            frame = torch.from_numpy(np.asarray(pictures[t]).astype(np.float32) / 255).permute(2, 0, 1)
            layers = transfer_detail(layers, frame)
            layers[0, :3] = _with_bare(layers, frame, reach_px=NEAR_PX * size[0] / model.extent.width)
        out = {
            layer_ids[k]: _bytes(layers[1 + place], least=NOTHING) for place, k in enumerate(reversed(front_to_back))
        }
        yield RenderedFrame(pictures=out, live=_where(_bytes(layers[0]), known))
        report(Progress(stage="layers", done=t + 1, total=model.extent.n_frames, message="rendering layers"))


def _with_bare(
    layers: Float[Tensor, "L 4 H W"], frame: Float[Tensor, "3 H W"], *, reach_px: float
) -> Float[Tensor, "3 H W"]:
    """The background with the frame's own pixels where nobody is within ``reach_px``, fading towards them."""
    covered = (layers[1:, 3].amax(0) > SOMEBODY).numpy().astype(np.uint8)
    away: NDArray[np.float32] = np.asarray(cv2.distanceTransform(1 - covered, cv2.DIST_L2, 5), np.float32)
    if not covered.any():
        return frame
    share = torch.from_numpy(np.clip(away / reach_px - 1, 0, 1))
    return layers[0, :3] + share * (frame - layers[0, :3])


def _bytes(rgba: Float[Tensor, "4 H W"], *, least: float = 0.0) -> NDArray[np.uint8]:
    out = np.clip(rgba.permute(1, 2, 0).numpy() * 255 + 0.5, 0, 255).astype(np.uint8)
    out[out[..., 3] < least * 255] = 0
    return out


def _where(picture: UInt8[np.ndarray, "H W 4"], known: Bool[np.ndarray, "H W"]) -> NDArray[np.uint8]:
    return np.where(known[..., None], picture, np.uint8(0))
