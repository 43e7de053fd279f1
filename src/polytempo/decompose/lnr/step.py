"""One optimiser step over a batch that may be too large for the memory, or shared by several processes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor

from polytempo.core.errors import ResourceError, memory_ran_out
from polytempo.decompose.lnr.objective import LossTerms
from polytempo.decompose.lnr.team import Team

log = logging.getLogger(__name__)
ALONE = Team()
LossOf = Callable[[NDArray[np.int64]], LossTerms]
"""Loss of some frames, as a mean over them."""


class Stepper:
    """Takes optimiser steps; halves the part of a batch that is held at once whenever memory runs out.

    The gradient is the sum over parts, each weighted by its share of the batch: that of the whole batch, up to what
    batch statistics make of smaller parts. Members of a team take a slice each and add their gradients.
    """

    def __init__(self, optimiser: torch.optim.Optimizer, *, part_size: int, team: Team = ALONE) -> None:
        """Start with parts of at most ``part_size`` frames."""
        self.optimiser = optimiser
        self.part_size = part_size
        self.team = team

    def step(self, chosen: NDArray[np.int64], loss_of: LossOf) -> dict[str, float]:
        """Lower the mean loss of the frames ``chosen`` by one step, and give its terms.

        Raises:
            ResourceError: not even one frame fits into memory, or the loss is not finite.
        """
        mine = np.array_split(chosen, self.team.size)[self.team.rank]
        while True:
            self.optimiser.zero_grad(set_to_none=True)
            try:
                terms = self._accumulate(mine, len(chosen), loss_of)
                break
            except (RuntimeError, MemoryError) as error:
                if not memory_ran_out(error):
                    raise
                self._shrink(error)
        parameters = [p for group in self.optimiser.param_groups for p in group["params"]]
        if self.team.size > 1:
            _add_up(parameters, terms)
        values = {name: float(value) for name, value in terms.items()}
        if not np.isfinite(values["total"]):
            raise ResourceError(
                "decompose.lnr.train", "the loss must stay finite", got=str(values["total"]),
                todo="Lower lnr.learning_rate and run the same command again",
            )  # fmt: skip
        self.optimiser.step()
        return values

    def _accumulate(self, mine: NDArray[np.int64], n_all: int, loss_of: LossOf) -> dict[str, Tensor]:
        names = ("total", "reconstruction", "mask", "regulariser")
        sums: dict[str, Tensor] = {name: torch.zeros((), dtype=torch.float64) for name in names}
        for part in _parts(mine, self.part_size):
            share = len(part) / n_all
            loss = loss_of(part)
            (loss.total * share).backward()  # pyright: ignore[reportUnknownMemberType]
            for name in names:
                sums[name] += getattr(loss, name).detach().double().cpu() * share
        return sums

    def _shrink(self, error: BaseException) -> None:
        if self.part_size <= 1:
            raise ResourceError(
                "decompose.lnr.train", "one frame must fit into memory", got=str(error)[:120],
                todo="Set a smaller work_side_px, or fewer layers",
            ) from error  # fmt: skip
        self.part_size = (self.part_size + 1) // 2
        log.warning("memory ran out; batches are now taken in parts of %d frames", self.part_size)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _parts(chosen: NDArray[np.int64], size: int) -> Iterable[NDArray[np.int64]]:
    for start in range(0, len(chosen), size):
        yield chosen[start : start + size]


def _add_up(parameters: list[Tensor], terms: dict[str, Tensor]) -> None:
    """Sum gradients and terms over the team; a member with an empty slice adds nothing."""
    for one in parameters:
        if one.grad is None:
            one.grad = torch.zeros_like(one)
        dist.all_reduce(one.grad)
    for value in terms.values():
        dist.all_reduce(value)
