from __future__ import annotations

import numpy as np
import pytest
import torch

from polytempo.decompose.lnr.network import N_INPUTS, OwnershipConfig, OwnershipNetwork, silhouette_inputs

SMALL = OwnershipConfig(channels=8, levels=3)


@pytest.mark.parametrize("size", [(32, 48), (33, 47), (18, 20)])
def test_maps_have_the_size_of_the_input_whatever_it_is(size: tuple[int, int]) -> None:
    logits, change = OwnershipNetwork(SMALL)(torch.rand(2, N_INPUTS, *size))
    assert logits.shape == (2, *size)
    assert change.shape == (2, 3, *size)


def test_it_starts_from_owning_nothing_and_every_weight_learns() -> None:
    torch.manual_seed(0)
    model = OwnershipNetwork(SMALL)
    logits, change = model(torch.rand(2, N_INPUTS, 32, 32))
    assert torch.sigmoid(logits).mean() < 0.15
    (logits.square().mean() + change.square().mean()).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_inputs_show_silhouette_motion_place_and_layer() -> None:
    masks = np.zeros((6, 32, 48), bool)
    for t in range(6):
        masks[t, 10:20, 4 + 5 * t : 14 + 5 * t] = True
    xy = np.tile(np.stack(np.meshgrid(np.linspace(-1, 1, 24), np.linspace(-1, 1, 16)))[None], (6, 1, 1, 1))
    x = silhouette_inputs(masks, layer_code=0.5, canvas_xy=xy)
    assert x.shape == (6, N_INPUTS, 16, 24)
    assert x[:, 0].amax() == 1
    assert torch.all(x[:, -1] == 0.5)
    assert torch.allclose(x[0, 6:8], torch.from_numpy(xy[0]).float())
    # It moves to the right: ahead of it the change to come is positive, behind it negative.
    assert x[2, 5, 6, 14:18].mean() > 0 > x[2, 5, 6, 7:9].mean()


def test_a_still_silhouette_has_no_motion() -> None:
    masks = np.zeros((5, 32, 48), bool)
    masks[:, 10:20, 10:20] = True
    x = silhouette_inputs(masks, layer_code=1.0, canvas_xy=np.zeros((5, 2, 16, 24)))
    assert x[:, 4:6].abs().max() == 0
