"""From places in the clip to places in an atlas."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from polytempo.decompose.nvd.encoding.encode import HashGrid
from polytempo.decompose.nvd.encoding.layout import GridConfig
from polytempo.decompose.nvd.extent import Extent, unit
from polytempo.decompose.nvd.fields import Mlp


class MappingNetwork(nn.Module):
    """A plain network of raw coordinates: mappings are expected to be smooth.

    Source: paper B, Eq. 3.
    """

    def __init__(self, extent: Extent) -> None:
        """Make the network; three hidden layers of 256, as released."""
        super().__init__()
        self.extent = extent
        self.network = Mlp(3, 2, n_hidden=3, width=256)

    def forward(self, points: Float[Tensor, "N 3"]) -> Float[Tensor, "N 2"]:
        """UV in −1…1 of points ``(x, y, t)`` in pixels and frames."""
        return torch.tanh(self.network(self.extent.normalised(points)))


class WarpMapping(nn.Module):
    """Known motion, with an affine change a frame and a smooth warp learned over it.

    Source: ours, decision 0021.
    """

    uv_from_pixel: Tensor

    def __init__(
        self,
        extent: Extent,
        uv_from_pixel: Float[Tensor, "T 3 3"],
        *,
        grid: GridConfig | None,
        rate: float,
        affine: bool = True,
    ) -> None:
        """Start at ``uv_from_pixel``: a homography a frame from pixels to UV.

        Args:
            extent: Of the clip.
            uv_from_pixel: What is known of the motion.
            grid: Of the warp; None for none.
            rate: UV units that a value of 1 in the warp's grid stands for.
            affine: Whether an affine change is learned; without it and a warp, nothing is.
        """
        super().__init__()
        self.extent = extent
        self.rate = rate
        self.register_buffer("uv_from_pixel", uv_from_pixel.float(), persistent=False)
        self.affine = nn.Parameter(torch.zeros(extent.n_frames, 6)) if affine else None
        self.warp = None
        if grid is not None:
            seed = torch.Generator().manual_seed(int(torch.randint(2**62, ()).item()))
            self.warp = HashGrid(grid, 3, generator=seed)

    def forward(self, points: Float[Tensor, "N 3"]) -> Float[Tensor, "N 2"]:
        """UV of points ``(x, y, t)``; beyond −1…1 where a point lies off the atlas."""
        frame = points[:, 2].round().long().clamp(0, self.extent.n_frames - 1)
        x, y = points[:, :1], points[:, 1:2]
        to_uv = self.uv_from_pixel.flatten(1).index_select(0, frame)  # sums by hand: products of tiny matrices are slow
        homogeneous = to_uv[:, 0::3] * x + to_uv[:, 1::3] * y + to_uv[:, 2::3]
        known = homogeneous[:, :2] / homogeneous[:, 2:]
        if self.affine is None:
            return known
        normalised = self.extent.normalised(points)
        change = self.affine.index_select(0, frame)
        moved = change[:, :2] * normalised[:, :1] + change[:, 2:4] * normalised[:, 1:2] + change[:, 4:]
        if self.warp is not None:
            about = torch.cat([known.clamp(-1, 1), normalised[:, 2:]], 1)  # fine where the layer is, not the frame
            moved = moved + self.warp(unit(about)).view(len(points), -1, 2).sum(1)
        return known + self.rate * moved
