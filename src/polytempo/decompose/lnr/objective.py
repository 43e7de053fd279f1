"""What the renderer is trained to lower, at any epoch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from polytempo.decompose.lnr.losses import alpha_regulariser, mask_loss, reconstruction_loss
from polytempo.decompose.lnr.maps import Batch
from polytempo.decompose.lnr.model import composite_straight
from polytempo.decompose.lnr.paper_config import LnrConfig
from polytempo.decompose.lnr.patent_mask import patent_mask_weight, patent_trimap_distance
from polytempo.decompose.lnr.schedule import LossWeights, loss_weights


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LossTerms:
    """The total and its parts, unweighted."""

    total: Float[Tensor, ""]
    reconstruction: Float[Tensor, ""]
    mask: Float[Tensor, ""]
    regulariser: Float[Tensor, ""]


def weights_at(epoch: int, *, bootstrap_epoch: int | None, config: LnrConfig) -> LossWeights:
    """Weights of Eq. 8, or the patent's for its variant."""
    weights = loss_weights(epoch, bootstrap_epoch=bootstrap_epoch, l1_epochs=config.l1_epochs)
    return LossWeights(
        mask=patent_mask_weight(epoch) if config.mask_loss == "patent" else weights.mask,
        alpha_l1=weights.alpha_l1,
        regulariser=weights.regulariser if config.regulariser else 0.0,
    )


def paper_loss(
    layers: Float[Tensor, "B M 4 H W"], batch: Batch, *, weights: LossWeights, config: LnrConfig
) -> LossTerms:
    """Eq. 7 of a batch: means over pixels, frames and layers, so that it does not depend on their number.

    The background has no part in the mask loss and in the regulariser: its alpha is 1 by definition.

    Source: LNR, Eq. 3 to 7.
    """
    alphas = layers[:, 1:, 3]
    reconstruction = reconstruction_loss(composite_straight(layers, batch.order), batch.frames)
    if config.mask_loss == "patent":
        mask = patent_trimap_distance(batch.trimap, alphas).mean()
    else:
        mask = mask_loss(batch.trimap, alphas)
    regulariser = alpha_regulariser(alphas, l1_weight=weights.alpha_l1)
    total = reconstruction + weights.mask * mask + weights.regulariser * regulariser
    return LossTerms(total=total, reconstruction=reconstruction, mask=mask, regulariser=regulariser)


def warm_loss(layers: Float[Tensor, "B M 4 H W"], batch: Batch, plates: Float[Tensor, "B 3 H W"]) -> LossTerms:
    """Distance of every layer from what is known of it without training.

    The background from the clean plate, alphas from their trimaps, colours from the frame where a layer is surely
    there and nobody in front of it is.

    Source: ours; the warm start of preset ``standard``.
    """
    background = reconstruction_loss(layers[:, 0, :3], plates)
    alphas = layers[:, 1:, 3]
    mask = mask_loss(batch.trimap, alphas)
    clear = torch.ones_like(batch.trimap[:, 0])
    rows = torch.arange(len(layers), device=layers.device)
    colour = torch.zeros_like(mask)
    for place in reversed(range(batch.order.shape[1])):
        m = batch.order[:, place]
        sure = (batch.trimap[rows, m - 1] >= 1).to(clear.dtype)
        shown = sure * clear
        away = (layers[rows, m, :3] - batch.frames).abs().mean(1)
        colour = colour + (away * shown).sum() / shown.sum().clamp_min(1)
        clear = clear * (1 - sure)
    return LossTerms(
        total=background + mask + colour, reconstruction=background, mask=mask, regulariser=torch.zeros_like(mask)
    )
