"""What is learned of a clip, piece by piece: encodings with small networks behind them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from polytempo.decompose.nvd.config import FieldConfig
from polytempo.decompose.nvd.encoding.encode import HashGrid, SineEncoding
from polytempo.decompose.nvd.extent import unit


class Mlp(nn.Sequential):
    """Linear layers with ReLU between them."""

    def __init__(self, n_inputs: int, n_outputs: int, *, n_hidden: int, width: int) -> None:
        """Make ``n_hidden`` layers of ``width`` and one more; torch's default initialisation."""
        sizes = [n_inputs, *[width] * n_hidden, n_outputs]
        layers: list[nn.Module] = []
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), nn.ReLU()]
        super().__init__(*layers[:-1])


class Field(nn.Module):
    """Coordinates in −1…1, encoded and decoded.

    Source: paper B, Section 3.4 and 3.6.
    """

    def __init__(self, config: FieldConfig, n_dims: int, n_outputs: int, *, starts_at: float | None = None) -> None:
        """Make a field.

        Args:
            config: See ``FieldConfig``; its grid as ``sized_grid`` gives it.
            n_dims: Coordinates of a point.
            n_outputs: Values at a point.
            starts_at: Bias of the last layer, where the field is to start out constant.
        """
        super().__init__()
        match config.encoding:
            case "hash":
                # The module draws from torch's generator, which the maker of a model seeds.
                seed = torch.Generator().manual_seed(int(torch.randint(2**62, ()).item()))
                self.encoding: HashGrid | SineEncoding = HashGrid(config.grid, n_dims, generator=seed)
            case "sines":
                self.encoding = SineEncoding(config.n_frequencies, n_dims)
        self.decoder = Mlp(self.encoding.n_outputs, n_outputs, n_hidden=config.n_hidden, width=config.width)
        if starts_at is not None:
            last = self.decoder[-1]
            assert isinstance(last, nn.Linear)
            nn.init.constant_(last.bias, starts_at)

    def forward(self, points: Float[Tensor, "N D"]) -> Float[Tensor, "N C"]:
        """Values before any output function."""
        return self.decoder(self.encoding(unit(points)))


def sized_grid(config: FieldConfig, *, n_dims: int, side_px: float, n_frames: int) -> FieldConfig:
    """The field with its grid fitted to a clip, where ``finest_px`` or ``frames_a_cell`` ask for that.

    Args:
        config: Of a field over two axes of space and perhaps one of time.
        n_dims: 2 or 3.
        side_px: Pixels that the axes of space are long.
        n_frames: Frames that the axis of time is long.

    Example:
        >>> from polytempo.decompose.nvd.encoding.layout import GridConfig
        >>> config = FieldConfig(grid=GridConfig(n_levels=3, growth=2.0), finest_px=2.0, frames_a_cell=1.0)
        >>> sized = sized_grid(config, n_dims=3, side_px=160, n_frames=40).grid
        >>> sized.base, sized.aspect
        (20.0, (1.0, 1.0, 0.5))
    """
    if config.finest_px is None:
        return config
    finest = side_px / config.finest_px
    base = max(finest / config.grid.growth ** (config.grid.n_levels - 1), 1.5)
    aspect: tuple[float, ...] = ()
    if n_dims == 3 and config.frames_a_cell is not None:
        aspect = (1.0, 1.0, max(n_frames / config.frames_a_cell / finest, 1.5 / base))
    return replace(config, grid=replace(config.grid, base=base, aspect=aspect))
