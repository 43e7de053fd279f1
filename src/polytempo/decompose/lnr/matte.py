"""The body's alpha matte: a silhouette refined against the clean plate."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32


@dataclass(frozen=True, kw_only=True, slots=True)
class MatteConfig:
    """How far and how firmly a silhouette is refined."""

    band_px: float = 4.0
    """Half width of the band around the outline in which alpha is solved for, working pixels."""
    edge_px: float = 1.0
    """Softness of the outline where the picture does not tell, working pixels."""
    contrast: float = 0.12
    """Distance of body colour to plate, 0…1, at which picture and outline count the same."""
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
    signed = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5) - cv2.distanceTransform(
        (~inside).astype(np.uint8), cv2.DIST_L2, 5
    )
    signed = cv2.GaussianBlur(signed, (0, 0), max(0.5 * scale, 0.5))
    prior = np.clip(signed / (2 * config.edge_px * scale) + 0.5, 0, 1)
    sure = (signed > band).astype(np.float32)
    if sure.sum() < 16:  # too thin to have an inside: take the middle of it
        sure = (signed > 0.5 * signed.max()).astype(np.float32)
    weight = cv2.GaussianBlur(sure, (0, 0), 1.5 * band)
    body = cv2.GaussianBlur(picture * sure[..., None], (0, 0), 1.5 * band) / np.maximum(weight, 1e-4)[..., None]
    line = body - under
    length = (line**2).sum(-1)
    place = np.clip(((picture - under) * line).sum(-1) / np.maximum(length, 1e-5), 0, 1)
    belief = length / (length + config.contrast**2) * (weight > 1e-3)
    # A body's own texture looks like transparency; the nearer to the middle, the less it is believed.
    reach = np.clip(1 - np.abs(signed) / band, 0, 1)
    belief = belief * np.minimum(2 * reach, 1)
    alpha = np.where(np.abs(signed) <= band, prior + (place - prior) * belief, (signed > 0).astype(np.float32))
    return alpha.astype(np.float32), np.where((weight > 1e-3)[..., None], body, picture)
