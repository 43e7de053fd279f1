"""The hash grid for CPUs: compiled by numba, in as many threads as torch may use, the same bits with any number."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from typing import Any, no_type_check

import numpy as np
import torch
from jaxtyping import Float
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from polytempo.decompose.nvd.encoding.layout import PRIMES, GridLayout

LEAST_SLICE = 2048
"""Points a thread should at least have: below that, handing them over costs more than it saves."""
P1, P2 = PRIMES[1], PRIMES[2]


def encode_cpu(points: Float[Tensor, "N D"], table: Float[Tensor, "E F"], layout: GridLayout) -> Float[Tensor, "N C"]:
    """Encode points; values and first gradients are those of ``encode_reference``.

    Each point is encoded by one thread and each level's gradient summed by one, so no sum depends on their number.
    """
    return _Encode.apply(points, table, layout)  # pyright: ignore[reportReturnType]


class _Encode(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, points: Tensor, table: Tensor, layout: GridLayout) -> Tensor:
        ctx.save_for_backward(points, table)
        ctx.layout = layout
        x, values = _array(points), _array(table)
        numbers = _numbers(layout, x.dtype.name)
        out = np.empty((len(x), layout.n_outputs), x.dtype)
        _in_slices(_encode, (x, values, *numbers), out, len(x), least=LEAST_SLICE)
        return torch.from_numpy(out)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        points, table = ctx.saved_tensors
        layout: GridLayout = ctx.layout
        x, values, up = _array(points), _array(table), _array(grads[0])
        numbers = _numbers(layout, x.dtype.name)
        of_points, of_table = np.zeros_like(x), np.zeros_like(values)
        wanted: tuple[bool, ...] = ctx.needs_input_grad
        if wanted[1]:
            _in_slices(_to_table, (x, up, *numbers), of_table, layout.n_levels, least=1)
        if wanted[0]:
            _in_slices(_to_points, (x, values, up, *numbers), of_points, len(x), least=LEAST_SLICE)
        return (
            torch.from_numpy(of_points) if wanted[0] else None,
            torch.from_numpy(of_table) if wanted[1] else None,
            None,
        )


def _array(tensor: Tensor) -> NDArray[Any]:
    return np.ascontiguousarray(tensor.detach().numpy())


@lru_cache
def _numbers(layout: GridLayout, dtype: str) -> tuple[Any, ...]:
    """What the kernels must know of a grid.

    Axes, corners and features come as tuples: their lengths are part of the type, so that inner loops are unrolled.
    """
    return (
        (0,) * layout.n_dims,
        (0,) * 2**layout.n_dims,
        (0,) * layout.n_features,
        np.array(layout.scales, dtype),
        np.array(layout.vertices, np.int64),
        np.array(layout.entries, np.int64),
        np.array(layout.offsets, np.int64),
        np.array(layout.hashed, np.bool_),
    )


@lru_cache
def _pool(n_threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(n_threads, thread_name_prefix="polytempo-grid")


def _in_slices(kernel: Callable[..., None], given: tuple[Any, ...], out: NDArray[Any], n: int, *, least: int) -> None:
    """Run a kernel on slices of ``range(n)`` side by side; the kernels let go of the interpreter's lock."""
    n_slices = min(torch.get_num_threads(), max(n // least, 1))
    edges = [n * k // n_slices for k in range(n_slices + 1)]
    if n_slices == 1:
        kernel(*given, 0, n, out)
        return
    work = [_pool(n_slices).submit(kernel, *given, a, b, out) for a, b in pairwise(edges)]
    for one in work:
        one.result()


# What follows is compiled; the checked form of a function cannot be.


@njit(nogil=True, inline="always")
@no_type_check
def _place(points, n, axis, scales, vertices, level):
    # Vertices to both sides, and how far it is to the second. A bare number would make everything double.
    zero, one = points.dtype.type(0), points.dtype.type(1)
    x = points[n, axis]
    if x < zero:  # NaN passes, so that what went wrong before is not hidden
        x = zero
    elif x > one:
        x = one
    place = x * scales[level, axis] + points.dtype.type(0.5)
    first = np.int64(place) if place == place else 0
    last = vertices[level, axis] - 1
    return min(first, last), min(first + 1, last), place - points.dtype.type(first)


@njit(nogil=True, inline="always")
@no_type_check
def _places(points, n, axes, scales, vertices, level, mixed):
    # The parts of a row that each axis gives, on both sides, and the shares: plain numbers, which stay in registers.
    zero = points.dtype.type(0)
    i0, i1, x = _place(points, n, 0, scales, vertices, level)
    j0, j1, y, k0, k1, z = 0, 0, zero, 0, 0, zero
    # Products need no wrapping: the entries are a power of two, and low bits depend on low bits alone.
    if len(axes) > 1:
        j0, j1, y = _place(points, n, 1, scales, vertices, level)
        factor = P1 if mixed else vertices[level, 0]
        j0, j1 = j0 * factor, j1 * factor
    if len(axes) > 2:
        k0, k1, z = _place(points, n, 2, scales, vertices, level)
        factor = P2 if mixed else vertices[level, 0] * vertices[level, 1]
        k0, k1 = k0 * factor, k1 * factor
    return i0, i1, x, j0, j1, y, k0, k1, z


@njit(nogil=True, inline="always")
@no_type_check
def _row(corner, i0, i1, j0, j1, k0, k1, mixed, mask):
    i = i1 if corner & 1 else i0
    j = j1 if corner & 2 else j0
    k = k1 if corner & 4 else k0
    return (i ^ j ^ k) & mask if mixed else i + j + k


@njit(nogil=True, inline="always")
@no_type_check
def _along(corner, bit, share, one):
    # Weight of a corner along an axis; an axis that is not there has share 0, and its second side is never asked for.
    return share if corner & bit else one - share


@njit(cache=True, nogil=True)
@no_type_check
def _encode(
    points, table, axes, corners, features, scales, vertices, entries, offsets, hashed, start, stop, out
):  # fmt: skip  # pragma: no cover - compiled
    one = points.dtype.type(1)
    for level in range(len(scales)):
        mask, mixed, first, base = entries[level] - 1, hashed[level], offsets[level], level * len(features)
        for n in range(start, stop):
            i0, i1, x, j0, j1, y, k0, k1, z = _places(points, n, axes, scales, vertices, level, mixed)
            for f in range(len(features)):
                out[n, base + f] = 0
            for c in range(len(corners)):
                weight = _along(c, 1, x, one) * _along(c, 2, y, one) * _along(c, 4, z, one)
                row = first + _row(c, i0, i1, j0, j1, k0, k1, mixed, mask)
                for f in range(len(features)):
                    out[n, base + f] += weight * table[row, f]


@njit(cache=True, nogil=True)
@no_type_check
def _to_table(
    points, up, axes, corners, features, scales, vertices, entries, offsets, hashed, start, stop, out
):  # fmt: skip  # pragma: no cover - compiled
    one = points.dtype.type(1)
    for level in range(start, stop):
        mask, mixed, first, base = entries[level] - 1, hashed[level], offsets[level], level * len(features)
        for n in range(len(points)):
            i0, i1, x, j0, j1, y, k0, k1, z = _places(points, n, axes, scales, vertices, level, mixed)
            for c in range(len(corners)):
                weight = _along(c, 1, x, one) * _along(c, 2, y, one) * _along(c, 4, z, one)
                row = first + _row(c, i0, i1, j0, j1, k0, k1, mixed, mask)
                for f in range(len(features)):
                    out[row, f] += weight * up[n, base + f]


@njit(cache=True, nogil=True)
@no_type_check
def _to_points(
    points, table, up, axes, corners, features, scales, vertices, entries, offsets, hashed, start, stop, out
):  # fmt: skip  # pragma: no cover - compiled
    zero, one = points.dtype.type(0), points.dtype.type(1)
    for level in range(len(scales)):
        mask, mixed, first, base = entries[level] - 1, hashed[level], offsets[level], level * len(features)
        for n in range(start, stop):
            i0, i1, x, j0, j1, y, k0, k1, z = _places(points, n, axes, scales, vertices, level, mixed)
            for c in range(len(corners)):
                row = first + _row(c, i0, i1, j0, j1, k0, k1, mixed, mask)
                value = zero
                for f in range(len(features)):
                    value += table[row, f] * up[n, base + f]
                wx, wy, wz = _along(c, 1, x, one), _along(c, 2, y, one), _along(c, 4, z, one)
                out[n, 0] += (value if c & 1 else -value) * scales[level, 0] * wy * wz
                if len(axes) > 1:
                    out[n, 1] += (value if c & 2 else -value) * scales[level, 1] * wx * wz
                if len(axes) > 2:
                    out[n, 2] += (value if c & 4 else -value) * scales[level, 2] * wx * wy
    for n in range(start, stop):
        for axis in range(len(axes)):
            if points[n, axis] < zero or points[n, axis] > one:
                out[n, axis] = zero
