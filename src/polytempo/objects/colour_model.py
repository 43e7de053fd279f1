"""What colours a subject or the background wears: smoothed histograms over CIE Lab, read as densities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32, Int32
from numpy.typing import NDArray

from polytempo.core.pictures import Picture

LIGHT_STEP, CHROMA_STEP = 8, 4
"""Bin widths in OpenCV's 8-bit Lab units: lightness 0…255, chroma offset by 128."""
LIGHT_BINS, CHROMA_BINS = 32, 32
CHROMA_START = 128 - CHROMA_STEP * CHROMA_BINS // 2
N_BINS = LIGHT_BINS * CHROMA_BINS * CHROMA_BINS
BIN_VOLUME = float(LIGHT_STEP * CHROMA_STEP * CHROMA_STEP)
ANY_COLOUR = 1.0 / (255.0 * 60.0 * 60.0)
"""Density of a colour of which nothing is known: even over the part of Lab that pictures fill."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ColourModel:
    """Density of colours, per cubic unit of 8-bit Lab."""

    density: Float32[np.ndarray, " N"]
    weight: float
    """How many pixels it was learned from."""

    def cost(self, bins: Int32[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W"]:
        """Negative log density per pixel, from the pixels' bins."""
        return (-np.log(self.density))[bins]


def lab_picture(picture: Picture) -> Float32[np.ndarray, "H W 3"]:
    """Coded RGB as 8-bit-scaled Lab, float32."""
    return cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2LAB).astype(np.float32)


def colour_bins(lab: Float32[np.ndarray, "H W 3"]) -> Int32[np.ndarray, "H W"]:
    """Histogram bin of every pixel, 0…``N_BINS`` - 1."""
    light = np.clip(lab[..., 0] / LIGHT_STEP, 0, LIGHT_BINS - 1).astype(np.int32)
    chroma = np.clip((lab[..., 1:] - CHROMA_START) / CHROMA_STEP, 0, CHROMA_BINS - 1).astype(np.int32)
    return (light * CHROMA_BINS + chroma[..., 0]) * CHROMA_BINS + chroma[..., 1]


def learn_colours(counts: NDArray[Any], *, open_mind: float = 0.2, blur_bins: float = 0.8) -> ColourModel:
    """Make a density of colour counts.

    Args:
        counts: Weight per bin ``[N_BINS]``, not all of it need be whole numbers.
        open_mind: Share of the density spread over all colours, for colours not seen yet.
        blur_bins: Standard deviation of the smoothing in bins; wider when there are few counts.
    """
    total = float(counts.sum())
    cube = counts.astype(np.float32).reshape(LIGHT_BINS, CHROMA_BINS, CHROMA_BINS)
    sigma = blur_bins * (1.0 if total > 2000 else 1.6)
    for axis in range(3):
        flat = np.ascontiguousarray(np.moveaxis(cube, axis, 0).reshape(cube.shape[axis], -1))
        flat = _blur_rows(flat, sigma)
        moved = [cube.shape[axis], *(cube.shape[i] for i in range(3) if i != axis)]
        cube = np.moveaxis(flat.reshape(moved), 0, axis)
    density = np.ascontiguousarray(cube).reshape(-1) / (max(float(cube.sum()), 1e-9) * BIN_VOLUME)
    share = open_mind if total > 0 else 1.0
    mixed = (1 - share) * density + share * ANY_COLOUR
    return ColourModel(density=mixed.astype(np.float32), weight=total)


def _blur_rows(flat: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Blur a ``[N, M]`` array along its first axis."""
    radius = max(1, round(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2).astype(np.float32)
    kernel /= kernel.sum()
    return np.asarray(
        cv2.sepFilter2D(flat, cv2.CV_32F, np.ones(1, np.float32), kernel, borderType=cv2.BORDER_REPLICATE), np.float32
    )
