"""Networks for optical flow as files: read, tried, used, refused."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.export import Dim

from polytempo.core.errors import InputError
from polytempo.objects.flow_network import flow_network_key, network_flow, read_flow_network


class Brightness(torch.nn.Module):
    """A network whose flow is known: across, how much brighter the second picture is; down, a learned number."""

    def __init__(self) -> None:
        super().__init__()
        self.down = torch.nn.Parameter(torch.tensor(2.5))

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        across = 10 * (second - first).mean(1, keepdim=True)
        return torch.cat([across, self.down + 0 * across], 1)


class Refining(torch.nn.Module):
    """A list of flows, ever better ones."""

    def __init__(self) -> None:
        super().__init__()
        self.last = Brightness()

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> list[torch.Tensor]:
        flow = self.last(first, second)
        return [torch.zeros_like(flow), flow]


class Coarse(torch.nn.Module):
    """An eighth of the size."""

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return (first - second)[:, :2, ::8, ::8]


class Endless(torch.nn.Module):
    """Divides by nothing."""

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return (first / (0 * second))[:, :2]


def scripted(network: torch.nn.Module, path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(network).save(str(path))
    return path


def exported(path: Path) -> Path:
    first, second = torch.rand(2, 1, 3, 128, 136)
    sides = {2: Dim.DYNAMIC, 3: Dim.DYNAMIC}
    torch.export.save(torch.export.export(Brightness().eval(), (first, second), dynamic_shapes=(sides, sides)), path)
    return path


@pytest.fixture(params=["one.pt2", "list.pt"])
def network(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / request.param
    return exported(path) if path.suffix == ".pt2" else scripted(Refining(), path)


@pytest.mark.slow  # compiled programs keep to no shapes of ours
def test_a_file_s_network_gives_the_flow_both_ways(network: Path) -> None:
    rng = np.random.default_rng(0)
    pictures = np.stack([np.full((50, 70, 3), value, np.uint8) for value in (0, 51, 204)])
    pictures[:, :20] = rng.integers(0, 255, (3, 20, 70, 3))
    flow = network_flow(pictures, read_flow_network(network))
    assert flow.to_next.shape == flow.to_previous.shape == (2, 50, 70, 2)
    brighter = np.diff(pictures.astype(float), axis=0).mean(-1) / 255
    assert np.allclose(flow.to_next[..., 0], 10 * brighter, atol=0.01)
    assert np.allclose(flow.to_previous[..., 0], -10 * brighter, atol=0.01)
    assert (flow.to_next[..., 1] == 2.5).all()


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("network", "text"),
    [
        (Coarse(), r"the flow \[1, 2, H, W\].*got \[1, 2, 16, 17\] at 136x128"),
        (Endless(), "got values that are not finite"),
        (torch.nn.Identity(), r"the flow \[1, 2, H, W\].*at 136x128"),
    ],
)
def test_other_networks_are_refused(network: torch.nn.Module, text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=text):
        read_flow_network(scripted(network, tmp_path / "net.pt"))


@pytest.mark.refusal
def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the network's file must exist; got none"):
        read_flow_network(tmp_path / "raft.pt")
    weights = tmp_path / "raft-things.pth"
    torch.save(Brightness().state_dict(), weights)
    with pytest.raises(InputError, match=r"got \.pth: weights without their network. Load the weights"):
        flow_network_key(weights)
    weights.rename(tmp_path / "raft.pt")
    with pytest.raises(InputError, match="must be TorchScript, not weights alone"):
        read_flow_network(tmp_path / "raft.pt")
