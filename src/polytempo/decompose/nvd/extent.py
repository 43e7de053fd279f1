"""The box of space and time that a clip fills, and its coordinates for networks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, kw_only=True, slots=True)
class Extent:
    """Size of a clip at working size. Points are ``(x, y, t)``: pixels, centres at whole numbers, and frame number."""

    width: int
    height: int
    n_frames: int

    @property
    def half(self) -> float:
        """Pixels in a unit of normalised space: half the longer side, for both axes."""
        return max(self.width, self.height) / 2

    def normalised(self, points: Float[Tensor, "N 3"]) -> Float[Tensor, "N 3"]:
        """Points in −1…1: space by the longer side, so that pixels stay square; time by the number of frames.

        Example:
            >>> corners = torch.tensor([[0.0, 0.0, 0.0], [8.0, 4.0, 1.0]])
            >>> Extent(width=8, height=4, n_frames=2).normalised(corners).tolist()
            [[-1.0, -1.0, -1.0], [1.0, 0.0, 0.0]]
        """
        return points / points.new_tensor([self.half, self.half, self.n_frames / 2]) - 1

    def frame_points(self, frame: int) -> Float[Tensor, "N 3"]:
        """All pixels of a frame, row by row."""
        y, x = torch.meshgrid(torch.arange(self.height), torch.arange(self.width), indexing="ij")
        return torch.stack([x, y, torch.full_like(x, frame)], -1).reshape(-1, 3).float()


def unit(values: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
    """From −1…1 to the 0…1 that encodings take."""
    return (values + 1) / 2
