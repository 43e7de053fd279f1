"""Processes that ``torchrun`` started to train together: one leads, the others wait until they are called."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from jaxtyping import UInt8

from polytempo.decompose.lnr.maps import LayerMaps
from polytempo.decompose.lnr.paper_config import LnrConfig

PATIENCE = timedelta(days=7)
"""Members wait so long for the next training; everything between two trainings is the leader's work alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Team:
    """The processes that train together."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes and reports."""
        return self.rank == 0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Call:
    """All that a member needs to take part in a training."""

    pictures: UInt8[np.ndarray, "T H W 3"]
    maps: LayerMaps
    config: LnrConfig
    seed: int
    plates: UInt8[np.ndarray, "T H W 3"] | None
    state: bytes | None
    """The checkpoint to go on from, as the leader has it on disk."""


class Members:
    """The leader's line to members who wait."""

    def __init__(self, group: Any) -> None:
        """Speak to them through a process group of its own, apart from that of gradients."""
        self.group = group
        self.busy = False
        """Whether they are in a training, and so do not listen."""

    def call(self, message: Call | None) -> None:
        """Call all of them to a training, or send them home."""
        dist.broadcast_object_list([message], src=0, group=self.group)

    @contextmanager
    def taking_part(self, message: Call) -> Generator[None, None, None]:
        """Share a training with them; they listen again when it has ended, not when it has failed."""
        self.call(message)
        self.busy = True
        yield
        self.busy = False


_waiting: ContextVar[Members | None] = ContextVar("members who wait", default=None)


def started_team() -> Team:
    """The team that ``torchrun`` started this process in, as its environment tells; a team of one without it."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    return Team() if size < 2 else Team(rank=int(os.environ.get("RANK", "0")), size=size)


def joined_team(device: torch.device) -> Team:
    """The team that this process was started in, its members connected.

    NCCL on CUDA, gloo on CPUs. Every member must call it, and later train with the same clip, config and seed: by
    themselves, or because ``led_team`` calls them.
    """
    team = started_team()
    if team.size > 1 and not dist.is_initialized():
        if device.type == "cuda":
            torch.cuda.set_device(device)
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return team


def waiting_members() -> Members | None:
    """Those whom a training must be sent to; nobody outside of ``led_team``."""
    return _waiting.get()


def control_group() -> Any:
    """A group for messages on CPUs; all members must make it at the same time."""
    return dist.new_group(backend="gloo", timeout=PATIENCE)


@contextmanager
def led_team(device: torch.device) -> Generator[None, None, None]:
    """Share every training within the block with the members, who wait in ``attend``, and send them home after it.

    Where a training failed they are left alone: they hang in it, until ``torchrun`` ends them with this process.
    """
    joined_team(device)
    members = Members(control_group())
    token = _waiting.set(members)
    try:
        yield
    finally:
        _waiting.reset(token)
        if not members.busy:
            members.call(None)
            dist.destroy_process_group()
