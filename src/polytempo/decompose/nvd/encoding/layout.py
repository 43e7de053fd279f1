"""Where the values of a multi-resolution hash grid lie: numbers that all implementations share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from polytempo.core.errors import InputError

PRIMES = (1, 2654435761, 805459861)
"""Factors of the coordinates in the hash."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GridConfig:
    """A multi-resolution grid; the defaults are those of paper B's released system (the paper prints none)."""

    n_levels: int = 16
    """Grids, coarse to fine."""
    n_features: int = 2
    """Values at a vertex of a level."""
    base: float = 16.0
    """Vertices along an axis of the coarsest level."""
    growth: float = 1.25
    """Factor from one level's resolution to the next."""
    log2_entries: int = 15
    """A level has at most two to this power entries; finer levels share them by hashing."""
    aspect: tuple[float, ...] = ()
    """Resolution of each axis relative to ``base``; empty for the same along all."""

    def __post_init__(self) -> None:
        """Refuse a grid that cannot be built.

        Raises:
            InputError: a number is out of its range.
        """
        for name, value, low, high in (
            ("n_levels", self.n_levels, 1, 32),
            ("n_features", self.n_features, 1, 16),
            ("base", self.base, 1.5, 4096),
            ("growth", self.growth, 1, 4),
            ("log2_entries", self.log2_entries, 3, 24),
            *(("aspect", one, 1e-3, 1e3) for one in self.aspect),
        ):
            if not low <= value <= high:
                raise InputError("config", f"nvd.grid.{name} must lie between {low} and {high}", got=str(value))


@dataclass(frozen=True, kw_only=True, slots=True)
class GridLayout:
    """Levels of a grid over ``[0, 1]`` to the power of ``n_dims``.

    Along axis ``d`` of level ``l`` a coordinate x lies at ``scales[l][d]·x + 0.5``, between vertex ⌊·⌋ and the next;
    past the last vertex that one repeats. Vertex ``(i, j, k)`` has entry ``i + j·vertices₀ + k·vertices₀·vertices₁``,
    or where ``hashed`` the exclusive or of the coordinates times ``PRIMES``, modulo the level's entries.
    """

    n_dims: int
    n_features: int
    scales: tuple[tuple[float, ...], ...]
    vertices: tuple[tuple[int, ...], ...]
    entries: tuple[int, ...]
    offsets: tuple[int, ...]
    """First row of a level in the table of all levels."""
    hashed: tuple[bool, ...]

    @property
    def n_levels(self) -> int:
        """Number of levels."""
        return len(self.scales)

    @property
    def n_entries(self) -> int:
        """Rows of the table."""
        return self.offsets[-1] + self.entries[-1]

    @property
    def n_outputs(self) -> int:
        """Channels that a point is encoded in: the levels' features, coarse to fine."""
        return self.n_levels * self.n_features


@lru_cache
def grid_layout(config: GridConfig, n_dims: int) -> GridLayout:
    """Lay a grid out.

    Level ``l`` has the scale ``base · growth^l − 1`` and ⌈scale⌉ + 1 vertices along an axis; its entries are one a
    vertex, rounded up to eight, or ``2^log2_entries`` where that is fewer.

    Args:
        config: See ``GridConfig``.
        n_dims: 1 to 3.

    Raises:
        InputError: there is no grid of so many dimensions, or ``aspect`` names another number of axes.

    Source: paper B, Section 3.6; semantics of Müller et al., Instant Neural Graphics Primitives, Section 3.

    Example:
        >>> layout = grid_layout(GridConfig(), 2)
        >>> [one[0] for one in layout.vertices[:5]], layout.n_entries * layout.n_features
        ([16, 20, 25, 32, 40], 452128)
    """
    aspect = config.aspect or (1.0,) * n_dims
    if not 1 <= n_dims <= len(PRIMES) or len(aspect) != n_dims:
        raise InputError(
            "decompose.nvd.encoding",
            "a grid must have 1 to 3 axes, as many as `aspect` names",
            got=f"{n_dims} axes and {len(aspect)} aspects",
        )
    table = 2**config.log2_entries
    scales: list[tuple[float, ...]] = []
    vertices: list[tuple[int, ...]] = []
    entries: list[int] = []
    hashed: list[bool] = []
    for level in range(config.n_levels):
        scale = tuple(max(config.base * config.growth**level * one - 1, 0.0) for one in aspect)
        along = tuple(math.ceil(one - 1e-9) + 1 for one in scale)
        n = math.prod(along)
        scales.append(scale)
        vertices.append(along)
        hashed.append(n > table)
        entries.append(min(-(-n // 8) * 8, table))
    offsets = [sum(entries[:level]) for level in range(config.n_levels)]
    return GridLayout(
        n_dims=n_dims,
        n_features=config.n_features,
        scales=tuple(scales),
        vertices=tuple(vertices),
        entries=tuple(entries),
        offsets=tuple(offsets),
        hashed=tuple(hashed),
    )
