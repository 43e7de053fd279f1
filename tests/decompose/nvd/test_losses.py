from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from polytempo.decompose.nvd.losses import (
    alpha_regulariser,
    bootstrap_loss,
    colour_loss,
    consistency_loss,
    flow_alpha_loss,
    flow_mapping_loss,
    gradient_loss,
    hidden_light_loss,
    lasting_light_loss,
    out_of_view,
    residual_regulariser,
    rigidity_loss,
    sparsity_loss,
)

seeds = st.integers(0, 2**31)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_colour_loss_sums_channels_and_averages_points() -> None:
    truth = random(5, 3)
    assert colour_loss(truth, truth).item() == 0
    assert colour_loss(truth + 0.1, truth).item() == pytest.approx(3 * 0.01)


def test_gradient_loss_sees_differences_and_no_offset() -> None:
    picture = random(7, 3)
    true_x, true_y = random(7, 3, seed=1), random(7, 3, seed=2)
    right, below = picture + true_x, picture + true_y
    assert gradient_loss(picture, right, below, true_x=true_x, true_y=true_y).item() == pytest.approx(0, abs=1e-12)
    brighter = gradient_loss(picture + 0.3, right + 0.3, below + 0.3, true_x=true_x, true_y=true_y)
    assert brighter.item() == pytest.approx(0, abs=1e-12)
    steeper = gradient_loss(picture, right + 0.1, below + 0.2, true_x=true_x, true_y=true_y)
    assert steeper.item() == pytest.approx(3 * (0.01 + 0.04))


def test_sparsity_asks_for_black_only_where_an_object_is_not_seen() -> None:
    colour = torch.full((2, 1, 3), 0.5)
    assert sparsity_loss(colour, torch.ones(2, 1)).item() == 0
    assert sparsity_loss(torch.zeros(2, 1, 3), torch.zeros(2, 1)).item() == 0
    # Half seen: ((1 - 0.5)·0.5)² over three channels, of each of two objects.
    assert sparsity_loss(colour, torch.full((2, 1), 0.5)).item() == pytest.approx(2 * 3 * 0.0625)


def test_flow_mapping_loss_is_a_distance_in_pixels_of_what_is_seen() -> None:
    uv = random(2, 4, 2)
    moved = uv + torch.tensor([0.03, 0.04])
    alpha = torch.tensor([[1.0], [0.5]]).expand(2, 4)
    units = torch.tensor([100.0, 10.0])
    # 0.05 UV units are 5 pixels of the first layer and half a pixel of the second, half of which is seen.
    assert flow_mapping_loss(uv, moved, alpha, pixels_a_unit=units).item() == pytest.approx(5.25)
    assert flow_mapping_loss(uv, uv, alpha, pixels_a_unit=units).item() == 0


def test_flow_that_holds_nowhere_costs_nothing() -> None:
    none = torch.zeros(2, 0, 2, requires_grad=True)
    loss = flow_mapping_loss(none, none, torch.zeros(2, 0), pixels_a_unit=torch.ones(2))
    assert (loss.item(), flow_alpha_loss(torch.zeros(2, 0), torch.zeros(2, 0)).item()) == (0, 0)


def test_flow_alpha_loss_is_the_mean_change_of_shares() -> None:
    a = torch.tensor([[0.2, 0.9], [0.8, 0.1]])
    assert flow_alpha_loss(a, a).item() == 0
    assert flow_alpha_loss(a, torch.tensor([[0.3, 0.9], [0.7, 0.1]])).item() == pytest.approx(0.05)


def test_bootstrap_is_the_cross_entropy_of_every_layer() -> None:
    masks = torch.tensor([[1.0, 0.0]])
    alpha = torch.tensor([[0.8, 0.4], [0.2, 0.6]])
    expected = -(2 * math.log(0.8) + 2 * math.log(0.6)) / 4
    assert bootstrap_loss(alpha, masks).item() == pytest.approx(expected)


@given(seed=seeds)
def test_bootstrap_is_least_at_the_masks(seed: int) -> None:
    alpha = random(2, 6, seed=seed).clamp(0.01, 0.99)
    hard = (random(1, 6, seed=seed + 1) > 0.5).double()
    target = torch.cat([hard, 1 - hard])
    assert bootstrap_loss(target * 0.98 + 0.01, hard) <= bootstrap_loss(alpha, hard) + 1e-9


@given(angle=st.floats(-3.1, 3.1), shift=st.floats(-5, 5))
def test_turning_and_shifting_is_rigid(angle: float, shift: float) -> None:
    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]], dtype=torch.float64)
    points = 50 * random(9, 2)

    def uv(points: Tensor) -> Tensor:
        return (points @ turn.T + shift) / 40

    for step in (1.0, 100.0):
        left, above = (points - torch.tensor(one) for one in ((step, 0.0), (0.0, step)))
        loss = rigidity_loss(uv(points), uv(left), uv(above), step_px=step, pixels_a_unit=40.0)
        assert loss.item() == pytest.approx(2 * math.sqrt(2), abs=5e-3)


@given(stretch=st.floats(0.2, 5))
def test_stretching_and_squeezing_costs_more(stretch: float) -> None:
    uv = torch.zeros(1, 2, dtype=torch.float64)
    loss = rigidity_loss(
        uv, -torch.tensor([[stretch, 0.0]]), -torch.tensor([[0.0, 1.0]]), step_px=1.0, pixels_a_unit=1.0
    )
    a, b = stretch**2, 1.0
    expected = math.hypot(a, b) + math.hypot(1 / (a + 1e-3), 1 / (b + 1e-3))
    assert loss.item() == pytest.approx(expected, rel=1e-6)
    assert loss.item() >= 2 * math.sqrt(2) - 5e-3


def test_residual_regulariser_pulls_to_one_or_to_nothing() -> None:
    light = torch.full((2, 4, 3), 1.5)
    assert residual_regulariser(light).item() == pytest.approx(2 * 0.25)
    assert residual_regulariser(light * 0, neutral=0.0).item() == 0


def test_alpha_regulariser_wants_one_layer_a_pixel() -> None:
    assert alpha_regulariser(torch.tensor([[1.0], [1e-5]])).item() == 0
    assert alpha_regulariser(torch.tensor([[0.5], [0.5]])).item() == pytest.approx(math.log(2))


@given(seed=seeds, gain=st.floats(0.2, 3), lift=st.floats(-1, 1))
@settings(max_examples=30)
def test_light_of_another_strength_is_consistent(seed: int, gain: float, lift: float) -> None:
    """Correlation sees neither gain nor offset; only the variance of what is unseen costs."""
    seen = random(4, 9, 3, seed=seed)
    other = gain * seen + lift
    variance = other.var(1, unbiased=True).mean().item()
    assert consistency_loss(seen, other).item() == pytest.approx(16 * variance, rel=1e-4, abs=1e-5)
    against = consistency_loss(seen, -other, variance_weight=0.0).item()
    assert against == pytest.approx(2, abs=1e-4)


def test_only_the_unseen_learns() -> None:
    seen, other = random(3, 9, 3).requires_grad_(), random(3, 9, 3, seed=1).requires_grad_()
    consistency_loss(seen, other).backward()
    assert seen.grad is None
    assert other.grad is not None
    assert other.grad.abs().sum() > 0
    flat = torch.ones(3, 9, 3, dtype=torch.float64, requires_grad=True)
    consistency_loss(seen, flat).backward()
    assert flat.grad is not None
    assert flat.grad.isfinite().all()
    assert consistency_loss(seen[:0], other[:0]).item() == 0


@given(seed=seeds, lift=st.floats(-0.5, 0.5), n_times=st.integers(2, 4))
@settings(max_examples=20)
def test_lasting_light_costs_and_changing_light_does_not(seed: int, lift: float, n_times: int) -> None:
    """Over all draws of times the loss is the square of the mean departure, whatever the changes."""
    changes = random(4, 3, seed=seed)
    light = 1 + lift + changes - changes.mean(0)
    drawn = light[torch.tensor(list(product(range(4), repeat=n_times)))]
    assert lasting_light_loss(drawn).item() == pytest.approx(3 * lift**2, abs=1e-9)
    assert lasting_light_loss(drawn - 1, neutral=0.0).item() == pytest.approx(3 * lift**2, abs=1e-9)


def test_the_light_of_two_times_is_lasting_as_far_as_they_share_it() -> None:
    assert lasting_light_loss(torch.tensor([[[1.5, 1.0, 2.0], [1.2, 7.0, 0.0]]])).item() == pytest.approx(0.1 - 1.0)


def test_hidden_light_is_drawn_to_what_is_around_it() -> None:
    light, around = random(5, 3).requires_grad_(), random(5, 3, seed=1).requires_grad_()
    assert hidden_light_loss(light, light).item() == 0
    assert hidden_light_loss(light + 0.1, light).item() == pytest.approx(3 * 0.01)
    hidden_light_loss(light, around).backward()
    assert around.grad is None  # what is seen does not follow what is not
    assert light.grad is not None
    assert torch.allclose(light.grad, 2 * (light - around).detach() / 5)


def test_what_left_over_a_border_is_out_of_view() -> None:
    # The camera moved to the right: the left border now shows places further right, so a place seen there is gone;
    # the right border shows new places, and one seen there is still in view.
    seen, border = torch.tensor([[0.1, 0.0]]).expand(4, 2), torch.tensor([[0.2, -0.1]]).expand(4, 2)
    axis, outward = torch.tensor([0, 0, 1, 1]), torch.tensor([-1.0, 1.0, -1.0, 1.0])
    assert out_of_view(seen, border, axis=axis, outward=outward).tolist() == [True, False, False, True]


FIXED = random(3, 4, 3, seed=12)


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: colour_loss(x[0], x[1]),
        lambda x: gradient_loss(x[0], x[1], x[2], true_x=FIXED[0, :4], true_y=FIXED[1, :4]),
        lambda x: sparsity_loss(x, x[..., 0]),
        lambda x: flow_mapping_loss(x[:2, :, :2], x[1:, :, :2], x[:2, :, 2], pixels_a_unit=torch.tensor([3.0, 2.0])),
        lambda x: rigidity_loss(x[0, :, :2], x[1, :, :2], x[2, :, :2], step_px=1.0, pixels_a_unit=1.3),
        lambda x: residual_regulariser(x),
        lambda x: alpha_regulariser(x[..., 0]),
        lambda x: bootstrap_loss(0.5 + 0.4 * torch.sin(x[..., 0]), torch.tensor([[0.0, 1.0, 1.0, 0.0]] * 2).double()),
        lambda x: consistency_loss(FIXED[:3, :4], x),
        lambda x: hidden_light_loss(x[0], FIXED[1, :4]),
        lambda x: lasting_light_loss(x),
    ],
)
def test_gradients_are_those_of_finite_differences(loss: Callable[[Tensor], Tensor]) -> None:
    x = random(3, 4, 3, seed=11).requires_grad_()
    assert torch.autograd.gradcheck(loss, (x,))
