from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from polytempo.decompose.lnr.losses import (
    alpha_regulariser,
    approximate_l0,
    mask_loss,
    reconstruction_loss,
    trimap_distance,
)


def test_reconstruction_loss_is_the_mean_distance_and_zero_for_equal_pictures() -> None:
    frame = torch.rand(2, 3, 4, 5)
    assert reconstruction_loss(frame, frame).item() == 0
    assert reconstruction_loss(frame + 0.25, frame).item() == pytest.approx(0.25)


def test_trimap_distance_of_the_worked_example() -> None:
    # facts: four pixels 1, five unknown, seven 0; alpha 0.25 everywhere gives 0.375 + 0.125.
    trimap = torch.tensor([1.0] * 4 + [0.5] * 5 + [0.0] * 7).reshape(4, 4)
    assert trimap_distance(trimap, torch.full((4, 4), 0.25)).item() == pytest.approx(0.5)


def test_trimap_distance_ignores_the_unknown_and_balances_the_halves() -> None:
    trimap = torch.tensor([[1.0] + [0.5] * 9 + [0.0] * 90])
    alpha = torch.cat([torch.ones(1), torch.rand(9), torch.zeros(90)])[None]
    assert trimap_distance(trimap, alpha).item() == 0
    assert trimap_distance(trimap, 1 - alpha.round()).item() == pytest.approx(1.0)


def test_an_empty_region_counts_nothing() -> None:
    assert trimap_distance(torch.zeros(3, 3), torch.zeros(3, 3)).item() == 0
    assert trimap_distance(torch.full((3, 3), 0.5), torch.rand(3, 3)).item() == 0


def test_mask_loss_has_the_gradient_of_its_formula() -> None:
    trimaps = torch.tensor([1.0, 1.0, 0.5, 0.0]).reshape(1, 1, 2, 2)
    alphas = torch.full((1, 1, 2, 2), 0.5, requires_grad=True)
    mask_loss(trimaps, alphas).backward()
    assert alphas.grad is not None
    assert torch.allclose(alphas.grad.flatten(), torch.tensor([-0.25, -0.25, 0.0, 0.5]))


@given(st.floats(0, 1), st.floats(0, 1))
def test_approximate_l0_grows_from_zero_to_one(a: float, b: float) -> None:
    low, high = sorted((a, b))
    x = approximate_l0(torch.tensor([low, high]))
    assert 0 <= x[0] <= x[1] < 1


def test_regulariser_prefers_empty_mattes() -> None:
    empty, full = torch.zeros(1, 2, 3, 3), torch.ones(1, 2, 3, 3)
    assert alpha_regulariser(empty, l1_weight=2.0).item() == 0
    assert alpha_regulariser(full, l1_weight=2.0).item() == pytest.approx(2 + 0.98661, abs=1e-4)
    assert alpha_regulariser(full, l1_weight=0.0).item() == pytest.approx(0.98661, abs=1e-4)
