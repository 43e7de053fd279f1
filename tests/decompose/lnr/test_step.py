from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import polytempo
from polytempo.core.errors import ResourceError
from polytempo.decompose.lnr.objective import LossTerms
from polytempo.decompose.lnr.step import Stepper
from polytempo.decompose.lnr.team import Team

DATA = torch.randn(12, 5, generator=torch.Generator().manual_seed(2))
TARGET = DATA @ torch.arange(5.0)[:, None]


def linear() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(5, 1)


def terms(model: nn.Module, part: np.ndarray) -> LossTerms:
    loss = (model(DATA[part]) - TARGET[part]).square().mean()
    return LossTerms(total=loss, reconstruction=loss, mask=loss * 0, regulariser=loss * 0)


def steps(
    n: int, *, part_size: int, refuse_above: int = 99, refusal: Exception | None = None
) -> tuple[torch.Tensor, list[float], Stepper]:
    model = linear()
    stepper = Stepper(torch.optim.Adam(model.parameters(), lr=0.1), part_size=part_size)
    losses: list[float] = []

    def loss_of(part: np.ndarray) -> LossTerms:
        if len(part) > refuse_above:
            raise refusal or torch.OutOfMemoryError("not enough")
        return terms(model, part)

    for _ in range(n):
        losses.append(stepper.step(np.arange(12), loss_of)["total"])
    return model.weight.detach().clone(), losses, stepper


@pytest.mark.parametrize("part_size", [1, 5, 12])
def test_parts_of_a_batch_add_up_to_the_batch(part_size: int) -> None:
    whole, losses, _ = steps(5, part_size=12)
    parts, others, _ = steps(5, part_size=part_size)
    assert torch.allclose(whole, parts, atol=1e-5)
    assert losses == pytest.approx(others, rel=1e-5)


def test_out_of_memory_halves_the_parts_and_changes_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    whole, _, _ = steps(4, part_size=12)
    found, _, stepper = steps(4, part_size=12, refuse_above=3)
    assert torch.allclose(whole, found, atol=1e-5)
    assert stepper.part_size == 3
    assert [record.message for record in caplog.records] == [
        "memory ran out; batches are now taken in parts of 6 frames",
        "memory ran out; batches are now taken in parts of 3 frames",
    ]


def test_what_the_allocator_of_a_cpu_says_is_known_and_other_errors_are_not_hidden() -> None:
    with pytest.raises(RuntimeError) as refused:
        torch.empty(1 << 60)  # what this machine's allocator really says
    _, _, stepper = steps(2, part_size=12, refuse_above=6, refusal=refused.value)
    assert stepper.part_size == 6
    with pytest.raises(RuntimeError, match="shapes differ"):
        steps(1, part_size=12, refuse_above=6, refusal=RuntimeError("shapes differ"))


@pytest.mark.refusal
def test_a_frame_that_never_fits_and_a_loss_that_is_not_finite_are_said() -> None:
    with pytest.raises(ResourceError, match="one frame must fit into memory"):
        steps(1, part_size=12, refuse_above=0)
    model = linear()
    stepper = Stepper(torch.optim.SGD(model.parameters(), lr=1.0), part_size=4)

    def bad(part: np.ndarray) -> LossTerms:
        loss = model(DATA[part]).mean() * float("nan")
        return LossTerms(total=loss, reconstruction=loss, mask=loss, regulariser=loss)

    before = model.weight.detach().clone()
    with pytest.raises(ResourceError, match="must stay finite; got nan"):
        stepper.step(np.arange(4), bad)
    assert torch.equal(model.weight, before)


def test_other_errors_are_not_taken_for_a_lack_of_memory() -> None:
    stepper = Stepper(torch.optim.SGD(linear().parameters(), lr=1.0), part_size=4)

    def broken(part: np.ndarray) -> LossTerms:
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        stepper.step(np.arange(4), broken)


def test_who_leads() -> None:
    assert Team().leads
    assert not Team(rank=1, size=2).leads


MEMBER = """
import json, sys, numpy as np, torch
sys.path.insert(0, sys.argv[2])
from test_step import linear, terms
from polytempo.decompose.lnr.step import Stepper
from polytempo.decompose.lnr.team import joined_team
team = joined_team(torch.device("cpu"))
model = linear()
stepper = Stepper(torch.optim.Adam(model.parameters(), lr=0.1), part_size=4, team=team)
losses = [stepper.step(np.arange(11), lambda part: terms(model, part))["total"] for _ in range(4)]
with open(f"{sys.argv[1]}/{team.rank}.json", "w") as file:
    json.dump({"weight": model.weight.detach().tolist(), "losses": losses, "size": team.size}, file)
torch.distributed.barrier()  # nobody leaves while the other is still adding up
torch.distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_two_processes_train_as_one(tmp_path: Path) -> None:
    script = tmp_path / "member.py"
    script.write_text(MEMBER)
    source = str(Path(polytempo.__file__).parents[1])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": source}
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"),
        *(str(script), str(tmp_path), str(Path(__file__).parent)),
    ]
    if sys.platform == "linux":
        environment["GLOO_SOCKET_IFNAME"] = "lo"  # a machine's own name may lead nowhere
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600, check=False)
    if "SIGABRT" in done.stderr:  # gloo itself gives up now and then while its members find each other
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1)]
    model = linear()
    stepper = Stepper(torch.optim.Adam(model.parameters(), lr=0.1), part_size=11)
    losses = [stepper.step(np.arange(11), lambda part: terms(model, part))["total"] for _ in range(4)]
    for one in found:
        assert one["size"] == 2
        assert one["losses"] == pytest.approx(losses, rel=1e-4)
        assert torch.allclose(torch.tensor(one["weight"]), model.weight, atol=1e-4)
