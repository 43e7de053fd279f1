"""The hash grid for GPUs, in Triton, which comes with torch's CUDA builds."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, no_type_check

import torch
import triton  # pyright: ignore[reportMissingImports]
import triton.language as tl  # pyright: ignore[reportMissingImports]
from jaxtyping import Float
from torch import Tensor

from polytempo.decompose.nvd.encoding.layout import PRIMES, GridLayout

BLOCK = 128
P1, P2 = tl.constexpr(PRIMES[1]), tl.constexpr(PRIMES[2])


def encode_gpu(points: Float[Tensor, "N D"], table: Float[Tensor, "E F"], layout: GridLayout) -> Float[Tensor, "N C"]:
    """Encode points on a GPU; values and first gradients are those of ``encode_reference``.

    Products and sums are not fused: a rounding error further on may lie the next cell, where the slope is another.
    The gradient of the table is summed by atomic additions, so its last bits depend on their order.
    """
    return _Encode.apply(points, table, layout)  # pyright: ignore[reportReturnType]


class _Encode(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, points: Tensor, table: Tensor, layout: GridLayout) -> Tensor:
        points, table = points.contiguous(), table.contiguous()
        ctx.save_for_backward(points, table)
        ctx.layout = layout
        out = points.new_empty(len(points), layout.n_outputs)
        _launch(_encode, (points, table), out, layout, by_level=True)
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        points, table = ctx.saved_tensors
        layout: GridLayout = ctx.layout
        up = grads[0].contiguous()
        of_points = torch.zeros_like(points) if ctx.needs_input_grad[0] else None
        of_table = torch.zeros_like(table) if ctx.needs_input_grad[1] else None
        if of_table is not None:
            _launch(_to_table, (points, up), of_table, layout, by_level=True)
        if of_points is not None:
            _launch(_to_points, (points, table, up), of_points, layout, by_level=False)
        return of_points, of_table, None


def _launch(kernel: Any, given: tuple[Tensor, ...], out: Tensor, layout: GridLayout, *, by_level: bool) -> None:
    n = len(given[0])
    if n:
        grid = (-(-n // BLOCK), layout.n_levels if by_level else 1)
        sizes = (layout.n_levels, layout.n_dims, layout.n_features, BLOCK)
        kernel[grid](*given, *_numbers(layout, out.device), out, n, *sizes, enable_fp_fusion=False)


@lru_cache
def _numbers(layout: GridLayout, device: torch.device) -> tuple[Tensor, ...]:
    whole = [layout.entries, layout.offsets, tuple(int(one) for one in layout.hashed)]
    return (
        torch.tensor(layout.scales, dtype=torch.float32, device=device),
        torch.tensor(layout.vertices, dtype=torch.int64, device=device),
        *(torch.tensor(one, dtype=torch.int64, device=device) for one in whole),
    )


# What follows is compiled by Triton: `D` axes, `F` features, a block of points a program.


@triton.jit
@no_type_check
def _axis(points, lane, live, scales, vertices, level, axis: tl.constexpr, D: tl.constexpr):
    # Vertices to both sides, how far it is to the second, and whether the point lies inside.
    x = tl.load(points + lane * D + axis, mask=live, other=0.0)
    inside = (x >= 0) & (x <= 1)
    x = tl.where(x < 0, 0.0, tl.where(x > 1, 1.0, x))
    place = x * tl.load(scales + level * D + axis) + 0.5
    first = tl.where(place == place, place, 0.0).to(tl.int64)
    last = tl.load(vertices + level * D + axis) - 1
    return tl.minimum(first, last), tl.minimum(first + 1, last), place - first.to(tl.float32), inside


@triton.jit
@no_type_check
def _places(points, lane, live, scales, vertices, hashed, level, D: tl.constexpr):
    # The parts of a row that each axis gives, on both sides, the shares, and where gradients reach the point.
    i0, i1, x, in_x = _axis(points, lane, live, scales, vertices, level, 0, D)
    j0, j1, y, in_y = i0 * 0, i0 * 0, x * 0, in_x
    k0, k1, z, in_z = i0 * 0, i0 * 0, x * 0, in_x
    mixed = tl.load(hashed + level)
    if D > 1:
        j0, j1, y, in_y = _axis(points, lane, live, scales, vertices, level, 1, D)
        width = tl.load(vertices + level * D)
        factor = tl.where(mixed != 0, P1, width)
        j0, j1 = j0 * factor, j1 * factor
        if D > 2:
            k0, k1, z, in_z = _axis(points, lane, live, scales, vertices, level, 2, D)
            factor = tl.where(mixed != 0, P2, width * tl.load(vertices + level * D + 1))
            k0, k1 = k0 * factor, k1 * factor
    return i0, i1, x, in_x, j0, j1, y, in_y, k0, k1, z, in_z, mixed


@triton.jit
@no_type_check
def _row(i0, i1, j0, j1, k0, k1, mixed, first, mask, corner: tl.constexpr):
    i = i1 if corner & 1 else i0
    j = j1 if corner & 2 else j0
    k = k1 if corner & 4 else k0
    return first + tl.where(mixed != 0, (i ^ j ^ k) & mask, i + j + k)


@triton.jit
@no_type_check
def _along(share, corner: tl.constexpr, bit: tl.constexpr, D: tl.constexpr):
    # Weight of a corner along the axis that `bit` stands for; an axis that is not there has all of it at one side.
    return share if corner & bit else 1.0 - share


@triton.jit
@no_type_check
def _encode(
    points, table, scales, vertices, entries, offsets, hashed, out, n,
    n_levels: tl.constexpr, D: tl.constexpr, F: tl.constexpr, block: tl.constexpr,
):  # fmt: skip
    lane = (tl.program_id(0) * block + tl.arange(0, block)).to(tl.int64)
    level = tl.program_id(1)
    live = lane < n
    i0, i1, x, _a, j0, j1, y, _b, k0, k1, z, _c, mixed = _places(points, lane, live, scales, vertices, hashed, level, D)
    first, mask = tl.load(offsets + level), tl.load(entries + level) - 1
    for f in tl.static_range(F):
        total = x * 0
        for corner in tl.static_range(2**D):
            weight = _along(x, corner, 1, D) * _along(y, corner, 2, D) * _along(z, corner, 4, D)
            row = _row(i0, i1, j0, j1, k0, k1, mixed, first, mask, corner)
            total += weight * tl.load(table + row * F + f, mask=live, other=0.0)
        tl.store(out + lane * (n_levels * F) + level * F + f, total, mask=live)


@triton.jit
@no_type_check
def _to_table(
    points, up, scales, vertices, entries, offsets, hashed, out, n,
    n_levels: tl.constexpr, D: tl.constexpr, F: tl.constexpr, block: tl.constexpr,
):  # fmt: skip
    lane = (tl.program_id(0) * block + tl.arange(0, block)).to(tl.int64)
    level = tl.program_id(1)
    live = lane < n
    i0, i1, x, _a, j0, j1, y, _b, k0, k1, z, _c, mixed = _places(points, lane, live, scales, vertices, hashed, level, D)
    first, mask = tl.load(offsets + level), tl.load(entries + level) - 1
    for f in tl.static_range(F):
        above = tl.load(up + lane * (n_levels * F) + level * F + f, mask=live, other=0.0)
        for corner in tl.static_range(2**D):
            weight = _along(x, corner, 1, D) * _along(y, corner, 2, D) * _along(z, corner, 4, D)
            row = _row(i0, i1, j0, j1, k0, k1, mixed, first, mask, corner)
            tl.atomic_add(out + row * F + f, weight * above, mask=live)


@triton.jit
@no_type_check
def _to_points(
    points, table, up, scales, vertices, entries, offsets, hashed, out, n,
    n_levels: tl.constexpr, D: tl.constexpr, F: tl.constexpr, block: tl.constexpr,
):  # fmt: skip
    lane = (tl.program_id(0) * block + tl.arange(0, block)).to(tl.int64)
    live = lane < n
    of_x = tl.zeros((block,), tl.float32)
    of_y, of_z = of_x, of_x
    for level in range(n_levels):
        i0, i1, x, in_x, j0, j1, y, in_y, k0, k1, z, in_z, mixed = _places(
            points, lane, live, scales, vertices, hashed, level, D
        )
        first, mask = tl.load(offsets + level), tl.load(entries + level) - 1
        for corner in tl.static_range(2**D):
            row = _row(i0, i1, j0, j1, k0, k1, mixed, first, mask, corner)
            value = x * 0
            for f in tl.static_range(F):
                above = tl.load(up + lane * (n_levels * F) + level * F + f, mask=live, other=0.0)
                value += above * tl.load(table + row * F + f, mask=live, other=0.0)
            wx, wy, wz = _along(x, corner, 1, D), _along(y, corner, 2, D), _along(z, corner, 4, D)
            scale = tl.load(scales + level * D)
            of_x += tl.where(in_x, (value if corner & 1 else -value) * scale * wy * wz, 0.0)
            if D > 1:
                scale = tl.load(scales + level * D + 1)
                of_y += tl.where(in_y, (value if corner & 2 else -value) * scale * wx * wz, 0.0)
            if D > 2:
                scale = tl.load(scales + level * D + 2)
                of_z += tl.where(in_z, (value if corner & 4 else -value) * scale * wx * wy, 0.0)
    tl.store(out + lane * D, of_x, mask=live)
    if D > 1:
        tl.store(out + lane * D + 1, of_y, mask=live)
    if D > 2:
        tl.store(out + lane * D + 2, of_z, mask=live)
