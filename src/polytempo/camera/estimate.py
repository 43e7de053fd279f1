"""The camera's motion from the pictures alone: features, one joint fit, the kind chosen by what the fit shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float64, UInt8
from numpy.typing import NDArray

from polytempo.camera.align import refine_on_pictures
from polytempo.camera.bundle import refine_together
from polytempo.camera.canvas import canvas_path
from polytempo.camera.features import Features, Pairing, detect_features, pair_features
from polytempo.camera.judge import camera_warnings, median_errors
from polytempo.camera.kind import camera_kind
from polytempo.camera.path import CameraPath, static_path
from polytempo.camera.rough import from_reference, interpolated, place_frames
from polytempo.camera.still import stands_still
from polytempo.camera.warp import moved_points
from polytempo.core.errors import InputError, ShapeError
from polytempo.core.pictures import Pictures, picture_size
from polytempo.core.progress import Progress, Report, silent

WHERE = "camera.estimate"


@dataclass(frozen=True, kw_only=True, slots=True)
class CameraConfig:
    """How the camera is estimated."""

    work_width_px: int = 512
    """Frames wider than this are shrunk to it for the estimate; ours, 0.05 px there is 0.1 px at twice the size."""
    n_features: int = 500
    """Distinct points per frame."""
    threshold_px: float = 1.0
    """Largest distance of a point that agrees with a homography, at working size."""
    n_least: int = 12
    """Agreeing points below which two frames are not believed to be related."""
    grow_ignore_px: int = 6
    """Growth of the ignore masks at working size, for blur and shadows at their edges."""
    static_px: float = 0.08
    """Typical motion at working size below which the camera counts as standing still."""
    shake_share: float = 0.15
    """Motion of the frame's middle, as a share of its width, up to which a moving camera counts as stabilised."""
    most_canvas_pixels: float = 40e6
    """Canvas size that is refused beyond."""


def estimate_camera(
    pictures: Pictures,
    *,
    ignore: Bool[np.ndarray, "T H W"] | None = None,
    config: CameraConfig = CameraConfig(),
    report: Report = silent,
) -> CameraPath:
    """Where each frame lies on a common canvas.

    Args:
        pictures: The clip's frames.
        ignore: True where something moves of its own accord; grown here. None when nothing is known yet.
        config: How.
        report: Receives progress.

    Returns:
        The path; a camera that stands still comes out as exactly the identity.

    Raises:
        ShapeError: ``ignore`` does not fit the frames.
        InputError: there is no frame, or the canvas would exceed its bound.

    Source: paper A, Section 4.6 (features, one reference for shake, chained for pans); the joint fit is ours.
    """
    n_frames = len(pictures)
    if n_frames == 0:
        raise InputError(WHERE, "a clip must have at least one frame", got="none")
    frame_size = picture_size(pictures)
    if ignore is not None and ignore.shape != (n_frames, frame_size[1], frame_size[0]):
        raise ShapeError(
            WHERE,
            "the ignore masks must have the frames' count and size",
            got=f"{ignore.shape} for {n_frames} frames of {frame_size[1]} rows and {frame_size[0]} columns",
        )
    greys, masks, work_size = _working_copies(pictures, ignore, frame_size, config, report)
    features = _features(greys, masks, config, report)
    reference = n_frames // 2
    rough = place_frames(features, size=work_size, threshold_px=config.threshold_px, n_least=config.n_least)
    start = from_reference(rough.common_from_frame, reference)
    pairings = [*rough.pairings, *_long_pairings(start, features, reference, work_size, config)]
    path = refine_together(start, pairings, reference=reference, size=work_size)
    path = interpolated(path, rough.unplaced, work_size)

    def on_canvas(common: NDArray[np.float64]) -> CameraPath:
        return canvas_path(common, frame_size=work_size, kind="panning", residual_px=np.zeros(n_frames))

    def step_done(share: float) -> None:
        report(Progress(stage="camera", done=0.5 + 0.5 * share, total=1, message="Laying frames on one canvas"))

    path, spreads = refine_on_pictures(
        greys, masks, path, reference=reference, on_canvas=on_canvas, doubtful=rough.unplaced, step_done=step_done
    )
    residual = median_errors(pairings, path)
    warnings = camera_warnings(rough, pairings, path, size=work_size, spreads=spreads, has_masks=ignore is not None)
    kind = camera_kind(path, work_size, static_px=config.static_px, shake_share=config.shake_share)
    if kind == "static" or stands_still(greys, masks, path, on_canvas=on_canvas):
        return replace(static_path(n_frames, frame_size), warnings=warnings)
    work = canvas_path(path, frame_size=work_size, kind=kind, residual_px=residual)
    return canvas_path(
        from_reference(work.scaled(frame_size).canvas_from_frame, reference),
        frame_size=frame_size,
        kind=kind,
        residual_px=residual * frame_size[0] / work_size[0],
        warnings=warnings,
        most_pixels=config.most_canvas_pixels,
    )


def _working_copies(
    pictures: Pictures,
    ignore: Bool[np.ndarray, "T H W"] | None,
    frame_size: tuple[int, int],
    config: CameraConfig,
    report: Report,
) -> tuple[list[UInt8[np.ndarray, "h w"]], list[Bool[np.ndarray, "h w"] | None], tuple[int, int]]:
    shrink = min(1.0, config.work_width_px / frame_size[0])
    size = (round(frame_size[0] * shrink), round(frame_size[1] * shrink))
    reach = 2 * config.grow_ignore_px + 1
    element: Any = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    greys: list[NDArray[np.uint8]] = []
    masks: list[NDArray[np.bool_] | None] = []
    for t in range(len(pictures)):
        picture = pictures[t]
        if picture.shape[:2] != (frame_size[1], frame_size[0]):
            raise ShapeError(WHERE, "all frames must have one size", got=f"{picture.shape[:2]} at frame {t}")
        grey: Any = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
        greys.append(grey if size == frame_size else cv2.resize(grey, size, interpolation=cv2.INTER_AREA))
        if ignore is None:
            masks.append(None)
        else:
            small: Any = ignore[t].astype(np.uint8)
            if size != frame_size:
                small = cv2.resize(small, size, interpolation=cv2.INTER_NEAREST)
            masks.append(np.asarray(cv2.dilate(small, element)) > 0)
        report(Progress(stage="camera", done=0.1 * t / len(pictures), total=1, message="Reading frames"))
    return greys, masks, size


def _features(
    greys: Sequence[UInt8[np.ndarray, "h w"]],
    masks: Sequence[Bool[np.ndarray, "h w"] | None],
    config: CameraConfig,
    report: Report,
) -> list[Features]:
    found: list[Features] = []
    for t, (grey, mask) in enumerate(zip(greys, masks, strict=True)):
        found.append(detect_features(grey, ignore=mask, n_features=config.n_features))
        report(Progress(stage="camera", done=0.1 + 0.4 * t / len(greys), total=1, message="Finding points"))
    return found


def _shared(path: Float64[np.ndarray, "T 3 3"], a: int, b: int, size: tuple[int, int]) -> float:
    """Roughly the share of frame ``a`` that frame ``b`` shows too."""
    grid = np.stack(np.meshgrid(np.linspace(0, size[0] - 1, 9), np.linspace(0, size[1] - 1, 7)), -1).reshape(-1, 2)
    there = moved_points(grid, np.linalg.inv(path[b]) @ path[a])
    inside = ((there >= 0) & (there <= np.array(size) - 1)).all(1)
    return float(inside.mean())


def _long_pairings(
    path: Float64[np.ndarray, "T 3 3"],
    features: Sequence[Features],
    reference: int,
    size: tuple[int, int],
    config: CameraConfig,
) -> list[Pairing]:
    """Frames paired with a few key frames far from them, so that small errors of a chain cannot add up."""
    keys = _key_frames(path, reference, size)
    wanted: set[tuple[int, int]] = set()
    for t in range(len(path)):
        near = sorted(keys, key=lambda k: (-round(_shared(path, t, k, size), 1), abs(t - k)))
        wanted |= {(t, k) for k in near[:2] if k != t}
        if t >= 4:
            wanted.add((t, t - 4))
    for a in keys:
        wanted |= {(a, b) for b in keys if b < a and _shared(path, a, b, size) > 0.3}
    found = [
        pair_features(
            features[s],
            features[t],
            source=s,
            target=t,
            size=size,
            threshold_px=config.threshold_px,
            n_least=config.n_least,
        )
        for s, t in sorted(wanted)
        if abs(s - t) > 1
    ]
    return [pairing for pairing in found if pairing is not None]


def _key_frames(path: Float64[np.ndarray, "T 3 3"], reference: int, size: tuple[int, int]) -> list[int]:
    keys = [reference]
    for frames in (range(reference, len(path)), range(reference, -1, -1)):
        last = reference
        for t in frames:
            if _shared(path, t, last, size) < 0.65 and max(_shared(path, t, k, size) for k in keys) < 0.65:
                last = t
                keys.append(t)
    return sorted(keys)
