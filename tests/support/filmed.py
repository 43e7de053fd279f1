"""Small drawn clips whose camera is known."""

from __future__ import annotations

import cv2
import numpy as np


def texture(width: int, height: int, *, seed: int = 0) -> np.ndarray:
    """A picture with detail of all sizes and corners to hold on to, uint8 [H, W, 3]."""
    random = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 120.0, np.float32)
    for size in (4, 9, 20, 45):
        rough = random.normal(0, 1, (height // size + 2, width // size + 2, 3)).astype(np.float32)
        picture += 22 * cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(60):
        x, y = int(random.integers(0, width)), int(random.integers(0, height))
        w, h = int(random.integers(5, 25)), int(random.integers(5, 25))
        cv2.rectangle(picture, (x, y), (x + w, y + h), random.uniform(30, 225, 3).tolist(), -1)
    return np.clip(cv2.GaussianBlur(picture, (0, 0), 0.8), 0, 255).astype(np.uint8)


def shifted(x: float, y: float, *, turn: float = 0.0, tilt: float = 0.0) -> np.ndarray:
    """world_from_frame of a camera that looks at (x, y)."""
    c, s = np.cos(turn), np.sin(turn)
    return np.array([[c, -s, x], [s, c, y], [tilt, 0, 1.0]])


def filmed(
    world: np.ndarray, world_from_frame: list[np.ndarray], size: tuple[int, int], *, noise: float = 1.0, seed: int = 1
) -> np.ndarray:
    """Frames uint8 [T, H, W, 3] of a plane."""
    random = np.random.default_rng(seed)
    frames = []
    for homography in world_from_frame:
        view = cv2.warpPerspective(world, np.linalg.inv(homography), size, flags=cv2.INTER_CUBIC).astype(np.float32)
        frames.append(np.clip(view + random.normal(0, noise, view.shape) + 0.5, 0, 255).astype(np.uint8))
    return np.stack(frames)


def corner_error(camera, world_from_frame: list[np.ndarray], *, reference: int) -> float:
    """Worst distance of a frame's corners from the truth, both seen from the reference frame."""
    width, height = camera.frame_size
    corners = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1.0]])[None]
    worst = 0.0
    for t, truth in enumerate(world_from_frame):
        given = camera.frame_from_frame(reference, t)
        there = np.linalg.inv(world_from_frame[reference]) @ truth
        back = cv2.perspectiveTransform(corners, np.linalg.inv(given) @ there)
        worst = max(worst, float(np.abs(back - corners).max()))
    return worst
