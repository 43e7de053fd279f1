"""Encodings as modules: the hash grid by whichever implementation suits the device, and sines for comparison."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from polytempo.core.errors import ResourceError, ShapeError
from polytempo.decompose.nvd.encoding.cpu import encode_cpu
from polytempo.decompose.nvd.encoding.layout import GridConfig, GridLayout, grid_layout
from polytempo.decompose.nvd.encoding.reference import encode_reference

Implementation = Literal["reference", "numba", "triton"]
Encode = Callable[[Tensor, Tensor, GridLayout], Tensor]


def implementation_for(device: torch.device) -> Implementation:
    """The fastest implementation that a device has: numba on CPUs, Triton on CUDA, else the reference."""
    if device.type == "cpu":
        return "numba"
    return "triton" if device.type == "cuda" and importlib.util.find_spec("triton") else "reference"


def encoder(implementation: Implementation) -> Encode:
    """An implementation by name.

    Raises:
        ResourceError: Triton is asked for where it is not installed.
    """
    match implementation:
        case "reference":
            return encode_reference
        case "numba":
            return encode_cpu
        case "triton":
            if importlib.util.find_spec("triton") is None:
                raise ResourceError(
                    "decompose.nvd.encoding", "Triton must be installed", got="no package `triton`",
                    todo="Install a CUDA build of torch, which brings it",
                )  # fmt: skip
            from polytempo.decompose.nvd.encoding.gpu import encode_gpu

            return encode_gpu


class HashGrid(nn.Module):
    """Multi-resolution hash grid with learnable values, at first uniform in ±1e-4.

    Source: paper B, Section 3.6.
    """

    def __init__(
        self,
        config: GridConfig,
        n_dims: int,
        *,
        generator: torch.Generator | None = None,
        implementation: Implementation | None = None,
    ) -> None:
        """Make a grid over ``n_dims`` axes, by the device's own implementation where none is named."""
        super().__init__()
        self.layout = grid_layout(config, n_dims)
        self.implementation: Implementation | None = implementation
        shape = (self.layout.n_entries, config.n_features)
        self.table = nn.Parameter(torch.empty(shape).uniform_(-1e-4, 1e-4, generator=generator))

    @property
    def n_outputs(self) -> int:
        """Channels that a point is encoded in."""
        return self.layout.n_outputs

    def forward(self, points: Float[Tensor, "N D"]) -> Float[Tensor, "N C"]:
        """Encode points in 0…1; those outside are taken to the nearest inside.

        Raises:
            ShapeError: the points have another number of coordinates.
        """
        if points.ndim != 2 or points.shape[1] != self.layout.n_dims:
            raise ShapeError(
                "decompose.nvd.encoding",
                f"points must be [N, {self.layout.n_dims}]",
                got=str(list(points.shape)),
            )
        return encoder(self.implementation or implementation_for(points.device))(points, self.table, self.layout)


class SineEncoding(nn.Module):
    """Positional encoding: sine and cosine of ``2^k·π·x`` along every axis; for the ablation of the hash grid.

    Source: paper B, Section 4.6 (Figure 8b); Mildenhall et al., NeRF, Eq. 4.
    """

    def __init__(self, n_frequencies: int, n_dims: int) -> None:
        """Encode with ``n_frequencies`` octaves."""
        super().__init__()
        self.n_outputs = 2 * n_frequencies * n_dims
        self.register_buffer("factors", math.pi * 2.0 ** torch.arange(n_frequencies), persistent=False)

    def forward(self, points: Float[Tensor, "N D"]) -> Float[Tensor, "N C"]:
        """Encode points, given in 0…1 like a grid's and read as −1…1."""
        factors: Tensor = self.get_buffer("factors")
        angles = ((2 * points - 1)[:, None] * factors[:, None]).flatten(1)
        return torch.cat([angles.sin(), angles.cos()], 1)
