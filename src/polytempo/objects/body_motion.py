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

LEAST_SAY = 0.1
"""Frames around with less say than this are not asked."""
CELLS = 3
"""Cells of the grid of motion within its reach, about."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MotionConfig:
    """How the motion of pieces becomes that of a body."""

    reach: float = 0.14
    """How far the motion of a piece carries into what is hidden, in units of the body's scale."""
    doubt: float = 0.05
    """Share of seen body within reach, 0…1, that counts as much as knowing nothing."""
    wide: float = 1.5
    """How much farther than ``reach`` it carries where nothing nearer tells."""
    own_way_px: float = 2.0
    """By so many pixels of one frame a piece must leave the body for frames around to tell how it moves on this one:
    less is the body's own change of speed."""
    most_px: float = 20.0
    """Pieces that leave the body's own motion by more than this, in pixels of one frame, are mistakes of flow."""
    enough: float = 0.03
    """Share of the body, 0…1, that must be seen on both frames to count for half in its motion."""
    span_frames: float = 1.5
    """Where less is seen, of the body or of a piece of it, the frames within this span tell."""
    still: float = 0.004
    """Share of the body that stands for "it does not move", against what the frames around tell."""
    believed: float = 0.4
    """Flow that is believed less, 0…1, says nothing of how the body moves."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BodyMotion:
    """Motion of one body between neighbouring frames, one way through time, pixels ``(x, y)``.

    Motion is coarse: on a grid of a few pixels, averaged over ``MotionConfig.reach``.
    """

    step: int
    """1 where each frame looks back to the one before it, -1 where it looks ahead."""
    camera: CameraPath
    move: Float32[np.ndarray, "T 2"]
    """Motion of the body as a whole, beside the camera's."""
    sureness: Float32[np.ndarray, " T"]
    """How well that is known, 0…1."""
    moved: Float32[np.ndarray, "T h w 2"]
    """Motion of the pieces seen around, beside the camera's, times ``known``."""
    known: Float32[np.ndarray, "T h w"]
    """Share of what is around, 0…1, that is seen of the body on both frames and whose flow is believed."""
    reach_cells: float
    """``MotionConfig.reach`` on that grid."""
    config: MotionConfig

    def field(self, t: int) -> Float32[np.ndarray, "H W 2"]:
        """Displacement from every pixel of frame ``t`` to its place on the frame looked at.

        That of the body as a whole, on which the motion of its pieces is laid: first far and wide, so that a chest lies
        between a head that rises and feet that rest, then nearby. What this frame does not tell of a piece the frames
        around do: a head that an arm crosses goes on as it went.
        """
        away = np.abs(np.arange(len(self.known)) - t)
        say = np.exp(-0.5 * (away / self.config.span_frames) ** 2) * (away > 0)
        around = np.flatnonzero(say > LEAST_SAY)
        say /= max(say[around].sum(), 1e-6)
        here, there = self._told(np.array([t]), np.ones(1)), self._told(around, say[around])
        told = np.maximum(there[..., 2:], 1e-6)
        missing = 1 - np.minimum(here[..., 2:] / told, 1)
        apart = there[..., :2] / told - self.move[t]
        apart *= 1 / (1 + self.config.own_way_px**2 / np.maximum((apart**2).sum(-1, keepdims=True), 1e-6))
        near = here + missing * there[..., 2:] * np.dstack([self.move[t] + apart, np.ones_like(told)])
        far = cv2.GaussianBlur(near, (0, 0), self.config.wide * self.reach_cells, borderType=cv2.BORDER_CONSTANT)
        own = np.broadcast_to(self.move[t], near[..., :2].shape)
        for heard in (far, near):
            own = own + (heard[..., :2] - own * heard[..., 2:]) / (heard[..., 2:] + self.config.doubt)
        full = cv2.resize(own.astype(np.float32), self.camera.frame_size, interpolation=cv2.INTER_LINEAR)
        return camera_field(self.camera, t, t - self.step) + full

    def _told(self, frames: NDArray[np.int64], say: NDArray[np.float64]) -> NDArray[np.float32]:
        """Motion of pieces on some frames, times how far it is known, and that, ``[h, w, 3]``."""
        both = [np.tensordot(say, one[frames], 1) for one in (self.moved, self.known)]
        return np.dstack(both).astype(np.float32)


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
    told = np.zeros(mask.shape, np.float16)
    middle, seen = np.zeros((n, 2)), np.zeros(n)
    inner = np.stack([cv2.erode(one.astype(np.uint8), np.ones((3, 3), np.uint8)) for one in mask])
    looking = range(max(step, 0), n + min(step, 0))
    for t in looking:
        to, trust = flow.to_neighbour(t, -step)
        there = pull(inner[t - step].astype(np.float32), to, border=cv2.BORDER_CONSTANT)
        told[t] = trust * ((inner[t] > 0) & (there > 0.5))
        telling = told[t] > config.believed
        seen[t] = telling.sum()
        if seen[t]:
            middle[t] = np.median((to - camera_field(camera, t, t - step))[telling], axis=0)
    area = scale**2
    sureness = seen / (seen + config.enough * area)
    away = np.arange(n)[:, None] - np.arange(n)
    weight = np.exp(-0.5 * (away / config.span_frames) ** 2) * seen
    around = weight @ middle / (weight.sum(1) + config.still * area)[:, None]
    move = sureness[:, None] * middle + (1 - sureness)[:, None] * around
    sigma = max(config.reach * scale, 1.0)
    cell = max(round(sigma / CELLS), 1)
    size = (-(-mask.shape[2] // cell), -(-mask.shape[1] // cell))
    moved, known = np.zeros((n, size[1], size[0], 2), np.float32), np.zeros((n, size[1], size[0]), np.float32)
    for t in looking:
        own = flow.to_neighbour(t, -step)[0] - camera_field(camera, t, t - step)
        heard = told[t].astype(np.float32) * (np.abs(own - move[t]).max(-1) < config.most_px)
        amount = np.dstack([own * heard[..., None], heard])
        coarse = cv2.resize(np.asarray(amount, np.float32), size, interpolation=cv2.INTER_AREA)
        soft = cv2.GaussianBlur(coarse, (0, 0), sigma / cell)
        moved[t], known[t] = soft[..., :2], soft[..., 2]
    return BodyMotion(
        step=step,
        camera=camera,
        move=move.astype(np.float32),
        sureness=sureness.astype(np.float32),
        moved=moved,
        known=known,
        reach_cells=sigma / cell,
        config=config,
    )


def camera_field(camera: CameraPath, source: int, target: int) -> NDArray[np.float32]:
    """Displacement ``[H, W, 2]`` in pixels that the camera alone gives a pixel from one frame to another."""
    width, height = camera.frame_size
    x, y = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64))
    grid = np.stack([x, y], -1)
    moved = cv2.perspectiveTransform(grid, camera.frame_from_frame(target, source))
    return (moved - grid).astype(np.float32)
