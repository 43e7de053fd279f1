from __future__ import annotations

import importlib.util
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from polytempo.core.errors import InputError, ResourceError, ShapeError
from polytempo.decompose.nvd.encoding.cpu import encode_cpu
from polytempo.decompose.nvd.encoding.encode import (
    Encode,
    HashGrid,
    SineEncoding,
    encoder,
    implementation_for,
)
from polytempo.decompose.nvd.encoding.layout import PRIMES, GridConfig, GridLayout, grid_layout
from polytempo.decompose.nvd.encoding.reference import encode_reference

TINY = GridConfig(n_levels=4, base=3, growth=1.9, log2_entries=6)


def random_case(layout: GridLayout, n: int, *, seed: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    points = torch.rand(n, layout.n_dims, generator=generator, dtype=dtype)
    return points, torch.randn(layout.n_entries, layout.n_features, generator=generator, dtype=dtype)


def gradients(encode: Encode, points: Tensor, table: Tensor, layout: GridLayout, up: Tensor) -> list[Tensor]:
    leaves = [points.clone().requires_grad_(), table.clone().requires_grad_()]
    return list(torch.autograd.grad((encode(*leaves, layout) * up).sum(), leaves))


def assert_agree(other: Encode, layout: GridLayout, points: Tensor, table: Tensor) -> None:
    expected = encode_reference(points, table, layout)
    assert torch.allclose(other(points, table, layout), expected, atol=1e-5, rtol=0)
    up = torch.randn(expected.shape, generator=torch.Generator().manual_seed(5)).to(expected)
    theirs, ours = gradients(other, points, table, layout, up), gradients(encode_reference, points, table, layout, up)
    for a, b in zip(theirs, ours, strict=True):
        assert torch.allclose(a, b, atol=1e-4 * float(b.abs().max()) + 1e-7, rtol=0)


def test_the_released_grid_has_the_published_sizes() -> None:
    two, three = (grid_layout(GridConfig(), n) for n in (2, 3))
    sizes = [16, 20, 25, 32, 40, 49, 62, 77, 96, 120, 150, 187, 233, 292, 364, 455]
    assert [one[0] for one in two.vertices] == sizes
    assert [one[2] for one in three.vertices] == sizes
    assert (two.n_entries * 2, three.n_entries * 2) == (452128, 907424)
    assert [two.hashed.index(True), three.hashed.index(True)] == [11, 4]
    assert two.n_outputs == three.n_outputs == 32


def test_a_coarse_level_by_hand() -> None:
    # Base 3: scale 2, vertices at x = -0.25, 0.25, 0.75; the last repeats beyond 0.75.
    layout = grid_layout(GridConfig(n_levels=1, base=3), 1)
    table = torch.tensor([[1.0, 0], [3.0, 0], [7.0, 0], *[[99.0, 99]] * 5])
    points = torch.tensor([[0.0], [0.25], [0.5], [0.75], [1.0], [9.0], [-1.0]])
    for encode in (encode_reference, encode_cpu):
        assert encode(points, table, layout)[:, 0].tolist() == [2.0, 3.0, 5.0, 7.0, 7.0, 7.0, 2.0]


def test_a_hashed_vertex_lies_where_the_hash_says() -> None:
    layout = grid_layout(GridConfig(n_levels=1, base=40, log2_entries=5), 3)
    assert layout.hashed == (True,)
    i, j, k = 7, 11, 30
    row = (i ^ j * PRIMES[1] ^ k * PRIMES[2]) % 32
    table = torch.zeros(32, 2)
    table[row] = 1
    point = (torch.tensor([[float(i), float(j), float(k)]]) - 0.5) / 39
    for encode in (encode_reference, encode_cpu):
        assert encode(point, table, layout)[0, 0].item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("n_dims", [1, 2, 3])
@pytest.mark.parametrize("config", [TINY, GridConfig()])
def test_the_compiled_grid_agrees_with_the_reference(config: GridConfig, n_dims: int) -> None:
    layout = grid_layout(config, n_dims)
    points, table = random_case(layout, 500, seed=n_dims)
    assert_agree(encode_cpu, layout, points * 1.4 - 0.2, table)


@given(seed=st.integers(0, 2**31), n=st.integers(0, 40), n_dims=st.integers(1, 3))
@settings(max_examples=30)
def test_they_agree_whatever_the_grid(seed: int, n: int, n_dims: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    levels, table_bits = (int(torch.randint(a, b, (), generator=generator)) for a, b in ((1, 6), (3, 9)))
    growth, base = 1 + float(torch.rand((), generator=generator)), 2 + 6 * float(torch.rand((), generator=generator))
    aspect = tuple((0.3 + torch.rand(n_dims, generator=generator)).tolist())
    config = GridConfig(n_levels=levels, base=base, growth=growth, log2_entries=table_bits, aspect=aspect)
    layout = grid_layout(config, n_dims)
    points, table = random_case(layout, n, seed=seed)
    assert_agree(encode_cpu, layout, points, table) if n else None
    assert encode_cpu(points, table, layout).shape == (n, layout.n_outputs)


@given(seed=st.integers(0, 2**31), n_dims=st.integers(1, 3))
@settings(max_examples=30)
def test_a_constant_table_encodes_to_that_constant(seed: int, n_dims: int) -> None:
    """Weights of the corners add up to one, wherever a point lies."""
    layout = grid_layout(TINY, n_dims)
    points, table = random_case(layout, 20, seed=seed)
    encoded = encode_cpu(points * 3 - 1, torch.full_like(table, 0.7), layout)
    assert torch.allclose(encoded, torch.tensor(0.7), atol=1e-6)


@given(seed=st.integers(0, 2**31), n_dims=st.integers(1, 3), share=st.floats(-2, 2))
@settings(max_examples=30)
def test_encoding_is_linear_in_the_table(seed: int, n_dims: int, share: float) -> None:
    layout = grid_layout(TINY, n_dims)
    points, table = random_case(layout, 20, seed=seed, dtype=torch.float64)
    other = torch.randn(table.shape, generator=torch.Generator().manual_seed(seed), dtype=table.dtype)
    together = encode_cpu(points, table + share * other, layout)
    apart = encode_cpu(points, table, layout) + share * encode_cpu(points, other, layout)
    assert torch.allclose(together, apart, atol=1e-12)


@pytest.mark.parametrize("encode", [encode_reference, encode_cpu])
@pytest.mark.parametrize("n_dims", [2, 3])
def test_gradients_are_those_of_finite_differences(encode: Encode, n_dims: int) -> None:
    layout = grid_layout(GridConfig(n_levels=2, base=3, growth=1.5, log2_entries=3), n_dims)
    points, table = random_case(layout, 5, seed=1, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda x, values: encode(x, values, layout), (points.requires_grad_(), table.requires_grad_()), eps=1e-7
    )


def test_any_number_of_threads_gives_the_same_bits() -> None:
    layout = grid_layout(GridConfig(n_levels=6), 3)
    points, table = random_case(layout, 9000, seed=2)
    up = torch.randn(9000, layout.n_outputs, generator=torch.Generator().manual_seed(3))
    before = torch.get_num_threads()
    found: list[list[Tensor]] = []
    try:
        for n in (1, 2, 4):
            torch.set_num_threads(n)
            found.append([encode_cpu(points, table, layout), *gradients(encode_cpu, points, table, layout, up)])
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))


def test_only_the_gradients_that_are_wanted_are_found() -> None:
    layout = grid_layout(TINY, 2)
    points, table = random_case(layout, 10, seed=4)
    encode_cpu(points, table.requires_grad_(), layout).sum().backward()
    assert table.grad is not None
    encode_cpu(points.requires_grad_(), table.detach(), layout).sum().backward()
    assert points.grad is not None
    assert points.grad.abs().sum() > 0


def test_what_went_wrong_before_is_not_hidden() -> None:
    layout = grid_layout(TINY, 2)
    points, table = random_case(layout, 3, seed=4)
    points[1, 0] = math.nan
    for encode in (encode_reference, encode_cpu):
        assert encode(points, table, layout).isnan().any(1).tolist() == [False, True, False]


def test_a_grid_learns_a_picture() -> None:
    torch.manual_seed(0)
    grid = HashGrid(GridConfig(n_levels=6, base=4, growth=1.6), 2, generator=torch.Generator().manual_seed(0))
    assert float(grid.table.detach().abs().max()) <= 1e-4
    points = torch.rand(2000, 2)
    wanted = torch.sin(9 * points[:, :1]) * torch.cos(7 * points[:, 1:])
    optimiser = torch.optim.Adam(grid.parameters(), lr=2e-2)
    loss = wanted.mean()
    for _ in range(60):
        optimiser.zero_grad()
        loss = ((grid(points).sum(1, keepdim=True) - wanted) ** 2).mean()
        loss.backward()
        optimiser.step()
    assert loss.item() < 1e-3


def test_sines_of_all_octaves() -> None:
    encoding = SineEncoding(2, 1)
    # 0.75 is read as 0.5: angles π/2 and π.
    expected = torch.tensor([[1.0, 0.0, 0.0, -1.0]])
    assert torch.allclose(encoding(torch.tensor([[0.75]])), expected, atol=1e-6)
    assert SineEncoding(10, 2)(torch.rand(7, 2)).shape == (7, SineEncoding(10, 2).n_outputs)


def test_each_device_has_its_implementation() -> None:
    assert implementation_for(torch.device("cpu")) == "numba"
    assert implementation_for(torch.device("meta")) == "reference"
    assert encoder("numba") is encode_cpu
    assert encoder("reference") is encode_reference


@pytest.mark.refusal
def test_what_cannot_be_encoded_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"points must be \[N, 2\]; got \[4, 3\]"):
        HashGrid(TINY, 2)(torch.rand(4, 3))
    with pytest.raises(InputError, match="1 to 3 axes, as many as `aspect` names; got 4 axes"):
        grid_layout(TINY, 4)
    with pytest.raises(InputError, match=r"nvd.grid.growth must lie between 1 and 4; got 0.5"):
        GridConfig(growth=0.5)


@pytest.mark.skipif(importlib.util.find_spec("triton") is not None, reason="Triton is installed")
def test_triton_is_asked_for_in_vain() -> None:
    with pytest.raises(ResourceError, match="Triton must be installed"):
        encoder("triton")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("n_dims", [1, 2, 3])
@pytest.mark.parametrize("config", [TINY, GridConfig()])
def test_triton_agrees_with_the_reference(config: GridConfig, n_dims: int) -> None:
    from polytempo.decompose.nvd.encoding.gpu import encode_gpu

    layout = grid_layout(config, n_dims)
    points, table = random_case(layout, 5000, seed=n_dims)
    assert_agree(encode_gpu, layout, (points * 1.4 - 0.2).cuda(), table.cuda())


@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="Triton is not installed")
@pytest.mark.skipif(torch.cuda.is_available(), reason="the kernels run on the CUDA device")
@pytest.mark.parametrize("n_dims", [1, 2, 3])
@pytest.mark.parametrize("config", [TINY, GridConfig()])
def test_triton_interpreted_agrees_with_the_reference(
    config: GridConfig, n_dims: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRITON_INTERPRET", "1")  # read when the kernels are made
    from polytempo.decompose.nvd.encoding.gpu import encode_gpu

    layout = grid_layout(config, n_dims)
    points, table = random_case(layout, 300, seed=n_dims)
    assert_agree(encode_gpu, layout, points * 1.4 - 0.2, table)
