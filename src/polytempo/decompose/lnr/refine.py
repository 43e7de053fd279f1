"""A short refinement of one frame's layers under paper A's losses, where the closed form left something to explain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float32
from numpy.typing import NDArray
from torch import Tensor

from polytempo.decompose.lnr.losses import alpha_regulariser, mask_loss, reconstruction_loss

Rgba = Float32[np.ndarray, "H W 4"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RefineConfig:
    """How long and by what layers are refined."""

    n_steps: int = 30
    """Steps of Adam per frame; 0 leaves the closed form as it is. Measured, four times as many give nothing more."""
    learning_rate: float = 0.03
    """On the logits of colour and alpha."""
    residual_from: float = 0.006
    """Pixels that the composite misses by more than this, 0…1 (1.5 of 255), are refined."""
    least_alpha: float = 0.02
    """Only where some layer shows at least this much: what no layer shows is the background's."""
    least_shown: float = 0.9
    """Only layers whose paint the frame shows by this share, 0…1: of what is hidden it tells nothing, and Adam's steps
    are as large for the faintest gradient as for any other."""
    overlap: float = 0.02
    """Where two bodies have more alpha than this, nothing is refined: the frame does not tell their paints apart."""
    regulariser: float = 0.005
    """Weight of Eq. 6. Its L1 part counts twice its L0 part, as in the released code of paper A."""
    l1_weight: float = 2.0
    """Gamma of Eq. 6."""
    mask: float = 1.0
    """Weight of Eq. 4 with the balanced halves of Eq. 5."""
    trimap_px: int = 4
    """Silhouettes are sure this far from their outline, working pixels."""


def refine_frame(
    picture: Float32[np.ndarray, "H W 3"],
    background: Float32[np.ndarray, "H W 3"],
    effects: Mapping[int, Rgba],
    bodies: Mapping[int, Rgba],
    *,
    order: tuple[int, ...],
    silhouettes: Mapping[int, Float32[np.ndarray, "H W"]],
    scale: float,
    config: RefineConfig,
) -> tuple[dict[int, Rgba], dict[int, Rgba]]:
    """Effects and bodies that composite nearer to the frame, premultiplied.

    The closed form decides who paints what; here colour and alpha move a little from there, by gradient, under the sum
    of reconstruction (Eq. 3), trimap (Eq. 4, 5) and sparsity of alpha (Eq. 6). All of it is a sum over pixels, so only
    those that the composite misses are looked at.

    Args:
        picture: The frame, 0…1.
        background: What is behind all layers in it, 0…1.
        effects: Premultiplied effects by layer, beneath all bodies.
        bodies: Premultiplied bodies by layer.
        order: Layers back to front.
        silhouettes: Whole bodies, 0…1.
        scale: Frame size over working size.
        config: See ``RefineConfig``.

    Source: LNR, Eq. 3 to 7, on the layers' own pixels instead of a renderer's weights.
    """
    stacked = np.stack([*(effects[one] for one in order), *(bodies[one] for one in order)])
    composite = background
    for rgba in stacked:
        composite = rgba[..., :3] + (1 - rgba[..., 3:]) * composite
    missed = np.abs(composite - picture).max(-1) > config.residual_from
    bodies_alpha = np.sort(stacked[len(order) :, ..., 3], axis=0)
    single = bodies_alpha[-2] <= config.overlap if len(order) > 1 else np.ones_like(missed)
    rows, columns = np.nonzero(missed & single & (stacked[..., 3].max(0) > config.least_alpha))
    if config.n_steps == 0 or len(rows) == 0:
        return dict(effects), dict(bodies)
    margin = 2 * round(config.trimap_px * scale) + 1
    trimaps = np.stack([_trimap(silhouettes[one], margin)[rows, columns] for one in order])
    refined = _descend(
        torch.from_numpy(np.ascontiguousarray(picture[rows, columns])),
        torch.from_numpy(np.ascontiguousarray(background[rows, columns])),
        torch.from_numpy(np.ascontiguousarray(stacked[:, rows, columns])),
        torch.from_numpy(trimaps),
        config,
    )
    out = stacked.copy()
    out[:, rows, columns] = refined.numpy()
    n = len(order)
    return {one: out[i] for i, one in enumerate(order)}, {one: out[n + i] for i, one in enumerate(order)}


def _descend(
    picture: Float[Tensor, "N 3"],
    background: Float[Tensor, "N 3"],
    stacked: Float[Tensor, "M N 4"],
    trimaps: Float[Tensor, "L N"],
    config: RefineConfig,
) -> Tensor:
    """Premultiplied RGBA of every picture, back to front, after the steps."""
    n_layers = len(trimaps)
    shown = stacked[..., 3:]
    straight = torch.where(shown > 0.004, stacked[..., :3] / shown.clamp_min(0.004), picture[None])
    alpha = _logit(shown).requires_grad_(True)
    colour = _logit(straight).requires_grad_(True)
    optimiser = torch.optim.Adam([alpha, colour], lr=config.learning_rate, betas=(0.9, 0.99))
    for _ in range(config.n_steps):
        a, c = torch.sigmoid(alpha), torch.sigmoid(colour)
        composite = background
        for i in range(len(stacked)):
            composite = a[i] * c[i] + (1 - a[i]) * composite
        alphas = a[..., 0]
        loss = reconstruction_loss(composite.T[None, :, None], picture.T[None, :, None])
        loss = loss + config.regulariser * alpha_regulariser(alphas[None, :, None], l1_weight=config.l1_weight)
        loss = loss + config.mask * mask_loss(trimaps[None, :, None], alphas[None, n_layers:, None])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # pyright: ignore[reportUnknownMemberType]
        optimiser.step()
    with torch.no_grad():
        a = torch.sigmoid(alpha)
        # What was nothing stays nothing: a layer does not grow where the closed form gave it no share.
        a = torch.where((shown < 0.004) & (a < 0.01), torch.zeros_like(a), a)
        refined = torch.cat([a * torch.sigmoid(colour), a], -1)
        through = torch.cumprod(1 - shown.flip(0), 0).flip(0)  # of each picture and all in front of it
        unseen = torch.cat([through[1:], torch.ones_like(through[:1])]) < config.least_shown
        return torch.where(unseen, stacked, refined)


def _logit(values: Tensor) -> Tensor:
    inside = values.detach().clamp(0.002, 0.998)
    return torch.log(inside / (1 - inside))


def _trimap(silhouette: Float32[np.ndarray, "H W"], size: int) -> NDArray[np.float32]:
    """1 surely inside, 0 surely outside, a half between."""
    mask = (silhouette > 0.5).astype(np.uint8)
    kernel: Any = np.ones((size, size), np.uint8)
    return np.where(cv2.erode(mask, kernel) > 0, 1.0, np.where(cv2.dilate(mask, kernel) > 0, 0.5, 0.0)).astype(
        np.float32
    )
