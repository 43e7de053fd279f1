"""Learning which layer each unexplained pixel belongs to: one visible loop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Float32
from torch import Tensor

from polytempo.camera.path import CameraPath
from polytempo.core.errors import PolytempoError
from polytempo.core.files import write_bytes
from polytempo.core.progress import Progress, Report
from polytempo.decompose.checkpoint import TrainState, load_state, save_state
from polytempo.decompose.lnr.network import N_INPUTS, OwnershipConfig, OwnershipNetwork, silhouette_inputs
from polytempo.decompose.lnr.schedule import easiest_first
from polytempo.decompose.lnr.signal import Signal

CHECKPOINT_SECS = 15.0
MAX_RESTARTS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnershipTraining:
    """How long and how fast the ownership network learns."""

    epochs: int = 30
    """Passes over all frames."""
    easy_share: float = 0.3
    """Share of the epochs that see only the easier half of the frames (paper A: 1,000 of 2,500 epochs)."""
    batch_frames: int = 6
    """Frames a step; every layer of a frame is in the same step."""
    learning_rate: float = 3e-3
    """Adam's step at the start; falls as a cosine to a twentieth."""
    sparsity: float = 0.02
    """Weight of the mean ownership: what nobody needs, nobody owns."""
    change: float = 0.5
    """Weight of the relative-change loss beside the ownership loss."""
    significance: float = 4.0
    """Significance at which a departure counts as half certain to be an effect."""
    scale: int = 2
    """The network works at 1/scale of working size."""
    patience: int = 8
    """Stop when the loss has not fallen by 0.5 % in so many epochs."""
    network: OwnershipConfig = field(default_factory=OwnershipConfig)
    """Size of the network."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Ownership:
    """What the network found, at its own size."""

    probability: Float32[np.ndarray, "T L h w"]
    """How surely each layer changes each pixel outside its body."""
    change: Float32[np.ndarray, "T L h w 3"]
    """The change it would make there, relative to the plate (see ``network.DELTA``)."""
    losses: tuple[float, ...]
    """Training loss per epoch."""


def ownership_loss(
    logits: Float[Tensor, "B L h w"], target: Float[Tensor, "B h w"], weight: Float[Tensor, "B h w"]
) -> Float[Tensor, ""]:
    """Cross-entropy between "some layer owns this pixel", 1 − Π(1 − p), and "this pixel is unexplained".

    Args:
        logits: Of each layer's ownership.
        target: 0…1.
        weight: 0 where nothing is known (bodies), 1 elsewhere.

    Source: ours; the product is the composite alpha of layers at one place (LNR, Eq. 9).
    """
    nobody = F.logsigmoid(-logits).sum(1)
    somebody = torch.log(-torch.expm1(nobody.clamp_max(-1e-6)))
    entropy = -(target * somebody + (1 - target) * nobody)
    return (entropy * weight).sum() / weight.sum().clamp_min(1)


def change_loss(
    logits: Float[Tensor, "B L h w"],
    change: Float[Tensor, "B L 3 h w"],
    ratio: Float[Tensor, "B 3 h w"],
    weight: Float[Tensor, "B h w"],
) -> Float[Tensor, ""]:
    """L1 between the change that the owners predict together and the change seen.

    Who owns what is not moved by this loss: colour would pull faint effects to whoever can paint them.
    """
    square = torch.sigmoid(logits.detach()) ** 2
    share = square / (square.sum(1, keepdim=True) + 1e-6)
    predicted = (share[:, :, None] * change).sum(1)
    return ((predicted - ratio).abs().mean(1) * weight).sum() / weight.sum().clamp_min(1)


def learn_ownership(
    signal: Signal,
    silhouettes: Sequence[Bool[np.ndarray, "T H W"]],
    *,
    bodies: Bool[np.ndarray, "T H W"],
    camera: CameraPath,
    config: OwnershipTraining,
    seed: int,
    key: str,
    checkpoint: Path | None,
    report: Report,
) -> Ownership:
    """Train the ownership network on one clip and read its answer off for every frame and layer.

    Args:
        signal: What the plate leaves unexplained, at working size.
        silhouettes: Full silhouette of each layer's subjects, in layer order.
        bodies: Where nothing can be learned: all visible bodies, grown a little.
        camera: Path at working size; tells the network where on the canvas a pixel lies.
        config: See ``OwnershipTraining``.
        seed: Same seed, same machine, same thread count: same result, also across a kill and resume.
        key: Hash of all inputs; a checkpoint of another key is ignored.
        checkpoint: Folder for ``ownership.safetensors`` and the preview; None keeps nothing.
        report: Receives progress with loss and time left.

    Raises:
        PolytempoError: the loss was not finite more than ``MAX_RESTARTS`` times.
    """
    n_layers, n_frames = len(silhouettes), len(signal.significance)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    height, width = (max(side // config.scale, 16) for side in signal.significance.shape[1:])
    xy = _canvas_xy(camera, (width, height))
    inputs = torch.stack(
        [
            silhouette_inputs(mask, layer_code=(i + 1) / n_layers, canvas_xy=xy).half()
            for i, mask in enumerate(silhouettes)
        ],
        1,
    )
    target, weight, ratio = _targets(signal, bodies, (width, height), config)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = OwnershipNetwork(config.network).to(device)
        # torch's own stubs leave this documented form out.
        model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    optimiser = torch.optim.Adam(model.parameters(), lr=config.learning_rate, betas=(0.9, 0.99))
    state = checkpoint / "ownership.safetensors" if checkpoint else None
    found = load_state(state, key, model, optimiser) if state else None
    step = found.step if found else 0
    rate = found.facts["rate"] if found else 1.0
    losses = [found.facts[f"epoch{e}"] for e in range(len(found.facts)) if f"epoch{e}" in found.facts] if found else []
    running = found.facts["running"] if found else 0.0
    restarts = int(found.facts["restarts"]) if found else 0

    def save() -> None:
        if state:
            facts = {"rate": rate, "running": running, "restarts": float(restarts)}
            facts |= {f"epoch{e}": loss for e, loss in enumerate(losses)}
            save_state(state, TrainState(key=key, step=step, facts=facts), model, optimiser)

    order = easiest_first(np.stack(silhouettes))
    per_epoch = -(-n_frames // config.batch_frames)
    total = per_epoch * config.epochs
    started, start_step, saved = time.monotonic(), step, time.monotonic()
    if step == 0:
        save()
    while step < total:
        epoch, batch = divmod(step, per_epoch)
        frames = _batch(order, epoch, batch, config, seed)
        for group in optimiser.param_groups:
            warm = min(1.0, (step + 1) / (2 * per_epoch))
            group["lr"] = config.learning_rate * rate * warm * (0.05 + 0.475 * (1 + np.cos(np.pi * step / total)))
        x = inputs[frames].to(device, torch.float32).flatten(0, 1).contiguous(memory_format=torch.channels_last)
        logits, change = model(x)
        logits = logits.unflatten(0, (len(frames), n_layers))
        change = change.unflatten(0, (len(frames), n_layers))
        y, w, r = (one[frames].to(device, torch.float32) for one in (target, weight, ratio))
        loss = (
            ownership_loss(logits, y, w)
            + config.sparsity * torch.sigmoid(logits).mean()
            + config.change * change_loss(logits, change, r, w * y)
        )
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        value = float(loss.detach())
        if not np.isfinite(value):
            restarts += 1
            if restarts > MAX_RESTARTS:
                raise PolytempoError(
                    "decompose.ownership",
                    "the training loss must stay finite",
                    got=f"{restarts} losses that were not, each after halving the learning rate",
                    todo="Lower decompose.training.learning_rate and run the same command again",
                )
            rate *= 0.5
            again = load_state(state, key, model, optimiser) if state else None
            if again is None:
                with torch.random.fork_rng(devices=[]):
                    torch.manual_seed(seed + restarts)
                    model.load_state_dict(OwnershipNetwork(config.network).state_dict())
                optimiser.state.clear()
                step, losses, running = 0, [], 0.0
            else:
                step, running = again.step, again.facts["running"]
                losses = losses[: again.step // per_epoch]
            continue
        optimiser.step()
        step += 1
        running += value
        if step % per_epoch == 0:
            losses.append(running / per_epoch)
            running = 0.0
        if time.monotonic() - saved > CHECKPOINT_SECS:
            save()
            saved = time.monotonic()
            if checkpoint:
                _write_preview(checkpoint / "preview.png", logits, y)
        left = (time.monotonic() - started) / (step - start_step) * (total - step)
        report(
            Progress(
                stage="decompose",
                done=step,
                total=total,
                message="learning whose effects are whose",
                loss=value,
                eta_secs=left,
                preview=checkpoint / "preview.png" if checkpoint and (checkpoint / "preview.png").exists() else None,
            )
        )
        if step % per_epoch == 0 and _stalled(losses, config):
            break
    save()
    probability = np.empty((n_frames, n_layers, height, width), np.float32)
    relative = np.empty((n_frames, n_layers, height, width, 3), np.float32)
    with torch.no_grad():
        for t in range(n_frames):
            x = inputs[t].to(device, torch.float32).contiguous(memory_format=torch.channels_last)
            logits, change = model(x)
            probability[t] = torch.sigmoid(logits).cpu().numpy()
            relative[t] = change.permute(0, 2, 3, 1).cpu().numpy()
    return Ownership(probability=probability, change=relative, losses=tuple(losses))


def _batch(order: list[int], epoch: int, batch: int, config: OwnershipTraining, seed: int) -> list[int]:
    """Frames of one step: a pure function of seed and step, so that a resumed run sees the same ones."""
    easy = epoch < config.easy_share * config.epochs
    chosen = order[: (len(order) + 1) // 2] if easy else order
    while len(chosen) < len(order):
        chosen = [*chosen, *chosen][: len(order)]
    generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
    shuffled = torch.randperm(len(chosen), generator=generator).tolist()
    return [chosen[i] for i in shuffled[batch * config.batch_frames : (batch + 1) * config.batch_frames]]


def _stalled(losses: list[float], config: OwnershipTraining) -> bool:
    """True when the full set of frames has been seen and the loss has stopped falling."""
    since = [loss for epoch, loss in enumerate(losses) if epoch >= config.easy_share * config.epochs]
    if len(since) <= config.patience:
        return False
    return min(since[-config.patience :]) > 0.995 * min(since[: -config.patience])


def _targets(
    signal: Signal, bodies: Bool[np.ndarray, "T H W"], size: tuple[int, int], config: OwnershipTraining
) -> tuple[Tensor, Tensor, Tensor]:
    """Unexplained (0…1), known (0 or 1) and relative change, at the network's size, half precision."""
    n_frames = len(bodies)
    target = torch.empty((n_frames, size[1], size[0]), dtype=torch.float16)
    weight = torch.empty_like(target)
    ratio = torch.empty((n_frames, 3, size[1], size[0]), dtype=torch.float16)
    for t in range(n_frames):
        certain = np.clip(signal.significance[t].astype(np.float32) / config.significance - 0.5, 0, 1)
        target[t] = torch.from_numpy(cv2.resize(certain, size, interpolation=cv2.INTER_AREA))
        bare = cv2.resize((~bodies[t]).astype(np.float32), size, interpolation=cv2.INTER_AREA)
        weight[t] = torch.from_numpy((bare > 0.99).astype(np.float32))
        small = cv2.resize(signal.ratio[t].astype(np.float32), size, interpolation=cv2.INTER_AREA)
        ratio[t] = torch.from_numpy(np.ascontiguousarray(small.transpose(2, 0, 1)))
    return target, weight, ratio


def _canvas_xy(camera: CameraPath, size: tuple[int, int]) -> Float32[np.ndarray, "T 2 h w"]:
    """Canvas place of every network pixel, -1…1 over the canvas."""
    path = camera.scaled(size)
    xs, ys = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    points = np.stack([xs, ys, np.ones_like(xs)]).reshape(3, -1).astype(np.float64)
    moved = path.canvas_from_frame @ points
    xy = moved[:, :2] / moved[:, 2:]
    extent = np.array(path.canvas_size, float)[None, :, None]
    return (2 * xy / extent - 1).reshape(-1, 2, size[1], size[0]).astype(np.float32)


def _write_preview(path: Path, logits: Float[Tensor, "B L h w"], target: Float[Tensor, "B h w"]) -> None:
    """Picture of one frame: what is unexplained, then each layer's claim."""
    tiles = [target[0], *torch.sigmoid(logits[0].detach())]
    strip = (torch.cat(list(tiles), 1).cpu().numpy() * 255).astype(np.uint8)
    ok, data = cv2.imencode(".png", strip)
    if ok:
        write_bytes(path, data.tobytes())


assert N_INPUTS == 9  # silhouette_inputs and the network agree
