"""Jittered frames: brightness, and a crop of an enlarged frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from polytempo.decompose.lnr.maps import Batch


@dataclass(frozen=True, kw_only=True, slots=True)
class JitterConfig:
    """How frames are jittered."""

    brightness: float = 0.1
    """Standard deviation of what is added to a whole frame, 0…1. Released system: 0.2 on -1…1."""
    brightness_epochs: int = 400
    """Epochs with it, so that the clip's own brightness is learned in the end. LNR, A.1."""
    crop_share: float = 0.75
    """Probability of a crop. Released system; 0 turns it off."""
    largest_scale: float = 1.25
    """Frames are enlarged by 1 to this before they are cropped to their size. Patent A, paragraph 76."""


def jittered(batch: Batch, *, epoch: int, config: JitterConfig, seeds: Sequence[int]) -> Batch:
    """Batch with the jitter of an epoch; the inputs move with the frames, and brightness changes target and plate.

    Args:
        batch: As from ``make_batch``.
        epoch: From 0.
        config: See ``JitterConfig``.
        seeds: One a frame, so that a frame's jitter does not depend on the frames beside it.

    Source: LNR, A.1.
    """
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    if config.crop_share > 0:
        batch = _cropped(batch, config, generators)
    if config.brightness > 0 and epoch < config.brightness_epochs:
        shift = torch.stack([torch.randn(1, 1, 1, generator=one) for one in generators]) * config.brightness
        batch = replace(batch, frames=(batch.frames + shift).clamp(0, 1), plate=(batch.plate + shift).clamp(0, 1))
    return batch


def _cropped(batch: Batch, config: JitterConfig, generators: list[torch.Generator]) -> Batch:
    height, width = batch.frames.shape[-2:]
    windows: list[tuple[int, int, int, int]] = []
    for generator in generators:
        chance, scale, left, top = torch.rand(4, generator=generator).tolist()
        grown = 1 + (config.largest_scale - 1) * scale if chance < config.crop_share else 1.0
        rows, columns = int(grown * height), int(grown * width)
        windows.append((rows, columns, int(top * (rows - height + 1)), int(left * (columns - width + 1))))

    def cut(field: Tensor, *, smooth: bool) -> Tensor:
        return torch.stack([_window(one, w, (height, width), smooth) for one, w in zip(field, windows, strict=True)])

    return replace(
        batch,
        frames=cut(batch.frames, smooth=True),
        plate=cut(batch.plate, smooth=True),
        tile=cut(batch.tile, smooth=False),
        uv=cut(batch.uv, smooth=False),
        person=cut(batch.person, smooth=False),
        trimap=cut(batch.trimap, smooth=True),
    )


def _window(field: Tensor, window: tuple[int, int, int, int], size: tuple[int, int], smooth: bool) -> Tensor:
    """One field ``[..., H, W]`` enlarged and cropped, bilinearly or by the nearest pixel."""
    rows, columns, top, left = window
    if (rows, columns) == size:
        return field
    flat: Float[Tensor, "1 C H W"] = field.reshape(1, -1, *size)
    if smooth:
        grown = F.interpolate(flat, (rows, columns), mode="bilinear", align_corners=False)
    else:
        row = (torch.arange(rows) * size[0]) // rows
        column = (torch.arange(columns) * size[1]) // columns
        grown = flat[..., row[:, None], column]
    return grown[..., top : top + size[0], left : left + size[1]].reshape(field.shape)
