"""How a body that is seen in pieces moves from frame to frame, also where nobody sees it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.objects.body_flow import BodyFlow
from polytempo.objects.registration import pull


@dataclass(frozen=True, kw_only=True, slots=True)
class MotionConfig:
    """How the motion of pieces becomes that of a body."""

    reach: float = 0.14
    """How far the motion of a piece carries into what is hidden, in units of the body's scale."""
    doubt: float = 0.05
    """Share of seen body within reach, 0…1, that counts as much as knowing nothing."""
    most_px: float = 20.0
    """Pieces that leave the body's own motion by more than this, in pixels of one frame, are mistakes of flow."""
    enough: float = 0.03
    """Share of the body, 0…1, that must be seen on both frames to count for half in its motion."""
    span_frames: float = 1.5
    """Where less is seen, the frames within this span tell."""
    still: float = 0.004
    """Share of the body that stands for "it does not move", against what the frames around tell."""
    believed: float = 0.4
    """Flow that is believed less, 0…1, says nothing of how the body moves."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BodyMotion:
    """Motion of one body between neighbouring frames, one way through time."""

    step: int
    """1 where each frame looks back to the one before it, -1 where it looks ahead."""
    camera: CameraPath
    flow: BodyFlow
    shared: Bool[np.ndarray, "T H W"]
    """Pixels seen as body here and on the frame that is looked at."""
    move: Float32[np.ndarray, "T 2"]
    """Motion of the body as a whole, beside the camera's, pixels ``(x, y)``."""
    sureness: Float32[np.ndarray, " T"]
    """How well that is known, 0…1."""
    scale: float
    """Square root of the body's area in pixels."""
    config: MotionConfig

    def field(self, t: int) -> Float32[np.ndarray, "H W 2"]:
        """Displacement in pixels from every pixel of frame ``t`` to its place on the frame looked at."""
        scene = camera_field(self.camera, t, t - self.step)
        flow, trust = self.flow.to_neighbour(t, -self.step)
        own = flow - scene - self.move[t]
        near = np.abs(own).max(-1) < self.config.most_px
        told = trust * (self.shared[t] & near)
        sigma = max(self.config.reach * self.scale, 1.0)
        amount = cv2.GaussianBlur(own * told[..., None], (0, 0), sigma)
        known = cv2.GaussianBlur(told, (0, 0), sigma)
        return scene + self.move[t] + amount / (known + self.config.doubt)[..., None]


def body_motion(
    mask: Bool[np.ndarray, "T H W"],
    flow: BodyFlow,
    camera: CameraPath,
    *,
    step: int,
    scale: float,
    config: MotionConfig,
) -> BodyMotion:
    """Motion of a body from its pieces: the median of all that is seen of it, and each piece's own about it.

    Args:
        mask: Where it is seen.
        flow: Between the frames of ``mask``.
        camera: Their camera; what is unknown stands still beside it.
        step: Which way, 1 or -1.
        scale: Square root of the whole body's area in pixels.
        config: Reach and weights.
    """
    n = len(mask)
    shared = np.zeros_like(mask)
    middle, seen = np.zeros((n, 2)), np.zeros(n)
    inner = np.stack([cv2.erode(one.astype(np.uint8), np.ones((3, 3), np.uint8)) for one in mask])
    for t in range(max(step, 0), n + min(step, 0)):
        to, trust = flow.to_neighbour(t, -step)
        there = pull(inner[t - step].astype(np.float32), to, border=cv2.BORDER_CONSTANT)
        shared[t] = (inner[t] > 0) & (there > 0.5)
        telling = shared[t] & (trust > config.believed)
        seen[t] = telling.sum()
        if seen[t]:
            middle[t] = np.median((to - camera_field(camera, t, t - step))[telling], axis=0)
    area = scale**2
    sureness = seen / (seen + config.enough * area)
    away = np.arange(n)[:, None] - np.arange(n)
    weight = np.exp(-0.5 * (away / config.span_frames) ** 2) * seen
    around = weight @ middle / (weight.sum(1) + config.still * area)[:, None]
    move = sureness[:, None] * middle + (1 - sureness)[:, None] * around
    return BodyMotion(
        step=step,
        camera=camera,
        flow=flow,
        shared=shared,
        move=move.astype(np.float32),
        sureness=sureness.astype(np.float32),
        scale=scale,
        config=config,
    )


def camera_field(camera: CameraPath, source: int, target: int) -> NDArray[np.float32]:
    """Displacement ``[H, W, 2]`` in pixels that the camera alone gives a pixel from one frame to another."""
    width, height = camera.frame_size
    x, y = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64))
    grid = np.stack([x, y], -1)
    moved = cv2.perspectiveTransform(grid, camera.frame_from_frame(target, source))
    return (moved - grid).astype(np.float32)
