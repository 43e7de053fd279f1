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
N_FEATURES = 64
"""Channels of the last features, which the upsampler sees, too."""
STEP_PX = 32
"""Five halvings: sides inside the network are multiples of this."""
ENCODER = ((64, 2, 1), (128, 2, 1), (256, 2, 1), (256, 2, 1), (256, 2, 1), (256, 1, 2), (256, 1, 2))
"""Rows 1 to 7 of the table: channels, stride, dilation."""
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

    def __init__(self, n_inputs: int = N_INPUTS) -> None:
        """Make a network with torch's default initialisation, from its default generator."""
        super().__init__()
        widths = [n_inputs, *(channels for channels, _, _ in ENCODER)]
        self.down = nn.ModuleList(
            nn.Conv2d(before, channels, 4, stride=stride, dilation=dilation)
            for before, (channels, stride, dilation) in zip(widths, ENCODER, strict=False)
        )
        self.down_norms = nn.ModuleList(nn.BatchNorm2d(channels) for channels, _, _ in ENCODER[1:])
        skips = [ENCODER[row][0] for row in (4, 3, 2, 1, 0)]
        before = [ENCODER[-1][0], *DECODER]
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(a + skip, channels, 4, stride=2)
            for a, skip, channels in zip(before, skips, DECODER, strict=False)
        )
        self.up_norms = nn.ModuleList(nn.BatchNorm2d(channels) for channels in DECODER)
        self.head = nn.Conv2d(DECODER[-1], 4, 4)

    def forward(self, x: Float[Tensor, "B 17 H W"]) -> tuple[Float[Tensor, "B 4 H W"], Float[Tensor, "B 64 H W"]]:
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
        x = F.pad(x, (0, -width % STEP_PX, 0, -height % STEP_PX), mode="replicate")
        skips: list[Tensor] = []
        for row, (conv, (_, stride, dilation)) in enumerate(zip(self.down, ENCODER, strict=True)):
            x = conv(padded(x, stride=stride, dilation=dilation))
            x = F.relu(x) if row == 0 else F.leaky_relu(self.down_norms[row - 1](x), 0.2)
            if row < len(DECODER):
                skips.append(x)
        for conv, norm, skip in zip(self.up, self.up_norms, reversed(skips), strict=True):
            x = conv(torch.cat([x, skip], 1))[..., 1:-1, 1:-1]
            x = F.relu(norm(x))
        features = x[..., :height, :width]
        return torch.tanh(self.head(padded(x, stride=1, dilation=1)))[..., :height, :width], features

    @property
    def _first(self) -> Any:
        return self.down[0]


def padded(x: Tensor, *, stride: int, dilation: int) -> Tensor:
    """Zeros around, so that a 4×4 convolution of this stride and dilation keeps (or just halves) the shape.

    Source: LNR, A.2 ("zero-padding is used to preserve the input shape"); where an odd pixel goes, the released system.
    """
    before, after = (1, 1) if stride == 2 else (3, 3) if dilation == 2 else (1, 2)
    return F.pad(x, (before, after, before, after))
