"""The hash grid in plain PyTorch: slow, differentiable any number of times, what the other two are held against."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from polytempo.decompose.nvd.encoding.layout import PRIMES, GridLayout


def encode_reference(
    points: Float[Tensor, "N D"], table: Float[Tensor, "E F"], layout: GridLayout
) -> Float[Tensor, "N C"]:
    """Encode points by multilinear interpolation between the vertices of every level.

    Args:
        points: 0…1; points outside are taken to the nearest one inside, where their gradient is 0.
        table: Values of all levels, one below the other.
        layout: Of the grid.

    Returns:
        Features of the levels, coarse to fine.

    Source: paper B, Section 3.6.
    """
    inside = points.clamp(0, 1)
    out: list[Tensor] = []
    for level in range(layout.n_levels):
        place = inside * inside.new_tensor(layout.scales[level]) + 0.5
        low = place.detach().floor()
        share = place - low  # NaN stays NaN here; as an index it would be anything
        low = low.nan_to_num(0)
        last = torch.tensor(layout.vertices[level], device=points.device) - 1
        corners = torch.stack([low.long().minimum(last), (low.long() + 1).minimum(last)])
        total = points.new_zeros(len(points), layout.n_features)
        for corner in range(2**layout.n_dims):
            sides = [corner >> axis & 1 for axis in range(layout.n_dims)]
            weight = torch.stack(
                [share[:, axis] if side else 1 - share[:, axis] for axis, side in enumerate(sides)]
            ).prod(0)
            vertex = torch.stack([corners[side, :, axis] for axis, side in enumerate(sides)])
            total = total + weight[:, None] * table[_rows(vertex, layout, level)]
        out.append(total)
    return torch.cat(out, 1)


def _rows(vertex: Int[Tensor, "D N"], layout: GridLayout, level: int) -> Int[Tensor, " N"]:
    row = torch.zeros_like(vertex[0])
    stride = 1
    for axis in range(layout.n_dims):
        if layout.hashed[level]:
            row = row ^ vertex[axis] * PRIMES[axis]
        else:
            row = row + vertex[axis] * stride
            stride *= layout.vertices[level][axis]
    return layout.offsets[level] + (row & (layout.entries[level] - 1) if layout.hashed[level] else row)
