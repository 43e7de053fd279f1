"""*over* and what follows from it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from polytempo.core.errors import InputError, ShapeError
from polytempo.layers.over import composite, composite_alpha, over, premultiplied, transmittance


def drawn_layers(seed: int, *shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return premultiplied(torch.rand(*shape, 4, 5, 6, generator=generator, dtype=torch.float64))


def test_over_shape_and_batch() -> None:
    assert over(drawn_layers(0, 2, 3), drawn_layers(1, 2, 3)).shape == (2, 3, 4, 5, 6)


def test_over_by_hand() -> None:
    front = premultiplied(torch.tensor([1.0, 0.0, 0.5, 0.25]).view(4, 1, 1))
    back = torch.tensor([0.0, 1.0, 0.5, 1.0]).view(4, 1, 1)
    torch.testing.assert_close(over(front, back).flatten(), torch.tensor([0.25, 0.75, 0.5, 1.0]))


@given(seed=st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_over_is_associative(seed: int) -> None:
    a, b, c = drawn_layers(seed, 3)
    torch.testing.assert_close(over(a, over(b, c)), over(over(a, b), c))


@given(seed=st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_nothing_in_front_or_behind_changes_nothing(seed: int) -> None:
    picture = drawn_layers(seed)
    empty = torch.zeros_like(picture)
    torch.testing.assert_close(over(empty, picture), picture)
    torch.testing.assert_close(over(picture, empty), picture)


@given(seed=st.integers(0, 2**31), n_layers=st.integers(1, 5))
@settings(max_examples=20, deadline=None)
def test_composite_alpha_is_the_alpha_of_the_composite(seed: int, n_layers: int) -> None:
    layers = drawn_layers(seed, n_layers)
    torch.testing.assert_close(composite_alpha(layers), composite(layers)[3:4])


@given(seed=st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_composite_is_the_sum_of_what_shines_through(seed: int) -> None:
    layers = drawn_layers(seed, 4)
    torch.testing.assert_close((layers * transmittance(layers)).sum(0), composite(layers))


def test_order_picks_and_arranges() -> None:
    layers = drawn_layers(3, 3)
    torch.testing.assert_close(composite(layers, order=[2, 0]), over(layers[0], layers[2]))


def test_transmittance_of_layers_behind_an_opaque_one_is_zero() -> None:
    layers = drawn_layers(4, 3)
    layers[1, 3] = 1
    assert transmittance(layers)[0].max() == 0
    assert transmittance(layers)[2].min() == 1


def test_composite_is_differentiable() -> None:
    layers = drawn_layers(5, 3)[..., :2, :2].clone().requires_grad_()
    assert torch.autograd.gradcheck(composite, (layers,))
    assert torch.autograd.gradcheck(transmittance, (layers,))


@pytest.mark.refusal
@pytest.mark.parametrize("shape", [(3, 5, 6), (4, 5)])
def test_pictures_without_four_channels_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"front must be RGBA \[\.\.\., 4, H, W\]; got"):
        over(torch.zeros(shape), torch.zeros(shape))


@pytest.mark.refusal
def test_orders_that_name_no_layer_are_refused() -> None:
    layers = drawn_layers(6, 2)
    with pytest.raises(InputError, match="must name layers 0 to 1, each at most once; got \\[0, 2\\]"):
        composite(layers, order=[0, 2])
    with pytest.raises(InputError, match="each at most once"):
        composite(layers, order=[1, 1])
    with pytest.raises(ShapeError, match="at least one layer"):
        composite(layers[:0])
