"""Where the upper body is, to a fraction of a pixel: head and chest keep their looks while legs stride."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float64
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.core.pictures import Pictures
from polytempo.objects.matching import correlate, lowest
from polytempo.objects.registration import BodyPath, body_path, local_fit

GREATEST_SCALE = 48.0
"""Bodies larger than this (square root of the area in pixels) are compared at this scale."""
WIDTH, ABOVE = 2.6, 2.4
"""Width, and height above the body's centre, of what is compared, in units of the body's scale: the upper body."""
REACH = (4, 3, 2)
"""Farthest step of each round, pixels of the compared pictures."""
SPAN_FRAMES, ALWAYS = 15.0, 0.05
"""Frames are compared with the mean of others, which count less over such a span, down to this weight."""
BLUR_PX = 0.8
"""Gaussian sigma that makes the cost smooth enough for parts of a pixel."""
COLOUR_NOISE = 0.03
"""Variance of a colour that is expected anyway, 0…1 squared."""
COLOUR_WEIGHT = 0.3
"""Weight of a colour one standard deviation off, against a pixel outside the silhouette."""
STAY = 0.2
"""Cost of a step of full reach."""
PATH_FRAMES, SCALE_FRAMES = 4.0, 30
"""Widths over which the path and the size are smoothed; a size read off silhouettes swings with the stride."""


def steady_centres(
    masks: Bool[np.ndarray, "T H W"],
    pictures: Pictures,
    camera: CameraPath,
    path: BodyPath,
    *,
    frames: Bool[np.ndarray, " T"],
) -> Float64[np.ndarray, "T 2"]:
    """A body's centre per frame such that the upper body stands still relative to it, canvas pixels ``(x, y)``.

    The centre of a silhouette moves by pixels with every step and with every error of the mask. Here each frame is
    laid on the mean of the frames about it, by colour and silhouette, and the mean is made anew, three times over.
    Measured on three walkers with true keypoints and rough masks, median distance from the trunk's middle once the
    drift is taken out: 0.1 px across and 0.2 to 0.5 px up and down, against 0.6 to 1.5 px of the silhouette's centre.

    Args:
        masks: Modal masks.
        pictures: The clip at their size.
        camera: At their size.
        path: Where to start, and how large the body is.
        frames: Which frames show enough of it. The others keep their place on the path.

    Source: ours; laying on a mean that sharpens is the atlas building of medical registration (Joshi et al.,
        NeuroImage 2004).
    """
    centre = path.centre.copy()
    chosen = np.flatnonzero(frames)
    if len(chosen) < 3:
        return centre
    usual = float(np.median(path.scale[chosen]))
    scale = min(usual, GREATEST_SCALE)
    size = (int(WIDTH * scale), int(ABOVE * scale))
    if min(size) < 4:
        return centre
    weight = np.exp(-np.abs(chosen[:, None] - chosen[None]) / SPAN_FRAMES).astype(np.float32) + np.float32(ALWAYS)
    np.fill_diagonal(weight, 0)
    for reach in REACH:
        laid = [_upper(masks[t], pictures[int(t)], camera, path, centre, int(t), scale, size) for t in chosen]
        colour, body = np.stack([one[0] for one in laid]), np.stack([one[1] for one in laid])
        total = np.tensordot(weight, body, 1)
        mean = np.tensordot(weight, colour * body[..., None], 1) / np.maximum(total, 1e-3)[..., None]
        square = np.tensordot(weight, (colour**2).sum(-1) * body, 1) / np.maximum(total, 1e-3)
        spread = np.maximum(square - (mean**2).sum(-1), 0)
        usual_body = total / weight.sum(1)[:, None, None]
        for i, t in enumerate(chosen):
            step = _step(colour[i], body[i], mean[i], usual_body[i], spread[i], reach)
            centre[t] -= step * (path.scale[t] / scale)
    return centre


def _upper(
    mask: NDArray[np.bool_],
    picture: NDArray[np.uint8],
    camera: CameraPath,
    path: BodyPath,
    centre: NDArray[np.float64],
    frame: int,
    scale: float,
    size: tuple[int, int],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Picture ``[h, w, 3]`` and body ``[h, w]`` of the upper body at one scale, its centre always at one place."""
    grown = path.scale[frame] / scale
    left, top = centre[frame, 0] - grown * (size[0] // 2), centre[frame, 1] - grown * int(ABOVE * scale)
    canvas_from_crop = np.array([[grown, 0, left], [0, grown, top], [0, 0, 1.0]])
    crop_from_frame = np.linalg.inv(canvas_from_crop) @ camera.canvas_from_frame[frame]
    calm = cv2.GaussianBlur(np.asarray(picture), (0, 0), BLUR_PX * max(grown, 1.0))
    colour = cv2.warpPerspective(calm.astype(np.float32) / np.float32(255), crop_from_frame, size)
    body = cv2.warpPerspective(mask.astype(np.float32), crop_from_frame, size)
    return np.asarray(colour, np.float32), np.asarray(body, np.float32)


def _step(
    colour: NDArray[np.float32],
    body: NDArray[np.float32],
    mean: NDArray[np.float32],
    usual_body: NDArray[np.float32],
    spread: NDArray[np.float32],
    reach: int,
) -> NDArray[np.float64]:
    """By how much ``(x, y)`` a frame's upper body must move to lie best on the mean."""
    trust = usual_body / (spread + np.float32(COLOUR_NOISE))
    inside, tinted = body[..., None] * colour, _bordered(trust[..., None] * mean, reach)
    off = (
        correlate(_bordered(trust, reach), (inside * colour).sum(2))
        - 2 * correlate(tinted, inside)
        + correlate(_bordered(trust * (mean**2).sum(2), reach), body)
    )
    shared = correlate(_bordered(usual_body, reach), body)
    outside = float(body.sum()) + float(usual_body.sum()) - 2 * shared
    cost = (COLOUR_WEIGHT * np.maximum(off, 0) + outside) / max(float(body.sum()), 1.0)
    places = np.arange(-reach, reach + 1) / reach
    x, y = lowest(cost + STAY * (places[:, None] ** 2 + places[None] ** 2))
    return np.array([x - reach, y - reach])


def _bordered(field: NDArray[Any], width: int) -> NDArray[np.float32]:
    return np.pad(field, ((width, width), (width, width), *((0, 0),) * (field.ndim - 2))).astype(np.float32)


def steady_path(
    masks: Bool[np.ndarray, "T H W"],
    pictures: Pictures,
    camera: CameraPath,
    *,
    whole: Bool[np.ndarray, " T"],
    partly: Bool[np.ndarray, " T"] | None = None,
) -> BodyPath:
    """Path of a body by its upper body where it is seen whole, smoothed over a stride and filled in between.

    Smooth also where it is known: what a stride adds to the path belongs to the posture, and travels with it.

    Args:
        masks: Modal masks.
        pictures: The clip at their size.
        camera: At their size.
        whole: In which frames the mask is the whole body. At least one.
        partly: Further frames whose masks tell about where the body is, but not how large.
    """
    path = body_path(masks, camera, whole=whole, partly=partly, reach=SCALE_FRAMES)
    centre = steady_centres(masks, pictures, camera, path, frames=whole)
    at = np.flatnonzero(whole if partly is None else whole | partly).astype(float)
    known = centre[at.astype(int)]
    frames = np.arange(len(masks), dtype=float)
    smooth = [
        local_fit(at, known[:, axis], frames, width=PATH_FRAMES, degree=degree) for axis, degree in ((0, 2), (1, 1))
    ]
    return BodyPath(centre=np.stack(smooth, axis=1), scale=path.scale)
