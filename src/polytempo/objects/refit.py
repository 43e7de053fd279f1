"""Which pixels near a trembling outline are body, learned from the clip's own sure pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float32
from numpy.typing import NDArray
from torch import nn

from polytempo.camera.path import CameraPath
from polytempo.camera.plate import CleanPlate, plate_in_frame
from polytempo.core.pictures import Pictures
from polytempo.core.two_at_a_time import one_thread
from polytempo.objects.registration import BodyPath


@dataclass(frozen=True, kw_only=True, slots=True)
class RefitConfig:
    """How pixels near outlines are told apart."""

    inner_px: float = 2.5
    """Pixels this deep inside a mask are sure body (outlines tremble by about 4 pixels both ways)."""
    outer_px: float = 4.0
    """Pixels this far outside all masks are sure not to be body."""
    reach_px: float = 16.0
    """How far around the masks pixels are looked at: far enough to learn shadows and reflections as not body."""
    n_samples: int = 60_000
    """Sure pixels that are learned from, over the whole clip and all classes."""
    n_steps: int = 400
    """Steps of training."""
    batch: int = 4096
    """Pixels a step."""
    width: int = 40
    """Hidden units in each of the two layers: too few to learn single outlines by heart."""
    learning_rate: float = 1e-2
    """Highest step size of the one-cycle schedule."""
    seed: int = 0
    """For the samples, the start and the batches."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BodyClassifier:
    """Tells background (class 0) and subjects (from 1) apart.

    By a pixel's colour, its change against the plate, and its height on each body.
    """

    net: nn.Sequential
    mean: Float32[np.ndarray, " F"]
    spread: Float32[np.ndarray, " F"]

    def log_probabilities(self, features: Float32[np.ndarray, "N F"]) -> Float32[np.ndarray, "N K"]:
        """Log probability of each class for each pixel."""
        with torch.no_grad(), one_thread():
            given = torch.from_numpy((features - self.mean) / self.spread)
            return torch.log_softmax(self.net(given), dim=1).numpy()


def pixel_features(
    picture: NDArray[np.uint8],
    plate: Float32[np.ndarray, "H W 3"],
    heights: Float32[np.ndarray, "K H"],
    near: Bool[np.ndarray, "H W"],
) -> Float32[np.ndarray, "N F"]:
    """What is told to the classifier about the pixels in ``near``.

    Args:
        picture: The frame.
        plate: The clean plate as this frame shows it, 0…1.
        heights: For each subject, how far each row lies below its centre, in units of the body's scale.
        near: Which pixels.
    """
    # A little smoothing takes off grain; more would mix body into the pixels beside it.
    smooth = cv2.GaussianBlur(picture, (0, 0), 0.6).astype(np.float32)[near] / 255
    bare = plate[near]
    change = smooth - bare
    # A shadow scales all channels alike, so that the ratio tells it from a body.
    ratio = np.log((smooth + 0.06) / (bare + 0.06))
    rows = np.nonzero(near)[0]
    parts = [smooth, change, ratio, bare, np.abs(change).max(1, keepdims=True), heights[:, rows].T]
    return np.concatenate(parts, axis=1).astype(np.float32)


def body_heights(
    paths: Sequence[BodyPath | None], camera: CameraPath, *, frame: int, n_rows: int
) -> Float32[np.ndarray, "K H"]:
    """How far each row lies below each body's centre in units of the body's scale, clipped to ±3."""
    out = np.zeros((len(paths), n_rows), np.float32)
    from_canvas = np.linalg.inv(camera.canvas_from_frame[frame])
    for one, path in zip(out, paths, strict=True):
        if path is not None:
            x, y = path.centre[frame]
            point = from_canvas @ np.array([x, y, 1.0])
            scale = path.scale[frame] * np.sqrt(abs(np.linalg.det(from_canvas[:2, :2])))
            one[:] = np.clip((np.arange(n_rows) - point[1] / point[2]) / max(scale, 1.0), -3, 3)
    return out


def learn_bodies(
    pictures: Pictures,
    plate: CleanPlate,
    camera: CameraPath,
    distances: list[NDArray[np.float16]],
    usable: Bool[np.ndarray, " T"],
    paths: Sequence[BodyPath | None],
    *,
    config: RefitConfig,
) -> BodyClassifier:
    """Train a classifier on the pixels that all masks agree about.

    The outline's trembling is never seen by it: pixels near outlines are left out, so what it says there comes from
    the picture.

    Args:
        pictures: The clip.
        plate: Its clean plate.
        camera: Where frames lie.
        distances: Signed distance to the outline per subject, ``[T, H, W]``, positive inside.
        usable: Frames whose masks are all there.
        paths: Where each body is.
        config: What is sure, and how long to learn.
    """
    rng = np.random.default_rng(config.seed)
    n_classes = len(distances) + 1
    frames = np.flatnonzero(usable)
    quota = max(config.n_samples // (n_classes * max(len(frames), 1)), 8)
    features: list[NDArray[np.float32]] = []
    labels: list[NDArray[np.int64]] = []
    for t in frames:
        field = np.stack([d[t].astype(np.float32) for d in distances])
        sure = np.full(field.shape[1:], -1, np.int64)
        nearest = field.max(0)
        sure[(nearest < -config.outer_px) & (nearest > -config.reach_px)] = 0
        for i in range(len(distances)):
            others = np.delete(field, i, axis=0)
            alone = others.max(0) < 0 if len(others) else np.True_
            sure[(field[i] > config.inner_px) & alone] = i + 1
        flat = sure.reshape(-1)
        picked = [
            rng.choice(at, min(quota, len(at)), replace=False)
            for c in range(n_classes)
            if len(at := np.flatnonzero(flat == c))
        ]
        if not picked:
            continue
        chosen = np.zeros(flat.shape, bool)
        chosen[np.concatenate(picked)] = True
        near = chosen.reshape(sure.shape)
        heights = body_heights(paths, camera, frame=int(t), n_rows=field.shape[1])
        features.append(pixel_features(pictures[int(t)], plate_in_frame(plate, camera, int(t)), heights, near))
        labels.append(sure[near])
    return _train(np.concatenate(features), np.concatenate(labels), n_classes=n_classes, config=config)


def _train(
    features: NDArray[np.float32], labels: NDArray[np.int64], *, n_classes: int, config: RefitConfig
) -> BodyClassifier:
    mean, spread = features.mean(0), features.std(0) + 1e-4
    given, wanted = torch.from_numpy((features - mean) / spread), torch.from_numpy(labels)
    random = torch.Generator().manual_seed(config.seed)
    sizes = (given.shape[1], config.width, config.width, n_classes)
    linear = [nn.Linear(a, b) for a, b in pairwise(sizes)]
    for layer in linear:
        bound = 1 / layer.in_features**0.5
        nn.init.uniform_(layer.weight, -bound, bound, generator=random)
        nn.init.uniform_(layer.bias, -bound, bound, generator=random)
    net = nn.Sequential(linear[0], nn.ReLU(), linear[1], nn.ReLU(), linear[2])
    optimiser = torch.optim.AdamW(net.parameters(), lr=config.learning_rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.learning_rate, total_steps=max(config.n_steps, 2))
    with one_thread():
        for _ in range(config.n_steps):
            at = torch.randint(len(given), (min(config.batch, len(given)),), generator=random)
            loss = nn.functional.cross_entropy(net(given[at]), wanted[at])
            optimiser.zero_grad()
            loss.backward()  # pyright: ignore[reportUnknownMemberType]
            optimiser.step()
            schedule.step()
    return BodyClassifier(net=net, mean=mean, spread=spread)
