"""Which frames show a body whole in the posture that another frame hides."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.core.pictures import Pictures
from polytempo.objects.matching import correlate, lowest
from polytempo.objects.registration import BodyPath, frame_from_frame_body

CUT_SHARE = 0.3
"""A body is cut by the picture's edge where that runs through it for so much of the square root of its area: hair that
reaches the edge is not worth a frame."""
N_NEAR = 9
"""So many frames, the nearest in time, tell what a whole body's area is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PostureConfig:
    """How sources for hidden bodies are chosen."""

    touch_px: int = 3
    """Subjects closer than this count as touching, in pixels."""
    search_px: int = 8
    """How far a source may slide from where the body's path puts it, in pixels at 448 wide."""
    compare_px: float = 45.0
    """Square root of the area in pixels at which bodies are compared; larger ones are shrunk to about this."""
    max_sources: int = 48
    """Most frames that are tried as a source; taken nearest first."""
    n_chains: int = 4
    """How many different sources are found for each frame."""
    colour_scale: float = 0.3
    """Difference of colour, 0…1, that counts as much as a pixel outside the silhouette."""
    blur_px: float = 2.0
    """Blur before colours are compared, so that stripes half a stripe off do not look like another body."""
    jump_cost: float = 0.05
    """Cost of two neighbouring frames not taking neighbouring sources, on top of how unlike the silhouettes are."""
    distance_cost: float = 0.001
    """Cost per frame of distance between a frame and its source: near sources are lit and seen more alike."""
    repeat_cost: float = 0.15
    """Cost of taking a source again that an earlier chain took for the same frame."""
    slide_frames: float = 1.5
    """Width over which slides are smoothed in time, in frames."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Completion:
    """Where the hidden body of one frame may be taken from."""

    frame: int
    source: int
    """Frame that shows the body whole in a posture like this one's."""
    frame_from_source: NDArray[np.float64]
    """Homography ``[3, 3]`` from the source's pixels to this frame's."""
    cost: float
    """Disagreement with what is visible around this time, 0 for none; about 1 for no relation."""


def occlusion_frames(
    mask: Bool[np.ndarray, "T H W"], front: Bool[np.ndarray, "T H W"], *, touch_px: int
) -> tuple[Bool[np.ndarray, " T"], Bool[np.ndarray, " T"]]:
    """Which frames may be occluded, and which show the subject whole.

    A frame may be occluded when something in front touches the subject, or when the subject is missing between frames
    at which it went behind something. Frames cut by the picture's edge are whole only when no other is.
    """
    n = len(mask)
    kernel = np.ones((2 * touch_px + 1, 2 * touch_px + 1), np.uint8)
    present = mask.any((1, 2))
    occluded = np.zeros(n, bool)
    for t in np.flatnonzero(present & front.any((1, 2))):
        grown = cv2.dilate(front[t].astype(np.uint8), kernel).astype(bool)
        occluded[t] = int((grown & mask[t]).sum()) > 2 * touch_px
    # Gone behind something: empty frames whose ends touch what is in front, or are covered by it a frame later.
    for a, b in pairwise(np.flatnonzero(present)):
        if b - a > 1 and all(occluded[t] or _covered(mask[t], front[u]) for t, u in ((a, a + 1), (b, b - 1))):
            occluded[a + 1 : b] = True
    whole = present & ~occluded
    edge = _cut_share(mask) > CUT_SHARE
    if (whole & ~edge).any():
        whole &= ~edge
    areas = mask.sum((1, 2))
    shown = np.flatnonzero(whole)
    for t in shown:
        # Beside its own time only: who comes nearer grows, and was whole when small, too.
        usual = np.median(areas[shown[np.argsort(np.abs(shown - t), kind="stable")[:N_NEAR]]])
        whole[t] = areas[t] > 0.6 * usual
    return occluded, whole


def _cut_share(mask: Bool[np.ndarray, "T H W"]) -> NDArray[np.float64]:
    """How long the picture's left, upper and right edge cut each mask, in units of the square root of its area."""
    cut = mask[:, :, 0].sum(1) + mask[:, :, -1].sum(1) + mask[:, 0].sum(1)
    return np.asarray(cut / np.sqrt(np.maximum(mask.sum((1, 2)), 1)), np.float64)


def _covered(mask: NDArray[np.bool_], front: NDArray[np.bool_]) -> bool:
    return int((mask & front).sum()) * 2 >= int(mask.sum())


def find_sources(
    mask: Bool[np.ndarray, "T H W"],
    front: Bool[np.ndarray, "T H W"],
    pictures: Pictures,
    camera: CameraPath,
    path: BodyPath,
    *,
    occluded: Bool[np.ndarray, " T"],
    whole: Bool[np.ndarray, " T"],
    config: PostureConfig,
) -> dict[int, list[Completion]]:
    """Sources per occluded frame, best first, so that visible parts agree and postures follow each other.

    The sources form a chain of least cost through each run of occluded frames: every frame pays for its disagreement
    with what is visible in shape and colour, every step for how unlike the source is to the one that followed the
    last source. Further chains are found by making what was taken dear.

    Source: the transition cost follows video textures (Schödl et al. 2000); its use for hidden bodies is ours.
    """
    out: dict[int, list[Completion]] = {}
    n = len(mask)
    frames = np.flatnonzero(occluded)
    for run in np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1):
        # A few frames at both ends are seen whole and so pin the posture before and after.
        first, last = max(int(run[0]) - 4, 0), min(int(run[-1]) + 4, n - 1)
        around = np.array([t for t in range(first, last + 1) if occluded[t] or whole[t]])
        sources = np.flatnonzero(whole)
        nearness = np.abs(sources - (run[0] + run[-1]) / 2)
        sources = np.sort(sources[np.argsort(nearness, kind="stable")[: config.max_sources]])
        unary, slides, weight = _compare_all(mask, front, pictures, camera, path, around, sources, config)
        # A frame would explain itself; what is asked is which other frame could stand for it.
        unary += np.where(np.abs(around[:, None] - sources[None, :]) < 2, 0.2, 0.0)
        pairwise_cost = _transition_costs(mask, camera, path, sources)
        pairwise_cost += config.jump_cost * (sources[None, :] != sources[:, None] + 1)
        for _ in range(min(config.n_chains, len(sources))):
            chain = cheapest_chain(unary, pairwise_cost)
            slid = _smooth_slides(slides[np.arange(len(around)), chain], weight, around, sources[chain], config)
            costs = unary[np.arange(len(around)), chain]
            for i, t in enumerate(around):
                if occluded[t]:
                    source = int(sources[chain[i]])
                    laid = frame_from_frame_body(
                        path, camera, target=int(t), source=source, shift=(float(slid[i, 0]), float(slid[i, 1]))
                    )
                    near = np.exp(-0.5 * ((around - t) / 2.0) ** 2) * (weight + 0.02)
                    cost = float((near * costs).sum() / near.sum())
                    one = Completion(frame=int(t), source=source, frame_from_source=laid, cost=cost)
                    out.setdefault(int(t), []).append(one)
            for i, j in enumerate(chain):
                unary[i, np.abs(sources - sources[j]) <= 2] += config.repeat_cost
    return out


def cheapest_chain(unary: NDArray[np.float64], pairwise_cost: NDArray[np.float64]) -> NDArray[np.intp]:
    """Least-cost chain of states.

    Args:
        unary: Cost ``[T, S]`` of each state at each step.
        pairwise_cost: Cost ``[S, S]`` of going from state (row) to state (column).

    Source: Viterbi 1967.

    Example:
        >>> cheapest_chain(np.array([[0.0, 1.0], [1.0, 0.9]]), np.array([[0.0, 5.0], [5.0, 0.0]])).tolist()
        [0, 0]
    """
    n, m = unary.shape
    cost = unary[0].copy()
    came = np.zeros((n, m), np.intp)
    for i in range(1, n):
        step = cost[:, None] + pairwise_cost
        came[i] = step.argmin(0)
        cost = step.min(0) + unary[i]
    chain = np.zeros(n, np.intp)
    chain[-1] = int(cost.argmin())
    for i in range(n - 1, 0, -1):
        chain[i - 1] = came[i, chain[i]]
    return chain


def _smooth_slides(
    slides: NDArray[np.float64],
    weight: NDArray[np.float64],
    around: NDArray[np.intp],
    sources: NDArray[np.intp],
    config: PostureConfig,
) -> NDArray[np.float64]:
    """Slides ``[N, 2]`` averaged over frames with the same offset to their source, by how much each can see."""
    out = np.zeros_like(slides)
    offset = sources - around
    for i, t in enumerate(around):
        near = np.exp(-0.5 * ((around - t) / config.slide_frames) ** 2) * (weight**2 + 1e-4)
        near = near * np.where(np.abs(offset - offset[i]) <= 1, 1.0, 0.1)
        out[i] = (near[:, None] * slides).sum(0) / near.sum()
    return out


def _compare_all(
    mask: NDArray[np.bool_],
    front: NDArray[np.bool_],
    pictures: Pictures,
    camera: CameraPath,
    path: BodyPath,
    around: NDArray[np.intp],
    sources: NDArray[np.intp],
    config: PostureConfig,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Cost ``[N, S]`` and best slide ``[N, S, 2]`` of every source for every frame, and the share each frame shows."""
    typical = float(np.median(mask[sources].sum((1, 2))))
    # Large bodies are compared small: the posture shows as well, and the cost grows with the fourth power.
    shrink = max(round(np.sqrt(typical) / config.compare_px), 1)
    size = (mask.shape[2] // shrink, mask.shape[1] // shrink)
    to_small = np.array([[1 / shrink, 0, 0.5 / shrink - 0.5], [0, 1 / shrink, 0.5 / shrink - 0.5], [0, 0, 1.0]])
    reach = max(round(config.search_px * mask.shape[2] / 448 / shrink), 2)
    unary = np.zeros((len(around), len(sources)))
    slides = np.zeros((len(around), len(sources), 2))
    shown = np.zeros(len(around))
    offsets = np.arange(-reach, reach + 1)
    away = (offsets[:, None] ** 2 + offsets[None, :] ** 2) / reach**2
    coloured = {int(s): _soft(np.asarray(pictures[int(s)]), config.blur_px, size) for s in sources}
    bodies = {int(s): _small(mask[s], size) for s in sources}
    typical /= shrink**2
    for i, t in enumerate(around):
        visible = _small(mask[t], size)
        picture = _soft(np.asarray(pictures[int(t)]), config.blur_px, size)
        scene = np.dstack(
            [visible, 1 - _small(front[t], size), visible[..., None] * picture, visible * (picture**2).sum(2)]
        ).astype(np.float32)
        area = float(visible.sum())
        shown[i] = min(area / typical, 1.0)
        for j, s in enumerate(sources):
            laid = frame_from_frame_body(path, camera, target=int(t), source=int(s))
            laid = to_small @ laid @ np.linalg.inv(to_small)
            body, colour, (left, top) = _lay_crop(bodies[int(s)], coloured[int(s)], laid)
            part = _crop(scene, left - reach, top - reach, body.shape, reach)
            inter = correlate(part[..., 0], body)
            open_ = correlate(part[..., 1], body)
            tinted = body[..., None] * colour
            difference = (
                correlate(part[..., 5], body)
                - 2 * correlate(part[..., 2:5], tinted)
                + correlate(part[..., 0], (tinted * colour).sum(2))
            )
            # Where both show body the colours must agree; elsewhere the silhouettes must.
            wrong = np.minimum(np.maximum(difference, 0) / (3 * config.colour_scale**2), inter)
            wrong = wrong + (area - inter) + np.maximum(open_ - inter, 0)
            cost = wrong / (area + np.maximum(open_ - inter, 0) + 0.1 * typical)
            dx, dy = lowest(cost + 0.05 * away)
            unary[i, j] = cost[round(dy), round(dx)] + config.distance_cost * abs(int(s) - int(t))
            slides[i, j] = (dx - reach) * shrink, (dy - reach) * shrink
    return unary, slides, shown


def _small(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) >= 0.5, np.float32)


def _transition_costs(
    mask: NDArray[np.bool_], camera: CameraPath, path: BodyPath, sources: NDArray[np.intp]
) -> NDArray[np.float64]:
    """How unlike ``[S, S]`` the silhouette after source (row) is to source (column), 0…1."""
    side = 48
    flat = np.zeros((len(mask), side * side), np.float32)
    for t in np.unique(np.concatenate([sources, np.minimum(sources + 1, len(mask) - 1)])):
        x, y = path.centre[t]
        # A square of four times the body's scale around its centre, as a 48 x 48 picture.
        s = 4.0 * path.scale[t] / side
        canvas_from_unit = np.array([[s, 0, x - s * side / 2], [0, s, y - s * side / 2], [0, 0, 1.0]])
        unit_from_frame = np.linalg.inv(canvas_from_unit) @ camera.canvas_from_frame[t]
        small = cv2.warpPerspective(mask[t].astype(np.float32), unit_from_frame, (side, side), flags=cv2.INTER_LINEAR)
        flat[t] = small.reshape(-1)
    a, b = flat[np.minimum(sources + 1, len(mask) - 1)], flat[sources]
    inter = a @ b.T
    union = (a * a).sum(1)[:, None] + (b * b).sum(1)[None, :] - inter
    cost = 1.0 - inter / np.maximum(union, 1e-6)
    return np.where(sources[None, :] == sources[:, None] + 1, 0.0, cost).astype(np.float64)


def _soft(picture: NDArray[np.uint8], blur_px: float, size: tuple[int, int]) -> NDArray[np.float32]:
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), blur_px), np.float32) / np.float32(255)


def _lay_crop(
    mask: NDArray[np.float32], colour: NDArray[np.float32], frame_from_source: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32], tuple[int, int]]:
    """A body and its picture laid by a homography, cut to its box; the box may leave the frame."""
    ys, xs = np.nonzero(mask)
    corners = np.array([[x, y, 1.0] for x in (xs.min(), xs.max()) for y in (ys.min(), ys.max())]) @ frame_from_source.T
    corners = corners[:, :2] / corners[:, 2:]
    left, top = (int(v) for v in np.floor(corners.min(0)) - 1)
    right, bottom = (int(v) for v in np.ceil(corners.max(0)) + 2)
    move = np.array([[1.0, 0.0, -left], [0.0, 1.0, -top], [0.0, 0.0, 1.0]]) @ frame_from_source
    size = (right - left, bottom - top)
    body = cv2.warpPerspective(mask, move, size) > 0.5
    tint = cv2.warpPerspective(colour, move, size)
    return body.astype(np.float32), tint.astype(np.float32), (left, top)


def _crop(field: NDArray[np.float32], left: int, top: int, size: tuple[int, ...], reach: int) -> NDArray[np.float32]:
    """Cut a box grown by ``reach`` out of a field ``[H, W, C]``, zero outside the frame."""
    height, width = size[0] + 2 * reach, size[1] + 2 * reach
    out = np.zeros((height, width, field.shape[2]), np.float32)
    y0, x0 = max(top, 0), max(left, 0)
    y1, x1 = min(top + height, field.shape[0]), min(left + width, field.shape[1])
    if y1 > y0 and x1 > x0:
        out[y0 - top : y1 - top, x0 - left : x1 - left] = field[y0:y1, x0:x1]
    return out
