"""Shadows that dwell: places which a shadow leaves seldom or never, and which the clean plate therefore shows too dark.

Somebody who jumps in place keeps the same ground in shadow for most of a clip, so that the shadow is what most frames
agree on. Where it swings, the brightest samples tell the lit colour and how deep the shadow is. What it never leaves is
lit by the same step, in a label field near those places: a right lift makes the colours ones that are known to be lit
nearby, and takes away edges that are shaped in colour like a shadow's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, no_type_check

import cv2
import numba
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.camera.plate import CleanPlate
from polytempo.camera.samples import band_samples
from polytempo.camera.warp import canvas_in_frame
from polytempo.core.pictures import Picture, Pictures
from polytempo.decompose.lnr.light_field import shadow_edges, solve_levels, unlikeness

_FLOOR = 0.02
"""Added under logarithms, 0…1: what coding leaves of black."""
APART = 4
"""Frames that must be darker between two visits of light."""
_STEP, _N_LEVELS = 0.1, 11
"""Log light between two levels, and their number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DwellingConfig:
    """When a place counts as darkened for most of a clip. Lengths and areas are in pixels of the reduced frames."""

    working_width: int = 480
    """Frames are looked at this wide at most; the light found is smooth and is enlarged."""
    band_bytes: int = 160_000_000
    """Memory for one band of canvas rows."""
    least_samples: int = 6
    """Places seen bare in fewer frames are not judged."""
    bright_share: float = 0.05
    """Share of a place's samples, at least two, whose mean is its brightest colour; dark: twice that."""
    swing: float = 0.35
    """Log step from a place's darkest samples to its brightest, in every channel, from which a shadow sweeps it."""
    greatest_swing: float = 1.6
    """… and beyond which in any channel something else happens there."""
    rise: float = 0.1
    """Log step from the plate to the brightest samples, in every channel, from which the plate is taken for shadow."""
    off_direction: float = 0.25
    """Part of that step across the direction in which shadows darken here, relative to it, that still passes."""
    coherent: float = 0.6
    """Share of a patch's brighter pixels that must pass that test."""
    depth: float = 0.25
    """A plate brighter than the darkest samples by at most this share of the swing shows a place at its darkest."""
    darkest_share: float = 0.8
    """Share of a patch's places at their darkest from which it is one that a light or a reflection passes: the soft
    edge of a shadow that swings leaves others half lit."""
    moved_px: int = 2
    """A place whose light is also that of the plate this near to it may show a thing that has moved, or an edge that
    does not quite fit, and no light; within ``moved_slack``."""
    moved_slack: float = 0.05
    """… in log units."""
    moved_share: float = 0.72
    """Share of such places from which a patch shows nothing but that. On the filmed bed, where cushions are pushed
    about, patches have 0.77 to 1 of them and all together 0.82; shadows of jumpers 0.27 to 0.73, all but specks, and
    together 0.63."""
    moved_prior: int = 120
    """So many places with the share that all patches have together are added to each: of specks it decides."""
    least_visits: int = 2
    """The light must have come so many times, at least four frames apart: what is bright once is somebody passing."""
    least_area: int = 12
    """Smaller swept patches are registration errors and grain."""
    reach_px: int = 8
    """What is never left is looked for this near to swept places that the plate shows dark."""
    guard_px: int = 4
    """Beyond the reach by this much the plate is known to be lit."""
    exemplar_px: int = 40
    """Known lit colours are compared within this distance."""
    unlike: float = 4.0
    """Weight of a colour's distance to known lit ones, log units."""
    prior: float = 0.1
    """Cost of one unit of log light: what need not be lifted is not."""
    even: float = 0.3
    """Weight of differences of light between neighbours."""
    edge: float = 0.3
    """Weight of shadow-like edges left."""
    edge_tolerance: float = 0.35
    """See ``light_field.shadow_edges``."""
    material: float = 0.5
    """See ``light_field.shadow_edges``."""


class _Reduced:
    """Pictures at a smaller size, made when asked for."""

    def __init__(self, pictures: Pictures, size: tuple[int, int]) -> None:
        self.pictures, self.size = pictures, size

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int, /) -> Picture:
        return cv2.resize(self.pictures[index], self.size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def dwelling_light(
    pictures: Pictures,
    plate: CleanPlate,
    camera: CameraPath,
    *,
    bodies: Bool[np.ndarray, "T h w"],
    config: DwellingConfig = DwellingConfig(),
) -> Float32[np.ndarray, "Hc Wc 3"] | None:
    """Log light that shadows which dwell keep from the clean plate, 0 or more; None where there are none.

    Args:
        pictures: The clip's frames.
        plate: Clean plate at their size.
        camera: Path at their size.
        bodies: Where the background is covered; any size.
        config: See ``DwellingConfig``.

    Source: ours. That a shadow's edge keeps its step of colour whatever it falls on is used as in Finlayson et al., On
        the Removal of Shadows from Images, PAMI 2006; that edges which move are not the set's, as in Weiss, Deriving
        Intrinsic Images from Image Sequences, ICCV 2001.
    """
    width, height = camera.frame_size
    small = camera
    if width > config.working_width:
        size = (config.working_width, max(round(height * config.working_width / width), 1))
        small = camera.scaled(size)
        pictures = _Reduced(pictures, size)
    masks = np.stack(
        [cv2.resize(one.astype(np.uint8), small.frame_size, interpolation=cv2.INTER_NEAREST) > 0 for one in bodies]
    )
    colour: Any = plate.colour
    if small is not camera:
        colour = cv2.resize(plate.colour, small.canvas_size, interpolation=cv2.INTER_AREA)
    bright, dark, count, n_visits = _extremes(pictures, colour, small, masks, plate.exposure, config)
    seen = count >= config.least_samples
    lit, base, dim = (np.log(one + _FLOOR) for one in (bright, cv2.blur(colour, (3, 3)), dark))
    again = n_visits >= config.least_visits
    light = _light(lit.astype(np.float32), base.astype(np.float32), dim.astype(np.float32), seen, again, config)
    if light is None:
        return None
    if small is not camera:
        light = cv2.resize(light, camera.canvas_size, interpolation=cv2.INTER_LINEAR).astype(np.float32, copy=False)
    return light


def lifted(plate: CleanPlate, light: Float32[np.ndarray, "Hc Wc 3"] | None) -> CleanPlate:
    """The plate with log light added; the same object where there is none to add."""
    if light is None:
        return plate
    colour = np.clip((plate.colour + _FLOOR) * np.exp(light) - _FLOOR, 0, 1).astype(np.float32)
    return replace(plate, colour=np.where(light > 0, colour, plate.colour))


def dwelling_in_frames(
    light: Float32[np.ndarray, "Hc Wc 3"], camera: CameraPath, size: tuple[int, int]
) -> UInt8[np.ndarray, "T h w"]:
    """How surely each pixel of each frame is one where a shadow dwells, 0…255, at ``size`` (width, height)."""
    sure: Any = np.clip(light.mean(-1) / 0.15 - 0.5, 0, 1).astype(np.float32)
    out = np.zeros((len(camera.canvas_from_frame), size[1], size[0]), np.uint8)
    for t in range(len(out)):
        here = canvas_in_frame(sure, camera, t, border="constant", interpolation="linear")
        out[t] = np.round(255 * cv2.resize(here, size, interpolation=cv2.INTER_AREA))
    return out


def with_dwelling(
    probability: Float32[np.ndarray, "L h w"], dwelling: UInt8[np.ndarray, "h w"]
) -> Float32[np.ndarray, "L h w"]:
    """Ownership where a place that a shadow hardly leaves belongs to somebody, whoever claims most round about.

    What hardly changes has little that the network could learn from; that it is a shadow is known otherwise.
    """
    if not dwelling.any():
        return probability
    around = np.stack([cv2.GaussianBlur(one, (0, 0), 4) for one in probability]) + 1e-6
    share = around**2 / (around**2).sum(0)
    return np.maximum(probability, share * (dwelling.astype(np.float32) / 255))


def _light(
    lit: Float32[np.ndarray, "H W 3"],
    base: Float32[np.ndarray, "H W 3"],
    dim: Float32[np.ndarray, "H W 3"],
    seen: Bool[np.ndarray, "H W"],
    again: Bool[np.ndarray, "H W"],
    config: DwellingConfig,
) -> Float32[np.ndarray, "H W 3"] | None:
    """Log light to add, from the logarithms of brightest samples, plate and darkest samples."""
    swing = lit - dim
    swept = _patches(seen & (swing.min(-1) > config.swing) & (swing.max(-1) < config.greatest_swing), config.least_area)
    if not swept.any():
        return None
    direction = np.median(swing[swept], axis=0).astype(np.float32)
    direction /= direction.mean()
    rise = lit - base
    side = 2 * config.moved_px + 1
    moved = lit.mean(-1) <= cv2.dilate(base.mean(-1), np.ones((side, side), np.uint8)) + config.moved_slack
    dwelt = _dwelt(swept, rise, swing, direction, again, moved, config)
    if not dwelt.any():
        return None
    distance = cv2.distanceTransform((~dwelt).astype(np.uint8), cv2.DIST_L2, 3)
    near = seen & (distance <= config.reach_px)
    known = seen & (swept | (distance > config.reach_px + config.guard_px))
    levels = (np.arange(_N_LEVELS) * _STEP).astype(np.float32)
    target = np.maximum(rise.mean(-1), 0)
    away = unlikeness(
        base,
        direction,
        n_levels=_N_LEVELS,
        step=_STEP,
        wanted=near & ~swept,
        known=known,
        known_log_colour=np.where(swept[..., None], np.maximum(lit, base), base),
        reach_px=config.exemplar_px,
    )
    cost = config.prior * levels + config.unlike * away
    cost += np.where(swept[..., None], np.abs(levels - target[..., None]), 0)
    cost += np.where(near[..., None], 0, 100 * levels)
    rows, columns = _window(near, margin=2)
    like, even = shadow_edges(base, direction, tolerance=config.edge_tolerance, material=config.material)
    light = np.zeros(seen.shape, np.float32)
    light[rows, columns] = solve_levels(
        cost[rows, columns],
        base[rows, columns],
        direction,
        step=_STEP,
        like=config.edge * like[rows, columns],
        even=config.even * even[rows, columns],
    )
    light[~_joining(base, light[..., None] * direction, light > 0)] = 0
    return np.maximum(light[..., None] * direction, 0) if light.any() else None


def _dwelt(
    swept: Bool[np.ndarray, "H W"],
    rise: Float32[np.ndarray, "H W 3"],
    swing: Float32[np.ndarray, "H W 3"],
    direction: Float32[np.ndarray, " 3"],
    again: Bool[np.ndarray, "H W"],
    moved: Bool[np.ndarray, "H W"],
    config: DwellingConfig,
) -> Bool[np.ndarray, "H W"]:
    """Swept places where the plate shows the shadow and not the light."""
    brighter = swept & (rise.min(-1) > config.rise)
    mean = rise.mean(-1)
    off = np.abs(rise - mean[..., None] * direction).max(-1)
    good = brighter & again & (off < config.off_direction * mean)
    darkest = swept & (mean > (1 - config.depth) * swing.mean(-1))
    n, found = cv2.connectedComponents(swept.astype(np.uint8), connectivity=8)
    label: Any = found
    area, n_brighter, n_good, n_darkest, n_moved = (
        np.bincount(label[one], minlength=n) for one in (swept, brighter, good, darkest, good & moved)
    )
    passed = (n_good >= config.least_area) & (n_good >= config.coherent * n_brighter)
    passed &= n_darkest < config.darkest_share * np.maximum(area, 1)
    usual = n_moved.sum() / max(int(n_good.sum()), 1)
    passed &= n_moved + config.moved_prior * usual < config.moved_share * (n_good + config.moved_prior)
    return good & passed[label]


def _joining(
    base: Float32[np.ndarray, "H W 3"], light: Float32[np.ndarray, "H W 3"], patches: Bool[np.ndarray, "H W"]
) -> Bool[np.ndarray, "H W"]:
    """The patches whose step to what is around them becomes smaller when lit.

    A reflection taken for the bare place makes an edge; a shadow taken away removes one.
    """
    out = np.zeros_like(patches)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    n, label, stats, _ = cv2.connectedComponentsWithStats(patches.astype(np.uint8), connectivity=8)
    for one in range(1, n):
        x, y, width, height = (int(v) for v in stats[one, :4])
        part = np.s_[max(y - 6, 0) : y + height + 6, max(x - 6, 0) : x + width + 6]
        inside = label[part] == one
        around = (cv2.dilate(inside.astype(np.uint8), disc) > 0) & ~patches[part]
        border = inside & (cv2.dilate(around.astype(np.uint8), disc) > 0)
        if not border.any():
            continue
        weight: Any = cv2.GaussianBlur(around.astype(np.float32), (0, 0), 2)
        beside: Any = cv2.GaussianBlur(np.where(around[..., None], base[part], np.float32(0)), (0, 0), 2)
        beside = beside / (weight + 1e-4)[..., None]
        step = np.abs(base[part] - beside)[border].mean()
        step_lit = np.abs(base[part] + light[part] - beside)[border].mean()
        if step_lit < step:
            out |= label == one
    return out


def _extremes(
    pictures: Pictures,
    base: Float32[np.ndarray, "Hc Wc 3"],
    camera: CameraPath,
    masks: Bool[np.ndarray, "T h w"],
    exposure: Float32[np.ndarray, "T 3"],
    config: DwellingConfig,
) -> tuple[Float32[np.ndarray, "Hc Wc 3"], Float32[np.ndarray, "Hc Wc 3"], NDArray[np.int64], NDArray[np.int64]]:
    """Brightest and darkest colour of every place, 0…1, from 3x3 means, its bare samples, and how often light came."""
    width, height = camera.canvas_size
    bright, dark = np.zeros((height, width, 3), np.float32), np.zeros((height, width, 3), np.float32)
    count, n_visits = np.zeros((height, width), np.int64), np.zeros((height, width), np.int64)
    calm_base: Any = cv2.blur(base, (3, 3)) * 255
    rows = max(8, config.band_bytes // (len(pictures) * width * 7))
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        _, calm, weight = band_samples(pictures, camera, masks, exposure, window=np.s_[top:bottom, 0:width])
        for y in range(bottom - top):
            found = _row_extremes(
                np.ascontiguousarray(calm[:, y].transpose(1, 0, 2)),
                np.ascontiguousarray(weight[:, y].T),
                np.ascontiguousarray(calm_base[top + y].sum(-1)),
                config.bright_share,
            )
            bright[top + y], dark[top + y], count[top + y], n_visits[top + y] = found
    return bright / 255, dark / 255, count, n_visits


@numba.njit(cache=True, fastmath=True)
@no_type_check  # the checked form cannot be compiled
def _row_extremes(
    calm: NDArray[np.uint8], weight: NDArray[np.uint8], base: NDArray[np.float32], share: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    n_pixels, n_frames = weight.shape
    bright = np.zeros((n_pixels, 3), np.float32)
    dark = np.zeros((n_pixels, 3), np.float32)
    count = np.zeros(n_pixels, np.int64)
    n_visits = np.zeros(n_pixels, np.int64)
    grey = np.empty(n_frames, np.int64)
    for x in range(n_pixels):
        n = 0
        for t in range(n_frames):
            # Just before and after it is covered, a place may show the edge of a body.
            before, after = max(t - 1, 0), min(t + 1, n_frames - 1)
            if weight[x, t] > 0 and weight[x, before] > 0 and weight[x, after] > 0:
                # The frame's number rides along in the low digits.
                grey[n] = (np.int64(calm[x, t, 0]) + calm[x, t, 1] + calm[x, t, 2]) * n_frames + t
                n += 1
        count[x] = n
        if n < 2:
            continue
        ordered = np.sort(grey[:n])
        n_bright = min(max(int(share * n), 2), n - 1)
        n_dark = min(max(int(2 * share * n), 2), n - 1)
        # The one sample beyond on either side is left out: a single frame is no evidence.
        for c in range(3):
            total = 0
            for i in range(n - 1 - n_bright, n - 1):
                total += calm[x, ordered[i] % n_frames, c]
            bright[x, c] = total / n_bright
            total = 0
            for i in range(1, 1 + n_dark):
                total += calm[x, ordered[i] % n_frames, c]
            dark[x, c] = total / n_dark
        middle = 0.5 * (base[x] + bright[x, 0] + bright[x, 1] + bright[x, 2])
        below = APART
        for t in range(n_frames):
            if weight[x, t] == 0:
                continue
            if np.int64(calm[x, t, 0]) + calm[x, t, 1] + calm[x, t, 2] > middle:
                if below >= APART:
                    n_visits[x] += 1
                below = 0
            else:
                below += 1
    return bright, dark, count, n_visits


def _patches(mask: Bool[np.ndarray, "H W"], least_area: int) -> Bool[np.ndarray, "H W"]:
    """The patches of a mask that are neither thin nor small."""
    thick = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, found, stats, _ = cv2.connectedComponentsWithStats(thick, connectivity=8)
    label: Any = found
    return (thick > 0) & (stats[:, cv2.CC_STAT_AREA] >= least_area)[label]


def _window(mask: Bool[np.ndarray, "H W"], *, margin: int) -> tuple[slice, slice]:
    """Smallest window around a mask."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return (
        slice(max(int(rows[0]) - margin, 0), int(rows[-1]) + margin + 1),
        slice(max(int(columns[0]) - margin, 0), int(columns[-1]) + margin + 1),
    )
