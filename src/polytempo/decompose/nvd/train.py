"""The training loop of hashed atlases: one visible loop, resumable to the same bits."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from polytempo.core.errors import ResourceError
from polytempo.core.files import digest
from polytempo.core.progress import Progress, Report, silent
from polytempo.decompose.checkpoint import TrainState, load_state, save_state
from polytempo.decompose.nvd.config import NvdConfig
from polytempo.decompose.nvd.encoding.encode import HashGrid
from polytempo.decompose.nvd.footage import Footage, random_points, soft_mask_logits
from polytempo.decompose.nvd.model import AtlasModel, LayerStart
from polytempo.decompose.nvd.objective import pretrain_loss, step_loss
from polytempo.decompose.nvd.unfollowed import Unfollowed

LOG_EVERY = 20
"""Steps between two values of ``Trained.history``."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Trained:
    """A trained model and how it went."""

    model: AtlasModel
    history: tuple[dict[str, float], ...]
    """Loss terms of every ``LOG_EVERY``-th step of this run, with its number; those before a resume left out."""
    unfollowed: tuple[Unfollowed, ...] = ()
    """Layers whose masks never meet the motion."""


def train(
    footage: Footage,
    starts: list[LayerStart],
    *,
    config: NvdConfig,
    seed: int = 0,
    checkpoint: Path | None = None,
    device: torch.device | None = None,
    report: Report = silent,
) -> Trained:
    """Learn the atlases of one clip.

    All that is random in a step comes from ``seed`` and the step's number, so that a run that was killed goes on to the
    same weights as one that was not (on the same kind of machine; on a GPU, up to the order of atomic additions).

    Args:
        footage: The clip.
        starts: From ``layer_starts``.
        config: See ``NvdConfig``.
        seed: Of weights and points.
        checkpoint: Folder for the training state. None keeps nothing.
        device: CUDA where there is one, when left out.
        report: Told after every step; its message has the loss terms.

    Raises:
        ResourceError: the loss is not finite.
        CancelledError: ``report`` asked to stop; the last checkpoint stays.

    Source: paper B, Appendix C.
    """
    device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = new_model(footage, starts, config=config, seed=seed).to(device)
    optimiser = make_optimiser(model, config)
    n_before = config.pretrain_rounds * footage.extent.n_frames if config.mapping == "network" else 0
    n_all = n_before + config.n_steps
    key = training_key(footage, starts, config, seed)
    path = None if checkpoint is None else checkpoint / "nvd.safetensors"
    state = load_state(path, key, model, optimiser) if path is not None else None
    first = 0 if state is None else state.step
    history: list[dict[str, float]] = []
    saved = started = time.monotonic()
    for step in range(first, n_all):
        generator = torch.Generator().manual_seed(step_seed(seed, step))
        points = random_points(footage, config.batch_points, generator=generator, object_share=config.object_share).to(
            device
        )
        if step == n_before:
            optimiser = make_optimiser(model, config)  # pre-training leaves no momentum behind
        optimiser.zero_grad(set_to_none=True)
        if step < n_before:
            loss = pretrain_loss(model, starts, points.place)
            values = {"total": loss.item()}
        else:
            set_rates(optimiser, config, done=(step - n_before) / config.n_steps)
            terms = step_loss(model, points, step=step - n_before, generator=generator)
            loss, values = terms.total, terms.values()
        if not np.isfinite(values["total"]):
            raise ResourceError(
                "decompose.nvd.train", "the loss must stay finite", got=f"{values['total']} at step {step}",
                todo="Lower nvd.grid_rate and nvd.network_rate, and run the same command again",
            )  # fmt: skip
        loss.backward()  # pyright: ignore[reportUnknownMemberType]
        optimiser.step()
        if step % LOG_EVERY == 0:
            history.append({"step": float(step), **values})
        last = step + 1 == n_all
        if path is not None and (last or time.monotonic() - saved > config.save_secs):
            save_state(path, TrainState(key=key, step=step + 1, facts={}), model, optimiser)
            saved = time.monotonic()
        report(_progress(step + 1, first, n_all, values, started))
    return Trained(model=model, history=tuple(history))


def new_model(footage: Footage, starts: list[LayerStart], *, config: NvdConfig, seed: int) -> AtlasModel:
    """Make a model with weights of a seed; torch's global generator is left as it was."""
    logits = soft_mask_logits(footage) if config.alpha_from_masks else None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return AtlasModel(footage.extent, starts, order=footage.order, config=config, mask_logits=logits)


def make_optimiser(model: AtlasModel, config: NvdConfig) -> torch.optim.Optimizer:
    """Adam with one rate for grids and one for networks. Source: released system of paper B."""
    grids = [one.table for one in model.modules() if isinstance(one, HashGrid)]
    of_grids = {id(one) for one in grids}
    others = [one for one in model.parameters() if id(one) not in of_grids]
    groups = [{"params": grids, "lr": config.grid_rate}, {"params": others, "lr": config.network_rate}]
    return torch.optim.Adam([one for one in groups if one["params"]], fused=True)


def set_rates(optimiser: torch.optim.Optimizer, config: NvdConfig, *, done: float) -> None:
    """Lower the rates with the share of steps done, 0…1."""
    rates = (config.grid_rate, config.network_rate)[-len(optimiser.param_groups) :]
    for group, rate in zip(optimiser.param_groups, rates, strict=True):
        group["lr"] = rate * config.last_rate**done


def training_key(footage: Footage, starts: list[LayerStart], config: NvdConfig, seed: int) -> str:
    """Hash of all that training depends on; how often it is saved, and what comes after it, left out."""
    course = replace(config, save_secs=0.0, transfer_detail=True)
    arrays = (
        footage.frames,
        footage.masks,
        footage.flow[0].view(torch.int16),
        footage.order,
        *(one.uv_from_pixel for one in starts),
    )
    return digest("nvd-1", repr(course), seed, *(one.contiguous().numpy().tobytes() for one in arrays))


def step_seed(seed: int, step: int) -> int:
    """Give a seed of its own to every step."""
    return int(np.random.SeedSequence([seed, step]).generate_state(1)[0])


def n_values(model: nn.Module) -> int:
    """Number of values that a model learns."""
    return sum(one.numel() for one in model.parameters())


def _progress(done: int, first: int, total: int, terms: dict[str, float], started: float) -> Progress:
    passed = time.monotonic() - started
    parts = ", ".join(f"{name} {terms[name]:.4f}" for name in ("colour", "flow_mapping", "bootstrap") if name in terms)
    return Progress(
        stage="decompose",
        done=done,
        total=total,
        message=f"learning the atlases ({parts})" if parts else "teaching the mapping where things are",
        loss=terms["total"],
        eta_secs=passed / max(done - first, 1) * (total - done),
    )
