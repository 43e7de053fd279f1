"""The upsampling network of paper A: twice the size, as a small residual on the bilinearly enlarged layer."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from polytempo.decompose.lnr.renderer import BASE_CHANNELS
from polytempo.decompose.lnr.texture import N_CHANNELS

WIDTH = 64
RESIDUAL_SCALE = 0.01
"""What the network says is taken times this (released system; the paper prints a plain sum)."""


class Upsampler(nn.Module):
    """3×3 convolutions with instance norm: one, three residual blocks, one without activation.

    Source: LNR, A.2.2.
    """

    def __init__(self, n_features: int = BASE_CHANNELS) -> None:
        """Make a network with torch's default initialisation, from its default generator.

        ``n_features`` are the channels of the renderer's last features.
        """
        super().__init__()
        self.entry = nn.Conv2d(4 + N_CHANNELS + 1 + n_features, WIDTH, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.ModuleList([nn.Conv2d(WIDTH, WIDTH, 3, padding=1), nn.Conv2d(WIDTH, WIDTH, 3, padding=1)])
            for _ in range(3)
        )
        self.head = nn.Conv2d(WIDTH, 4, 3, padding=1)

    def forward(
        self,
        rgba: Float[Tensor, "B 4 H W"],
        texture: Float[Tensor, "B 16 H W"],
        person: Float[Tensor, "B 1 H W"],
        features: Float[Tensor, "B F H W"],
    ) -> Float[Tensor, "B 4 H W"]:
        """Straight RGBA in -1…1 from that of the renderer, enlarged, and what else is known at the large size."""
        x = F.relu(F.instance_norm(self.entry(torch.cat([rgba, texture, person, features], 1))))
        for block in self.blocks:
            first, second = block.children()
            inner = F.relu(F.instance_norm(first(x)))
            x = x + F.instance_norm(second(inner))
        return (rgba + RESIDUAL_SCALE * self.head(x)).clamp(-1, 1)


def doubled(x: Tensor) -> Tensor:
    """Bilinearly enlarged to twice the size."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
