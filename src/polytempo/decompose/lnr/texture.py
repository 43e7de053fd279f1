"""The neural texture: a learnable picture over the atlas of the background and of every part of every person."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from polytempo.core.errors import InputError

N_CHANNELS = 16
TILE = 16
"""Texels on each side of a tile."""
N_PARTS = 24
"""Tiles of a person; one more, tile 0, is the background's."""


def n_tiles(n_people: int) -> int:
    """Tiles of an atlas for so many people.

    Example:
        >>> n_tiles(2)
        49
    """
    return N_PARTS * n_people + 1


def tile_of(person: int, part: int) -> int:
    """Tile of part 1…24 of person 1…N.

    Example:
        >>> tile_of(1, 1), tile_of(2, 24)
        (1, 48)
    """
    return N_PARTS * (person - 1) + part


class NeuralTexture(nn.Module):
    """One tensor of 16 channels, tiles side by side in one row; starts from a standard normal.

    Source: LNR, A.1 (16 channels, 16×16 a part, 24N + 1 tiles).
    """

    def __init__(self, n_people: int) -> None:
        """Draw the texture from torch's default generator.

        Raises:
            InputError: there is nobody.
        """
        super().__init__()
        if n_people < 1:
            raise InputError("decompose.lnr.texture", "there must be at least one person", got=str(n_people))
        self.n_tiles = n_tiles(n_people)
        self.texels = nn.Parameter(torch.randn(1, N_CHANNELS, TILE, TILE * self.n_tiles))

    def forward(self, tile: Int[Tensor, "B H W"], uv: Float[Tensor, "B 2 H W"]) -> Float[Tensor, "B 16 H W"]:
        """Sample bilinearly at places ``uv`` in 0…1 of tiles.

        U and V reach from the middle of a tile's first texel to that of its last, so that no tile bleeds into its
        neighbour and no border fades; as released, the outermost half texel does both (decision 0018).
        """
        inset = (uv.float() * (TILE - 1) + 0.5) / TILE
        x = (tile + inset[:, 0]) / self.n_tiles
        grid = torch.stack([2 * x - 1, 2 * inset[:, 1] - 1], -1)
        texels = self.texels.expand(len(tile), -1, -1, -1)
        return F.grid_sample(texels, grid.to(texels.dtype), mode="bilinear", padding_mode="zeros", align_corners=False)
