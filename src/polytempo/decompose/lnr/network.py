"""The ownership network: from one layer's silhouette to where that layer changes the picture, and how."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

N_INPUTS = 9
DELTA = 0.1
"""Added to the plate before dividing by it, so that a ratio stays finite over black."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnershipConfig:
    """Size of the ownership network."""

    channels: int = 16
    """Channels of the first level; doubled, then quadrupled below. Ours, measured on bench scenes."""
    levels: int = 4
    """Resolution levels; each halves the picture."""
    fold: int = 2
    """Blocks of fold x fold pixels are folded into channels at the door and unfolded at the exit: a third of the
    cost of working at full resolution, for the same maps."""


class OwnershipNetwork(nn.Module):
    """A thin U-Net that sees one layer's silhouette, the pixel's place and the layer's number; never frame or time.

    What correlates with a layer's own input is learned first and by that layer: the principle of paper A (Section 5).
    """

    def __init__(self, config: OwnershipConfig) -> None:
        """Make a network with random weights from torch's default generator."""
        super().__init__()
        self.fold = config.fold
        widths = [config.channels * min(2**level, 4) for level in range(config.levels)]
        entry = N_INPUTS * config.fold**2
        self.down = nn.ModuleList([_block(a, b) for a, b in zip([entry, *widths], widths, strict=False)])
        self.middle = _block(widths[-1], widths[-1])
        self.up = nn.ModuleList(
            [_block(widths[i + 1] + widths[i], widths[i]) for i in reversed(range(len(widths) - 1))]
        )
        self.head = nn.Conv2d(widths[0], 4 * config.fold**2, 3, padding=1)
        assert self.head.bias is not None  # the stubs allow heads without
        nn.init.zeros_(self.head.bias)
        with torch.no_grad():
            self.head.bias[: config.fold**2] = -3.0  # effects are rare: start from "owns nothing"

    def forward(self, x: Float[Tensor, "B 9 h w"]) -> tuple[Float[Tensor, "B h w"], Float[Tensor, "B 3 h w"]]:
        """Give logits of "this layer changes the pixel" and the relative change it makes there.

        The change is relative to the plate: (frame − plate) / (plate + 0.1), per channel.
        """
        height, width = x.shape[-2:]
        step = self.fold * 2 ** (len(self.down) - 1)
        x = F.pad(x, (0, -width % step, 0, -height % step), mode="replicate")
        x = F.pixel_unshuffle(x, self.fold)
        skips: list[Tensor] = []
        for level, block in enumerate(self.down):
            x = block(F.avg_pool2d(x, 2) if level else x)
            skips.append(x)
        x = self.middle(x)
        for block, skip in zip(self.up, reversed(skips[:-1]), strict=True):
            x = block(torch.cat([F.interpolate(x, scale_factor=2.0, mode="nearest"), skip], 1))
        out = F.pixel_shuffle(self.head(x), self.fold)[..., :height, :width]
        return out[:, 0], out[:, 1:]


def silhouette_inputs(
    masks: Bool[np.ndarray, "T H W"],
    *,
    layer_code: float,
    canvas_xy: Float[np.ndarray, "T 2 h w"],
) -> Float[Tensor, "T 9 h w"]:
    """What the network sees of one layer in every frame, at the network's size.

    Channels: silhouette, three blurs of it (near, middle, far), its change over two frames back and ahead, x and y of
    the pixel on the canvas (-1…1), and the layer's number.

    Args:
        masks: Full (amodal) silhouettes of the layer's subjects at working size.
        layer_code: The layer's number scaled into 0…1.
        canvas_xy: Place of each network pixel on the canvas.
    """
    n_frames, _, height, width = canvas_xy.shape
    small = np.stack([cv2.resize(m.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA) for m in masks])
    unit = height / 128  # blurs keep their share of the picture at any network size
    near, middle, far = (
        np.stack([cv2.GaussianBlur(m, (0, 0), sigma * unit) for m in small]) for sigma in (2.0, 6.0, 16.0)
    )
    past = near[np.maximum(np.arange(n_frames) - 2, 0)]
    future = near[np.minimum(np.arange(n_frames) + 2, n_frames - 1)]
    code = np.full_like(small, layer_code)
    stacked = np.stack([small, near, middle, far * 2, (near - past) * 2, (future - near) * 2], 1)
    return torch.from_numpy(np.concatenate([stacked, canvas_xy.astype(np.float32), code[:, None]], 1))


def _block(n_in: int, n_out: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(n_in, n_out, 3, padding=1), nn.GroupNorm(4, n_out), nn.LeakyReLU(0.2))
