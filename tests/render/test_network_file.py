"""Networks for slow motion as files: read, tried, used, refused."""

from __future__ import annotations

import warnings
from fractions import Fraction as F
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.export import Dim

from polytempo.core.errors import InputError
from polytempo.edit.operations.picture import interpolate
from polytempo.edit.operations.speed import speed
from polytempo.exchange.layers import instance_frames
from polytempo.render.network_file import network_key, read_interpolator
from polytempo.render.sequence import RenderConfig, configured_interpolator, render_frames
from support.squares import drawn_clip, drawn_stack, edit_of


class Halfway(torch.nn.Module):
    """A network that mixes: real weights, known answer."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = torch.nn.Conv2d(3, 3, 1, bias=False)
        with torch.no_grad():
            self.mix.weight.copy_(torch.eye(3)[..., None, None])

    def forward(self, first: torch.Tensor, second: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
        return self.mix(first) * (1 - share) + self.mix(second) * share


class ByFloat(torch.nn.Module):
    """The same, with a plain number for the share."""

    def forward(self, first: torch.Tensor, second: torch.Tensor, share: float) -> torch.Tensor:
        return first * (1 - share) + second * share


class Small(torch.nn.Module):
    """Answers at half size."""

    def forward(self, first: torch.Tensor, second: torch.Tensor, share: float) -> torch.Tensor:
        return (first + share * second)[..., ::2]


def exported(path: Path, *, dynamic: bool = True) -> Path:
    first, second = torch.rand(2, 1, 3, 64, 96)  # two of them: one given twice is taken for one argument
    sides = {2: Dim.DYNAMIC, 3: Dim.DYNAMIC} if dynamic else None
    share = torch.full((1, 1, 1, 1), 0.5)
    shapes = (sides, sides, None) if dynamic else None
    program = torch.export.export(Halfway().eval(), (first, second, share), dynamic_shapes=shapes)
    torch.export.save(program, path)
    return path


def scripted(network: torch.nn.Module, path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(network).save(str(path))
    return path


@pytest.fixture(params=["net.pt2", "net.pt", "net.ts"])
def network(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / request.param
    if path.suffix == ".pt2":
        return exported(path)
    return scripted(Halfway() if path.suffix == ".pt" else ByFloat(), path)


@pytest.mark.slow  # compiled programs keep to no shapes of ours
def test_a_file_s_network_makes_what_lies_between(network: Path) -> None:
    rng = np.random.default_rng(0)
    first, second = (np.minimum(rng.integers(0, 255, (50, 70, 4)), 200).astype(np.uint8) for _ in range(2))
    for one in (first, second):
        one[..., 3] = 200
    made = read_interpolator(network)(first, second, 0.25)
    assert np.abs(made - (0.75 * first.astype(float) + 0.25 * second)).max() <= 1
    stack = drawn_stack()
    edl = speed(edit_of(stack), "red", factor=F(1, 2))
    flow, blend = (interpolate(edl, "red", between=one) for one in ("flow", "blend"))
    config = RenderConfig(interpolator=network)
    assert configured_interpolator(config, blend) is None
    asked = configured_interpolator(config, flow)
    by_network = list(render_frames(stack, flow, drawn_clip(), interpolator=asked))
    wanted = list(render_frames(stack, blend, drawn_clip()))
    assert all(np.abs(a.astype(int) - b).max() <= 2 for a, b in zip(by_network, wanted, strict=True))
    layers = list(instance_frames(stack, flow, drawn_clip(), "red", interpolator=asked))
    alone = list(instance_frames(stack, blend, drawn_clip(), "red"))
    assert all(np.abs(a.astype(int) - b).max() <= 2 for a, b in zip(layers, alone, strict=True))


@pytest.mark.slow
def test_results_go_by_what_is_in_the_file(tmp_path: Path) -> None:
    first, same = scripted(ByFloat(), tmp_path / "a.pt"), tmp_path / "b.pt"
    same.write_bytes(first.read_bytes())
    assert network_key(first) == network_key(same) != network_key(scripted(Small(), tmp_path / "c.pt"))


@pytest.mark.refusal
@pytest.mark.slow
def test_what_is_no_such_network_is_refused(tmp_path: Path) -> None:
    weights, damaged, state = tmp_path / "net.safetensors", tmp_path / "damaged.pt", tmp_path / "state.pt"
    weights.write_bytes(b"weights")
    whole = scripted(ByFloat(), tmp_path / "whole.pt")
    damaged.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    torch.save(Halfway().state_dict(), state)
    torch.save(Halfway().state_dict(), tmp_path / "state.pt2")
    for path, message in (
        (tmp_path / "none.pt2", "the network's file must exist; got none"),
        (tmp_path, "the network's file must exist; got a folder"),
        (weights, r"must come as \.pt2, \.pt, \.ts; got \.safetensors: weights without their network"),
        (damaged, "the network's file must be whole"),
        (state, "must be TorchScript, not weights alone"),
        (tmp_path / "state.pt2", "must be what torch.export wrote"),
        (scripted(Small(), tmp_path / "small.pt"), r"got \[1, 3, 64, 48\] at 96x64"),
        (exported(tmp_path / "fixed.pt2", dynamic=False), "whatever H and W are; got AssertionError.* at 64x128"),
        (scripted(torch.nn.Identity(), tmp_path / "one.pt"), "forward takes 1 arguments"),
    ):
        with pytest.raises(InputError, match=message):
            read_interpolator(path)
