"""The clean plate: the set without its actors, from all frames on the canvas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt16
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.camera.warp import canvas_in_frame, exposed
from polytempo.core.errors import InputError, ShapeError
from polytempo.core.pictures import Pictures
from polytempo.core.progress import Progress, Report, silent

WHERE = "camera.plate"


@dataclass(frozen=True, kw_only=True, slots=True)
class PlateConfig:
    """How the clean plate is made."""

    band_bytes: int = 160_000_000
    """Memory for the samples of one band of canvas rows."""
    outlier_sigmas: float = 3.0
    """Distance from the middle of the bare samples, in their spread, beyond which a sample is left out."""
    n_least: int = 2
    """Bare samples below which a place counts as never seen."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CleanPlate:
    """What is behind everybody, on the canvas."""

    colour: Float32[np.ndarray, "Hc Wc 3"]
    """0…1, coded RGB; filled in where nothing was seen."""
    noise: Float32[np.ndarray, "Hc Wc"]
    """Standard deviation of the bare samples about the plate, 0…1 units, mean over channels."""
    coverage: UInt16[np.ndarray, "Hc Wc"]
    """Number of bare samples; 0 where the colour was filled in."""
    exposure: Float32[np.ndarray, "T 3"]
    """Gain per frame and channel: frame = gain x plate; exactly 1 where the exposure stands still."""


def clean_plate(
    pictures: Pictures,
    camera: CameraPath,
    *,
    ignore: Bool[np.ndarray, "T H W"],
    config: PlateConfig = PlateConfig(),  # noqa: B008 - frozen
    report: Report = silent,
) -> CleanPlate:
    """The background without anybody, from what each frame shows of it.

    Args:
        pictures: The clip's frames.
        camera: Where they lie on the canvas.
        ignore: True where a subject covers the background; shadows and reflections need not be marked.
        config: How.
        report: Receives progress.

    Returns:
        The plate on the canvas of ``camera``.

    Raises:
        ShapeError: frames, path and masks do not belong together.
    """
    n_frames = len(pictures)
    width, height = camera.frame_size
    if ignore.shape != (n_frames, height, width) or len(camera.canvas_from_frame) != n_frames:
        raise ShapeError(
            WHERE,
            "frames, camera path and ignore masks must have one count and size",
            got=f"{n_frames} frames, {len(camera.canvas_from_frame)} homographies for {width}x{height},"
            f" masks {ignore.shape}",
        )
    if n_frames == 0:
        raise InputError(WHERE, "a clip must have at least one frame", got="none")
    canvas_width, canvas_height = camera.canvas_size
    colour = np.zeros((canvas_height, canvas_width, 3), np.float32)
    noise = np.zeros((canvas_height, canvas_width), np.float32)
    coverage = np.zeros((canvas_height, canvas_width), np.uint16)
    rows = max(8, config.band_bytes // (n_frames * canvas_width * 12))
    for top in range(0, canvas_height, rows):
        bottom = min(top + rows, canvas_height)
        samples, bare = _band(pictures, camera, ignore, top=top, bottom=bottom)
        band = _robust(samples, bare, config)
        colour[top:bottom], noise[top:bottom], coverage[top:bottom] = band
        report(Progress(stage="plate", done=bottom, total=canvas_height, message="Cleaning the background"))
    coverage[coverage < config.n_least] = 0
    colour = _filled(colour, coverage == 0)
    return CleanPlate(colour=colour, noise=noise, coverage=coverage, exposure=np.ones((n_frames, 3), np.float32))


def plate_in_frame(plate: CleanPlate, camera: CameraPath, frame: int) -> Float32[np.ndarray, "H W 3"]:
    """The clean plate as a frame's camera shows it, under that frame's exposure, 0…1."""
    seen = canvas_in_frame(plate.colour, camera, frame, interpolation="cubic")
    return np.clip(exposed(np.clip(seen, 0, 1), plate.exposure[frame]), 0, 1)


def _band(
    pictures: Pictures, camera: CameraPath, ignore: Bool[np.ndarray, "T H W"], *, top: int, bottom: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    width, _ = camera.canvas_size
    size = (width, bottom - top)
    shift = np.array([[1, 0, 0], [0, 1, -top], [0, 0, 1.0]])
    samples = np.empty((len(pictures), size[1], width, 3), np.uint8)
    bare = np.empty((len(pictures), size[1], width), np.bool_)
    for t in range(len(pictures)):
        matrix = shift @ camera.canvas_from_frame[t]
        samples[t] = cv2.warpPerspective(
            pictures[t], matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        free: Any = cv2.warpPerspective((~ignore[t]).astype(np.uint8) * 255, matrix, size, flags=cv2.INTER_LINEAR)
        bare[t] = free > 250
    return samples, bare


def _robust(
    samples: NDArray[np.uint8], bare: NDArray[np.bool_], config: PlateConfig
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint16]]:
    out_colour = np.zeros(samples.shape[1:], np.float32)
    out_noise = np.zeros(samples.shape[1:3], np.float32)
    out_count = np.zeros(samples.shape[1:3], np.uint16)
    for y in range(samples.shape[1]):
        row = samples[:, y].astype(np.float32)
        free = bare[:, y]
        count = free.sum(0)
        ordered = np.sort(np.where(free[..., None], row, 999.0), axis=0)
        low = np.maximum(count - 1, 0) // 2
        high = count // 2
        columns = np.arange(row.shape[1])
        median = (ordered[low, columns] + ordered[np.minimum(high, len(row) - 1), columns]) / 2
        far = np.abs(row - median).max(-1)
        spread = np.sort(np.where(free, far, 999.0), axis=0)[low, columns]
        sigma = np.maximum(spread / 1.1, 1.0)
        good = free & (far < config.outlier_sigmas * sigma)
        n_good = good.sum(0)
        mean = (row * good[..., None]).sum(0) / np.maximum(n_good, 1)[:, None]
        variance = (((row - mean) ** 2).mean(-1) * good).sum(0) / np.maximum(n_good - 1, 1)
        out_colour[y] = mean / 255
        out_noise[y] = np.sqrt(np.maximum(variance, 0.25)) / 255
        out_count[y] = n_good
    return out_colour, out_noise, out_count


def _filled(
    colour: Float32[np.ndarray, "Hc Wc 3"], unseen: Bool[np.ndarray, "Hc Wc"]
) -> Float32[np.ndarray, "Hc Wc 3"]:
    if not unseen.any() or unseen.all():
        return colour
    eight = np.clip(colour * 255 + 0.5, 0, 255).astype(np.uint8)
    painted: Any = cv2.inpaint(eight, unseen.astype(np.uint8), 5, cv2.INPAINT_TELEA)
    result = colour.copy()
    result[unseen] = painted[unseen].astype(np.float32) / 255
    return result
