"""The whole body where another subject hides part of it, completed from frames that show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.core.discs import grown
from polytempo.core.pictures import Pictures
from polytempo.objects.carried import CarryConfig
from polytempo.objects.fit_source import FitConfig, fit_to_visible
from polytempo.objects.posture import Completion, PostureConfig, find_sources, occlusion_frames
from polytempo.objects.registration import BodyPath
from polytempo.objects.steady import steady_path

POSTURE = PostureConfig()
FAR_FRAMES = 12
"""Frames from the nearest whole one beyond which a body's path is not taken from whole frames alone."""
LIKE, UNLIKE = 0.43, 0.55
"""A source whose posture disagrees by less is believed, by more not at all: a body of another shape is no stand-in.
Drawn walkers disagree by 0.13 to 0.42, a child filmed kneeling by 0.4 to 0.9."""
PART_SHARE = 0.15
"""A body of which this share is seen tells about where it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AmodalConfig:
    """How hidden bodies are completed."""

    posture: PostureConfig = POSTURE
    """How source frames are chosen."""
    n_bands: int = 2
    """Bands of rows that are completed each from its own sources: a chest that keeps its posture while legs stride is
    best taken from another frame than the legs."""
    feather: float = 0.12
    """Width over which bands blend, in units of the body's scale."""
    edge_px: int = 2
    """Outlines of what is in front are this uncertain, in pixels: hidden body is looked for that far around them."""
    dispute_px: int = 4
    """Within this distance of what is in front, the subject's own mask may be mistaken, in pixels."""
    dispute_colour: float = 0.25
    """Difference from the expected colour, 0…1, from which such a pixel is given to what is in front."""
    carry: CarryConfig = field(default_factory=CarryConfig)
    """How a body is put together from pieces where no frame shows it in a like posture."""
    believed: float = 0.5
    """From this belief in the postures, 0…1, on the mean over a spell of hiding, they stand in and not pieces."""
    threshold: float = 0.45
    """Share of the sources that must show body for a hidden pixel to count as body."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BodyBand:
    """A band of rows of a body with the sources of its hidden parts."""

    weight: Float32[np.ndarray, "T H"]
    """How much each row of each frame belongs to this band, 0…1."""
    sources: dict[int, list[Completion]] = field(default_factory=dict)
    """By occluded frame, best first."""


def hidden_sources(
    mask: Bool[np.ndarray, "T H W"],
    front: Bool[np.ndarray, "T H W"],
    pictures: Pictures,
    camera: CameraPath,
    *,
    config: AmodalConfig | None = None,
) -> list[BodyBand]:
    """Where the hidden parts of one subject are taken from.

    Args:
        mask: The subject's modal mask.
        front: Union of the masks of all subjects in front of it.
        pictures: The clip, by whose colours sources are compared with what is visible.
        camera: At the masks' size.
        config: Widths and costs.

    Returns:
        Bands of the body with their sources; none where nothing is hidden or the subject is nowhere seen whole.
    """
    config = config or AmodalConfig()
    occluded, whole = occlusion_frames(mask, front, touch_px=config.posture.touch_px)
    if not occluded.any() or not whole.any():
        return []
    path = steady_path(mask, pictures, camera, whole=whole, partly=partly_seen(mask, whole))
    height = body_rows(path, camera, n_rows=mask.shape[1])
    bands: list[BodyBand] = []
    for low, high in band_edges(mask, height, whole=whole, n_bands=config.n_bands):
        rows = (height >= low) & (height < high)
        part = mask & rows[:, :, None]
        shown = whole & part.any((1, 2))
        if not shown.any():
            continue
        sources = find_sources(
            part, front, pictures, camera, path, occluded=occluded, whole=shown, config=config.posture
        )
        weight = np.clip((height - low) / config.feather + 0.5, 0, 1) * np.clip(
            (high - height) / config.feather + 0.5, 0, 1
        )
        bands.append(BodyBand(weight=weight.astype(np.float32), sources=sources))
    return bands


def partly_seen(mask: Bool[np.ndarray, "T H W"], whole: Bool[np.ndarray, " T"]) -> Bool[np.ndarray, " T"]:
    """Frames far from any that shows the body whole, in which enough of it is seen to tell about where it is.

    Over a long hiding a path from whole frames alone runs anywhere; what is visible of a body errs by half its width.

    Args:
        mask: The subject's modal mask.
        whole: Frames that show it whole. At least one.
    """
    frames = np.arange(len(mask))
    away = np.abs(frames[:, None] - np.flatnonzero(whole)).min(1)
    areas = mask.sum((1, 2))
    return np.asarray((away > FAR_FRAMES) & (areas >= PART_SHARE * np.median(areas[whole])))


def disputed_pixels(
    mask: Bool[np.ndarray, "H W"],
    front: Bool[np.ndarray, "H W"],
    picture: NDArray[np.uint8],
    shown: Float32[np.ndarray, "H W 4"],
    *,
    config: AmodalConfig,
) -> Bool[np.ndarray, "H W"]:
    """Pixels of a subject's mask that are rather those of what is in front of it.

    Beside what is in front, a pixel is disputed when the sources show body there of another colour, or when it
    belongs to a small part where no source shows body.

    Args:
        mask: The subject's modal mask.
        front: Union of the masks in front.
        picture: The frame.
        shown: The sources' mean for this frame, premultiplied, 0…1.
        config: Widths and limits.
    """
    near = grown(front, config.dispute_px) & mask
    body = shown[..., 3]
    soft = cv2.GaussianBlur(picture, (0, 0), 1.0).astype(np.float32) / 255
    expected = shown[..., :3] / np.maximum(body, 1e-3)[..., None]
    unlike = np.abs(soft - expected).max(2) > config.dispute_colour
    out = near & (body >= config.threshold) & unlike
    absent = mask & (cv2.dilate(body, np.ones((5, 5), np.uint8)) < 0.1)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(absent.astype(np.uint8), connectivity=8)
    for i in range(1, len(stats)):
        part = labels == i
        if stats[i, cv2.CC_STAT_AREA] < 0.1 * body.sum() and (part & near).any():
            out |= part
    return out


def body_rows(path: BodyPath, camera: CameraPath, *, n_rows: int) -> NDArray[np.float64]:
    """How far ``[T, H]`` each row of each frame lies below the body's centre, in units of the body's scale."""
    out = np.zeros((len(path.scale), n_rows))
    for t, (centre, scale) in enumerate(zip(path.centre, path.scale, strict=True)):
        from_canvas = np.linalg.inv(camera.canvas_from_frame[t])
        point = from_canvas @ np.array([centre[0], centre[1], 1.0])
        size = scale * np.sqrt(abs(np.linalg.det(from_canvas[:2, :2])))
        out[t] = (np.arange(n_rows) - point[1] / point[2]) / max(size, 1e-6)
    return out


def band_edges(
    mask: Bool[np.ndarray, "T H W"], height: NDArray[np.float64], *, whole: Bool[np.ndarray, " T"], n_bands: int
) -> list[tuple[float, float]]:
    """Edges of bands of equal height on the body, in its own units; the outermost are open."""
    tops, bottoms = [], []
    for t in np.flatnonzero(whole):
        rows = np.flatnonzero(mask[t].any(1))
        tops.append(height[t, rows[0]])
        bottoms.append(height[t, rows[-1]])
    edges = np.linspace(float(np.median(tops)), float(np.median(bottoms)), n_bands + 1)
    edges[0], edges[-1] = -1e3, 1e3
    return [(float(a), float(b)) for a, b in pairwise(edges)]


def shown_body(
    pictures: Pictures,
    mask: Bool[np.ndarray, "T H W"],
    bands: list[BodyBand],
    *,
    frame: int,
    config: FitConfig | None = None,
) -> Float32[np.ndarray, "H W 4"]:
    """Mean of the sources of a frame, each laid where the body is: premultiplied, 0…1; the fainter, the less alike.

    Args:
        pictures: The clip.
        mask: The subject's modal mask.
        bands: From ``hidden_sources``.
        frame: Which.
        config: How sources are bent onto what the frame shows.
    """
    height, width = mask.shape[1:]
    total = np.zeros((height, width, 4), np.float32)
    weights = np.full((height, 1, 1), 1e-6, np.float32)
    for band in bands:
        sources = band.sources.get(frame, [])
        believed = belief(sources)
        if believed == 0:
            weights = weights + band.weight[frame][:, None, None]
            continue
        for one, trust in zip(sources, trusts(sources), strict=True):
            # Cut out before it is laid, so that nothing of the source's background comes in at the edge.
            laid = lay(_cut_out(np.asarray(pictures[one.source]), mask[one.source]), one.frame_from_source)
            laid = fit_to_visible(laid, np.asarray(pictures[frame]), mask[frame], config=config or FitConfig())
            weight = band.weight[frame][:, None, None] * trust
            total += believed * weight * laid
            weights = weights + weight
    return total / weights


def _cut_out(picture: UInt8[np.ndarray, "H W 3"], mask: Bool[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W 4"]:
    """A body with the colours of its outline, which are half background's, taken from just inside: premultiplied."""
    body = mask.astype(np.float32)
    colour = picture.astype(np.float32) / 255
    core = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    near = cv2.GaussianBlur(np.dstack([colour * core[..., None], core]), (0, 0), 1.2)
    inner = near[..., :3] / np.maximum(near[..., 3:], 1e-3)
    colour = np.where((core > 0)[..., None] | (near[..., 3:] < 1e-3), colour, inner)
    return np.dstack([colour * body[..., None], body])


def trusts(sources: list[Completion], *, scale: float = 0.1) -> list[np.float32]:
    """Weights of sources, summing to 1: each ``scale`` of cost more counts 1/e as much."""
    if not sources:
        return []
    costs = np.array([one.cost for one in sources])
    weights = np.exp(-(costs - costs.min()) / scale)
    return [np.float32(w) for w in weights / weights.sum()]


def belief(sources: list[Completion]) -> np.float32:
    """How far the best of some sources is like what it stands for, 0…1."""
    best = min((one.cost for one in sources), default=UNLIKE)
    return np.float32(np.clip((UNLIKE - best) / (UNLIKE - LIKE), 0, 1))


def lay(field_: NDArray[np.float32], frame_from_source: NDArray[np.float64]) -> NDArray[np.float32]:
    """Warp a field of a source frame to where its body is in another; zero outside."""
    height, width = field_.shape[:2]
    laid = cv2.warpPerspective(field_, frame_from_source, (width, height), flags=cv2.INTER_LINEAR)
    return np.asarray(laid, np.float32)
