"""Effects in closed form: the smallest alpha that explains the frame over the plate, shared out between the owners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from polytempo.decompose.lnr.network import DELTA


@dataclass(frozen=True, kw_only=True, slots=True)
class EffectConfig:
    """How claims become RGBA."""

    ring_px: float = 6.0
    """Departures this near to a body belong to it: contact shadows and what the mask missed. Working pixels."""
    claim_from: float = 0.08
    """Claims (see ``claimed``) below this make no effect; the full effect is reached 0.25 above it."""
    boost_from: float = 4.0
    """Departures beyond so many noise sigmas make a small claim count for more."""
    boost_most: float = 12.0
    """Most that a claim is multiplied by."""
    significance_from: float = 1.0
    """Departures below this many noise sigmas make no effect; the full effect is reached 1.5 above it."""
    smooth_px: float = 0.7
    """Gaussian sigma against grain in the departure, working pixels."""
    contested: float = 0.2
    """A second owner with a share above this makes a pixel contested: the predicted changes then decide."""


def smallest_alpha(
    under: Float32[np.ndarray, "*B 3"], change: Float32[np.ndarray, "*B 3"]
) -> tuple[Float32[np.ndarray, "*B"], Float32[np.ndarray, "*B 3"]]:
    """Least opaque paint that turns ``under`` into ``under + change`` when laid over it.

    Returns:
        Alpha, 0…1, and the straight colour, 0…1. Where nothing changes: alpha 0 and the colour ``under``.

    Source: ours (architecture: closed-form RGBA).

    Example:
        >>> alpha, colour = smallest_alpha(np.full((1, 3), 0.8, np.float32), np.full((1, 3), -0.2, np.float32))
        >>> alpha.round(3).tolist(), colour.round(3).tolist()
        ([0.25], [[0.0, 0.0, 0.0]])
    """
    room = np.where(change > 0, 1 - under, under)
    alpha = np.clip(np.abs(change) / np.maximum(room, 1e-3), 0, 1).max(-1)
    colour = np.clip(under + change / np.maximum(alpha, 1e-4)[..., None], 0, 1)
    return alpha, np.where(alpha[..., None] > 1e-4, colour, under)


def share_alpha(alpha: Float32[np.ndarray, "*B"], share: Float32[np.ndarray, "*B"]) -> Float32[np.ndarray, "*B"]:
    """A layer's part of an alpha: shares add up in log transmittance, so that *over* of all parts is the whole.

    Example:
        >>> half = share_alpha(np.array([0.75], np.float32), np.array([0.5], np.float32))
        >>> half.tolist(), (1 - (1 - half) ** 2).tolist()
        ([0.5], [0.75])
    """
    return 1 - np.power(np.maximum(1 - alpha, 1e-4), share)


def layer_claims(
    probability: Float32[np.ndarray, "L H W"],
    silhouettes: Bool[np.ndarray, "L H W"],
    *,
    ring_px: float,
) -> Float32[np.ndarray, "L H W"]:
    """Ownership with the ring around each body given to that body."""
    claims = probability.copy()
    for i, silhouette in enumerate(silhouettes):
        if silhouette.any():
            distance = cv2.distanceTransform((~silhouette).astype(np.uint8), cv2.DIST_L2, 3)
            claims[i] = np.maximum(claims[i], np.clip((ring_px - distance) / max(ring_px / 3, 1), 0, 1))
    return claims


def claimed(
    claims: Float32[np.ndarray, "L H W"], significance: Float32[np.ndarray, "H W"], config: EffectConfig
) -> Float32[np.ndarray, "H W"]:
    """How surely anybody at all owns each pixel's departure: 1 − Π(1 − claim), more where the departure is strong.

    What departs strongly and is hardly claimed is an effect seen in few frames, like a trampoline at its lowest: its
    owner is the one with the largest claim, however small.
    """
    boost = 1 + (np.maximum(significance - config.boost_from, 0) / config.boost_from) ** 2
    return np.clip((1 - np.prod(1 - claims, axis=0)) * np.minimum(boost, config.boost_most), 0, 1)


def effect_layers(
    picture: Float32[np.ndarray, "H W 3"],
    plate: Float32[np.ndarray, "H W 3"],
    *,
    claims: Float32[np.ndarray, "L H W"],
    predicts: Float32[np.ndarray, "L H W"],
    change: Float32[np.ndarray, "L H W 3"],
    significance: Float32[np.ndarray, "H W"],
    covered: Sequence[Float32[np.ndarray, "H W"]],
    scale: float,
    config: EffectConfig,
) -> Float32[np.ndarray, "L H W 4"]:
    """Premultiplied RGBA of each layer's effects in one frame.

    Where one layer owns a pixel, its effect makes the plate into the frame (grain aside). Where two do, the one whose
    predicted change is nearest to what is seen takes what the others' predictions leave. Where a body covers an effect
    of somebody else, the prediction fills it: nobody sees it until that body moves away.

    Args:
        picture: Frame, 0…1.
        plate: Clean plate in this frame, 0…1.
        claims: From ``layer_claims``.
        predicts: The network's own claims, without the rings around bodies. Where a body covers a ring nothing is seen,
            and nobody taught the network what it looks like: no prediction fills it.
        change: Predicted relative change of each layer (see ``network.DELTA``).
        significance: Departure in noise sigmas.
        covered: Per layer, how much the bodies of *all* layers cover each pixel, 0…1, its own body counted.
        scale: Frame size over working size; pixel constants grow by it.
        config: See ``EffectConfig``.
    """
    departure = cv2.GaussianBlur(picture - plate, (0, 0), max(config.smooth_px * scale, 0.3))
    gate = np.clip((claimed(claims, significance, config) - config.claim_from) / 0.25, 0, 1)
    gate *= np.clip((significance - config.significance_from) / 1.5, 0, 1)
    seen = departure * gate[..., None]
    told = change * (plate + DELTA)
    predicted = told * np.clip((claims - config.claim_from) / 0.25, 0, 1)[..., None]
    filling = told * np.clip((predicts - config.claim_from) / 0.25, 0, 1)[..., None]
    square = claims**2
    share = square / (square.sum(0) + 1e-12)
    if len(claims) > 1:
        share = _decide(share, seen, predicted, config.contested)
    out = np.zeros((*claims.shape, 4), np.float32)
    whole, paint = smallest_alpha(plate, seen)
    for i in range(len(claims)):
        open_alpha = share_alpha(whole, share[i])
        filled, fill_paint = smallest_alpha(plate, filling[i])
        lid = covered[i]
        alpha = open_alpha * (1 - lid) + filled * lid
        colour = paint * (open_alpha * (1 - lid))[..., None] + fill_paint * (filled * lid)[..., None]
        out[i, ..., 3] = alpha
        out[i, ..., :3] = colour
    return out


def _decide(
    share: Float32[np.ndarray, "L H W"],
    seen: Float32[np.ndarray, "H W 3"],
    predicted: Float32[np.ndarray, "L H W 3"],
    contested: float,
) -> Float32[np.ndarray, "L H W"]:
    """Sharpen shares where two layers claim a pixel, by whose predicted change looks like what is seen."""
    second = np.sort(share, axis=0)[-2]
    miss = np.abs(predicted - seen).mean(-1)
    likely = np.exp(-miss / 0.03) * share
    sharp = likely / (likely.sum(0) + 1e-8)
    here = np.clip((second - contested) / 0.1, 0, 1)
    return share * (1 - here) + sharp * here
