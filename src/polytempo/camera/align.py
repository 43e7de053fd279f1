"""Homographies refined on the pictures themselves: every frame against the plate that all frames make together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8
from numpy.typing import NDArray

from polytempo.camera.bundle import increments, unit_from_pixels
from polytempo.camera.path import CameraPath


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Alignment:
    """One frame against the plate."""

    canvas_from_frame: Float64[np.ndarray, "3 3"]
    spread: float
    """Typical difference between frame and plate where they can be compared, in grey levels of 255."""
    compared: float
    """Share of the frame that could be compared."""


def grey_plate(
    greys: Sequence[UInt8[np.ndarray, "H W"]],
    masks: Sequence[Bool[np.ndarray, "H W"] | None],
    camera: CameraPath,
    *,
    n_most: int = 60,
) -> tuple[Float32[np.ndarray, "Hc Wc"], Bool[np.ndarray, "Hc Wc"]]:
    """Middle grey of the unmasked frames on the canvas, and where at least one frame showed it.

    At most ``n_most`` frames, evenly spread, are used: memory does not grow with the clip.
    """
    chosen = np.unique(np.linspace(0, len(greys) - 1, min(len(greys), n_most)).round().astype(int))
    width, height = camera.canvas_size
    stack = np.full((len(chosen), height, width), 255, np.uint8)
    count = np.zeros((height, width), np.int16)
    for n, t in enumerate(chosen):
        matrix = camera.canvas_from_frame[t]
        mask = masks[t]
        free = np.full(greys[t].shape, 255, np.uint8) if mask is None else np.where(mask, 0, 255).astype(np.uint8)
        seen = np.asarray(cv2.warpPerspective(free, matrix, (width, height), flags=cv2.INTER_LINEAR)) == 255
        warped: Any = cv2.warpPerspective(greys[t], matrix, (width, height), flags=cv2.INTER_CUBIC)
        # 255 marks what was not seen: it sorts to the end.
        stack[n][seen] = np.minimum(warped, 254)[seen]
        count += seen
    stack.sort(axis=0)
    middle = np.maximum(count - 1, 0)
    low = np.take_along_axis(stack, (middle // 2)[None].astype(np.intp), 0)[0]
    high = np.take_along_axis(stack, ((middle + 1) // 2)[None].astype(np.intp), 0)[0]
    # A median of whole numbers moves in steps; the mean of the samples about it does not.
    centre = (low.astype(np.float32) + high) / 2
    total = np.zeros((height, width), np.float32)
    number = np.zeros((height, width), np.float32)
    for layer in stack:
        near = (np.abs(layer - centre) < 8) & (layer < 255)
        total += np.where(near, layer, 0)
        number += near
    return np.where(number > 0, total / np.maximum(number, 1), centre).astype(np.float32), count > 0


def align_to_plate(
    grey: UInt8[np.ndarray, "H W"],
    mask: Bool[np.ndarray, "H W"] | None,
    plate: Float32[np.ndarray, "Hc Wc"],
    seen: Bool[np.ndarray, "Hc Wc"],
    canvas_from_frame: Float64[np.ndarray, "3 3"],
    *,
    n_rounds: int = 2,
    most_pixels: int = 25_000,
) -> Alignment:
    """Move one frame's homography so that the plate seen through it looks like the frame.

    Gain and offset of the brightness are fitted along; pixels that differ more than most (people, their shadows) are
    weighed down.

    Source: Lucas-Kanade in the compositional form with Tukey weights (Baker and Matthews, 2004).
    """
    height, width = grey.shape
    usable = np.zeros((height, width), np.bool_)
    usable[3:-3, 3:-3] = True
    if mask is not None:
        usable &= ~mask
    frame = grey.astype(np.float32)
    scale = unit_from_pixels((width, height))
    back = np.linalg.inv(scale)
    seen_float = seen.astype(np.float32)
    columns = (np.arange(width, dtype=np.float32) * scale[0, 0] + scale[0, 2]).astype(np.float32)
    rows = (np.arange(height, dtype=np.float32) * scale[1, 1] + scale[1, 2]).astype(np.float32)
    matrix = canvas_from_frame
    spread, compared = float("inf"), 0.0
    for _ in range(n_rounds):
        view: Any = cv2.warpPerspective(plate, np.linalg.inv(matrix), (width, height), flags=cv2.INTER_CUBIC)
        covered: Any = cv2.warpPerspective(seen_float, np.linalg.inv(matrix), (width, height), flags=cv2.INTER_LINEAR)
        valid = usable & (covered > 0.99)
        compared = float(valid.mean())
        along_x = (np.roll(view, -1, 1) - np.roll(view, 1, 1)) * np.float32(0.5 * width / 2)
        along_y = (np.roll(view, -1, 0) - np.roll(view, 1, 0)) * np.float32(0.5 * width / 2)
        steep = np.where(valid, np.abs(along_x) + np.abs(along_y), 0)
        share = most_pixels / (width * height)
        floor = np.quantile(steep[::3, ::3], 1 - share) if share < 1 else 0.0
        y, x = np.nonzero((steep > floor) & valid)
        if len(y) < 400:
            return Alignment(canvas_from_frame=canvas_from_frame, spread=float("inf"), compared=compared)
        error = view[y, x] - frame[y, x]
        gx, gy, u, v = along_x[y, x], along_y[y, x], columns[x], rows[y]
        radial = -(gx * u + gy * v)
        ones = np.ones_like(gx)
        jacobian = np.stack(
            [gx * u, gx * v, gx, gy * u, gy * v, gy, radial * u, radial * v, view[y, x] - 128, ones], axis=1
        )
        centre = np.median(error)
        spread = max(1.4826 * float(np.median(np.abs(error - centre))), 1.0)
        weight = np.clip(1 - ((error - centre) / (4.7 * spread)) ** 2, 0, None) ** 2
        weighted = jacobian * weight[:, None]
        normal = (weighted.T @ jacobian).astype(np.float64)
        right = (weighted.T @ error).astype(np.float64)
        damping = np.diag(np.diag(normal) * 1e-5 + 1e-6)
        step = np.linalg.solve(normal + damping, -right)
        matrix = matrix @ (back @ increments(step[:8]) @ scale)
        matrix = matrix / matrix[2, 2]
    return Alignment(canvas_from_frame=matrix, spread=spread, compared=compared)


def refine_on_pictures(
    greys: Sequence[UInt8[np.ndarray, "H W"]],
    masks: Sequence[Bool[np.ndarray, "H W"] | None],
    common_from_frame: Float64[np.ndarray, "T 3 3"],
    *,
    reference: int,
    on_canvas: Callable[[NDArray[np.float64]], CameraPath],
    doubtful: Sequence[int] = (),
    n_rounds: int = 3,
    farthest_px: float = 3.0,
    step_done: Callable[[float], None] = lambda _: None,
) -> tuple[Float64[np.ndarray, "T 3 3"], Float64[np.ndarray, " T"]]:
    """Plate and homographies in turns: all frames make the plate, each frame is laid on it, again.

    Args:
        greys: Frames.
        masks: What moves of its own accord.
        common_from_frame: Start, good to a pixel or two.
        reference: Frame that stays where it is.
        on_canvas: Gives the path on a canvas that holds all frames.
        doubtful: Frames whose start is a guess; they move only where they then look like the plate.
        n_rounds: Turns.
        farthest_px: A frame that would move farther than this is left at its start.
        step_done: Told the share of the work that is done.

    Returns:
        Refined homographies and, per frame, the spread of its difference from the plate in grey levels.
    """
    height, width = greys[0].shape
    corners = np.array([[0.0, 0, 1], [width - 1, 0, 1], [width - 1, height - 1, 1], [0, height - 1, 1]])
    path = common_from_frame
    guesses = set(doubtful)
    spreads = np.full(len(greys), np.inf)
    for turn in range(n_rounds):
        camera = on_canvas(path)
        plate, seen = grey_plate(greys, masks, camera)
        moved = camera.canvas_from_frame.copy()
        finite = spreads[np.isfinite(spreads)]
        typical = float(np.median(finite)) if len(finite) else 0.0
        for t, (grey, mask) in enumerate(zip(greys, masks, strict=True)):
            fit = align_to_plate(grey, mask, plate, seen, camera.canvas_from_frame[t])
            start = np.linalg.inv(path[reference]) @ common_from_frame[t]
            now = np.linalg.inv(camera.canvas_from_frame[reference]) @ fit.canvas_from_frame
            trusted = t not in guesses or fit.spread < 1.5 * typical + 1
            if trusted and _distance(corners, np.linalg.inv(start) @ now) < farthest_px:
                moved[t] = fit.canvas_from_frame
            spreads[t] = fit.spread
            step_done((turn + t / len(greys)) / n_rounds)
        path = np.linalg.inv(moved[reference]) @ moved
        path = path / path[:, 2:, 2:]
    return path, spreads


def _distance(corners: NDArray[np.float64], homography: NDArray[np.float64]) -> float:
    moved = corners @ homography.T
    return float(np.abs(moved[:, :2] / moved[:, 2:] - corners[:, :2]).max())
