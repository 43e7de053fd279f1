"""Second stage: the upsampling network learns on crops of the clip at twice the working size."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from polytempo.core.files import digest
from polytempo.core.pictures import Pictures
from polytempo.core.progress import Progress, Report, silent
from polytempo.decompose.checkpoint import TrainState, load_state, save_state
from polytempo.decompose.lnr.losses import reconstruction_loss
from polytempo.decompose.lnr.maps import Batch, LayerMaps, make_batch
from polytempo.decompose.lnr.model import LayeredRenderer, Rendered, composite_straight, unit_range, with_background
from polytempo.decompose.lnr.objective import LossTerms
from polytempo.decompose.lnr.paper_config import UpsampleConfig
from polytempo.decompose.lnr.step import Stepper
from polytempo.decompose.lnr.train import PlateOf, epoch_seed
from polytempo.decompose.lnr.upsample import Upsampler, doubled


def train_upsampler(
    pictures: Pictures,
    maps: LayerMaps,
    model: LayeredRenderer,
    *,
    config: UpsampleConfig,
    key: str,
    seed: int = 0,
    learning_rate: float = 1e-3,
    plate: PlateOf | None = None,
    checkpoint: Path | None = None,
    report: Report = silent,
) -> Upsampler:
    """Train the upsampler with L1 alone; the renderer stays as it is, its batch norms at their fixed statistics.

    Every step looks at one crop, at the same place in all frames of the batch and all layers.

    Args:
        pictures: Frames at twice the working size.
        maps: Inputs at working size.
        model: Trained; not changed.
        config: See ``UpsampleConfig``.
        key: Of the model's training; a saved state of another is not used.
        seed: Of weights, order and crops.
        learning_rate: Of Adam.
        plate: Clean plate by frame at working size, where it stands for the background.
        checkpoint: Folder for the training state. None keeps nothing.
        report: Told after every step.

    Source: LNR, A.1, A.2.2.
    """
    device = next(model.parameters()).device
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed + 1)
        upsampler = Upsampler(model.renderer.head.in_channels).to(device)
    optimiser = torch.optim.Adam(upsampler.parameters(), lr=learning_rate)
    key = digest("upsample-1", key, repr(config), seed)
    path = None if checkpoint is None else checkpoint / "upsampler.safetensors"
    state = load_state(path, key, upsampler, optimiser) if path is not None else None
    stepper = Stepper(optimiser, part_size=config.batch_size)
    training = model.training
    model.eval()
    height, width = maps.tile.shape[2:]
    even = config.crop_px // 2 * 2
    crop = (min(even, 2 * height), min(even, 2 * width))

    def loss_of(part: NDArray[np.int64], *, window: tuple[slice, slice]) -> LossTerms:
        target = np.stack([np.asarray(pictures[int(t)])[window] for t in part])
        batch = make_batch(maps, np.zeros((len(part), height, width, 3), np.uint8), part)
        layers = cropped_layers(model, upsampler, batch, window, device)
        if plate is not None:
            small = torch.tensor(np.stack([plate(int(t)) for t in part])).permute(0, 3, 1, 2).float() / 255
            layers = with_background(layers[:, 1:], doubled(small)[..., window[0], window[1]].to(device))
        wanted = torch.from_numpy(target).permute(0, 3, 1, 2).float().to(device) / 255
        loss = reconstruction_loss(composite_straight(layers, batch.order.to(device)), wanted)
        nothing = torch.zeros_like(loss)
        return LossTerms(total=loss, reconstruction=loss, mask=nothing, regulariser=nothing)

    for epoch in range(0 if state is None else state.step, config.n_epochs):
        generator = torch.Generator().manual_seed(epoch_seed(seed + 1, epoch))
        frames = torch.randperm(maps.n_frames, generator=generator).numpy()
        for start in range(0, len(frames), config.batch_size):
            top, left = (
                2 * int(torch.randint((2 * side - length) // 2 + 1, (), generator=generator))
                for side, length in zip((height, width), crop, strict=True)
            )
            window = (slice(top, top + crop[0]), slice(left, left + crop[1]))
            terms = stepper.step(frames[start : start + config.batch_size], partial(loss_of, window=window))
            done = epoch + min(start + config.batch_size, len(frames)) / len(frames)
            report(
                Progress(stage="upsample", done=done, total=config.n_epochs, message="training the upsampler",
                         loss=terms["total"])
            )  # fmt: skip
        if path is not None and (epoch + 1 == config.n_epochs or epoch % 10 == 9):
            save_state(path, TrainState(key=key, step=epoch + 1, facts={}), upsampler, optimiser)
    model.train(training)
    return upsampler


def cropped_layers(
    model: LayeredRenderer, upsampler: Upsampler, batch: Batch, window: tuple[slice, slice], device: torch.device
) -> Float[Tensor, "B M 4 h w"]:
    """Upsampled layers 0…1 of a window, whose edges are even; the renderer has seen the whole frame."""
    rows, columns = (slice(one.start // 2, one.stop // 2) for one in window)
    out: list[Tensor] = []
    for m in range(batch.tile.shape[1]):
        tile, uv, person = (one[:, m].to(device) for one in (batch.tile, batch.uv, batch.person))
        with torch.no_grad():
            whole = model.render(tile, uv, person)
        part = Rendered(
            rgba=whole.rgba[..., rows, columns],
            features=whole.features[..., rows, columns],
            texture=whole.texture[..., rows, columns],
            person=whole.person[..., rows, columns],
        )
        out.append(unit_range(model.upsampled(upsampler, tile[..., rows, columns], uv[..., rows, columns], part)))
    return torch.stack(out, 1)
