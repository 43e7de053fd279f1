"""The training loop of the neural model: one visible loop, resumable to the same bits."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from polytempo.core.errors import InputError
from polytempo.core.files import digest
from polytempo.core.pictures import Pictures
from polytempo.core.progress import Progress, Report, silent
from polytempo.decompose.checkpoint import TrainState, load_state, save_state
from polytempo.decompose.lnr.augment import jittered
from polytempo.decompose.lnr.maps import Batch, LayerMaps, make_batch
from polytempo.decompose.lnr.model import LayeredRenderer
from polytempo.decompose.lnr.objective import LossTerms, paper_loss, warm_loss, weights_at
from polytempo.decompose.lnr.paper_config import LnrConfig
from polytempo.decompose.lnr.renderer import BASE_CHANNELS
from polytempo.decompose.lnr.schedule import LossWeights, easiest_first
from polytempo.decompose.lnr.step import Stepper
from polytempo.decompose.lnr.team import Call, joined_team, waiting_members

PlateOf = Callable[[int], NDArray[np.uint8]]
"""Clean plate as a frame's camera shows it, ``uint8 [H, W, 3]`` at working size."""

Watch = Callable[[int, LayeredRenderer], None]
Enough = Callable[[int], bool]
"""Asked after every epoch, by its number, whether the course may end here."""

STATE = "lnr.safetensors"
"""Name of the training state in the checkpoint's folder."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Trained:
    """A trained model and how it went."""

    model: LayeredRenderer
    bootstrap_epoch: int | None
    """First epoch whose mean mask loss was below the threshold; none where it never was."""
    history: tuple[dict[str, float], ...]
    """Mean loss terms of each epoch of this run (not of those before a resume)."""


def train(
    pictures: Pictures,
    maps: LayerMaps,
    *,
    config: LnrConfig,
    seed: int = 0,
    plate: PlateOf | None = None,
    checkpoint: Path | None = None,
    device: torch.device | None = None,
    watch: Watch | None = None,
    enough: Enough | None = None,
    report: Report = silent,
) -> Trained:
    """Train texture and renderer on one clip.

    All that is random in an epoch comes from ``seed`` and the epoch's number, so that a run that was killed goes on to
    the same weights as one that was not (on the same kind of machine, with the same number of threads).

    Args:
        pictures: Frames at working size.
        maps: Inputs of all layers.
        config: See ``LnrConfig``.
        seed: Of weights, order and jitter.
        plate: Clean plate by frame; needed for a warm start and for a given background.
        checkpoint: Folder for the training state. None keeps nothing.
        device: CUDA where there is one, when left out.
        watch: Shown the model after every epoch, for experiments on what is learned when; must not change it.
        enough: Ends the course early, with its state kept, so that the same call goes on with it. For one process.
        report: Told after every step; its message has the loss terms.

    Raises:
        InputError: a clean plate is needed and was not given.
        ResourceError: one frame does not fit into memory, or the loss is not finite.
        CancelledError: ``report`` asked to stop; the last checkpoint stays.

    Source: LNR, Section 4.3 and A.1.
    """
    device = device or default_device()
    team = joined_team(device)
    model = new_model(maps.n_people, seed=seed, base_channels=config.base_channels).to(device)
    model = model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]  # a quarter faster on CPUs
    fast = config.mixed_precision and device.type == "cuda"
    betas = (0.9, config.gradient_memory)
    optimiser = torch.optim.Adam(model.parameters(), lr=config.learning_rate, betas=betas)
    key = training_key(pictures, maps, config, seed)
    path = None if checkpoint is None else checkpoint / STATE
    state = load_state(path, key, model, optimiser) if path is not None else None
    first = 0 if state is None else state.step
    bootstrap = None if state is None or state.facts["bootstrap"] < 0 else int(state.facts["bootstrap"])
    stepper = Stepper(optimiser, part_size=config.batch_size, team=team)
    ranked = np.array(easiest_first((maps.trimap == 2).transpose(1, 0, 2, 3)), np.int64)

    if plate is None and (config.given_background or config.warm_epochs):
        raise InputError("decompose.lnr.train", "a warm start or a given background needs a clean plate", got="none")
    members = waiting_members()
    if enough is not None and (members is not None or team.size > 1):
        raise InputError("decompose.lnr.train", "a course that may end early runs in one process", got="several")

    def loss_of(
        part: NDArray[np.int64], *, epoch: int, seeds: dict[int, int], weights: LossWeights, warm: bool
    ) -> LossTerms:
        plates = None if plate is None else np.stack([plate(int(t)) for t in part])
        batch = make_batch(maps, _frames(pictures, part), part, plates=plates)
        if not warm:
            jitter = [seeds[int(t)] for t in part]
            batch = jittered(batch, epoch=epoch, config=config.jitter, seeds=jitter)
        batch = _to(batch, device)
        with torch.autocast(device.type, torch.bfloat16, enabled=fast):
            layers: Tensor = model(batch, together=config.together, given_background=config.given_background)
        if warm:
            return warm_loss(layers.float(), batch, batch.plate)
        return paper_loss(layers.float(), batch, weights=weights, config=config)

    if config.compiled and device.type == "cuda":
        model.renderer.compile()  # pyright: ignore[reportUnknownMemberType]
    shared = nullcontext()
    if members is not None:
        everything = np.arange(len(pictures))
        call = Call(
            pictures=_frames(pictures, everything), maps=maps, config=config, seed=seed,
            plates=None if plate is None else np.stack([plate(int(t)) for t in everything]),
            state=path.read_bytes() if path is not None and state is not None else None,
        )  # fmt: skip
        shared = members.taking_part(call)
    history: list[dict[str, float]] = []
    saved = started = time.monotonic()
    model.train()
    with shared:
        for epoch in range(first, config.n_epochs):
            shuffle = torch.Generator().manual_seed(epoch_seed(seed, epoch))
            easy = config.curriculum_epochs > epoch
            frames = ranked[: (len(ranked) + 1) // 2] if easy else ranked
            frames = frames[torch.randperm(len(frames), generator=shuffle).numpy()]
            weights = weights_at(epoch, bootstrap_epoch=bootstrap, config=config)
            warm = epoch < config.warm_epochs
            seeds = dict(
                zip(frames.tolist(), torch.randint(2**31, (len(frames),), generator=shuffle).tolist(), strict=True)
            )
            this_loss = partial(loss_of, epoch=epoch, seeds=seeds, weights=weights, warm=warm)
            sums: dict[str, float] = {}
            for start in range(0, len(frames), config.batch_size):
                chosen = frames[start : start + config.batch_size]
                terms = stepper.step(chosen, this_loss)
                for name, value in terms.items():
                    sums[name] = sums.get(name, 0.0) + value * len(chosen) / len(frames)
                done = epoch + min(start + len(chosen), len(frames)) / len(frames)
                report(_progress(done, first, config.n_epochs, terms, started))
            history.append(sums)
            if watch is not None:
                watch(epoch, model)
            if bootstrap is None and not warm and sums["mask"] < config.bootstrap_below:
                bootstrap = max(epoch, 1)
            ends = enough is not None and enough(epoch)  # asked after the last epoch, too
            last = ends or epoch + 1 == config.n_epochs
            if path is not None and team.leads and (last or time.monotonic() - saved > config.save_secs):
                facts = {"bootstrap": -1.0 if bootstrap is None else float(bootstrap)}
                save_state(path, TrainState(key=key, step=epoch + 1, facts=facts), model, optimiser)
                saved = time.monotonic()
            if last:
                break
    return Trained(model=model, bootstrap_epoch=bootstrap, history=tuple(history))


def new_model(n_people: int, *, seed: int, base_channels: int = BASE_CHANNELS) -> LayeredRenderer:
    """Make a model with weights of a seed; torch's global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LayeredRenderer(n_people, base_channels=base_channels)


def training_key(pictures: Pictures, maps: LayerMaps, config: LnrConfig, seed: int) -> str:
    """Hash of all that training depends on; how often it is saved, and what comes after it, left out."""
    course = replace(config, save_secs=0.0, upsample=type(config.upsample)(), transfer_detail=True)
    frames = [np.ascontiguousarray(pictures[t]).tobytes() for t in range(0, len(pictures), max(len(pictures) // 8, 1))]
    arrays = [np.ascontiguousarray(one).tobytes() for one in (maps.tile, maps.uv, maps.trimap, maps.order)]
    return digest("lnr-1", repr(course), seed, *frames, *arrays)


def epoch_seed(seed: int, epoch: int) -> int:
    """Give a seed of its own to every epoch."""
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0])


def default_device() -> torch.device:
    """CUDA where there is one; of several, members of a team take one each."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())


def _frames(pictures: Pictures, chosen: NDArray[np.int64]) -> NDArray[np.uint8]:
    return np.stack([np.asarray(pictures[int(t)]) for t in chosen])


def _to(batch: Batch, device: torch.device) -> Batch:
    return Batch(**{name: getattr(batch, name).to(device) for name in Batch.__dataclass_fields__})


def _progress(done: float, first: int, total: int, terms: dict[str, float], started: float) -> Progress:
    passed = time.monotonic() - started
    parts = ", ".join(f"{name} {terms[name]:.4f}" for name in ("reconstruction", "mask", "regulariser"))
    return Progress(
        stage="decompose",
        done=done,
        total=total,
        message=f"training the renderer ({parts})",
        loss=terms["total"],
        eta_secs=passed / max(done - first, 1e-6) * (total - done),
    )
