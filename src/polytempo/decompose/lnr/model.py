"""Texture and renderer together: from a batch of maps to the layers of those frames."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from polytempo.decompose.lnr.maps import Batch
from polytempo.decompose.lnr.renderer import BASE_CHANNELS, Renderer
from polytempo.decompose.lnr.texture import NeuralTexture
from polytempo.decompose.lnr.upsample import Upsampler, doubled


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Rendered:
    """What the renderer gives for one layer."""

    rgba: Float[Tensor, "B 4 H W"]
    """Straight, -1…1."""
    features: Float[Tensor, "B F H W"]
    texture: Float[Tensor, "B 16 H W"]
    person: Float[Tensor, "B 1 H W"]


class LayeredRenderer(nn.Module):
    """One neural texture and one renderer for all layers of a clip."""

    def __init__(self, n_people: int, *, base_channels: int = BASE_CHANNELS) -> None:
        """Make both from torch's default generator."""
        super().__init__()
        self.texture = NeuralTexture(n_people)
        self.renderer = Renderer(base_channels=base_channels)

    def render(
        self, tile: Int64[Tensor, "B H W"], uv: Float[Tensor, "B 2 H W"], person: Float[Tensor, "B H W"]
    ) -> Rendered:
        """One layer of some frames, in a pass of its own."""
        texture = self.texture(tile, uv)
        rgba, features = self.renderer(torch.cat([texture, person[:, None]], 1))
        return Rendered(rgba=rgba, features=features, texture=texture, person=person[:, None])

    def render_layer(self, batch: Batch, layer: int) -> Rendered:
        """One layer (index into ``M``) of every frame of the batch."""
        return self.render(batch.tile[:, layer], batch.uv[:, layer], batch.person[:, layer])

    def forward(
        self, batch: Batch, *, together: bool = False, given_background: bool = False
    ) -> Float[Tensor, "B M 4 H W"]:
        """Straight RGBA 0…1 of the background and all layers.

        Args:
            batch: Some frames.
            together: All layers in one pass: faster on a GPU, batch statistics then are over all layers. Off, each
                layer and the background have passes and statistics of their own, as in the paper.
            given_background: The batch's clean plate stands for the background, which is not rendered.
        """
        first, n_maps = int(given_background), batch.tile.shape[1]
        if together:
            tile, uv, person = (one[:, first:].flatten(0, 1) for one in (batch.tile, batch.uv, batch.person))
            layers = unit_range(self.render(tile, uv, person).rgba).unflatten(0, (-1, n_maps - first))
        else:
            layers = torch.stack([unit_range(self.render_layer(batch, m).rgba) for m in range(first, n_maps)], 1)
        return with_background(layers, batch.plate.to(layers.dtype)) if given_background else layers

    def upsampled(
        self,
        upsampler: Upsampler,
        tile: Int64[Tensor, "B H W"],
        uv: Float[Tensor, "B 2 H W"],
        rendered: Rendered,
    ) -> Tensor:
        """One layer at twice the size, straight, -1…1. Part and person are doubled to the nearest pixel.

        Bilinear UV would point into unrelated tiles across the border of two parts, as in the released system.
        """
        large_tile = tile.repeat_interleave(2, -1).repeat_interleave(2, -2)
        texture = self.texture(large_tile, F.interpolate(uv, scale_factor=2.0, mode="nearest"))
        person = F.interpolate(rendered.person, scale_factor=2.0, mode="nearest")
        return upsampler(doubled(rendered.rgba), texture, person, doubled(rendered.features))


def with_background(layers: Float[Tensor, "B L 4 H W"], plate: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B M 4 H W"]:
    """Layers over a given, opaque background."""
    return torch.cat([torch.cat([plate, torch.ones_like(plate[:, :1])], 1)[:, None], layers], 1)


def unit_range(values: Tensor) -> Tensor:
    """From -1…1 to 0…1."""
    return values * 0.5 + 0.5


def composite_straight(layers: Float[Tensor, "B M 4 H W"], order: Int64[Tensor, "B L"]) -> Float[Tensor, "B 3 H W"]:
    """Composite of straight layers 0…1 back to front in each frame's own order; the background (0) is opaque.

    Source: LNR, Eq. 2.
    """
    picture = layers[:, 0, :3]
    rows = torch.arange(len(layers), device=layers.device)
    for place in range(order.shape[1]):
        front = layers[rows, order[:, place]]
        picture = front[:, 3:] * front[:, :3] + (1 - front[:, 3:]) * picture
    return picture
