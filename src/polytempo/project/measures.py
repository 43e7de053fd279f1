"""What a report says in numbers: how well the layers give the clip back, what was never seen, what leaks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from polytempo.core.pictures import Picture
from polytempo.edit.edl import clip_duration, identity_edl
from polytempo.layers.metrics import psnr
from polytempo.layers.stack import LayerStack
from polytempo.objects.cast import Cast
from polytempo.project.sheet import coverage_in_frame, whole_layer
from polytempo.render.sequence import render_frames
from polytempo.video.clip import Clip

LEAK_SHARE = 0.12
"""Mean alpha of a layer on another's visible body above which a warning is given; well-split layers stay below 0.05."""
STUCK_ALPHA = 0.15
"""Alpha that a layer keeps through the whole clip, away from its subject, above which it holds background."""
STUCK_SHARE = 0.02
"""Share of the picture that may be stuck before a warning is given."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameScore:
    """How one frame fares."""

    frame: int
    psnr_db: float
    """Composite of all layers against the clip's frame."""
    unseen_share: float
    """Share of the frame's pixels whose background was never seen bare."""


def rebuilt_frames(stack: LayerStack, clip: Clip, frames: Collection[int]) -> Iterator[tuple[int, Picture]]:
    """Put all layers of some frames together again, as the renderer does when nothing is edited.

    Yields:
        Frame number and picture ``uint8 [H, W, 3]``, in order.
    """
    edl = identity_edl([layer.name for layer in stack.layers], clip_duration(clip))
    for frame, picture in enumerate(render_frames(stack, edl, clip, stop=max(frames) + 1)):
        if frame in frames:
            yield frame, picture


def frame_score(stack: LayerStack, rebuilt: Picture, picture: Picture, frame: int) -> FrameScore:
    """Score a frame put together again against the clip's own."""
    seen = coverage_in_frame(stack.background.coverage, stack.camera, frame)
    return FrameScore(frame=frame, psnr_db=min(psnr(rebuilt, picture), 99.0), unseen_share=float(1 - seen.mean()))


def leak_warnings(stack: LayerStack, cast: Cast, frames: Sequence[int]) -> list[str]:
    """Say which layers show what is not theirs.

    Two signs: a layer is far from clear on the visible body of another's subject, away from its own; or it keeps some
    alpha on the same pixels in all frames, where its subject never is.
    """
    warnings: list[str] = []
    for layer in stack.layers:
        own = cast.layer_mask(layer.layer_id, amodal=True)
        if not own.any():
            continue  # a layer without a subject may lie anywhere
        size = (own.shape[2], own.shape[1])
        alphas = {t: _small(whole_layer(layer, t)[..., 3], size) for t in frames}
        for other in stack.layers:
            body = cast.layer_mask(other.layer_id)
            if other.layer_id == layer.layer_id or not body.any():
                continue
            parts = [alphas[t][_core(body[t]) & ~_grown(own[t], 0.05)] for t in frames]
            values = np.concatenate(parts)
            if values.size > 200 and values.mean() > LEAK_SHARE:
                warnings.append(
                    f"Layer {layer.name} covers {100 * values.mean():.0f} % of what should be {other.name} alone."
                )
        away = ~np.any([_grown(own[t], 0.02) for t in frames], axis=0)
        stuck = (np.min(list(alphas.values()), axis=0) > STUCK_ALPHA) & away
        if len(frames) >= 4 and stuck.mean() > STUCK_SHARE:
            warnings.append(
                f"Layer {layer.name} holds on to {100 * stuck.mean():.0f} % of the background all clip long."
            )
    return warnings


def unseen_warning(scores: Sequence[FrameScore]) -> list[str]:
    """Say how much background was made up."""
    worst = max(scores, key=lambda one: one.unseen_share)
    if worst.unseen_share < 0.002:
        return []
    return [
        f"Up to {100 * worst.unseen_share:.1f} % of the picture (frame {worst.frame}) lies behind somebody all the "
        "time: that background was never seen and is filled from what lies around it."
    ]


def frame_error(one: Picture, other: Picture) -> UInt8[np.ndarray, "H W"]:
    """Largest difference over the colours, 0…255."""
    return np.abs(one.astype(np.int16) - other.astype(np.int16)).max(axis=2).astype(np.uint8)


def _small(alpha: UInt8[np.ndarray, "H W"], size: tuple[int, int]) -> np.ndarray:
    return np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32) / 255


def _core(mask: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    return cv2.erode(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0


def _grown(mask: Bool[np.ndarray, "H W"], share: float) -> Bool[np.ndarray, "H W"]:
    side = 2 * max(1, round(share * mask.shape[1])) + 1
    return cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
