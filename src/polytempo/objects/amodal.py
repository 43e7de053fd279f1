"""The whole body where another subject hides part of it, completed from frames that show it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.objects.registration import BodyPath, body_path, frame_from_frame_body


@dataclass(frozen=True, kw_only=True, slots=True)
class AmodalConfig:
    """How hidden bodies are completed."""

    touch_px: int = 3
    """Subjects closer than this count as touching, in pixels."""
    search_px: int = 8
    """How far a source silhouette may slide from where the body's path puts it, in pixels at 448 wide."""
    max_sources: int = 160
    """Most frames that are tried as a source; taken nearest first."""
    jump_cost: float = 0.04
    """Cost of two neighbouring frames not taking neighbouring sources, on top of how unlike the silhouettes are."""
    distance_cost: float = 0.0004
    """Cost per frame of distance between a frame and its source, so that near sources win when equal."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Completion:
    """Where the hidden body of one frame is taken from."""

    frame: int
    source: int
    """Frame that shows the body whole in the posture most like this one's."""
    frame_from_source: NDArray[np.float64]
    """Homography ``[3, 3]`` from the source's pixels to this frame's."""
    agreement: float
    """How well the source agrees with what is visible, 0…1; 1 where nothing is."""


def complete_subject(
    mask: Bool[np.ndarray, "T H W"],
    front: Bool[np.ndarray, "T H W"],
    camera: CameraPath,
    *,
    config: AmodalConfig | None = None,
) -> tuple[Bool[np.ndarray, "T H W"], list[Completion]]:
    """Amodal mask of one subject, and where each hidden part was taken from.

    Args:
        mask: The subject's modal mask.
        front: Union of the masks of all subjects in front of it.
        camera: At the masks' size.
        config: Widths and costs.

    Returns:
        The amodal mask, which lies within ``mask | front``, and one completion per frame that may be occluded.
    """
    config = config or AmodalConfig()
    occluded, whole = occlusion_frames(mask, front, touch_px=config.touch_px)
    amodal = mask.copy()
    if not occluded.any() or not whole.any():
        return amodal, []
    path = body_path(mask, camera, whole=whole)
    completions = choose_sources(mask, front, camera, path, occluded=occluded, whole=whole, config=config)
    for c in completions:
        laid = lay_mask(mask[c.source], c.frame_from_source)
        amodal[c.frame] |= laid & front[c.frame]
    return amodal, completions


def occlusion_frames(
    mask: Bool[np.ndarray, "T H W"], front: Bool[np.ndarray, "T H W"], *, touch_px: int
) -> tuple[Bool[np.ndarray, " T"], Bool[np.ndarray, " T"]]:
    """Which frames may be occluded, and which show the subject whole.

    A frame may be occluded when something in front touches the subject, or when the subject is missing between two
    such frames. Frames cut by the picture's edge are whole only when no other is.
    """
    n = len(mask)
    kernel = np.ones((2 * touch_px + 1, 2 * touch_px + 1), np.uint8)
    present = mask.any((1, 2))
    occluded = np.zeros(n, bool)
    for t in np.flatnonzero(present & front.any((1, 2))):
        grown = cv2.dilate(front[t].astype(np.uint8), kernel).astype(bool)
        occluded[t] = int((grown & mask[t]).sum()) > 2 * touch_px
    # Gone behind something: empty frames between two frames that touch what is in front.
    shown = np.flatnonzero(present)
    for a, b in pairwise(shown):
        if b - a > 1 and occluded[a] and occluded[b]:
            occluded[a + 1 : b] = True
    whole = present & ~occluded
    edge = mask[:, :, 0].any(1) | mask[:, :, -1].any(1) | mask[:, 0].any(1)
    if (whole & ~edge).any():
        whole &= ~edge
    areas = mask.sum((1, 2))
    if whole.any():
        typical = np.median(areas[whole])
        whole &= areas > 0.6 * typical
    return occluded, whole


def choose_sources(
    mask: Bool[np.ndarray, "T H W"],
    front: Bool[np.ndarray, "T H W"],
    camera: CameraPath,
    path: BodyPath,
    *,
    occluded: Bool[np.ndarray, " T"],
    whole: Bool[np.ndarray, " T"],
    config: AmodalConfig,
) -> list[Completion]:
    """Choose a source per occluded frame so that visible parts agree and the postures follow each other.

    The sources form a chain of least cost through each run of occluded frames: every frame pays for its disagreement
    with what is visible, every step for how unlike the source is to the one that followed the last source.

    Source: the transition cost follows video textures (Schödl et al. 2000); its use for hidden bodies is ours.
    """
    out: list[Completion] = []
    n = len(mask)
    frames = np.flatnonzero(occluded)
    breaks = np.flatnonzero(np.diff(frames) > 1) + 1
    for run in np.split(frames, breaks):
        # Two frames more at both ends are seen whole and so pin the posture before and after.
        first, last = max(int(run[0]) - 3, 0), min(int(run[-1]) + 3, n - 1)
        around = np.array([t for t in range(first, last + 1) if occluded[t] or whole[t]])
        middle = (run[0] + run[-1]) / 2
        sources = np.flatnonzero(whole)
        sources = np.sort(sources[np.argsort(np.abs(sources - middle), kind="stable")[: config.max_sources]])
        unary = np.zeros((len(around), len(sources)))
        shifts = np.zeros((len(around), len(sources), 2))
        for i, t in enumerate(around):
            for j, s in enumerate(sources):
                if s == t:
                    unary[i, j] = 0.0  # a frame seen whole explains itself
                    continue
                score, shifts[i, j] = agreement(mask, front, camera, path, target=int(t), source=int(s), config=config)
                unary[i, j] = 1.0 - score + config.distance_cost * abs(int(s) - int(t))
        pairwise = _transition_costs(mask, camera, path, sources) + config.jump_cost * (
            sources[None, :] != sources[:, None] + 1
        )
        chain = cheapest_chain(unary, pairwise)
        for i, t in enumerate(around):
            if occluded[t]:
                j = chain[i]
                laid = frame_from_frame_body(
                    path, camera, target=int(t), source=int(sources[j]), shift=(shifts[i, j, 0], shifts[i, j, 1])
                )
                out.append(
                    Completion(
                        frame=int(t),
                        source=int(sources[j]),
                        frame_from_source=laid,
                        agreement=float(np.clip(1.0 - unary[i, j], 0.0, 1.0)),
                    )
                )
    return out


def agreement(
    mask: Bool[np.ndarray, "T H W"],
    front: Bool[np.ndarray, "T H W"],
    camera: CameraPath,
    path: BodyPath,
    *,
    target: int,
    source: int,
    config: AmodalConfig,
) -> tuple[float, NDArray[np.float64]]:
    """How well a source's silhouette explains what a frame shows of the body, and the best slide of it.

    Returns:
        Intersection over union outside what hides the body (1 where the body is hidden wholly), and ``(dx, dy)``.
    """
    laid = frame_from_frame_body(path, camera, target=target, source=source)
    silhouette, (left, top) = _lay_crop(mask[source], laid)
    reach = max(round(config.search_px * mask.shape[2] / 448), 1)
    visible = _crop(mask[target], left - reach, top - reach, silhouette.shape, reach)
    open_ = _crop(~front[target], left - reach, top - reach, silhouette.shape, reach)
    template = silhouette.astype(np.float32)
    inter = cv2.matchTemplate(visible, template, cv2.TM_CCORR)
    shown = cv2.matchTemplate(open_, template, cv2.TM_CCORR)
    area = float(template.sum())
    # A share of the body's area is added to both, so that a sliver of what is visible does not decide alone.
    slack = 0.1 * area
    total = float(mask[target].sum())
    score = (inter + slack) / (total + shown - inter + slack)
    offsets = np.arange(-reach, reach + 1)
    away = (offsets[:, None] ** 2 + offsets[None, :] ** 2) / reach**2
    best = int(np.argmax(score - 0.03 * away))
    dy, dx = divmod(best, 2 * reach + 1)
    return float(score[dy, dx]), np.array([dx - reach, dy - reach], float)


def cheapest_chain(unary: NDArray[np.float64], pairwise: NDArray[np.float64]) -> NDArray[np.intp]:
    """Least-cost chain of states.

    Args:
        unary: Cost ``[T, S]`` of each state at each step.
        pairwise: Cost ``[S, S]`` of going from state (row) to state (column).

    Source: Viterbi 1967.

    Example:
        >>> cheapest_chain(np.array([[0.0, 1.0], [1.0, 0.9]]), np.array([[0.0, 5.0], [5.0, 0.0]])).tolist()
        [0, 0]
    """
    n, m = unary.shape
    cost = unary[0].copy()
    came = np.zeros((n, m), np.intp)
    for i in range(1, n):
        step = cost[:, None] + pairwise
        came[i] = step.argmin(0)
        cost = step.min(0) + unary[i]
    chain = np.zeros(n, np.intp)
    chain[-1] = int(cost.argmin())
    for i in range(n - 1, 0, -1):
        chain[i - 1] = came[i, chain[i]]
    return chain


def lay_mask(mask: Bool[np.ndarray, "H W"], frame_from_source: NDArray[np.float64]) -> Bool[np.ndarray, "H W"]:
    """Warp a mask by a homography and threshold it at a half."""
    height, width = mask.shape
    warped = cv2.warpPerspective(mask.astype(np.float32), frame_from_source, (width, height), flags=cv2.INTER_LINEAR)
    return warped > 0.5


def _transition_costs(
    mask: NDArray[np.bool_], camera: CameraPath, path: BodyPath, sources: NDArray[np.intp]
) -> NDArray[np.float64]:
    """How unlike ``[S, S]`` the silhouette after source (row) is to source (column), 0…1."""
    side = 48
    flat = np.zeros((len(mask), side * side), np.float32)
    for t in np.unique(np.concatenate([sources, np.minimum(sources + 1, len(mask) - 1)])):
        to_unit = np.linalg.inv(camera.canvas_from_frame[t])
        x, y = path.centre[t]
        # A square of four times the body's scale around its centre, as a 48 x 48 picture.
        s = 4.0 * path.scale[t] / side
        canvas_from_unit = np.array([[s, 0, x - s * side / 2], [0, s, y - s * side / 2], [0, 0, 1.0]])
        unit_from_frame = np.linalg.inv(to_unit @ canvas_from_unit)
        small = cv2.warpPerspective(mask[t].astype(np.float32), unit_from_frame, (side, side), flags=cv2.INTER_AREA)
        flat[t] = small.reshape(-1)
    after = np.minimum(sources + 1, len(mask) - 1)
    a, b = flat[after], flat[sources]
    inter = a @ b.T
    union = (a * a).sum(1)[:, None] + (b * b).sum(1)[None, :] - inter
    cost = 1.0 - inter / np.maximum(union, 1e-6)
    next_is_source = sources[None, :] == sources[:, None] + 1
    return np.where(next_is_source, 0.0, cost).astype(np.float64)


def _lay_crop(
    mask: NDArray[np.bool_], frame_from_source: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], tuple[int, int]]:
    """A mask laid by a homography, cut to its box; the box may leave the frame."""
    ys, xs = np.nonzero(mask)
    corners = np.array([[x, y, 1.0] for x in (xs.min(), xs.max()) for y in (ys.min(), ys.max())]) @ frame_from_source.T
    corners = corners[:, :2] / corners[:, 2:]
    left, top = np.floor(corners.min(0)).astype(int) - 1
    right, bottom = np.ceil(corners.max(0)).astype(int) + 2
    move = np.array([[1.0, 0.0, -left], [0.0, 1.0, -top], [0.0, 0.0, 1.0]])
    warped = cv2.warpPerspective(
        mask.astype(np.float32), move @ frame_from_source, (int(right - left), int(bottom - top))
    )
    return warped > 0.5, (int(left), int(top))


def _crop(mask: NDArray[np.bool_], left: int, top: int, size: tuple[int, ...], reach: int) -> NDArray[np.float32]:
    """Cut a box grown by ``reach`` out of a mask, zero outside the frame."""
    height, width = size[0] + 2 * reach, size[1] + 2 * reach
    out = np.zeros((height, width), np.float32)
    y0, x0 = max(top, 0), max(left, 0)
    y1, x1 = min(top + height, mask.shape[0]), min(left + width, mask.shape[1])
    if y1 > y0 and x1 > x0:
        out[y0 - top : y1 - top, x0 - left : x1 - left] = mask[y0:y1, x0:x1]
    return out
