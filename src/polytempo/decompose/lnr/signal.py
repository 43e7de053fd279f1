"""What the clean plate does not explain: how far each pixel departs from it, measured in its own noise."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float16, Float32

from polytempo.camera.path import CameraPath
from polytempo.camera.plate import CleanPlate, plate_in_frame
from polytempo.camera.warp import warp_picture
from polytempo.core.pictures import Pictures


@dataclass(frozen=True, kw_only=True, slots=True)
class SignalConfig:
    """How departures from the plate are measured."""

    blur_px: float = 1.2
    """Gaussian sigma that averages grain away before measuring, working pixels. Ours, measured."""
    noise_frames: int = 32
    """At most so many frames, evenly spaced, tell the noise."""
    noise_cap: float = 4.0
    """A pixel's noise is at most so many times the picture's median noise: an effect that dwells is not noise."""
    least: float = 0.006
    """Smallest noise assumed, in 0…1 (1.5 of 255): coding leaves less only in flat dark places."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Signal:
    """Departure of every frame from the clean plate, in the frame's own pixels."""

    significance: Float16[np.ndarray, "T h w"]
    """Largest smoothed departure of the three channels over its noise; below about 2 is chance."""
    ratio: Float16[np.ndarray, "T h w 3"]
    """Smoothed departure relative to the plate: (frame − plate) / (plate + DELTA)."""


def unexplained_signal(
    pictures: Pictures,
    plate: CleanPlate,
    camera: CameraPath,
    *,
    bodies: Bool[np.ndarray, "T h w"],
    delta: float,
    config: SignalConfig,
) -> Signal:
    """Measure where and by how much frames depart from the plate.

    A faint reflection in a quiet place counts as much as a dark shadow: that is what the division by noise is for.

    Args:
        pictures: Frames at working size.
        plate: Clean plate on the canvas.
        camera: Path at working size.
        bodies: Pixels that tell nothing of noise (subjects, grown a little).
        delta: Added to the plate under the ratio.
        config: See ``SignalConfig``.
    """
    n_frames = len(pictures)
    width, height = camera.frame_size
    departure = np.empty((n_frames, height, width), np.float16)
    ratio = np.empty((n_frames, height, width, 3), np.float16)
    for t in range(n_frames):
        base = plate_in_frame(plate, camera, t)
        smooth = cv2.GaussianBlur(pictures[t].astype(np.float32) / 255 - base, (0, 0), config.blur_px)
        departure[t] = np.abs(smooth).max(-1)
        ratio[t] = smooth / (cv2.GaussianBlur(base, (0, 0), config.blur_px) + delta)
    noise, scale = _noise(departure, camera, bodies, config)
    significance = np.empty_like(departure)
    for t in range(n_frames):
        here = warp_picture(noise, np.linalg.inv(camera.canvas_from_frame[t]), (width, height), border="replicate")
        significance[t] = np.minimum(departure[t] / (here * scale[t]), 100.0)
    return Signal(significance=significance, ratio=ratio)


def _noise(
    departure: Float16[np.ndarray, "T h w"],
    camera: CameraPath,
    bodies: Bool[np.ndarray, "T h w"],
    config: SignalConfig,
) -> tuple[Float32[np.ndarray, "Hc Wc"], Float32[np.ndarray, " T"]]:
    """Noise per canvas pixel (median absolute departure of bare samples) and its scale per frame."""
    n_frames = len(departure)
    chosen = np.unique(np.linspace(0, n_frames - 1, min(config.noise_frames, n_frames)).round().astype(int))
    frame_level = np.array(
        [np.median(departure[t][~bodies[t]]) if (~bodies[t]).any() else 0.0 for t in range(n_frames)]
    )
    scale = np.clip(frame_level / max(float(np.median(frame_level)), 1e-4), 0.7, 3.0).astype(np.float32)
    samples = np.full((len(chosen), camera.canvas_size[1], camera.canvas_size[0]), np.nan, np.float16)
    for row, t in enumerate(chosen):
        bare = np.where(bodies[t], np.float32(-1), departure[t].astype(np.float32) / scale[t])
        moved = cv2.warpPerspective(
            bare, camera.canvas_from_frame[t], camera.canvas_size, flags=cv2.INTER_NEAREST, borderValue=(-1.0,)
        )
        samples[row] = np.where(moved >= 0, moved, np.nan)
    seen = np.isfinite(samples)
    # nanmedian warns and is slow on empty columns: sort with NaN last and pick by count.
    samples.sort(axis=0)
    middle = np.maximum(seen.sum(0) - 1, 0) // 2
    with np.errstate(invalid="ignore"):  # some builds warn of NaN in half precision
        typical = np.take_along_axis(samples, middle[None], 0)[0].astype(np.float32) * 1.48
    floor = max(float(np.nanmedian(typical)), config.least)
    typical = np.clip(np.nan_to_num(typical, nan=floor), floor, config.noise_cap * floor)
    return np.maximum(cv2.GaussianBlur(typical, (0, 0), 2.0), floor), scale
