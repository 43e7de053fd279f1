"""Detail transfer: the composite becomes the frame."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from polytempo.core.errors import InputError, ShapeError
from polytempo.layers.detail import transfer_detail
from polytempo.layers.over import composite, premultiplied


def drawn_stack(seed: int, n_layers: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    straight = torch.rand(n_layers, 4, 6, 7, generator=generator, dtype=torch.float64)
    straight[0, 3] = 1
    frame = torch.rand(3, 6, 7, generator=generator, dtype=torch.float64)
    return premultiplied(straight), frame


@given(seed=st.integers(0, 2**31), n_layers=st.integers(2, 5))
@settings(max_examples=30, deadline=None)
def test_with_the_background_the_composite_is_the_frame(seed: int, n_layers: int) -> None:
    layers, frame = drawn_stack(seed, n_layers)
    moved = transfer_detail(layers, frame, into_background=True, clamp=False)
    torch.testing.assert_close(composite(moved)[:3], frame)
    assert torch.equal(moved[:, 3], layers[:, 3])


@given(seed=st.integers(0, 2**31), n_layers=st.integers(2, 5))
@settings(max_examples=30, deadline=None)
def test_without_it_the_composite_is_the_frame_wherever_layers_are(seed: int, n_layers: int) -> None:
    layers, frame = drawn_stack(seed, n_layers)
    layers = torch.cat([layers[:1], premultiplied(layers[1:].clamp(0.35, 1))])
    moved = transfer_detail(layers, frame, clamp=False)
    torch.testing.assert_close(composite(moved)[:3], frame)
    assert torch.equal(moved[0], layers[0])


def test_the_opaque_front_layer_becomes_the_frame_and_the_hidden_one_stays() -> None:
    layers, frame = drawn_stack(1)
    layers[2, 3] = 1
    moved = transfer_detail(layers, frame)
    torch.testing.assert_close(moved[2, :3], frame)
    assert torch.equal(moved[1], layers[1])


def test_shares_by_hand() -> None:
    # Plate 0.5, a layer of alpha 0.8 behind one of alpha 0.5, all grey 0.5: composite 0.5; frame 0.6, residual 0.1.
    layers = torch.zeros(3, 4, 1, 1, dtype=torch.float64)
    layers[:, 3, 0, 0] = torch.tensor([1.0, 0.8, 0.5])
    layers[:, :3] = 0.5 * layers[:, 3:4]
    moved = transfer_detail(layers, torch.full((3, 1, 1), 0.6, dtype=torch.float64))
    shown = 0.8 * 0.5 * 0.5 + 0.5  # paper A recovers only this much of the residual
    assert moved[1, 0].item() == pytest.approx(0.4 + 0.8 * 0.5 / shown * 0.1)
    assert moved[2, 0].item() == pytest.approx(0.25 + 0.5 / shown * 0.1)
    assert composite(moved)[0].item() == pytest.approx(0.6)


def test_the_transfer_fades_out_with_alpha() -> None:
    layers, frame = drawn_stack(2, 2)
    layers[1] = 0
    assert torch.equal(transfer_detail(layers, frame), layers)
    layers[1, 3] = 0.01
    change = transfer_detail(layers, frame, clamp=False)[1, :3] - layers[1, :3]
    residual = frame - composite(layers)[:3]
    torch.testing.assert_close(change, 0.1 * residual)


def test_colours_stay_in_range_unless_told() -> None:
    layers, frame = drawn_stack(3)
    moved = transfer_detail(layers, frame)
    assert moved.min() >= 0
    assert moved.max() <= 1


@pytest.mark.refusal
def test_sizes_that_differ_are_refused() -> None:
    layers, frame = drawn_stack(4)
    with pytest.raises(ShapeError, match=r"frame \[3, H, W\] of the same size must come in"):
        transfer_detail(layers, frame[:, :3])
    with pytest.raises(ShapeError, match="at least one layer"):
        transfer_detail(layers[:1], frame)
    with pytest.raises(InputError, match="full_from must be above 0; got 0"):
        transfer_detail(layers, frame, full_from=0)
