"""The body's alpha matte: a silhouette refined against the clean plate, or against another body behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True)
class MatteConfig:
    """How far and how firmly a silhouette is refined."""

    band_px: float = 4.0
    """Half width of the band around the outline in which alpha is solved for, working pixels."""
    edge_px: float = 1.0
    """Softness of the outline where the picture does not tell, working pixels."""
    contrast: float = 0.12
    """Distance of body colour to plate, 0…1, at which picture and outline count the same."""
    near_px: float = 1.5
    """Between two bodies the colours of both are taken from so near, working pixels; Gaussian sigma."""
    guess: float = 5.0
    """Spread of the colour of a body beneath, as far as it is known, over that of a body's colour around its mean."""
    stain: float = 4.0
    """Cover by bodies in front, 0…1, times this is how little the frame tells about the colour behind."""


def body_matte(
    picture: Float32[np.ndarray, "H W 3"],
    under: Float32[np.ndarray, "H W 3"],
    silhouette: Float32[np.ndarray, "H W"],
    *,
    scale: float,
    config: MatteConfig,
) -> tuple[Float32[np.ndarray, "H W"], Float32[np.ndarray, "H W 3"]]:
    """Alpha and usual colour of a body before a known background.

    Inside a band around the outline alpha is the place of the pixel's colour on the line from the colour beneath to
    the body's colour nearby; how far that is believed depends on how different the two are.

    Args:
        picture: Frame, 0…1.
        under: What lies beneath the body: plate and effects, 0…1.
        silhouette: 0…1; its outline is where it crosses 0.5.
        scale: Frame size over working size.
        config: See ``MatteConfig``.

    Returns:
        Alpha 0…1, 1 deep inside and 0 far outside; the body's colour nearby, straight, 0…1.

    Source: ours; the compositing equation solved for alpha with colour and background given (known-background matting).
    """
    inside = silhouette > 0.5
    if not inside.any():
        return np.zeros_like(silhouette), picture
    band = config.band_px * scale
    signed, prior = _outline(inside, scale=scale, config=config)
    sure = (signed > band).astype(np.float32)
    if sure.sum() < 16:  # too thin to have an inside: take the middle of it
        sure = (signed > 0.5 * signed.max()).astype(np.float32)
    weight = cv2.GaussianBlur(sure, (0, 0), 1.5 * band)
    body = cv2.GaussianBlur(picture * sure[..., None], (0, 0), 1.5 * band) / np.maximum(weight, 1e-4)[..., None]
    place, belief = _place(picture, under, body, config=config)
    belief = belief * (weight > 1e-3)
    # A body's own texture looks like transparency; the nearer to the middle, the less it is believed.
    reach = np.clip(1 - np.abs(signed) / band, 0, 1)
    belief = belief * np.minimum(2 * reach, 1)
    alpha = np.where(np.abs(signed) <= band, prior + (place - prior) * belief, (signed > 0).astype(np.float32))
    return alpha.astype(np.float32), np.where((weight > 1e-3)[..., None], body, picture)


def contact_matte(
    picture: Float32[np.ndarray, "H W 3"],
    alpha: Float32[np.ndarray, "H W"],
    silhouette: Float32[np.ndarray, "H W"],
    beneath: Float32[np.ndarray, "H W"],
    *,
    scale: float,
    config: MatteConfig,
) -> tuple[Float32[np.ndarray, "H W"], Float32[np.ndarray, "H W 3"], Float32[np.ndarray, "H W"]]:
    """Alpha and colour of a body where it meets another one behind it.

    There what lies beneath is a guess, but the frame shows both bodies beside the outline: alpha is the place of the
    pixel's colour on the line between them.

    Args:
        picture: Frame, 0…1.
        alpha: From ``body_matte``; says which pixels are surely one body's or the other's.
        silhouette: As for ``body_matte``.
        beneath: How much bodies behind cover each pixel, 0…1.
        scale: Frame size over working size.
        config: See ``MatteConfig``.

    Returns:
        Alpha 0…1; the body's colour beside the outline, straight, 0…1; and how far the two hold, 0…1: 0 away from other
        bodies and where one of the two is not seen nearby.

    Source: ours; the compositing equation solved for alpha with both colours given.
    """
    nowhere = np.zeros_like(silhouette)
    inside = silhouette > 0.5
    if not inside.any() or beneath.max() <= 0.5:
        return alpha, picture, nowhere
    kernel = np.ones((3, 3), np.uint8)
    mine, known = _nearby(picture, cv2.erode((alpha > 0.9).astype(np.uint8), kernel), scale=scale, config=config)
    others = cv2.erode((alpha < 0.1).astype(np.uint8), kernel) * (beneath > 0.9)
    theirs, seen = _nearby(picture, others, scale=scale, config=config)
    signed, prior = _outline(inside, scale=scale, config=config)
    band = config.band_px * scale
    holds = ((known > 1e-3) & (seen > 1e-3) & (np.abs(signed) <= band)).astype(np.float32)
    place, belief = _place(picture, theirs, mine, config=config)
    belief = belief * np.minimum(2 * np.clip(1 - np.abs(signed) / band, 0, 1), 1)
    holds *= np.clip(2 * cv2.GaussianBlur(beneath, (0, 0), scale), 0, 1)
    return (prior + (place - prior) * belief).astype(np.float32), mine, holds


def _outline(inside: NDArray[np.bool_], *, scale: float, config: MatteConfig) -> tuple[Any, Any]:
    """Distance from the outline in pixels, above 0 inside, and the alpha that it alone tells."""
    signed = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5) - cv2.distanceTransform(
        (~inside).astype(np.uint8), cv2.DIST_L2, 5
    )
    signed = cv2.GaussianBlur(signed, (0, 0), max(0.5 * scale, 0.5))
    return signed, np.clip(signed / (2 * config.edge_px * scale) + 0.5, 0, 1)


def _place(
    picture: NDArray[np.float32], behind: NDArray[np.float32], body: NDArray[np.float32], *, config: MatteConfig
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Place of each pixel's colour between the two, 0…1, and how far it is believed: the more they differ, the more."""
    line = body - behind
    length = (line**2).sum(-1)
    place = np.clip(((picture - behind) * line).sum(-1) / np.maximum(length, 1e-5), 0, 1)
    return place, length / (length + config.contrast**2)


def _nearby(
    picture: NDArray[np.float32], where: NDArray[Any], *, scale: float, config: MatteConfig
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean colour of the pixels ``where`` close to each pixel, and how many of them there are, 0…1."""
    weight = where.astype(np.float32)
    sigma = config.near_px * scale
    share = np.asarray(cv2.GaussianBlur(weight, (0, 0), sigma), np.float32)
    colour = cv2.GaussianBlur(picture * weight[..., None], (0, 0), sigma) / np.maximum(share, 1e-5)[..., None]
    return np.asarray(colour, np.float32), share
