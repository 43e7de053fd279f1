"""A source frame's body bent until its visible parts lie on those of the frame that it stands for."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

GREY = 0.5
"""What surrounds a body that is compared with another one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FitConfig:
    """How a body is bent."""

    reach_px: float = 6.0
    """How far a bend that is seen carries into what is not, in pixels."""
    most_px: float = 8.0
    """Flows beyond this, in pixels, are mistakes: a source was chosen for being alike."""
    doubt: float = 0.05
    """Share of seen body within reach, 0…1, that counts as much as knowing nothing."""


def fit_to_visible(
    laid: Float32[np.ndarray, "H W 4"],
    picture: UInt8[np.ndarray, "H W 3"],
    seen: Bool[np.ndarray, "H W"],
    *,
    config: FitConfig,
) -> Float32[np.ndarray, "H W 4"]:
    """Bend a body of another frame by the flow between its visible parts and this frame's.

    A stride of another cycle is never quite the same stride. Where this frame shows the body, dense flow tells by how
    much it differs; into what is hidden the flow is carried on by normalised convolution and fades out.

    Args:
        laid: Body of a source frame, rigidly laid where this frame's is: premultiplied, 0…1.
        picture: This frame.
        seen: This frame's visible body; elsewhere the two are not compared.
        config: Reach and limits.

    Source: the flow is DIS (Kroeger et al. 2016), the extrapolation Knutsson and Westin's normalised convolution
    (1993); bending sources of hidden bodies by it is ours.
    """
    if not seen.any():
        return laid
    there = laid[..., :3] + GREY * (1 - laid[..., 3:])
    here = np.where(seen[..., None], picture.astype(np.float32) / 255, there)
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = dis.calc(_grey(here), _grey(there), np.zeros((*seen.shape, 2), np.float32))
    told = cv2.erode(seen.astype(np.uint8), np.ones((3, 3), np.uint8)) * (np.abs(flow).max(-1) < config.most_px)
    told = told.astype(np.float32)
    amount = cv2.GaussianBlur(flow * told[..., None], (0, 0), config.reach_px)
    known = cv2.GaussianBlur(told, (0, 0), config.reach_px)
    flow = amount / (known + config.doubt)[..., None]
    rows, columns = np.mgrid[: seen.shape[0], : seen.shape[1]].astype(np.float32)
    return np.asarray(cv2.remap(laid, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR), np.float32)


def _grey(picture: Float32[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H W"]:
    return cv2.cvtColor(np.clip(255 * picture, 0, 255).astype(np.uint8), cv2.COLOR_RGB2GRAY)
