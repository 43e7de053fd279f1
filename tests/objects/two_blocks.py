"""A tiny clip of two blocks with heads of one colour, for tests of who is who."""

from __future__ import annotations

import cv2
import numpy as np

from polytempo.objects.persistence import STEPS
from polytempo.objects.scenes import Backdrop

N, H, W = 8, 48, 80
COLOURS = {1: (200, 60, 60), 2: (60, 60, 200)}


def two_blocks() -> tuple[Backdrop, np.ndarray]:
    """Two blocks with heads before a soft wall; they are apart, and meet in the last two frames."""
    rng = np.random.default_rng(3)
    wall = cv2.GaussianBlur(rng.integers(100, 220, (H, W, 3)).astype(np.float32), (0, 0), 4)
    pictures, labels = np.empty((N, H, W, 3), np.uint8), np.zeros((N, H, W), np.uint8)
    motion = np.zeros((N, H, W, 4), np.float16)
    for t in range(N):
        picture = wall.copy()
        for label, x in ((1, 6 + 2 * t), (2, 58 if t < N - 2 else 26 + 2 * t - 8)):
            for rows, columns in ((slice(18, 40), slice(x, x + 12)), (slice(10, 18), slice(x + 2, x + 10))):
                picture[rows, columns] = COLOURS[label] if rows.start == 18 else (230, 190, 150)
                labels[t, rows, columns] = label
                motion[t, rows, columns] = (2, 0, -2, 0) if label == 1 else 0
        pictures[t] = np.clip(picture + rng.normal(0, 2, picture.shape), 0, 255)
    plates = np.repeat(np.clip(wall, 0, 255).astype(np.uint8)[None], N, 0)
    lasting = np.where(labels > 0, 0, STEPS - 1).astype(np.uint8)
    known = np.ones((N, H, W), bool)
    return Backdrop(pictures=pictures, plates=plates, known=known, motion=motion, lasting=lasting), labels
