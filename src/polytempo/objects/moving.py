"""Where something moves that the camera does not explain."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float16, Float32
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.core.discs import grown
from polytempo.objects.flow import FlowField


def camera_flow(b_from_a: NDArray[np.float64], size: tuple[int, int]) -> Float32[np.ndarray, "H W 2"]:
    """Motion that a homography gives to every pixel of A, in pixels; ``size`` is ``(width, height)``."""
    width, height = size
    x, y = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64))
    moved = b_from_a @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    moved = moved[:2] / moved[2]
    return (moved - np.stack([x.ravel(), y.ravel()])).T.reshape(height, width, 2).astype(np.float32)


def _beside_camera(
    flow: FlowField, camera: CameraPath, t: int, other: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Motion from frame ``t`` into its neighbour beside the camera's, and the camera's own, ``[H, W, 2]`` in pixels."""
    expected = camera_flow(camera.frame_from_frame(other, t), camera.frame_size)
    return flow.step(other, t)[0] - expected, expected


def own_motion(flow: FlowField, camera: CameraPath) -> Float16[np.ndarray, "T H W"]:
    """How fast every pixel moves beyond what the camera explains, in pixels a frame; the faster of both neighbours."""
    n = len(camera.canvas_from_frame)
    width, height = camera.frame_size
    out = np.zeros((n, height, width), np.float16)
    for t in range(n):
        for other in (t - 1, t + 1):
            if 0 <= other < n:
                beside, expected = _beside_camera(flow, camera, t, other)
                difference = np.linalg.norm(beside, axis=-1)
                # A homography is never quite right; it errs more when the camera moves.
                slack = 0.1 * np.linalg.norm(expected, axis=-1)
                out[t] = np.maximum(out[t], np.maximum(difference - slack, 0))
    return out


def motion_both_ways(flow: FlowField, camera: CameraPath) -> Float16[np.ndarray, "T H W 4"]:
    """Motion ``(x, y)`` to the next frame and to the previous one beside the camera's, in pixels a frame.

    At the ends of the clip the motion that is missing is the other one, turned round.
    """
    n = len(camera.canvas_from_frame)
    width, height = camera.frame_size
    out = np.zeros((n, height, width, 4), np.float16)
    for t in range(n):
        for to, other in ((slice(0, 2), t + 1), (slice(2, 4), t - 1)):
            if 0 <= other < n:
                out[t, ..., to], _ = _beside_camera(flow, camera, t, other)
    out[0, ..., 2:], out[-1, ..., :2] = -out[0, ..., :2], -out[-1, ..., 2:]
    return out


def moving_pixels(
    flow: FlowField, camera: CameraPath, *, threshold_px: float = 0.6, grow_px: int = 4
) -> Bool[np.ndarray, "T H W"]:
    """Pixels whose flow to a neighbouring frame differs from the camera's.

    Args:
        flow: Between T frames.
        camera: Path of the same frames.
        threshold_px: Smallest difference that counts, in pixels a frame.
        grow_px: What moves is grown by this much, in pixels.
    """
    motion = own_motion(flow, camera)
    return np.stack([grown(one > threshold_px, grow_px) for one in motion])
