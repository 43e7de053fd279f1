"""Rehearsed scenes: cut-outs of a clip's own subjects, moved and laid over each other before its own frames.

Of such a scene every label is known, and how every pixel moves: the cut-outs bring their motion along.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float16, Float32, UInt8
from numpy.typing import NDArray

from polytempo.core.pictures import Pictures
from polytempo.objects.persistence import STEPS

UNKNOWN = 255
"""Label of pixels of which nothing is known."""
LEAST_APART = 5
"""Frames in which subjects stand apart, below which the others must do."""
STILL_SHARE = 0.1
"""Share of scenes without their motion, so that it is a help and no need."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SceneConfig:
    """How scenes are put together. Pixels are of the pictures given (half the working size)."""

    real_share: float = 0.4
    """Share of scenes that are frames as they are, with the labels that are sure."""
    meet_share: float = 0.8
    """Share of the others in which a subject is put beside or over another; else near its own place."""
    move: float = 0.12
    """Standard deviation of a move of a cut-out, as a share of the picture's width."""
    grow: float = 0.12
    """Standard deviation of the logarithm of its size."""
    turn_deg: float = 8.0
    """Standard deviation of its turn, in degrees."""
    wild_share: float = 0.5
    """Share of cut-outs behind another that are turned, grown and bent far more: who peeps out from behind somebody is
    seen in pieces, in postures that no other frame shows."""
    wild_grow: float = 0.25
    wild_turn_deg: float = 45.0
    wild_bend_px: float = 5.0
    """Largest bending of those, in pixels."""
    drift_px: float = 1.5
    """Standard deviation of a motion of its own that is added to a cut-out, in pixels a frame."""
    light: float = 0.06
    """Standard deviation of the logarithm of its brightness, and of the picture's."""
    whole_share: float = 0.6
    """A subject is cut out where it has this share of its usual area and touches nobody."""
    most_cuts: int = 60
    """Cut-outs kept per subject, spread over the clip."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Backdrop:
    """A clip with the clean plate behind each frame, and how it moves."""

    pictures: Pictures
    plates: UInt8[np.ndarray, "T H W 3"]
    """The clean plate as each frame shows it."""
    known: NDArray[np.bool_]
    """Where it is known ``[T, H, W]``."""
    motion: Float16[np.ndarray, "T H W 4"]
    """Motion to the next frame and to the previous one beside the camera's, in pixels."""
    lasting: UInt8[np.ndarray, "T H W"]
    """Step of persistence, 0 to ``STEPS`` - 1 (see ``persistence``)."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CutOut:
    """A subject as one frame shows it."""

    picture: UInt8[np.ndarray, "h w 3"]
    motion: Float32[np.ndarray, "h w 4"]
    lasting: UInt8[np.ndarray, "h w"]
    mask: UInt8[np.ndarray, "h w"]
    """0 or 255."""
    left: int
    top: int


def cut_outs(
    backdrop: Backdrop, labels: UInt8[np.ndarray, "T H W"], n_subjects: int, *, config: SceneConfig
) -> list[list[CutOut]]:
    """Every subject as the frames show it in which it is whole and touches nobody.

    Args:
        backdrop: The clip.
        labels: 0 background, ``k + 1`` for the k-th subject.
        n_subjects: How many.
        config: What is whole.
    """
    out: list[list[CutOut]] = []
    areas, usual = _areas(labels, n_subjects)
    apart = frames_apart(labels, n_subjects)
    for k in range(n_subjects):
        big = areas[k] >= max(config.whole_share * usual[k], 1)
        good = big & apart
        found = np.flatnonzero(good if good.sum() >= LEAST_APART else big)
        out.append([_cut_out(backdrop, labels, int(t), k + 1) for t in _spread(found, config.most_cuts)])
    return out


def _spread(found: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    return found if len(found) <= most else found[np.linspace(0, len(found) - 1, most).astype(int)]


def _cut_out(backdrop: Backdrop, labels: NDArray[np.uint8], t: int, label: int) -> CutOut:
    mask = labels[t] == label
    ys, xs = np.nonzero(mask)
    top, left = max(ys.min() - 2, 0), max(xs.min() - 2, 0)
    box = (slice(top, ys.max() + 3), slice(left, xs.max() + 3))
    return CutOut(
        picture=np.ascontiguousarray(np.asarray(backdrop.pictures[t])[box]),
        motion=backdrop.motion[t][box].astype(np.float32),
        lasting=np.ascontiguousarray(backdrop.lasting[t][box]),
        mask=mask[box].astype(np.uint8) * 255,
        left=int(left),
        top=int(top),
    )


def frames_apart(
    labels: UInt8[np.ndarray, "T H W"], n_subjects: int, *, least_share: float = 0.4, touch_px: int = 2
) -> Bool[np.ndarray, " T"]:
    """In which frames all subjects are in sight and none touches another.

    Args:
        labels: 0 background, ``k + 1`` for the k-th subject.
        n_subjects: How many.
        least_share: Share of its usual area from which a subject is in sight.
        touch_px: Nearer than this is touching, in pixels.
    """
    areas, usual = _areas(labels, n_subjects)
    out = np.asarray((areas >= np.maximum(least_share * usual, 1)[:, None]).all(0))
    kernel = np.ones((2 * touch_px + 1, 2 * touch_px + 1), np.uint8)
    for t in np.flatnonzero(out):
        times = np.zeros(labels.shape[1:], np.uint8)
        for k in range(n_subjects):
            times += cv2.dilate((labels[t] == k + 1).astype(np.uint8), kernel)
        out[t] = (times > 1).sum() <= 4
    return out


def known_labels(
    labels: UInt8[np.ndarray, "T H W"],
    n_subjects: int,
    *,
    lasting: UInt8[np.ndarray, "T H W"],
) -> UInt8[np.ndarray, "T H W"]:
    """Labels of frames as they are, as far as they can be learned from; ``UNKNOWN`` elsewhere.

    Where subjects meet, or one is out of sight, nobody near them is believed: there mistakes are made, and a network
    learns them by heart. What stays in its place nearly always is background there, too, whatever the plate shows.
    If subjects are hardly ever apart, all is believed.

    Args:
        labels: 0 background, ``k + 1`` for the k-th subject.
        n_subjects: How many.
        lasting: Step of persistence.
    """
    apart = frames_apart(labels, n_subjects)
    if apart.sum() < LEAST_APART:
        return labels
    out = labels.copy()
    grow = max(1, labels.shape[2] // 36)
    kernel = np.ones((2 * grow + 1, 2 * grow + 1), np.uint8)
    for t in np.flatnonzero(~apart):
        near = cv2.dilate((labels[t] > 0).astype(np.uint8), kernel) > 0
        out[t][near] = np.where(lasting[t][near] == STEPS - 1, 0, UNKNOWN)
    return out


def _areas(labels: NDArray[np.uint8], n_subjects: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    areas = np.stack([np.asarray((labels == k + 1).sum((1, 2))) for k in range(n_subjects)])
    return areas, np.array([float(np.median(one[one > 0])) if one.any() else 0.0 for one in areas])


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scene:
    """A frame with all that is known of it, as it is or as it was put together."""

    picture: UInt8[np.ndarray, "H W 3"]
    plate: UInt8[np.ndarray, "H W 3"]
    known: Bool[np.ndarray, "H W"]
    """Where the plate is known."""
    motion: Float32[np.ndarray, "H W 4"]
    lasting: UInt8[np.ndarray, "H W"]
    wanted: UInt8[np.ndarray, "H W"]

    def at(self, rows: slice, columns: slice) -> Scene:
        """Give a part of it."""
        box = (rows, columns)
        return Scene(picture=self.picture[box], plate=self.plate[box], known=self.known[box], motion=self.motion[box],
                     lasting=self.lasting[box], wanted=self.wanted[box])  # fmt: skip

    def mirrored(self) -> Scene:
        """Give it with left and right exchanged."""
        flip = (slice(None), slice(None, None, -1))
        motion = self.motion[flip] * np.array([-1, 1, -1, 1], np.float32)
        return Scene(picture=self.picture[flip], plate=self.plate[flip], known=self.known[flip], motion=motion,
                     lasting=self.lasting[flip], wanted=self.wanted[flip])  # fmt: skip


def seen_scene(backdrop: Backdrop, t: int, wanted: UInt8[np.ndarray, "H W"]) -> Scene:
    """Frame ``t`` as it is, with labels as far as they are known."""
    return Scene(
        picture=np.asarray(backdrop.pictures[t]), plate=backdrop.plates[t], known=backdrop.known[t],
        motion=backdrop.motion[t].astype(np.float32), lasting=backdrop.lasting[t], wanted=wanted,
    )  # fmt: skip


def rehearsed_scene(
    backdrop: Backdrop,
    labels: UInt8[np.ndarray, "T H W"],
    cuts: list[list[CutOut]],
    rng: np.random.Generator,
    *,
    config: SceneConfig,
) -> Scene:
    """Cut-outs of all subjects, laid in any order over the plate of a frame drawn by ``rng``."""
    t = int(rng.integers(len(labels)))
    taken = cv2.dilate((labels[t] > 0).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    taken &= backdrop.lasting[t] < STEPS - 1
    picture = np.where(taken[..., None], backdrop.plates[t], np.asarray(backdrop.pictures[t]))
    motion = np.where(taken[..., None], 0, backdrop.motion[t]).astype(np.float32)
    lasting = np.where(taken, STEPS - 1, backdrop.lasting[t]).astype(np.uint8)
    wanted = np.where(taken & ~backdrop.known[t], UNKNOWN, 0).astype(np.uint8)
    scene = Scene(picture=picture, plate=backdrop.plates[t], known=backdrop.known[t], motion=motion,
                  lasting=lasting, wanted=wanted)  # fmt: skip
    middles: list[tuple[float, float]] = []
    order = rng.permutation(len(cuts))
    for k in order:
        if len(cuts) > 1 and rng.random() < 0.1:
            continue
        wild = bool(k != order[-1] and rng.random() < config.wild_share)
        _paste(scene, int(k) + 1, cuts[k][int(rng.integers(len(cuts[k])))], middles, rng, config, wild=wild)
    return scene


def played(scene: Scene, rng: np.random.Generator, *, config: SceneConfig) -> Scene:
    """A scene in another light, mirrored or not, played forwards or backwards, with or without its motion."""
    gain = float(np.exp(rng.normal(0, config.light)))
    if rng.random() < 0.5:
        scene = scene.mirrored()
    motion = scene.motion
    if rng.random() < 0.5:
        motion = motion[..., [2, 3, 0, 1]]
    if rng.random() < STILL_SHARE:
        motion = np.zeros_like(motion)
    return Scene(
        picture=np.clip(scene.picture * gain, 0, 255).astype(np.uint8),
        plate=np.clip(scene.plate * gain, 0, 255).astype(np.uint8),
        known=scene.known, motion=motion, lasting=scene.lasting, wanted=scene.wanted,
    )  # fmt: skip


def window_of(scene: Scene, rng: np.random.Generator, window: tuple[int, int]) -> Scene:
    """A part of a scene that shows somebody, if anybody is there."""
    height, width = scene.wanted.shape
    w, h = min(window[0], width), min(window[1], height)
    somebody = np.argwhere((scene.wanted > 0) & (scene.wanted != UNKNOWN))
    y, x = somebody[rng.integers(len(somebody))] if len(somebody) else (rng.integers(height), rng.integers(width))
    top = int(np.clip(y - rng.integers(h // 4, h - h // 4), 0, height - h))
    left = int(np.clip(x - rng.integers(w // 4, w - w // 4), 0, width - w))
    return scene.at(slice(top, top + h), slice(left, left + w))


def _paste(
    scene: Scene,
    label: int,
    cut: CutOut,
    middles: list[tuple[float, float]],
    rng: np.random.Generator,
    config: SceneConfig,
    *,
    wild: bool,
) -> None:
    """Lay a cut-out over a scene somewhere, in place; ``middles`` is a buffer of the caller."""
    height, width = scene.wanted.shape
    h, w = cut.mask.shape
    x, y = cut.left + w / 2, cut.top + h / 2
    if middles and rng.random() < config.meet_share:
        other = middles[int(rng.integers(len(middles)))]
        x, y = other[0] + rng.normal(0, 0.6 * w), other[1] + rng.normal(0, 0.35 * h)
    else:
        x, y = x + rng.normal(0, config.move * width), y + rng.normal(0, 0.5 * config.move * height)
    middles.append((x, y))
    size = float(np.exp(rng.normal(0, config.wild_grow if wild else config.grow)))
    turn = float(rng.normal(0, config.wild_turn_deg if wild else config.turn_deg))
    scene_from_cut = cv2.getRotationMatrix2D((w / 2, h / 2), turn, size)
    scene_from_cut[:, 2] += (x - w / 2, y - h / 2)
    gain = float(np.exp(rng.normal(0, config.light)))
    picture, cut_mask = cut.picture, cut.mask
    if wild:
        bend = _bend((h, w), rng, float(rng.uniform(0, config.wild_bend_px)), smooth_px=12)
        picture, cut_mask = (cv2.remap(one, *bend, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
                             for one in (picture, cut_mask))  # fmt: skip
    laid = cv2.warpAffine(picture, scene_from_cut, (width, height), borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpAffine(cut_mask, scene_from_cut, (width, height)).astype(np.float32) / 255
    alpha = cv2.GaussianBlur(mask, (0, 0), 0.7)[..., None]
    scene.wanted[mask > 0.5] = label
    scene.picture[:] = np.clip(alpha * laid * gain + (1 - alpha) * scene.picture, 0, 255).astype(np.uint8)
    # Dense flow never ends exactly where a body does: its outline is bent.
    bend = _bend((height, width), rng, float(abs(rng.normal(0, 1.5))), smooth_px=10)
    blurred = cv2.remap((mask > 0.5).astype(np.uint8), *bend, cv2.INTER_NEAREST) > 0
    own = cv2.warpAffine(cut.motion, scene_from_cut, (width, height), borderMode=cv2.BORDER_REPLICATE)
    pace = float(rng.choice([-1, 1]) * np.exp(rng.normal(0, 0.3)))
    drift = rng.normal(0, config.drift_px, 2)
    turned = own.reshape(-1, 2) @ (pace * scene_from_cut[:, :2].T).astype(np.float32)
    moved = turned.reshape(own.shape) + np.concatenate([drift, -drift]).astype(np.float32)
    scene.motion[blurred] = moved[blurred]
    stays = cv2.warpAffine(cut.lasting, scene_from_cut, (width, height), flags=cv2.INTER_NEAREST)
    scene.lasting[blurred] = stays[blurred]


def _bend(
    shape: tuple[int, int], rng: np.random.Generator, strength_px: float, *, smooth_px: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Maps for ``cv2.remap`` that bend smoothly, by ``strength_px`` (standard deviation)."""
    height, width = shape
    coarse = rng.normal(0, 1, (height // 8 + 2, width // 8 + 2, 2)).astype(np.float32)
    field = cv2.resize(cv2.GaussianBlur(coarse, (0, 0), smooth_px / 8), (width, height), interpolation=cv2.INTER_CUBIC)
    field *= strength_px / max(float(field.std()), 1e-6)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return x + field[..., 0], y + field[..., 1]
