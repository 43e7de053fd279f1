"""The clean plate: the set without its actors, from all frames on the canvas."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, UInt16

from polytempo.camera.agreed import TOLERANCE, agreed
from polytempo.camera.exposure import exposure_gains
from polytempo.camera.fill import filled
from polytempo.camera.given_plate import GIVEN, GivenPlate, over_found
from polytempo.camera.path import CameraPath
from polytempo.camera.samples import band_samples, robust_mean
from polytempo.camera.sharpen import sharpened
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
    n_sharpen_rounds: int = 2
    """Rounds that give back what resampling blurs, for moving cameras; measured, more do not help."""
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
    """Number of bare samples; 0 where the colour was filled in, ``GIVEN`` where the user gave it."""
    exposure: Float32[np.ndarray, "T 3"]
    """Gain per frame and channel: frame = gain x plate; exactly 1 where the exposure stands still."""
    several: Bool[np.ndarray, "Hc Wc"] | None = None
    """Where many samples show another thing than the plate, for ``agreed_plate``; None where that is not known."""


def clean_plate(
    pictures: Pictures,
    camera: CameraPath,
    *,
    ignore: Bool[np.ndarray, "T H W"],
    config: PlateConfig = PlateConfig(),
    given: GivenPlate | None = None,
    report: Report = silent,
) -> CleanPlate:
    """The background without anybody, from what each frame shows of it.

    Args:
        pictures: The clip's frames.
        camera: Where they lie on the canvas.
        ignore: True where a subject covers the background; shadows and reflections need not be marked.
        config: How.
        given: The user's own plate, which goes over the one that is found.
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
    exposure = exposure_gains(pictures, camera, ignore=ignore)
    colour, noise, coverage, several = robust_mean(
        pictures,
        camera,
        ignore=ignore,
        exposure=exposure,
        band_bytes=config.band_bytes,
        outlier_sigmas=config.outlier_sigmas,
        report=report,
    )
    coverage[coverage < config.n_least] = 0
    if camera.kind != "static":
        colour = sharpened(
            colour, noise, pictures, camera, ignore=ignore, exposure=exposure, n_rounds=config.n_sharpen_rounds
        )
    colour = filled(np.clip(colour, 0, 1), coverage == 0)
    if given is not None:
        colour, coverage = over_found(given, colour, coverage)
    report(Progress(stage="plate", done=1, total=1, message="Background clean"))
    several = np.asarray(several & (coverage > 0) & (coverage < GIVEN))
    return CleanPlate(colour=colour, noise=noise, coverage=coverage, exposure=exposure, several=several)


def agreed_plate(
    plate: CleanPlate,
    pictures: Pictures,
    camera: CameraPath,
    *,
    ignore: Bool[np.ndarray, "T H W"],
    but_for: Bool[np.ndarray, "Hc Wc"] | None = None,
    config: PlateConfig = PlateConfig(),
) -> CleanPlate:
    """The plate with places at which several things were seen showing what their neighbours show.

    Args:
        plate: From ``clean_plate``, of the same frames.
        pictures: The clip's frames.
        camera: Where they lie on the canvas.
        ignore: As for ``clean_plate``.
        but_for: Places that stay as they are.
        config: As for ``clean_plate``.
    """
    several = plate.several if plate.several is None or but_for is None else plate.several & ~but_for
    if several is None or not several.any():
        return plate
    colour, noise, coverage = plate.colour.copy(), plate.noise.copy(), plate.coverage.copy()
    agreed(
        colour,
        noise,
        coverage,
        several,
        lambda window: band_samples(pictures, camera, ignore, plate.exposure, window=window),
        most_pixels=config.band_bytes // (len(pictures) * 7),
        outlier_sigmas=config.outlier_sigmas,
    )
    # What shows the same thing as before keeps what sharpening gave back.
    other = np.abs(colour - plate.colour).max(-1) > TOLERANCE / 255
    return replace(
        plate,
        colour=np.where(other[..., None], np.clip(colour, 0, 1), plate.colour),
        noise=np.where(other, noise, plate.noise),
        coverage=np.where(other, coverage, plate.coverage),
    )


def plate_in_frame(plate: CleanPlate, camera: CameraPath, frame: int) -> Float32[np.ndarray, "H W 3"]:
    """The clean plate as a frame's camera shows it, under that frame's exposure, 0…1."""
    seen = canvas_in_frame(plate.colour, camera, frame, interpolation="lanczos")
    return np.clip(exposed(np.clip(seen, 0, 1), plate.exposure[frame]), 0, 1)
