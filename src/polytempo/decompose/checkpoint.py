"""Training state on disk: safetensors, written atomically, so that a killed run goes on where it was."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from polytempo.core.errors import VersionError
from polytempo.core.files import write_bytes

VERSION = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainState:
    """What a training loop needs to go on exactly as if it had not been stopped."""

    key: str
    """Hash of inputs and config; a state of another key is not used."""
    step: int
    """Optimiser steps done."""
    facts: dict[str, float]
    """Numbers of the loop: learning-rate factor, best loss, restarts."""


def save_state(path: Path, state: TrainState, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    """Write model, Adam moments and the loop's numbers in one atomic file."""
    tensors: dict[str, Tensor] = {f"model.{name}": value.contiguous() for name, value in model.state_dict().items()}
    for index, moments in optimiser.state_dict()["state"].items():
        for name, value in moments.items():
            tensors[f"adam.{index}.{name}"] = torch.as_tensor(value).contiguous()
    meta = {"version": str(VERSION), "key": state.key, "step": str(state.step), "facts": json.dumps(state.facts)}
    write_bytes(path, safetensors.torch.save(tensors, metadata=meta))


def load_state(path: Path, key: str, model: nn.Module, optimiser: torch.optim.Optimizer) -> TrainState | None:
    """Put a saved state back into model and optimiser.

    Returns:
        The loop's numbers, or None when there is no state of this key: no file, another key, or a damaged file
        (which atomic writing makes a matter of disks, not of kills); training then starts afresh.

    Raises:
        VersionError: the file was written by a newer version.
    """
    if not path.is_file():
        return None
    try:
        with safetensors.safe_open(str(path), framework="pt") as file:
            meta: dict[str, str] = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except (OSError, safetensors.SafetensorError):
        return None
    version = int(meta.get("version", "0"))
    if version > VERSION:
        raise VersionError(
            "decompose.checkpoint",
            f"the training state must be of version {VERSION} or older",
            got=f"version {version}",
            todo="Use the newer polytempo or delete the file",
            path=path,
        )
    if meta.get("key") != key:
        return None
    model.load_state_dict({n.removeprefix("model."): v for n, v in tensors.items() if n.startswith("model.")})
    moments: dict[int, dict[str, Any]] = {}
    for name, value in tensors.items():
        if name.startswith("adam."):
            _, index, what = name.split(".")
            moments.setdefault(int(index), {})[what] = value
    whole = optimiser.state_dict()
    optimiser.load_state_dict({"state": moments, "param_groups": whole["param_groups"]})
    return TrainState(key=key, step=int(meta["step"]), facts=json.loads(meta["facts"]))
