"""What a person does to the picture beside the body: cast shadow, floor reflection, a dent in a mat."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, Float64
from numpy.typing import NDArray

from polytempo.synth.figure import Actor, Drawing, draw_figure, seen_points
from polytempo.synth.parts import outline
from polytempo.synth.pose import INDEX
from polytempo.synth.scene import SceneSpec
from polytempo.synth.stage import Moment

SHADE = np.array([0.035, 0.040, 0.065], np.float32)
"""Colour that a full shadow tends to; skylight is blue."""
CLIMB = 2.2
"""How much longer a shadow gets where it climbs the wall."""
HEIGHTS = (0.0, 0.22, 0.55, 0.85)
"""Body parts whose mean height lies between two of these are blurred alike; the last group has no upper end."""

Rgba = NDArray[np.float32]


def cast_shadow(
    spec: SceneSpec, actor: Actor, now: Moment, *, frame_from_ref: Float64[np.ndarray, "3 3"]
) -> Float32[np.ndarray, "H W"]:
    """Soft shadow on floor and wall, as the alpha of a dark layer; penumbra widens with height above the floor."""
    width, height = spec.size
    x, near, up = now.axes()
    ground = np.stack([now.feet[0] + now.unit * x, now.feet[1] + now.unit * near * now.tilt], -1)
    fallen = ground + now.unit * up[:, None] * np.array([spec.light[0], -spec.light[1]])
    fallen = _climb(fallen, spec.wall_foot * height)
    seen = cv2.perspectiveTransform(fallen[None], frame_from_ref)[0]
    _, scale = seen_points(now, frame_from_ref)
    unit = now.unit * scale
    pieces = [(part.a, part.b, part.radius_a, part.radius_b) for part in actor.parts]
    pieces.append((("head",), ("head",), 0.062, 0.062))
    half = (width // 2 + 1, height // 2 + 1)
    light = np.ones((half[1], half[0]), np.float32)
    for group, lowest in enumerate(HEIGHTS):
        highest = HEIGHTS[group + 1] if group + 1 < len(HEIGHTS) else np.inf
        mask = np.zeros((half[1], half[0]), np.uint8)
        for a, b, ra, rb in pieces:
            if not lowest <= float(now.joint((*a, *b), up)) < highest:
                continue
            shape = outline(now.joint(a, seen), now.joint(b, seen), ra * unit * 0.8, rb * unit * 0.8)
            cv2.fillConvexPoly(mask, np.round((shape - 0.5) / 2 * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
        if mask.any():
            sigma = max(unit * (0.008 + 0.030 * (lowest + 0.12)) / 2, 0.6)
            light *= 1 - _blurred(mask, sigma) * np.float32(1 - 0.18 * group)
    shadow = spec.shadow * (1 - cv2.resize(light, (half[0] * 2, half[1] * 2), interpolation=cv2.INTER_LINEAR))
    shadow = shadow[:height, :width]
    return 1 - (1 - shadow) * (1 - _contact(spec, now, unit, frame_from_ref))


def floor_reflection(
    spec: SceneSpec,
    actor: Actor,
    now: Moment,
    *,
    frame_from_ref: Float64[np.ndarray, "3 3"],
    gloss: Float32[np.ndarray, "H W"],
) -> Drawing | None:
    """Mirror picture in the floor, weaker and less sharp with the distance from the feet; premultiplied."""
    drawing = draw_figure(actor, now, frame_from_ref=frame_from_ref, size=spec.size, mirrored=True)
    if drawing is None:
        return None
    height, width = drawing.rgba.shape[:2]
    points, scale = seen_points(now, frame_from_ref, mirrored=True)
    unit = now.unit * scale
    feet = float(points[[INDEX["left_heel"], INDEX["left_toe"], INDEX["right_heel"], INDEX["right_toe"]], 1].min())
    rows = np.arange(height, dtype=np.float32) + drawing.y
    away = np.clip((rows - feet) / float(unit), 0, None)[:, None, None] + np.float32(max(now.pose.lift, 0.0))
    sharp = cv2.GaussianBlur(drawing.rgba, (0, 0), sigmaX=max(0.005 * unit, 0.4), sigmaY=max(0.010 * unit, 0.5))
    dull = cv2.GaussianBlur(drawing.rgba, (0, 0), sigmaX=max(0.020 * unit, 0.6), sigmaY=max(0.045 * unit, 0.8))
    mix = np.clip(away / 0.7, 0, 1)
    box = (slice(drawing.y, drawing.y + height), slice(drawing.x, drawing.x + width))
    strength = gloss[box][..., None] * np.exp(-away / 0.9)
    rgba = (sharp + (dull - sharp) * mix) * strength
    return Drawing(x=drawing.x, y=drawing.y, rgba=rgba, part=drawing.part, frame_from_part=drawing.frame_from_part)


def _contact(
    spec: SceneSpec, now: Moment, unit: float, frame_from_ref: Float64[np.ndarray, "3 3"]
) -> Float32[np.ndarray, "H W"]:
    """Dark spot where a sole is close to the floor."""
    width, height = spec.size
    x, near, up = now.axes()
    ground = np.stack([now.feet[0] + now.unit * x, now.feet[1] + now.unit * near * now.tilt], -1)
    seen = cv2.perspectiveTransform(ground[None], frame_from_ref)[0]
    mask = np.zeros((height, width), np.uint8)
    for side in ("left", "right"):
        heel, toe = INDEX[f"{side}_heel"], INDEX[f"{side}_toe"]
        close = np.exp(-max(float(min(up[heel], up[toe])) - 0.015, 0.0) / 0.035)
        shape = outline(seen[heel], seen[toe], 0.030 * unit, 0.026 * unit)
        shape[:, 1] = (shape[:, 1] - seen[heel, 1]) * 0.6 + seen[heel, 1]
        piece = np.zeros_like(mask)
        cv2.fillConvexPoly(piece, np.round(shape * 16).astype(np.int32), int(150 * close), cv2.LINE_AA, 4)
        mask = np.maximum(mask, piece)
    return _blurred(mask, max(0.016 * unit, 0.7)) * np.float32(spec.shadow > 0)


def _climb(points: NDArray[np.float64], wall_foot: float) -> NDArray[np.float64]:
    out = points.copy()
    beyond = np.maximum(wall_foot - points[:, 1], 0)
    out[:, 1] -= beyond * (CLIMB - 1)
    return out


def _blurred(mask: NDArray[np.uint8], sigma: float) -> NDArray[np.float32]:
    """Blur inside the box that the mask fills; 0…1."""
    x, y, w, h = cv2.boundingRect(mask)
    out = np.zeros(mask.shape, np.float32)
    if w == 0:
        return out
    reach = int(3 * sigma) + 2
    box = (slice(max(y - reach, 0), y + h + reach), slice(max(x - reach, 0), x + w + reach))
    out[box] = cv2.GaussianBlur(mask[box].astype(np.float32) / 255, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    return out
