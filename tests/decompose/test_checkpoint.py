from __future__ import annotations

from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from polytempo.core.errors import VersionError
from polytempo.decompose.checkpoint import TrainState, load_state, save_state


def _trained(seed: int) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Conv2d(2, 4, 3), nn.GroupNorm(2, 4))
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(3):
        optimiser.zero_grad()
        model(torch.rand(1, 2, 5, 5)).square().sum().backward()
        optimiser.step()
    return model, optimiser


STATE = TrainState(key="abc", step=3, facts={"rate": 0.5})


def test_model_and_moments_come_back_bit_for_bit(tmp_path: Path) -> None:
    model, optimiser = _trained(0)
    save_state(tmp_path / "a.safetensors", STATE, model, optimiser)
    other, fresh = _trained(1)
    assert load_state(tmp_path / "a.safetensors", "abc", other, fresh) == STATE
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))
    x = torch.rand(1, 2, 5, 5)
    for m, o in ((model, optimiser), (other, fresh)):
        o.zero_grad()
        m(x).square().sum().backward()
        o.step()
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))


def test_no_state_for_another_key_a_missing_or_a_damaged_file(tmp_path: Path) -> None:
    model, optimiser = _trained(0)
    path = tmp_path / "a.safetensors"
    assert load_state(path, "abc", model, optimiser) is None
    save_state(path, STATE, model, optimiser)
    assert load_state(path, "other", model, optimiser) is None
    path.write_bytes(path.read_bytes()[:200])
    assert load_state(path, "abc", model, optimiser) is None


@pytest.mark.refusal
def test_a_newer_state_is_refused(tmp_path: Path) -> None:
    model, optimiser = _trained(0)
    path = tmp_path / "a.safetensors"
    path.write_bytes(safetensors.torch.save({"x": torch.zeros(1)}, metadata={"version": "99"}))
    with pytest.raises(VersionError, match=r"training state must be of version 1 or older; got version 99"):
        load_state(path, "abc", model, optimiser)
