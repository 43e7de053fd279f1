"""How well the clean plate explains each pixel of a frame."""

from __future__ import annotations

from typing import no_type_check

import cv2
import numpy as np
from jaxtyping import Bool, Float32
from numba import njit
from numpy.typing import NDArray


def background_cost(
    lab: Float32[np.ndarray, "H W 3"],
    plate: Float32[np.ndarray, "H W 3"],
    sigma: Float32[np.ndarray, "H W"],
    *,
    reach_px: int,
    shade: float,
    shadow_share: float,
    darkest: float,
    doubt: float,
    any_colour: float,
) -> Float32[np.ndarray, "H W"]:
    """Negative log density of a frame's colours if the background shows.

    The plate may be off by a few pixels (parallax, cloth that gives way), so the best match in a small window counts,
    at a cost that grows with the shift. It may also lie in shadow, so darkening is cheaper than a change of hue.

    Args:
        lab: Frame in 8-bit Lab units.
        plate: Clean plate warped to the frame, same units.
        sigma: Standard deviation of the bare background per pixel and channel, same units.
        reach_px: Largest shift in pixels.
        shade: Standard deviation of a shadow's darkening, as a share of the plate's lightness.
        shadow_share: Share of the density given to cast shadows.
        darkest: Lightness left in the deepest shadow, as a share of the plate's.
        doubt: Share of the density given to any colour at all, so that no pixel costs more than a bound.
        any_colour: The density of any colour.
    """
    return _costs(
        lab, plate, sigma, reach_px, shade, doubt * any_colour, 1 - doubt - shadow_share, shadow_share, darkest
    )


def foreign(
    lab: Float32[np.ndarray, "H W 3"],
    plate: Float32[np.ndarray, "H W 3"],
    sigma: Float32[np.ndarray, "H W"],
    *,
    reach_px: int,
    window_px: int = 5,
    least_misfit: float = 1.5,
    least_chroma: float = 4.0,
) -> Bool[np.ndarray, "H W"]:
    """Where a frame is not the plate under another light, however near its colours are.

    A shadow, a lamp, a reflection dim or brighten a patch and leave its grain: floorboards show in it. Clothes in the
    colours of the floor do not have its boards, and are of another hue than the floor would be in that light.

    Args:
        lab: Frame in 8-bit Lab units.
        plate: Clean plate warped to the frame, same units.
        sigma: Standard deviation of the bare background, same units.
        reach_px: How far the plate may have moved: cloth that gives way brings its own colours from so near.
        window_px: Side of the patch that has one light.
        least_misfit: Misfit of the lightness in a patch after its light is taken out, in standard deviations.
        least_chroma: Distance of a pixel's chroma from all that the plate's within reach would be in that light.
    """

    def mean(picture: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.blur(picture, (window_px, window_px)), np.float32)

    light, under = lab[..., 0], plate[..., 0]
    square = np.maximum(mean(under * under), 1)
    gain = mean(light * under) / square
    misfit = np.maximum(mean(light * light) - gain * gain * square, 0)
    there = (light / np.maximum(under, 8))[..., None]
    around = np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8)
    low, high = (np.asarray(of(plate[..., 1:] - 128, around), np.float32) for of in (cv2.erode, cv2.dilate))
    chroma = lab[..., 1:] - 128
    beyond = np.maximum(there * low - chroma, chroma - there * high).max(-1)
    return (misfit > least_misfit**2 * mean(sigma * sigma)) & (beyond > least_chroma)


@njit(cache=True, nogil=True, fastmath=True)
@no_type_check  # the checked form cannot be compiled
def _costs(
    lab: NDArray[np.float32],
    plate: NDArray[np.float32],
    sigma: NDArray[np.float32],
    reach: int,
    shade: float,
    floor: float,
    share: float,
    shadow: float,
    least_factor: float,
) -> NDArray[np.float32]:
    height, width = sigma.shape
    out = np.empty((height, width), np.float32)
    for y in range(height):
        for x in range(width):
            best = np.float32(1e9)
            for dy in range(-reach, reach + 1):
                for dx in range(-reach, reach + 1):
                    yy, xx = y + dy, x + dx
                    if yy < 0 or xx < 0 or yy >= height or xx >= width:
                        continue
                    variance = sigma[yy, xx] * sigma[yy, xx]
                    dark = plate[yy, xx, 0] - lab[y, x, 0]
                    light = variance
                    if dark > 0:
                        light += (shade * plate[yy, xx, 0]) ** 2
                    a = lab[y, x, 1] - plate[yy, xx, 1]
                    b = lab[y, x, 2] - plate[yy, xx, 2]
                    # Chroma is coded at half size and has less noise than lightness: half the variance, never under 1.
                    chroma = max(np.float32(0.5) * variance, np.float32(1.5))
                    value = np.float32(0.5) * (dark * dark / light + (a * a + b * b) / chroma)
                    value += np.log(np.sqrt(light) * chroma) + np.float32(0.25) * (dx * dx + dy * dy)
                    best = min(best, value)
            # A cast shadow: the plate at the same place, darker by any factor and paler in step.
            cast = np.float32(0)
            factor = lab[y, x, 0] / max(plate[y, x, 0], np.float32(1))
            if least_factor < factor < 1:
                a = lab[y, x, 1] - 128 - factor * (plate[y, x, 1] - 128)
                b = lab[y, x, 2] - 128 - factor * (plate[y, x, 2] - 128)
                chroma = max(np.float32(0.5) * sigma[y, x] * sigma[y, x], np.float32(6))
                even = (1 - least_factor) * max(plate[y, x, 0], np.float32(40))
                cast = np.exp(np.float32(-0.5) * (a * a + b * b) / chroma) / (np.float32(6.283) * chroma * even)
            # 2.757 = 1.5 log(2 pi), the normalisation of three channels.
            out[y, x] = -np.log(share * np.exp(-best - np.float32(2.757)) + shadow * cast + floor)
    return out


def plate_sigma(
    plate: Float32[np.ndarray, "H W 3"],
    noise: Float32[np.ndarray, "H W"],
    *,
    least: float,
    offset_px: float,
) -> Float32[np.ndarray, "H W"]:
    """Spread to expect of the bare background in 8-bit Lab units: noise, and what a small misfit does at edges.

    Args:
        plate: Clean plate in 8-bit Lab units.
        noise: Standard deviation of the bare samples, 0…1.
        least: Smallest spread.
        offset_px: Misfit of the camera path to expect, in pixels.
    """
    across = np.zeros_like(plate)
    across[:, 1:-1] = (plate[:, 2:] - plate[:, :-2]) / 2
    along = np.zeros_like(plate)
    along[1:-1] = (plate[2:] - plate[:-2]) / 2
    slope = (across**2 + along**2).max(-1)
    return np.sqrt(least**2 + (255 * noise) ** 2 + offset_px**2 * slope).astype(np.float32)
