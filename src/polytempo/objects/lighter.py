"""Where a frame is lighter than the clean plate: no shadow does that, so it is somebody, or something of theirs.

A white shirt before a white wall is a few steps lighter than it. Pixel by pixel that is noise, and on a striped wall
there is always a stripe of the shirt's colour within reach of the plate's misfit. Over an even area it is plain.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

from polytempo.camera.plate import CleanPlate
from polytempo.objects.colour_model import lab_picture
from polytempo.objects.evidence import Footage
from polytempo.objects.plate_match import plate_sigma


@dataclass(frozen=True, kw_only=True, slots=True)
class LighterConfig:
    """From when on a place is lighter than the plate. Lightness is in 8-bit Lab units."""

    blur_share: float = 0.0027
    """Grain is averaged away over this share of the picture's width."""
    from_sigma: float = 2.5
    """So many times the plate's own spread is no chance."""
    least_noise: float = 1.5
    """Smallest spread assumed."""
    quiet: float = 6.0
    """Places of larger spread tell nothing: bedclothes that give way are lighter here and darker there."""
    offset_px: float = 0.5
    """Misfit of the camera path to expect at edges, in pixels."""
    least_coverage: int = 3
    """Plate pixels seen bare in fewer frames say nothing."""
    lasting_share: float = 0.35
    """What is lighter in more than this share of the frames stands there, or the plate is wrong."""
    near_share: float = 0.02
    """Pieces farther from everybody than this share of the width are nobody's shirt."""
    far_share: float = 0.1
    """From this share of the width on it is surely nobody."""
    wandering: float = 0.003
    """Where more than this share of what is so far from everybody is lighter, light wanders, and nothing is told."""


def lighter_than_plate(
    view: Footage, plate: CleanPlate, bodies: Bool[np.ndarray, "T H W"], *, config: LighterConfig
) -> Bool[np.ndarray, "T H W"]:
    """Where frames are lighter than the plate by more than its noise, beside somebody, and only for a time.

    Args:
        view: The clip.
        plate: Its clean plate.
        bodies: Where anybody was found so far.
        config: Limits.

    Returns:
        Nothing at all where light wanders over the scene: there being lighter does not tell bodies from walls.
    """
    n, height, width = view.lab.shape[:3]
    colour = lab_picture((np.clip(plate.colour, 0, 1) * 255).astype(np.uint8))
    sigma = plate_sigma(colour, plate.noise, least=config.least_noise, offset_px=config.offset_px)
    usable = ((plate.coverage >= config.least_coverage) & (sigma < config.quiet)).astype(np.float32)
    told = np.dstack([colour[..., 0], sigma, usable])
    out = np.zeros((n, height, width), bool)
    far = lighter_far = 0
    for t in range(n):
        base, spread, known = np.moveaxis(_in_frame(told, view.camera.canvas_from_frame[t], (width, height)), -1, 0)
        above = view.lab[t, ..., 0].astype(np.float32) - base * np.float32(plate.exposure[t].mean())
        above = cv2.GaussianBlur(above, (0, 0), max(config.blur_share * width, 0.5))
        lighter = (above > config.from_sigma * np.maximum(spread, config.least_noise)) & (known > 0.99)
        away = cv2.distanceTransform((~bodies[t]).astype(np.uint8), cv2.DIST_L2, 3)
        nobody = (known > 0.99) & (away > config.far_share * width)
        far, lighter_far = far + int(nobody.sum()), lighter_far + int((nobody & lighter).sum())
        out[t] = lighter
    if lighter_far > config.wandering * far:
        return np.zeros_like(out)
    share = np.zeros(plate.noise.shape, np.float32)
    for t in range(n):
        share += _on_canvas(out[t], view.camera.canvas_from_frame[t], view.camera.canvas_size) / n
    for t in range(n):
        passing = _in_frame(share, view.camera.canvas_from_frame[t], (width, height)) <= config.lasting_share
        # Sharpened outlines have a bright line beside them that is nobody.
        lighter = (out[t] & passing).astype(np.uint8)
        lighter = np.asarray(cv2.morphologyEx(lighter, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)))
        _, pieces = cv2.connectedComponents(lighter, connectivity=8)
        away = cv2.distanceTransform((~bodies[t]).astype(np.uint8), cv2.DIST_L2, 3)
        beside = (lighter > 0) & (away <= config.near_share * width)
        out[t] = (lighter > 0) & np.isin(pieces, np.unique(pieces[beside]))
    return out


def quiet_places(view: Footage, plate: CleanPlate, *, config: LighterConfig) -> Bool[np.ndarray, "T H W"]:
    """Where the plate is known and moves so little that what is unlike it is somebody."""
    colour = lab_picture((np.clip(plate.colour, 0, 1) * 255).astype(np.uint8))
    sigma = plate_sigma(colour, plate.noise, least=config.least_noise, offset_px=config.offset_px)
    quiet = ((plate.coverage >= config.least_coverage) & (sigma < config.quiet)).astype(np.float32)
    size = (view.lab.shape[2], view.lab.shape[1])
    return np.stack([_in_frame(quiet, view.camera.canvas_from_frame[t], size) > 0.5 for t in range(len(view.lab))])


def _on_canvas(
    mask: NDArray[np.bool_], canvas_from_frame: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[np.uint8]:
    flags = cv2.INTER_NEAREST
    return np.asarray(cv2.warpPerspective(mask.astype(np.uint8), canvas_from_frame, size, flags=flags), np.uint8)


def _in_frame(
    picture: NDArray[np.float32], canvas_from_frame: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[np.float32]:
    # WARP_INVERSE_MAP: the matrix takes pixels of the result (the frame) to pixels of the source (the canvas).
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpPerspective(picture, canvas_from_frame, size, flags=flags), np.float32)
