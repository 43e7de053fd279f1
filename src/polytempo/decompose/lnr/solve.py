"""From who owns what to RGBA layers, frame by frame, at any size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float16, Float32, UInt8

from polytempo.bodies.matte import MatteConfig, body_matte, contact_matte
from polytempo.camera.path import CameraPath
from polytempo.camera.plate import CleanPlate, plate_in_frame
from polytempo.core.pictures import Pictures
from polytempo.core.progress import Progress, Report
from polytempo.core.two_at_a_time import in_turn
from polytempo.decompose.lnr.dwelling import with_dwelling
from polytempo.decompose.lnr.effects import EffectConfig, claimed, effect_layers, layer_claims, smallest_alpha
from polytempo.decompose.lnr.refine import RefineConfig, refine_frame
from polytempo.objects.cast import Cast

BESIDE_PX = 2
"""So far beside who is in front a completed body takes the place of the visible one, working pixels."""
Hidden = Mapping[int, Mapping[int, Float32[np.ndarray, "H W 4"]]]
"""Layer id → frame → premultiplied RGBA of what of the body another layer hides."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SolveConfig:
    """How layers are read off the frames."""

    effects: EffectConfig = field(default_factory=EffectConfig)
    """Shadows, reflections and the like."""
    matte: MatteConfig = field(default_factory=MatteConfig)
    """Bodies."""
    refine: RefineConfig = field(default_factory=RefineConfig)
    """The last steps, by gradient."""
    neighbours: float = 0.65
    """Share, 0…1, of what neighbouring frames tell of an outline before another body, where they tell of it."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Separation:
    """Who changes which pixel, for a whole clip, at the sizes it was learned at."""

    layer_ids: tuple[int, ...]
    """Order of the axis ``L``."""
    probability: UInt8[np.ndarray, "T L h w"]
    """Ownership outside bodies, 0…255."""
    change: Float16[np.ndarray, "T L h w 3"]
    """Predicted change relative to the plate."""
    significance: UInt8[np.ndarray, "T H W"]
    """Departure from the plate in tenths of a noise sigma, at most 255."""
    dwelling: UInt8[np.ndarray, "T h w"]
    """How surely a shadow that hardly moves lies there, 0…255; at the size of ``probability``."""
    hidden: Hidden
    """Completed bodies."""
    meeting: Hidden = field(default_factory=dict[int, dict[int, Any]])
    """Bodies before other bodies, from the frames around (``meeting_bodies``)."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SolvedFrame:
    """One frame taken apart."""

    effects: dict[int, UInt8[np.ndarray, "H W 4"]]
    """Layer id → premultiplied effects, beneath all bodies."""
    bodies: dict[int, UInt8[np.ndarray, "H W 4"]]
    """Layer id → premultiplied body."""
    live: UInt8[np.ndarray, "H W 4"]
    """The frame itself where nobody owns anything, premultiplied; lies on the plate, beneath all effects."""


def solve_frames(
    pictures: Pictures,
    plate: CleanPlate,
    camera: CameraPath,
    cast: Cast,
    separation: Separation,
    *,
    config: SolveConfig,
    report: Report,
) -> Iterator[SolvedFrame]:
    """Take every frame apart into effects and bodies.

    Composited with *over*, effects first and bodies then, both in the frame's order, the layers give the frame back
    wherever something is owned, and the clean plate elsewhere.

    Args:
        pictures: Frames at the size wanted; any multiple of the size that the cast was made at.
        plate: Clean plate at that size.
        camera: Path at that size.
        cast: Subjects, layers, order, at working size.
        separation: From ``separate``.
        config: See ``SolveConfig``.
        report: Receives progress per frame.
    """
    solved = frame_solver(plate, camera, cast, separation, config=config)
    n_frames = len(pictures)
    # Frames are read here, one after the other; a reader of a file is for one thread.
    for t, one in enumerate(in_turn(solved, ((t, pictures[t]) for t in range(n_frames)))):
        yield one
        report(Progress(stage="layers", done=t + 1, total=n_frames, message="reading layers off the frames"))


def frame_solver(
    plate: CleanPlate,
    camera: CameraPath,
    cast: Cast,
    separation: Separation,
    *,
    config: SolveConfig,
) -> Callable[[int, UInt8[np.ndarray, "H W 3"]], SolvedFrame]:
    """Give what takes any one frame apart, by its number and its picture; see ``solve_frames``."""
    modal = {one: cast.layer_mask(one) for one in separation.layer_ids}
    amodal = {one: cast.layer_mask(one, amodal=True) for one in separation.layer_ids}

    def solved(t: int, picture: UInt8[np.ndarray, "H W 3"]) -> SolvedFrame:
        return solve_frame(
            picture.astype(np.float32) / 255,
            plate_in_frame(plate, camera, t),
            frame=t,
            modal={one: mask[t] for one, mask in modal.items()},
            amodal={one: mask[t] for one, mask in amodal.items()},
            order=cast.order[t],
            separation=separation,
            config=config,
        )

    return solved


def solve_frame(
    picture: Float32[np.ndarray, "H W 3"],
    base: Float32[np.ndarray, "H W 3"],
    *,
    frame: int,
    modal: Mapping[int, Bool[np.ndarray, "h w"]],
    amodal: Mapping[int, Bool[np.ndarray, "h w"]],
    order: tuple[int, ...],
    separation: Separation,
    config: SolveConfig,
) -> SolvedFrame:
    """Take one frame apart; see ``solve_frames``."""
    ids = separation.layer_ids
    height, width = picture.shape[:2]
    small = modal[ids[0]].shape
    scale = width / small[1]
    visible = {one: _outline(modal[one], (width, height)) for one in ids}
    whole = {one: _outline(amodal[one], (width, height)) for one in ids}

    cover = np.zeros((height, width), np.float32)
    soft = {one: cv2.GaussianBlur(whole[one], (0, 0), max(scale, 0.5)) for one in ids}
    for one in ids:
        cover = 1 - (1 - cover) * (1 - soft[one])
    silhouettes = np.stack([whole[one] > 0.5 for one in ids])
    owned = with_dwelling(separation.probability[frame].astype(np.float32) / 255, separation.dwelling[frame])
    probability = np.stack([_up(p, (width, height)) for p in owned])
    claims = layer_claims(probability, silhouettes, ring_px=config.effects.ring_px * scale)
    significance = _up(separation.significance[frame].astype(np.float32) / 10, (width, height))
    painted = effect_layers(
        picture,
        base,
        claims=claims,
        predicts=probability,
        change=np.stack([_up(c, (width, height)) for c in separation.change[frame].astype(np.float32)]),
        significance=significance,
        covered=[cover] * len(ids),
        scale=scale,
        config=config.effects,
    )
    effects = {one: painted[i] for i, one in enumerate(ids)}
    under = base
    for one in order:
        under = effects[one][..., :3] + (1 - effects[one][..., 3:]) * under

    told = {one: _up(frames[frame], (width, height)) for one, frames in separation.meeting.items() if frame in frames}
    bodies: dict[int, Any] = {}
    beneath = np.zeros((height, width), np.float32)
    for place, one in enumerate(order):
        front = np.zeros((height, width), np.float32)
        for other in order[place + 1 :]:
            soft_edge = cv2.GaussianBlur(visible[other], (0, 0), max(0.7 * scale, 0.5))
            if other in told:
                soft_edge += config.neighbours * (told[other][..., 3] - soft_edge)
            front = np.maximum(front, soft_edge)
        rgba = _body(picture, under, visible[one], front, beneath, scale=scale, config=config)
        if one in told:
            share = _shared_outline(rgba[..., 3], told[one][..., 3], beneath, scale=scale) * (1 - front)
            rgba += (told[one] - rgba) * (config.neighbours * share)[..., None]
        completed = separation.hidden.get(one, {}).get(frame)
        if completed is not None:
            rgba = _with_hidden(rgba, _up(completed, (width, height)), front, scale=scale)
        bodies[one] = rgba
        under = rgba[..., :3] + (1 - rgba[..., 3:]) * under
        beneath = rgba[..., 3] + (1 - rgba[..., 3]) * beneath
    live = _live(picture, cover, claimed(claims, significance, config.effects), scale=scale, config=config)
    effects, bodies = refine_frame(
        picture,
        live[..., :3] + (1 - live[..., 3:]) * base,
        effects,
        bodies,
        order=order,
        silhouettes=whole,
        scale=scale,
        config=config.refine,
    )
    return SolvedFrame(
        effects={one: _bytes(rgba) for one, rgba in effects.items()},
        bodies={one: _bytes(rgba) for one, rgba in bodies.items()},
        live=_bytes(live),
    )


def _live(
    picture: Float32[np.ndarray, "H W 3"],
    cover: Float32[np.ndarray, "H W"],
    claims: Float32[np.ndarray, "H W"],
    *,
    scale: float,
    config: SolveConfig,
) -> Float32[np.ndarray, "H W 4"]:
    """The frame where no layer has a claim: grain, sway and lights that belong to the background, kept alive.

    A claim too small to make an effect still keeps the frame out: what may be somebody's shadow is not background.
    """
    free = np.clip(1 - claims / config.effects.claim_from, 0, 1) * (cover < 0.02)
    size = 2 * round(2 * scale) + 1
    free = cv2.blur(cv2.erode(free, np.ones((size, size), np.uint8)), (size, size))
    return np.concatenate([picture * free[..., None], free[..., None]], -1)


def _body(
    picture: Float32[np.ndarray, "H W 3"],
    under: Float32[np.ndarray, "H W 3"],
    silhouette: Float32[np.ndarray, "H W"],
    front: Float32[np.ndarray, "H W"],
    beneath: Float32[np.ndarray, "H W"],
    *,
    scale: float,
    config: SolveConfig,
) -> Float32[np.ndarray, "H W 4"]:
    """Premultiplied RGBA of the visible body: over ``under`` it gives the frame back where nobody is in front."""
    alpha, nearby = body_matte(picture, under, silhouette, scale=scale, config=config.matte)
    # No paint needs a colour outside 0…1: at the outline alpha is at least what the frame needs over what is beneath.
    least, _ = smallest_alpha(under, picture - under)
    outline = alpha
    alpha = np.where(alpha > 0.02, np.maximum(alpha, np.minimum(least, 1)), 0)
    between, beside, contact = contact_matte(picture, outline, silhouette, beneath, scale=scale, config=config.matte)
    alpha = (alpha + (between - alpha) * contact) * (1 - front)
    nearby = np.where((contact > 0)[..., None], beside, nearby)
    told = picture - (1 - alpha[..., None]) * under
    # Before another body, whose colour here may be a guess, the frame tells less of the paint the thinner it is; and
    # where somebody is in front, the frame shows their paint too.
    matte = config.matte
    trust = alpha**2 / np.maximum(alpha**2 + (matte.guess * (1 - alpha) * beneath) ** 2, 1e-6)
    trust *= np.clip(1 - matte.stain * front, 0, 1) * (1 - contact * (alpha < 0.95))
    usual = alpha[..., None] * nearby
    colour = np.clip(usual + trust[..., None] * (told - usual), 0, alpha[..., None])
    return np.concatenate([colour, alpha[..., None]], -1)


def _shared_outline(
    alpha: Float32[np.ndarray, "H W"],
    told: Float32[np.ndarray, "H W"],
    beneath: Float32[np.ndarray, "H W"],
    *,
    scale: float,
) -> Float32[np.ndarray, "H W"]:
    """1 where a body before another one is thin by either matte; 0 where both are opaque, or nobody is behind."""
    opaque = np.minimum(alpha, told)
    return np.clip(4 * (1 - opaque), 0, 1) * np.clip(2 * cv2.GaussianBlur(beneath, (0, 0), scale), 0, 1)


def _with_hidden(
    visible: Float32[np.ndarray, "H W 4"],
    completed: Float32[np.ndarray, "H W 4"],
    front: Float32[np.ndarray, "H W"],
    *,
    scale: float,
) -> Float32[np.ndarray, "H W 4"]:
    """Join the visible body to what completes it; the completion shows where somebody is in front, and just beside.

    Beside, because outlines are rough: what a mask gives to the body behind is there often paint of the one in front.
    Across the seam colours cross-fade, so that no line is left when the one in front is taken away.
    """
    size = 2 * round(BESIDE_PX * scale) + 1
    front = np.asarray(cv2.dilate(front, np.ones((size, size), np.uint8)), np.float32)
    front = np.asarray(cv2.GaussianBlur(front, (0, 0), max(0.7 * scale, 0.5)), np.float32)
    near = cv2.GaussianBlur(completed, (0, 0), 1.5)
    known = np.clip(near[..., 3] / 0.05, 0, 1)
    hidden_colour = near[..., :3] / np.maximum(near[..., 3:], 1e-3)
    sharp = completed[..., 3] > 0.5
    hidden_colour[sharp] = (completed[..., :3] / np.maximum(completed[..., 3:], 1e-3))[sharp]
    visible_colour = visible[..., :3] / np.maximum(visible[..., 3:], 1e-3)
    alpha = np.maximum(visible[..., 3], completed[..., 3] * np.clip(front * 4, 0, 1))
    share = np.clip(front * known, 0, 1) * (alpha > 0)
    share = np.where(visible[..., 3] < 0.02, 1.0, share)[..., None]
    colour = visible_colour * (1 - share) + hidden_colour * share
    return np.concatenate([np.clip(colour, 0, 1) * alpha[..., None], alpha[..., None]], -1)


def _outline(mask: Bool[np.ndarray, "h w"], size: tuple[int, int]) -> Float32[np.ndarray, "H W"]:
    """A mask at another size, 0…1, with its 0.5 crossing smooth."""
    soft = mask.astype(np.float32)
    if mask.shape != (size[1], size[0]):
        soft = cv2.GaussianBlur(soft, (0, 0), 0.7)
        return np.clip(cv2.resize(soft, size, interpolation=cv2.INTER_CUBIC), 0, 1)
    return soft


def _up(values: Float32[np.ndarray, "h w ..."], size: tuple[int, int]) -> Any:
    return cv2.resize(values, size, interpolation=cv2.INTER_LINEAR)


def _bytes(rgba: Float32[np.ndarray, "H W 4"]) -> UInt8[np.ndarray, "H W 4"]:
    """Premultiplied bytes; alphas that round to nothing are nothing, so that layers stay sparse."""
    out = np.clip(rgba * 255 + 0.5, 0, 255).astype(np.uint8)
    out[out[..., 3] == 0] = 0
    np.minimum(out[..., :3], out[..., 3:], out=out[..., :3])
    return out
