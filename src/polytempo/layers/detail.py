"""Detail transfer: what the composite still misses of the frame goes into the layers that show it."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from polytempo.core.errors import InputError, ShapeError
from polytempo.layers.over import composite, transmittance


def transfer_detail(
    layers: Float[Tensor, "*B L 4 H W"],
    frame: Float[Tensor, "*B 3 H W"],
    *,
    into_background: bool = False,
    full_from: float = 0.1,
    clamp: bool = True,
) -> Float[Tensor, "*B L 4 H W"]:
    """Layers with the residual ``frame - composite`` handed out to their colours; alpha is untouched.

    Paper A adds τ·r to every *straight* colour, τ the transmittance and r the residual. A premultiplied colour then
    grows by α·τ·r, of which the composite shows τ times as much: Σ α τ² · r in all, less than r wherever something is
    half transparent. So the shares are the paper's, w = α·τ, brought to the sum that gives the frame back::

        P_i += w_i / max(Σ_j w_j τ_j, full_from) · r

    A layer that is hidden (τ = 0) or absent (α = 0) gets nothing; one opaque layer in front gets all of r, which
    makes it the frame's own pixel. Where the sum is at least ``full_from`` the composite *equals* the frame (before
    clamping); below it the transfer fades out with alpha, so that no layer is lit up by the grain of places where it
    as good as is not. A colour may exceed its alpha where the frame is brighter than any cover of the plate: a
    reflection adds light, and *over* is right for it all the same.

    Args:
        layers: Premultiplied RGBA in 0…1, back to front, index 0 the opaque background.
        frame: The clip's frame, 0…1.
        into_background: Give the background its share too, by the same rule with its alpha 1; the composite then
            equals the frame everywhere. Off by default, as in the paper's own system: whoever is removed would leave a
            ghost in a background that carries the frame's residual.
        full_from: Σ α τ² from which on the frame is met in full. Ours; only counts without ``into_background``.
        clamp: Keep colours in 0…1, as files need them. Costs exactness where a colour would have to be negative.

    Returns:
        New layers of the same shape.

    Raises:
        ShapeError: sizes of frame and layers differ, or there is no layer above the background.
        InputError: ``full_from`` is not above 0.

    Source: paper A Eq. 9-10; the division is ours.
    """
    if layers.shape[-4] < 2 or layers.shape[-2:] != frame.shape[-2:] or frame.shape[-3] != 3:
        raise ShapeError(
            "layers.detail",
            "a background, at least one layer and a frame [3, H, W] of the same size must come in",
            got=f"layers {tuple(layers.shape)} and frame {tuple(frame.shape)}",
        )
    if full_from <= 0:
        raise InputError("layers.detail", "full_from must be above 0", got=str(full_from))
    residual = frame.unsqueeze(-4) - composite(layers)[..., None, :3, :, :]
    through = transmittance(layers)
    weight = layers[..., 3:4, :, :] * through
    if not into_background:
        weight = torch.cat([torch.zeros_like(weight[..., :1, :, :, :]), weight[..., 1:, :, :, :]], dim=-4)
    shown = (weight * through).sum(dim=-4, keepdim=True)
    colour = layers[..., :3, :, :] + weight / shown.clamp_min(full_from) * residual
    if clamp:
        colour = colour.clamp(0, 1)
    return torch.cat([colour, layers[..., 3:4, :, :]], dim=-3)
