"""What members of a team do that do not lead: take part in every training that they are called to."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import torch
import torch.distributed as dist

from polytempo.decompose.lnr.team import Call, control_group, joined_team
from polytempo.decompose.lnr.train import STATE, train

log = logging.getLogger(__name__)


def attend(device: torch.device) -> None:
    """Take part in whatever the leader trains, until it is done. Reads and writes no project."""
    team = joined_team(device)
    group = control_group()
    while True:
        message: list[Call | None] = [None]
        dist.broadcast_object_list(message, src=0, group=group)
        call = message[0]
        if call is None:
            break
        log.info("process %d of %d takes part in a training of %d frames", team.rank, team.size, len(call.pictures))
        with tempfile.TemporaryDirectory() as folder:
            if call.state is not None:
                (Path(folder) / STATE).write_bytes(call.state)
            plates = call.plates
            train(
                call.pictures,
                call.maps,
                config=call.config,
                seed=call.seed,
                plate=None if plates is None else plates.__getitem__,
                checkpoint=Path(folder),
                device=device,
            )
    dist.destroy_process_group()
