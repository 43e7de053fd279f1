"""From a trained model to a layer stack: layers of every frame at clip size, with the frame's own detail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from torch import Tensor, nn

from polytempo.camera.path import CameraPath
from polytempo.camera.warp import canvas_in_frame, frame_on_canvas, frame_reach
from polytempo.core.pictures import Pictures, picture_size
from polytempo.core.progress import Progress, Report, silent
from polytempo.decompose.lnr.maps import LayerMaps
from polytempo.decompose.lnr.model import LayeredRenderer, unit_range
from polytempo.decompose.lnr.renderer import Renderer
from polytempo.decompose.lnr.upsample import Upsampler
from polytempo.layers.detail import transfer_detail
from polytempo.layers.over import premultiplied
from polytempo.objects.cast import Cast

NOTHING = 0.008
"""Alpha below which a pixel is nothing, so that layers stay sparse on disk: two of 255."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RenderedFrame:
    """Layers of one frame at clip size."""

    pictures: dict[int, UInt8[np.ndarray, "H W 4"]]
    """By layer id, premultiplied."""


def settle_norms(model: LayeredRenderer, maps: LayerMaps, layer: int) -> None:
    """Give the renderer's batch norms the statistics of one layer over the whole clip, and hold them there.

    In training every layer's pass has the statistics of its own batch; running averages over all of them fit none, and
    those of single frames, as in the released system, would make a layer's tones tremble (decision 0018).
    """
    device = next(model.parameters()).device
    norms = [one for one in model.modules() if isinstance(one, nn.BatchNorm2d)]
    for one in norms:
        one.reset_running_stats()
        one.momentum = None  # a plain mean over all frames
    model.train()
    with torch.no_grad():
        for t in range(maps.n_frames):
            model.render(*_inputs(maps, t, layer, device))
    model.eval()


def render_background(
    model: LayeredRenderer,
    maps: LayerMaps,
    camera: CameraPath,
    *,
    size: tuple[int, int],
    upsampler: Upsampler | None = None,
    report: Report = silent,
) -> Float[np.ndarray, "Hc Wc 3"]:
    """The background's pass laid onto the canvas, 0…1: the mean over all frames that show a place.

    Args:
        model: Trained.
        maps: Inputs at working size.
        camera: At clip size.
        size: ``(width, height)`` of the clip.
        upsampler: Doubles the size first, where there is one.
        report: Told once a frame.
    """
    settle_norms(model, maps, 0)
    width, height = camera.canvas_size
    total, count = np.zeros((height, width, 3), np.float32), np.zeros((height, width, 1), np.float32)
    still = camera.kind == "static"
    for t in range(1 if still else maps.n_frames):
        picture = layer_picture(model, maps, t, 0, size=size, upsampler=upsampler)[..., :3]
        reach = frame_reach(camera, t)[..., None]
        total += frame_on_canvas(picture, camera, t, interpolation="linear") * reach
        count += reach
        report(Progress(stage="layers", done=t + 1, total=maps.n_frames, message="rendering the background"))
    colour = total / np.maximum(count, 1)
    unseen = (count[..., 0] == 0).astype(np.uint8)
    if unseen.any():  # corners of the canvas that no frame reaches
        eight = np.clip(colour * 255 + 0.5, 0, 255).astype(np.uint8)
        painted = cv2.inpaint(eight, unseen, 3, cv2.INPAINT_TELEA).astype(np.float32) / 255
        colour = np.where(unseen[..., None] > 0, painted, colour)
    return colour.astype(np.float32)


def render_frames_of_layers(
    model: LayeredRenderer,
    maps: LayerMaps,
    cast: Cast,
    camera: CameraPath,
    pictures: Pictures,
    background: Float[np.ndarray, "Hc Wc 3"],
    *,
    upsampler: Upsampler | None = None,
    with_detail: bool = True,
    report: Report = silent,
) -> Iterator[RenderedFrame]:
    """Layers of one frame after the other.

    Norms differ from layer to layer, so every layer's settled renderer is kept and the frames are gone through once.

    Args:
        model: Trained.
        maps: Inputs at working size.
        cast: Layers and their order.
        camera: At clip size.
        pictures: The clip.
        background: From ``render_background``.
        upsampler: Doubles the size first, where there is one.
        with_detail: Whether what the composite misses goes into the layers.
        report: Told once a frame.

    Source: LNR, Section 4.4 (Eq. 9, 10).
    """
    settled: dict[int, dict[str, Tensor]] = {}
    for m in range(1, len(cast.layers) + 1):
        settle_norms(model, maps, m)
        settled[m] = {name: value.clone() for name, value in model.renderer.named_buffers()}
    size = picture_size(pictures)
    ids = [plan.layer_id for plan in cast.layers]
    for t in range(maps.n_frames):
        layers: dict[int, NDArray[np.float32]] = {}
        for m in settled:
            _put_buffers(model.renderer, settled[m])
            layers[m] = layer_picture(model, maps, t, m, size=size, upsampler=upsampler)
        order = maps.order[t].tolist()
        base = canvas_in_frame(background, camera, t, interpolation="linear")
        opaque = np.concatenate([base, np.ones_like(base[..., :1])], -1)
        stacked = torch.from_numpy(np.stack([opaque, *(layers[m] for m in order)])).permute(0, 3, 1, 2)
        stacked = premultiplied(stacked)
        if with_detail:
            frame = torch.from_numpy(np.asarray(pictures[t]).astype(np.float32) / 255).permute(2, 0, 1)
            stacked = transfer_detail(stacked, frame)
        out = {ids[m - 1]: _bytes(stacked[1 + place]) for place, m in enumerate(order)}
        yield RenderedFrame(pictures=out)
        report(Progress(stage="layers", done=t + 1, total=maps.n_frames, message="rendering layers"))


def layer_picture(
    model: LayeredRenderer,
    maps: LayerMaps,
    frame: int,
    layer: int,
    *,
    size: tuple[int, int],
    upsampler: Upsampler | None = None,
) -> NDArray[np.float32]:
    """Straight RGBA ``[H, W, 4]``, 0…1, of one layer of one frame at ``size``."""
    tile, uv, person = _inputs(maps, frame, layer, next(model.parameters()).device)
    with torch.no_grad():
        rendered = model.render(tile, uv, person)
        rgba = rendered.rgba if upsampler is None else model.upsampled(upsampler, tile, uv, rendered)
        rgba = unit_range(rgba.float())
        if (rgba.shape[-1], rgba.shape[-2]) != size:
            rgba = F.interpolate(rgba, (size[1], size[0]), mode="bilinear", align_corners=False, antialias=True)
    return rgba[0].permute(1, 2, 0).cpu().numpy()


def _inputs(maps: LayerMaps, frame: int, layer: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Tile, UV and person of one layer of one frame."""
    tile = torch.from_numpy(maps.tile[frame, layer][None]).long()
    uv = torch.from_numpy(maps.uv[frame, layer][None]).float()
    person = torch.from_numpy(maps.person[frame, layer][None]).float()
    return tile.to(device), uv.to(device), person.to(device)


def _put_buffers(renderer: Renderer, values: dict[str, Tensor]) -> None:
    for name, buffer in renderer.named_buffers():
        buffer.copy_(values[name])


def _bytes(rgba: Tensor) -> UInt8[np.ndarray, "H W 4"]:
    out = np.clip(rgba.permute(1, 2, 0).numpy() * 255 + 0.5, 0, 255).astype(np.uint8)
    out[out[..., 3] < NOTHING * 255] = 0
    return out
