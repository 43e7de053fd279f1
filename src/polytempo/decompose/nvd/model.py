"""The model of paper B: for every layer a mapping, a texture and a residual; mattes for all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from polytempo.decompose.nvd.config import NvdConfig
from polytempo.decompose.nvd.extent import Extent
from polytempo.decompose.nvd.fields import Field, sized_grid
from polytempo.decompose.nvd.mapping import MappingNetwork, WarpMapping

LEAST_ALPHA = 1e-5
"""Mattes stay this far from 0 and 1, so that their logarithms are finite. Released system."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LayerStart:
    """What is known of a layer before training."""

    uv_from_pixel: Float[Tensor, "T 3 3"]
    """Homography of each frame from pixels to UV."""
    uv_scale: float
    """UV units that half the clip's longer side takes."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sample:
    """The model at some points; the first axis is that of layers, objects first and the background last."""

    uv: Float[Tensor, "L N 2"]
    colour: Float[Tensor, "L N 3"]
    """Of the texture, 0…1."""
    residual: Float[Tensor, "L N 3"]
    """Light; see ``shaded``."""
    shaded: Float[Tensor, "L N 3"]
    """Colour under its light."""
    alpha: Float[Tensor, "L N"]
    """Share of each layer in the picture; sums to 1."""

    @property
    def composite(self) -> Float[Tensor, "N 3"]:
        """The picture, not clamped. Source: paper B, Eq. 6."""
        return (self.shaded * self.alpha[..., None]).sum(0)


def layer_shares(raw: Float[Tensor, "K N"], front_to_back: Int[Tensor, "K N"]) -> Float[Tensor, "L N"]:
    """Shares of all layers from the objects' own mattes: each is hidden by those in front of it.

    Args:
        raw: Mattes of the objects by themselves, 0…1.
        front_to_back: Which object is the first, second … from the front, for every point.

    Returns:
        One layer more, the background last, which shows where nobody is.

    Source: paper B, Eq. 1, with the product over the layers in *front* (as printed, over i > n with a_N = 1, every
    object would vanish); the order may change from point to point, ours.

    Example:
        >>> layer_shares(torch.tensor([[0.5], [0.5]]), torch.tensor([[1], [0]])).flatten().tolist()
        [0.25, 0.5, 0.25]
    """
    ordered = raw.gather(0, front_to_back)
    through = torch.cat([torch.ones_like(raw[:1]), (1 - ordered).cumprod(0)])
    shares = torch.zeros_like(raw).scatter(0, front_to_back, ordered * through[:-1])
    return torch.cat([shares, through[-1:]])


class AtlasModel(nn.Module):
    """All that is learned of a clip."""

    order: Tensor
    mask_logits: Tensor | None

    def __init__(
        self,
        extent: Extent,
        starts: Sequence[LayerStart],
        *,
        order: Int[Tensor, "T K"],
        config: NvdConfig,
        mask_logits: Float[Tensor, "K T H W"] | None = None,
    ) -> None:
        """Make a model; what is random comes from torch's global generator.

        Args:
            extent: Of the clip.
            starts: Of the objects, then of the background.
            order: Objects front to back, for every frame.
            config: See ``NvdConfig``.
            mask_logits: Where mattes start, for ``alpha_from_masks``.
        """
        super().__init__()
        self.extent, self.config = extent, config
        self.uv_scales = tuple(one.uv_scale for one in starts)
        self.register_buffer("order", order, persistent=False)
        self.register_buffer("mask_logits", mask_logits if config.alpha_from_masks else None, persistent=False)
        self.mappings, self.textures, self.residuals = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        frames = extent.n_frames
        for index, start in enumerate(starts):
            side = 2 * extent.half / start.uv_scale
            if config.mapping == "network":
                self.mappings.append(MappingNetwork(extent))
            else:
                free = config.background_warps or index + 1 < len(starts)
                self.mappings.append(
                    WarpMapping(
                        extent,
                        start.uv_from_pixel,
                        grid=config.warp if free else None,
                        rate=config.warp_rate if free else config.mend_rate,
                        affine=free or config.mends_camera,
                    )
                )
            texture = sized_grid(config.texture, n_dims=2, side_px=side, n_frames=frames)
            self.textures.append(Field(texture, 2, 3))
            light = config.residual_background if index + 1 == len(starts) else None
            residual = sized_grid(light or config.residual, n_dims=3, side_px=side, n_frames=frames)
            self.residuals.append(Field(residual, 3, 3, starts_at=0.0 if config.positive == "exp" else None))
        alpha = sized_grid(config.alpha, n_dims=3, side_px=2 * extent.half, n_frames=frames)
        self.alpha = Field(alpha, 3, self.n_objects, starts_at=0.0 if config.alpha_from_masks else None)

    @property
    def n_objects(self) -> int:
        """Layers in front of the background."""
        return self.order.shape[1]

    @property
    def n_layers(self) -> int:
        """Objects and the background, which is last."""
        return len(self.mappings)

    def uv(self, points: Float[Tensor, "N 3"], layer: int) -> Float[Tensor, "N 2"]:
        """Atlas coordinates. Source: paper B, Eq. 3."""
        return self.mappings[layer](points)

    def follows_flow(self, layer: int) -> bool:
        """Whether a layer's mapping is learned from flow; a known camera path is mended by the picture alone."""
        mapping = self.mappings[layer]
        return not isinstance(mapping, WarpMapping) or mapping.warp is not None

    def colour(self, uv: Float[Tensor, "N 2"], layer: int) -> Float[Tensor, "N 3"]:
        """Texture, 0…1. Source: paper B, Eq. 4."""
        return torch.sigmoid(2 * self.textures[layer](uv))  # (tanh + 1) / 2

    def light(self, uv: Float[Tensor, "N 2"], frame: Float[Tensor, " N"], layer: int) -> Float[Tensor, "N 3"]:
        """Residual at atlas coordinates and frame numbers: factors above 0, or −1…1 where it is additive.

        No gradient reaches ``uv``: a residual that moved the mapping would explain with motion what is light.

        Source: paper B, Eq. 4 and Appendix C.
        """
        if self.config.residual_kind == "none":
            return torch.ones_like(uv[:, :1]).expand(-1, 3)
        time = frame / (self.extent.n_frames / 2) - 1
        raw = self.config.light_rate * self.residuals[layer](torch.cat([uv.detach(), time[:, None]], 1))
        if self.config.residual_kind == "additive":
            return torch.tanh(raw)
        return raw.clamp(-8, 8).exp() if self.config.positive == "exp" else F.softplus(raw)

    def shaded(self, colour: Float[Tensor, "*B 3"], light: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 3"]:
        """Colour under light; a product, but for the additive ablation."""
        return colour + light if self.config.residual_kind == "additive" else colour * light

    def raw_alpha(self, points: Float[Tensor, "N 3"]) -> Float[Tensor, "K N"]:
        """Mattes of the objects by themselves, 0…1. Source: paper B, Eq. 5."""
        logits = 2 * self.alpha(self.extent.normalised(points)).T
        if self.mask_logits is not None:
            logits = logits + sampled(self.mask_logits, points)
        return torch.sigmoid(logits)

    def alphas(self, points: Float[Tensor, "N 3"]) -> Float[Tensor, "L N"]:
        """Shares of all layers, away from 0 and 1. Source: paper B, Eq. 1."""
        frame = points[:, 2].round().long().clamp(0, self.extent.n_frames - 1)
        shares = layer_shares(self.raw_alpha(points), self.order[frame].T)
        return shares.clamp(LEAST_ALPHA, 1 - LEAST_ALPHA)

    def forward(self, points: Float[Tensor, "N 3"]) -> Sample:
        """The whole model at points ``(x, y, t)``."""
        uv = torch.stack([self.uv(points, n) for n in range(self.n_layers)])
        colour = torch.stack([self.colour(uv[n], n) for n in range(self.n_layers)])
        light = torch.stack([self.light(uv[n], points[:, 2], n) for n in range(self.n_layers)])
        return Sample(
            uv=uv,
            colour=colour,
            residual=light,
            shaded=self.shaded(colour, light),
            alpha=self.alphas(points),
        )


def sampled(volume: Float[Tensor, "K T H W"], points: Float[Tensor, "N 3"]) -> Float[Tensor, "K N"]:
    """Values between pixels, bilinear, of whole frames; beyond the border the nearest pixel's."""
    _, n_frames, height, width = volume.shape
    frame = points[:, 2].round().long().clamp(0, n_frames - 1)
    x, y = points[:, 0].clamp(0, width - 1), points[:, 1].clamp(0, height - 1)
    left, top = x.long().clamp(max=max(width - 2, 0)), y.long().clamp(max=max(height - 2, 0))
    right, bottom = (left + 1).clamp(max=width - 1), (top + 1).clamp(max=height - 1)
    across, down = x - left, y - top
    values = volume.flatten(1)
    above, under = (frame * height + top) * width, (frame * height + bottom) * width
    upper = values[:, above + left] * (1 - across) + values[:, above + right] * across
    lower = values[:, under + left] * (1 - across) + values[:, under + right] * across
    return upper * (1 - down) + lower * down
