"""How subjects move from frame to frame: dense flow between neighbours, and the path of a body as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.core.pictures import Pictures


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class NeighbourFlow:
    """Dense flow between frames that follow each other, in pixels, kept in half precision."""

    forward: NDArray[np.float16]
    """``[T-1, H, W, 2]``, ``(dx, dy)`` from frame ``t`` to ``t + 1``."""
    backward: NDArray[np.float16]
    """``[T-1, H, W, 2]``, from frame ``t + 1`` to ``t``."""

    def to_neighbour(self, frame: int, step: int) -> NDArray[np.float32]:
        """Flow ``[H, W, 2]`` from ``frame`` to ``frame + step``; step is 1 or -1."""
        flow = self.forward[frame] if step == 1 else self.backward[frame - 1]
        return flow.astype(np.float32)


def dense_flow(source: NDArray[np.uint8], target: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Flow ``[H, W, 2]`` in pixels from one grey picture to another, by dense inverse search."""
    finder: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow: NDArray[np.float32] = finder.calc(source, target, np.zeros((*source.shape[:2], 2), np.float32))
    return flow


def neighbour_flow(pictures: Pictures) -> NeighbourFlow:
    """Dense flow both ways between all neighbouring frames.

    Source: DIS (Kroeger et al. 2016), as OpenCV implements it.
    """
    n = len(pictures)
    grey = cv2.cvtColor(np.asarray(pictures[0]), cv2.COLOR_RGB2GRAY)
    forward = np.zeros((max(n - 1, 0), *grey.shape, 2), np.float16)
    backward = np.zeros_like(forward)
    for t in range(n - 1):
        after = cv2.cvtColor(np.asarray(pictures[t + 1]), cv2.COLOR_RGB2GRAY)
        forward[t] = dense_flow(grey, after)  # pyright: ignore[reportArgumentType]
        backward[t] = dense_flow(after, grey)  # pyright: ignore[reportArgumentType]
        grey = after
    return NeighbourFlow(forward=forward, backward=backward)


def pull(field: NDArray[Any], flow: NDArray[np.float32], *, border: int = cv2.BORDER_REPLICATE) -> NDArray[Any]:
    """Give ``field[p + flow[p]]`` for every pixel ``p``: what lies where the flow points."""
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return cv2.remap(field, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=border)


def signed_distance(mask: Bool[np.ndarray, "H W"], *, limit_px: float = 12.0) -> Float32[np.ndarray, "H W"]:
    """Distance to a mask's outline in pixels, positive inside, clipped; minus the limit everywhere when empty."""
    if not mask.any():
        return np.full(mask.shape, -limit_px, np.float32)
    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
    outside = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3)
    both = np.where(mask, inside - 0.5, 0.5 - outside)
    return np.clip(both, -limit_px, limit_px).astype(np.float32)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BodyPath:
    """Where a body is and how large, per frame, with the camera's motion taken out."""

    centre: Float64[np.ndarray, "T 2"]
    """Canvas pixels ``(x, y)``, smoothed over a stride; interpolated where the body is not seen whole."""
    scale: Float64[np.ndarray, " T"]
    """Square root of the area in canvas pixels, smoothed."""


def body_path(
    masks: Bool[np.ndarray, "T H W"],
    camera: CameraPath,
    *,
    whole: Bool[np.ndarray, " T"],
    partly: Bool[np.ndarray, " T"] | None = None,
    reach: int = 10,
) -> BodyPath:
    """Path of a body's centre and size from the frames that show it whole, filled in between.

    Args:
        masks: Modal masks.
        camera: At the masks' size.
        whole: In which frames the mask is the whole body. At least one.
        partly: Further frames whose masks tell about where the body is, but not how large.
        reach: Width of the smoothing in frames.
    """
    n = len(masks)
    centre = np.zeros((n, 2))
    size = np.zeros(n)
    placed = whole if partly is None else whole | partly
    for t in np.flatnonzero(placed):
        ys, xs = np.nonzero(masks[t])
        to_canvas = camera.canvas_from_frame[t]
        centre[t] = _apply(to_canvas, np.array([[xs.mean(), ys.mean()]]))[0]
        size[t] = np.sqrt(len(xs) * abs(np.linalg.det(to_canvas[:2, :2])))
    frames = np.arange(n, dtype=float)
    known, at = np.flatnonzero(whole), np.flatnonzero(placed)
    smooth_x = local_fit(frames[at], centre[at, 0], frames, width=4.0, degree=2)
    smooth_y = local_fit(frames[at], centre[at, 1], frames, width=4.0, degree=1)
    scale = local_fit(frames[known], size[known], frames, width=float(reach), degree=1)
    low, high = size[known].min(), size[known].max()
    # Smooth also where it is known: what a stride adds to the path belongs to the posture, and travels with it.
    return BodyPath(centre=np.stack([smooth_x, smooth_y], axis=1), scale=np.clip(scale, low, high))


def local_fit(
    at: NDArray[np.float64], values: NDArray[np.float64], query: NDArray[np.float64], *, width: float, degree: int
) -> NDArray[np.float64]:
    """Smooth curve through samples by local polynomials; the kernel widens until it holds samples on both sides.

    Args:
        at: Sample places ``[N]``, ascending.
        values: Samples ``[N]``.
        query: Where the curve is wanted ``[M]``.
        width: Kernel width (standard deviation) in the unit of ``at``.
        degree: Highest polynomial degree; lowered where too few samples lie near.
    """
    out = np.zeros(len(query))
    for i, place in enumerate(query):
        offset = at - place
        before, after = -offset[offset <= 0], offset[offset >= 0]
        gap = max(before.min() if len(before) else 0.0, after.min() if len(after) else 0.0)
        sigma = max(width, gap * 0.75)
        weight = np.exp(-0.5 * (offset / sigma) ** 2)
        has_both = len(before) > 0 and len(after) > 0
        d = min(degree if has_both else 1, max(len(at) // 3, 0))
        basis = np.vander(offset / sigma, d + 1, increasing=True)
        root = np.sqrt(weight)[:, None]
        solved = np.linalg.lstsq(basis * root, values * root[:, 0], rcond=1e-6)[0]
        out[i] = solved[0]
    return out


def frame_from_frame_body(
    path: BodyPath, camera: CameraPath, *, target: int, source: int, shift: tuple[float, float] = (0.0, 0.0)
) -> NDArray[np.float64]:
    """Homography ``[3, 3]`` that lays the body of frame ``source`` where the body is in frame ``target``.

    Args:
        path: The body's path.
        camera: The camera's.
        target: Frame to go to.
        source: Frame to take the body from.
        shift: Correction in pixels of the target frame, added at the end.
    """
    ratio = path.scale[target] / path.scale[source]
    from_source, to_target = path.centre[source], path.centre[target]
    body = np.array(
        [
            [ratio, 0.0, to_target[0] - ratio * from_source[0]],
            [0.0, ratio, to_target[1] - ratio * from_source[1]],
            [0.0, 0.0, 1.0],
        ]
    )
    move = np.array([[1.0, 0.0, shift[0]], [0.0, 1.0, shift[1]], [0.0, 0.0, 1.0]])
    whole = move @ np.linalg.inv(camera.canvas_from_frame[target]) @ body @ camera.canvas_from_frame[source]
    return whole / whole[2, 2]


def _apply(homography: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    mapped = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ homography.T
    return mapped[:, :2] / mapped[:, 2:]
