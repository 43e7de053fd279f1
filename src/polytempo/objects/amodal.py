"""The whole body where another subject hides part of it, completed from frames that show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Bool, Float32
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.core.pictures import Pictures
from polytempo.objects.posture import Completion, PostureConfig, find_sources, occlusion_frames
from polytempo.objects.registration import BodyPath, body_path

POSTURE = PostureConfig()


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
    threshold: float = 0.45
    """Share of the sources that must show body for a hidden pixel to count as body."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BodyBand:
    """A band of rows of a body with the sources of its hidden parts."""

    weight: Float32[np.ndarray, "T H"]
    """How much each row of each frame belongs to this band, 0…1."""
    sources: dict[int, list[Completion]] = field(default_factory=dict)
    """By occluded frame, best first."""


def complete_subject(
    mask: Bool[np.ndarray, "T H W"],
    front: Bool[np.ndarray, "T H W"],
    pictures: Pictures,
    camera: CameraPath,
    *,
    config: AmodalConfig | None = None,
) -> tuple[Bool[np.ndarray, "T H W"], list[BodyBand]]:
    """Amodal mask of one subject, and where each hidden part was taken from.

    Args:
        mask: The subject's modal mask.
        front: Union of the masks of all subjects in front of it.
        pictures: The clip, by whose colours sources are compared with what is visible.
        camera: At the masks' size.
        config: Widths and costs.

    Returns:
        The amodal mask, which lies within ``mask | front``, and the bands; no bands where nothing is hidden or the
        subject is nowhere seen whole.
    """
    config = config or AmodalConfig()
    occluded, whole = occlusion_frames(mask, front, touch_px=config.posture.touch_px)
    amodal = mask.copy()
    if not occluded.any() or not whole.any():
        return amodal, []
    path = body_path(mask, camera, whole=whole)
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
    for t in np.flatnonzero(occluded):
        share = hidden_share(mask, bands, frame=int(t))
        amodal[t] |= (share >= config.threshold) & front[t]
    return amodal, bands


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


def hidden_share(mask: Bool[np.ndarray, "T H W"], bands: list[BodyBand], *, frame: int) -> Float32[np.ndarray, "H W"]:
    """Share of the sources that show body at each pixel of a frame, 0…1."""
    height, width = mask.shape[1:]
    total = np.zeros((height, width), np.float32)
    weights = np.full((height, 1), 1e-6, np.float32)
    for band in bands:
        sources = band.sources.get(frame, [])
        for one in sources:
            weight = band.weight[frame][:, None] / len(sources)
            total += weight * lay(mask[one.source].astype(np.float32), one.frame_from_source)
            weights = weights + weight
    return total / weights


def lay(field_: NDArray[np.float32], frame_from_source: NDArray[np.float64]) -> NDArray[np.float32]:
    """Warp a field of a source frame to where its body is in another; zero outside."""
    height, width = field_.shape[:2]
    return cv2.warpPerspective(field_, frame_from_source, (width, height), flags=cv2.INTER_LINEAR)
