"""The neural renderer of paper A: from the sampled texture of one layer to its colour and alpha."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from polytempo.core.errors import ShapeError

N_INPUTS = 17
"""Sixteen channels of sampled texture and the person's number."""
BASE_CHANNELS = 64
"""Channels of the first row and of the last features, which the upsampler sees, too."""
STEP_PX = 32
"""Five halvings: sides inside the network are multiples of this."""
ENCODER = ((64, 2, 1), (128, 2, 1), (256, 2, 1), (256, 2, 1), (256, 2, 1), (256, 1, 2), (256, 1, 2))
"""Rows 1 to 7 of the table: channels of the paper's width, stride, dilation."""
DECODER = (256, 256, 128, 64, 64)
"""Rows 8 to 12: channels; each sees the features before it and, second, the skip of rows 5, 4, 3, 2, 1."""


class Renderer(nn.Module):
    """A modified pix2pix network, as the released system has it where the paper leaves things open.

    Padding keeps the shape: 1 on each side for stride 2; 1 before and 2 after for 4×4 of stride 1; 3 on each side under
    dilation 2; one pixel cropped from each side after a transposed convolution. Within a row: convolve, normalise,
    activate. The first row has no norm. Biases stay beside batch norms. Sides that are no multiple of 32 are padded at
    the right and below, by repetition, and cropped again.

    Source: LNR, A.2.1. Rows 6 and 7 are dilated by 2 and row 1 is a plain ReLU in the released system; the paper prints
        neither (decision 0018).
    """

    def __init__(self, n_inputs: int = N_INPUTS, *, base_channels: int = BASE_CHANNELS) -> None:
        """Make a network with torch's default initialisation, from its default generator.

        Another ``base_channels`` than the paper's 64 makes every row wider or narrower in proportion.
        """
        super().__init__()
        down = [channels * base_channels // BASE_CHANNELS for channels, _, _ in ENCODER]
        up = [channels * base_channels // BASE_CHANNELS for channels in DECODER]
        widths = [n_inputs, *down]
        self.down = nn.ModuleList(
            nn.Conv2d(before, channels, 4, stride=stride, dilation=dilation, padding=1 if stride == 2 else 3)
            for before, channels, (_, stride, dilation) in zip(widths, down, ENCODER, strict=False)
        )
        self.down_norms = nn.ModuleList(nn.BatchNorm2d(channels) for channels in down[1:])
        skips = [down[row] for row in (4, 3, 2, 1, 0)]
        before = [down[-1], *up]
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(a + skip, channels, 4, stride=2, padding=1)
            for a, skip, channels in zip(before, skips, up, strict=False)
        )
        self.up_norms = nn.ModuleList(nn.BatchNorm2d(channels) for channels in up)
        self.head = nn.Conv2d(up[-1], 4, 4)

    def forward(self, x: Float[Tensor, "B 17 H W"]) -> tuple[Float[Tensor, "B 4 H W"], Float[Tensor, "B F H W"]]:
        """Give straight RGBA, all four in -1…1, and the features before the last row.

        Raises:
            ShapeError: another number of channels.
        """
        if x.ndim != 4 or x.shape[1] != self._first.in_channels:
            raise ShapeError(
                "decompose.lnr.renderer", f"the input must be [B, {self._first.in_channels}, H, W]",
                got=str(tuple(x.shape)),
            )  # fmt: skip
        height, width = x.shape[-2:]
        if width % STEP_PX or height % STEP_PX:
            x = F.pad(x, (0, -width % STEP_PX, 0, -height % STEP_PX), mode="replicate")
        skips: list[Tensor] = []
        for row, conv in enumerate(self.down):
            x = conv(x)
            x = F.relu(x) if row == 0 else F.leaky_relu(self.down_norms[row - 1](x), 0.2)
            if row < len(DECODER):
                skips.append(x)
        for conv, norm, skip in zip(self.up, self.up_norms, reversed(skips), strict=True):
            x = F.relu(norm(conv(torch.cat([x, skip], 1))))
        rgba = torch.tanh(self.head(F.pad(x, (1, 2, 1, 2))))
        return rgba[..., :height, :width], x[..., :height, :width]

    @property
    def _first(self) -> Any:
        return self.down[0]
