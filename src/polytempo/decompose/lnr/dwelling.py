"""Shadows that dwell: places which a shadow leaves seldom or never, and which the clean plate therefore shows too dark.

Somebody who jumps in place keeps the same ground in shadow for most of a clip, so that the shadow is what most frames
agree on. Three things tell it from the background: where it swings, the brightest samples stand out by a factor that
hardly depends on the colour; what it leaves behind joins its surroundings without an edge; and what it never leaves
looks like its own neighbours do while they are in it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Integer

from polytempo.camera.path import CameraPath
from polytempo.camera.plate import CleanPlate
from polytempo.camera.samples import band_samples
from polytempo.core.pictures import Picture, Pictures

_FLOOR = 0.015
"""Added under logarithms and ratios, 0…1: what coding leaves of black."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DwellingConfig:
    """When a place counts as darkened for most of a clip. Lengths and areas are in pixels of ``working_width``."""

    working_width: int = 448
    """Frames are looked at this wide at most; the gain found is smooth and is enlarged."""
    band_bytes: int = 160_000_000
    """Memory for one band of canvas rows."""
    tail: float = 0.04
    """Share of the brightest samples whose mean is taken for the bare place. Measured on rendered clips."""
    least_gain: float = 1.15
    """The brightest samples must exceed the plate by this factor in every channel."""
    colour_gap: float = 1.5
    """… and by factors that differ between channels at most so much: shadows are nearly grey."""
    steady_share: float = 0.8
    """A place whose samples lie within 8/255 of the plate more often than this is believed to be bare."""
    shadow_depth: float = 0.25
    """Log darkening from which a place counts as having been in full shadow."""
    shadow_share: float = 0.2
    """… for at least this share of its samples."""
    least_area: int = 30
    """Smaller patches are registration errors and grain."""
    greatest_area: int = 600
    """Larger patches are changes of light, not somebody's shadow."""
    n_grow: int = 5
    """Steps by which what is never left is grown from what is left sometimes, each about three pixels."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Tails:
    """What the samples of each canvas place range over, 0…1."""

    dark: Float32[np.ndarray, "H W 3"]
    bright: Float32[np.ndarray, "H W 3"]
    jitter: Float32[np.ndarray, "H W"]
    near: Float32[np.ndarray, "H W"]
    below_plate: Float32[np.ndarray, "H W"]
    below_bright: Float32[np.ndarray, "H W"]
    count: Integer[np.ndarray, "H W"]


class _Reduced:
    """Pictures at a smaller size, made when asked for."""

    def __init__(self, pictures: Pictures, size: tuple[int, int]) -> None:
        self.pictures, self.size = pictures, size

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int, /) -> Picture:
        return cv2.resize(self.pictures[index], self.size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def lifted_plate(
    pictures: Pictures,
    plate: CleanPlate,
    camera: CameraPath,
    *,
    bodies: Bool[np.ndarray, "T H W"],
    config: DwellingConfig = DwellingConfig(),
) -> CleanPlate:
    """The plate without the shadows that dwell; the same object where there are none.

    A place never becomes darker, nor, where it was ever seen lit, brighter than its brightest samples.

    Args:
        pictures: The clip's frames.
        plate: Clean plate at their size.
        camera: Path at their size.
        bodies: Where the background is covered; any size.
        config: See ``DwellingConfig``.

    Source: ours; that shadow hardly changes colour and that a right lift removes edges follows intrinsic-image work
        (Weiss, ICCV 2001).
    """
    width, height = camera.frame_size
    small = camera
    if width > config.working_width:
        size = (config.working_width, max(round(height * config.working_width / width), 1))
        small = camera.scaled(size)
        pictures = _Reduced(pictures, size)
    size = small.frame_size
    ignore = np.stack([cv2.resize(one.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0 for one in bodies])
    base: Any = cv2.resize(plate.colour, small.canvas_size, interpolation=cv2.INTER_AREA)
    tails = _tails(pictures, base, small, ignore, plate.exposure, config)
    gain: Any = _log_gain(base, tails, config)
    if not gain.any():
        return plate
    gain = cv2.resize(gain, camera.canvas_size, interpolation=cv2.INTER_LINEAR)
    lifted = np.clip((plate.colour + _FLOOR) * np.exp(gain) - _FLOOR, 0, 1).astype(np.float32)
    return replace(plate, colour=np.where(gain > 0, lifted, plate.colour))


def _tails(
    pictures: Pictures,
    base: Float32[np.ndarray, "H W 3"],
    camera: CameraPath,
    ignore: Bool[np.ndarray, "T h w"],
    exposure: Float32[np.ndarray, "T 3"],
    config: DwellingConfig,
) -> _Tails:
    width, height = camera.canvas_size
    rows = max(8, config.band_bytes // (len(pictures) * width * 48))
    bands: list[_Tails] = []
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        _, calm, weight = band_samples(pictures, camera, ignore, exposure, top=top, bottom=bottom)
        bands.append(_band_tails(calm.astype(np.float32) / 255, weight > 0, base[top:bottom], config))
    return _Tails(**{name: np.concatenate([getattr(one, name) for one in bands]) for name in _Tails.__slots__})


def _band_tails(
    values: Float32[np.ndarray, "T h W 3"],
    seen: Bool[np.ndarray, "T h W"],
    base: Float32[np.ndarray, "h W 3"],
    config: DwellingConfig,
) -> _Tails:
    count = seen.sum(0)
    grey = values.mean(-1)
    order = np.argsort(np.where(seen, grey, 9.0), 0, kind="stable")

    def mean_of(low: Integer[np.ndarray, "h W"], high: Integer[np.ndarray, "h W"]) -> Float32[np.ndarray, "h W 3"]:
        """Mean colour of the samples whose rank in brightness is ``low`` … ``high - 1``."""
        total, n = np.zeros_like(base), np.zeros(count.shape, np.float32)
        for rank in range(int(low.min()), int(high.max())):
            chosen = (rank >= low) & (rank < high)
            if chosen.any():
                total += np.take_along_axis(values, order[rank][None, ..., None], 0)[0] * chosen[..., None]
                n += chosen
        return total / np.maximum(n, 1)[..., None]

    n_tail = np.maximum(np.round(config.tail * count), 1).astype(int)
    n_dark = np.maximum(np.round(2 * config.tail * count), 1).astype(int)
    bright = mean_of(np.maximum(count - n_tail, 0), count)
    dark = mean_of(np.zeros_like(count), np.minimum(n_dark, count))
    steps = np.abs(np.diff(values, axis=0)).max(-1) if len(values) > 1 else np.zeros_like(grey)
    known = np.maximum(count, 1)

    def share_below(level: Float32[np.ndarray, "h W"]) -> Float32[np.ndarray, "h W"]:
        return (((grey + _FLOOR < 0.8 * (level + _FLOOR)) & seen).sum(0) / known).astype(np.float32)

    close = (np.abs(values - base).max(-1) < 8 / 255) & seen
    return _Tails(
        dark=dark,
        bright=bright,
        jitter=np.median(steps, 0).astype(np.float32),
        near=(close.sum(0) / known).astype(np.float32),
        below_plate=share_below(base.mean(-1)),
        below_bright=share_below(np.maximum(bright, base).mean(-1)),
        count=count,
    )


def _log_gain(
    base: Float32[np.ndarray, "H W 3"], tails: _Tails, config: DwellingConfig
) -> Float32[np.ndarray, "H W 3"]:
    """By how much the logarithm of the plate must rise."""
    plate, dark, bright = (np.log(one + _FLOOR) for one in (base, tails.dark, tails.bright))
    jitter = _soft(tails.jitter, 1)
    rise = _soft(bright - plate, 1)
    known = tails.count >= 6
    left = (
        known
        & (rise.min(-1) > np.log(config.least_gain))
        & (np.ptp(rise, axis=-1) < np.log(config.colour_gap))
        & (_soft(tails.near, 1) < config.steady_share)
        & (_soft((tails.bright - base).mean(-1), 1) > jitter + 2 / 255)
    )
    left = _patches(left, config)
    left = _overlapping(left, _swept(plate, dark, bright, left, tails, jitter, config))
    left = _joining(_soft(plate, 0.7), _soft(np.maximum(plate, bright), 0.7), left, share=1.0)
    if not left.any():
        return np.zeros_like(base)
    lit = np.where(left[..., None], np.maximum(plate, bright), plate)
    swept = _swept(plate, dark, bright, left, tails, jitter, config)
    lit = lit + _never_left(lit, dark, swept, left, known, config)
    return np.maximum(_soft(lit - plate, 0.8), 0) * (_soft((lit - plate).max(-1), 0.8) > 0.01)[..., None]


def _swept(
    plate: Float32[np.ndarray, "H W 3"],
    dark: Float32[np.ndarray, "H W 3"],
    bright: Float32[np.ndarray, "H W 3"],
    left: Bool[np.ndarray, "H W"],
    tails: _Tails,
    jitter: Float32[np.ndarray, "H W"],
    config: DwellingConfig,
) -> Bool[np.ndarray, "H W"]:
    """Places that were long in full shadow and whose lit colour is known."""
    lit = np.where(left[..., None], np.maximum(plate, bright), plate)
    fall = _soft(lit - dark, 1)
    share = np.where(left, tails.below_bright, tails.below_plate)
    return _patches(
        (tails.count >= 6)
        & (fall.min(-1) > config.shadow_depth)
        & (np.ptp(fall, axis=-1) < 0.5)
        & (_soft(share, 1) > config.shadow_share)
        & (_soft((np.exp(lit) - np.exp(dark)).mean(-1), 1) > 2 * jitter + 3 / 255),
        config,
    )


def _never_left(
    lit: Float32[np.ndarray, "H W 3"],
    dark: Float32[np.ndarray, "H W 3"],
    swept: Bool[np.ndarray, "H W"],
    left: Bool[np.ndarray, "H W"],
    known: Bool[np.ndarray, "H W"],
    config: DwellingConfig,
) -> Float32[np.ndarray, "H W 3"]:
    """Log gain of what looks like its swept neighbours do in shadow: their ratio of light and shadow is taken over."""
    calm, calm_dark = _soft(lit, 0.7), _soft(dark, 0.7)
    reached, found = swept.copy(), np.zeros_like(swept)
    fall = np.where(swept[..., None], _soft(lit - dark, 1), 0)
    for _ in range(config.n_grow):
        weight = _soft(reached, 3)
        share = np.maximum(weight, 1e-4)[..., None]
        depth, in_shadow = _soft(reached[..., None] * fall, 3) / share, _soft(reached[..., None] * calm_dark, 3) / share
        in_light = _soft(reached[..., None] * (calm_dark + fall), 3) / share
        limit = 0.5 * depth.mean(-1)
        fresh = known & ~reached & (weight > 0.1) & (np.abs(calm - in_shadow).mean(-1) < limit)
        fresh &= (in_light - calm).mean(-1) > limit
        if not fresh.any():
            break
        fall[fresh] = (depth - (calm - calm_dark))[fresh]
        reached, found = reached | fresh, found | fresh
    found = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3))) > 0
    gain = np.where(found[..., None], np.clip(fall, 0, np.log(1 / 0.3)), 0).astype(np.float32)
    reach = cv2.dilate(left.astype(np.uint8), np.ones((7, 7))) > 0
    kept = _overlapping(_joining(calm, calm + gain, found, share=0.75), reach, share=0.05)
    sizes, label = _labels(kept)
    kept &= (sizes < 5 * config.least_area)[label]
    return np.where(kept[..., None], gain, 0)


def _joining(
    before: Float32[np.ndarray, "H W 3"],
    after: Float32[np.ndarray, "H W 3"],
    patches: Bool[np.ndarray, "H W"],
    *,
    share: float,
) -> Bool[np.ndarray, "H W"]:
    """The patches whose step to what is around them becomes smaller than ``share`` of what it was.

    A reflection taken for the bare place makes an edge; a shadow taken away removes one.
    """
    out = np.zeros_like(patches)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    sizes, label = _labels(patches)
    for one in range(1, len(sizes)):
        ys, xs = np.nonzero(label == one)
        part = np.s_[max(ys.min() - 6, 0) : ys.max() + 7, max(xs.min() - 6, 0) : xs.max() + 7]
        inside = label[part] == one
        around = (cv2.dilate(inside.astype(np.uint8), disc) > 0) & ~patches[part]
        border = inside & (cv2.dilate(around.astype(np.uint8), disc) > 0)
        if around.sum() < 4:
            continue
        beside = _soft(around[..., None] * before[part], 2) / (_soft(around, 2) + 1e-4)[..., None]
        step_before = np.abs(before[part] - beside).mean(-1)[border].mean()
        step_after = np.abs(after[part] - beside).mean(-1)[border].mean()
        if step_after < share * step_before:
            out[part] |= inside
    return out


def _patches(mask: Bool[np.ndarray, "H W"], config: DwellingConfig) -> Bool[np.ndarray, "H W"]:
    """The patches of a mask that are neither thin, nor small, nor huge."""
    thick = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3))) > 0
    sizes, label = _labels(thick)
    good = (sizes >= config.least_area) & (sizes <= config.greatest_area)
    return thick & good[label]


def _overlapping(
    patches: Bool[np.ndarray, "H W"], other: Bool[np.ndarray, "H W"], *, share: float = 0.35
) -> Bool[np.ndarray, "H W"]:
    """The patches of which at least ``share`` lies in ``other``."""
    sizes, label = _labels(patches)
    common = np.bincount(label.ravel(), weights=other.ravel(), minlength=len(sizes))
    return patches & (common >= share * sizes)[label]


def _labels(mask: Bool[np.ndarray, "H W"]) -> tuple[Integer[np.ndarray, " N"], Integer[np.ndarray, "H W"]]:
    """Size of every connected patch (number 0 is what is outside) and the patch of every pixel."""
    _, label, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return stats[:, cv2.CC_STAT_AREA], label


def _soft(values: Any, sigma: float) -> Any:
    return cv2.GaussianBlur(np.asarray(values, np.float32), (0, 0), sigma)
