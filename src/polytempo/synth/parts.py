"""Parts of a clothed body as small pictures, and the list of which part hangs between which joints."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32
from numpy.typing import NDArray

from polytempo.synth.scene import Colour, Look
from polytempo.synth.texture import value_noise


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A tapered piece of body or cloth between two points, each a joint or the middle of two joints."""

    name: str
    a: tuple[str, ...]
    b: tuple[str, ...]
    radius_a: float
    """Half width at ``a``, in body heights."""
    radius_b: float
    flat: float = 0.0
    """How much narrower it is seen from the side, 0 (round) to 1."""
    colour: Colour = (0.5, 0.5, 0.5)
    second: Colour | None = None
    cloth: str = "plain"
    nearer: float = 0.0
    """Added to its distance when parts are sorted, in body heights; above 0 is nearer to the camera."""
    hem: bool = False
    """Cut straight at ``b`` instead of rounded."""
    shows: tuple[str, ...] = ()
    """COCO keypoints that this part carries: they count as seen where the part is."""


def body_parts(look: Look) -> tuple[Part, ...]:
    """All parts of a dressed person but the head."""
    w = look.build
    arm = look.skin if look.bare_arms else look.top
    pattern: dict[str, Any] = {"colour": look.top, "second": look.top_second, "cloth": look.cloth}
    sleeve: dict[str, Any] = {"colour": arm, "second": None if look.bare_arms else look.top_second,
              "cloth": "plain" if look.bare_arms else look.cloth}  # fmt: skip
    parts = [Part(name="neck", a=("neck",), b=("head",), radius_a=0.033, radius_b=0.03, colour=look.skin, nearer=-0.01)]
    for side in ("left", "right"):
        hip, knee, ankle = f"{side}_hip", f"{side}_knee", f"{side}_ankle"
        shoulder, elbow, wrist = f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist"
        parts += [
            Part(name=f"{side}_foot", a=(f"{side}_heel",), b=(f"{side}_toe",), radius_a=0.026, radius_b=0.020,
                 colour=look.shoes, shows=(ankle,)),
            Part(name=f"{side}_thigh", a=(hip,), b=(knee,), radius_a=0.066 * w, radius_b=0.046 * w, colour=look.legs,
                 cloth="mottled", nearer=-0.012, shows=(hip, knee)),
            Part(name=f"{side}_shank", a=(knee,), b=(ankle,), radius_a=0.046 * w, radius_b=0.031 * w, colour=look.legs,
                 cloth="mottled", nearer=-0.006, shows=(knee, ankle)),
            Part(name=f"{side}_upper_arm", a=(shoulder,), b=(elbow,), radius_a=0.040 * w, radius_b=0.032 * w,
                 nearer=0.01, shows=(shoulder, elbow), **sleeve),
            Part(name=f"{side}_forearm", a=(elbow,), b=(wrist,), radius_a=0.031 * w, radius_b=0.022 * w, nearer=0.02,
                 shows=(elbow, wrist), **sleeve),
            Part(name=f"{side}_hand", a=(wrist,), b=(f"{side}_hand",), radius_a=0.020, radius_b=0.022,
                 colour=look.skin, nearer=0.022, shows=(wrist,)),
        ]  # fmt: skip
    hips, shoulders = ("left_hip", "right_hip"), ("left_shoulder", "right_shoulder")
    parts.append(Part(name="pelvis", a=("hips",), b=hips, radius_a=0.088 * w, radius_b=0.088 * w, flat=0.26,
                      colour=look.legs, cloth="mottled", nearer=-0.002, shows=hips))  # fmt: skip
    parts.append(Part(name="torso", a=("chest", "neck"), b=("hips",), radius_a=0.112 * w, radius_b=0.086 * w, flat=0.30,
                      hem=True, nearer=0.002, shows=(*hips, *shoulders), **pattern))  # fmt: skip
    if look.coat > 0:
        length = ("left_knee", "right_knee", *(["left_hip", "right_hip"] if look.coat < 0.75 else []))
        parts.append(Part(name="coat", a=hips, b=length, radius_a=0.090 * w, radius_b=0.125 * w, flat=0.2,
                          nearer=0.03, hem=True, shows=(*hips, "left_knee", "right_knee"), **pattern))  # fmt: skip
    return tuple(parts)


def part_picture(part: Part, *, length: float, unit: float, seed: int, margin: int = 2) -> Float32[np.ndarray, "h w 4"]:
    """Draw a part upright, ``a`` above ``b``, premultiplied RGBA 0…1.

    Args:
        part: What to draw.
        length: Distance from ``a`` to ``b`` in pixels.
        unit: Pixels per body height.
        seed: Of the cloth's folds.
        margin: Empty pixels around. ``a`` lies at ``(w // 2, margin + radius_a)``.
    """
    ra, rb = part.radius_a * unit, part.radius_b * unit
    half = int(np.ceil(max(ra, rb))) + margin
    height = int(np.ceil(ra + length + rb)) + 2 * margin + 1
    v, u = np.meshgrid(
        np.arange(-half, half + 1, dtype=np.float32), np.arange(height, dtype=np.float32) - margin - np.float32(ra)
    )
    distance, radius = _tapered(u, v, length, ra, rb)
    if part.hem:
        sway = 0.02 * unit * np.sin(v / max(rb, 1) * 5)
        distance = np.maximum(distance, u - length - sway)
    alpha = np.clip(0.5 - distance, 0, 1)
    colour = _cloth(part, u, v, unit=unit, seed=seed)
    across = np.clip(v / np.maximum(radius, 1e-3), -1, 1)
    shade = 0.56 + 0.50 * np.sqrt(1 - (np.clip(across + 0.38, -1, 1) * 0.92) ** 2)  # light from the left
    return np.concatenate([np.clip(colour * shade[..., None], 0, 1) * alpha[..., None], alpha[..., None]], -1)


def head_picture(look: Look, *, unit: float, turn: float, margin: int = 2) -> Float32[np.ndarray, "h w 4"]:
    """Draw a head as a ball whose face looks ``turn`` radians away from the right (a quarter turn: at the camera)."""
    rx, ry = 0.058 * unit, 0.070 * unit
    nx, ny = int(np.ceil(rx * 1.25)) + margin, int(np.ceil(ry * 1.15)) + margin
    x, y = np.meshgrid(np.arange(-nx, nx + 1, dtype=np.float32), np.arange(-ny, ny + 1, dtype=np.float32))
    a, b = x / rx, y / ry
    inside = a * a + b * b
    z = np.sqrt(np.clip(1 - inside, 0, 1))
    c, s = math.cos(turn), math.sin(turn)
    forward = c * a + s * z
    left = s * a - c * z
    rise = -b
    soft = np.float32(max(2.2 / ry, 0.05))
    face = _step(forward - 0.12 - 0.5 * np.clip(rise, 0, 1), soft) * _step(0.52 - rise, soft)
    face = np.maximum(face, _step(-0.42 - rise, soft))  # neck and chin are bare all round
    colour = np.array(look.hair, np.float32) * (1 - face[..., None]) + np.array(look.skin, np.float32) * face[..., None]
    for side in (-1.0, 1.0):
        eye = (forward > 0) * np.exp(-(((left - 0.36 * side) / 0.12) ** 2) - ((rise - 0.10) / 0.07) ** 2)
        ear = np.exp(-(((forward + 0.02) / 0.13) ** 2) - ((rise - 0.0) / 0.17) ** 2) * (left * side > 0.3)
        colour = colour * (1 - 0.75 * eye[..., None])
        colour += (np.array(look.skin, np.float32) * 0.92 - colour) * (0.8 * ear)[..., None]
    mouth = (forward > 0) * np.exp(-((left / 0.25) ** 2) - ((rise + 0.42) / 0.05) ** 2)
    colour = colour * (1 - 0.35 * mouth[..., None] * np.array([0.6, 1, 1], np.float32))
    shade = 0.62 + 0.42 * np.clip(0.45 * z - 0.5 * a + 0.35 * rise + 0.25, 0, 1)
    ball = (np.sqrt(inside) - 1) * np.sqrt(rx * ry)
    nose = np.hypot(x - (rx * 1.02) * c, y - 0.06 * ry) - 0.16 * rx
    nose = nose + 99 * (abs(s) > 0.75)  # seen from before or behind it does not stand out
    alpha = np.clip(0.5 - np.minimum(ball, nose), 0, 1)
    colour = np.where((nose < ball - 0.5)[..., None], np.array(look.skin, np.float32), colour)
    return np.concatenate([np.clip(colour * shade[..., None], 0, 1) * alpha[..., None], alpha[..., None]], -1).astype(
        np.float32
    )


def outline(a: NDArray[np.float64], b: NDArray[np.float64], ra: float, rb: float) -> NDArray[np.float32]:
    """Polygon ``[N, 2]`` around a tapered piece, for silhouettes."""
    turn = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    ring = np.stack([np.cos(turn), np.sin(turn)], -1)
    return np.asarray(
        cv2.convexHull(np.concatenate([a + ra * ring, b + rb * ring]).astype(np.float32))[:, 0], np.float32
    )


def _tapered(
    u: NDArray[np.float32], v: NDArray[np.float32], length: float, ra: float, rb: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Signed distance to a tapered piece along u, and its half width there."""
    share = np.clip(u / max(length, 1e-3), 0, 1)
    radius = ra + (rb - ra) * share
    return np.hypot(v, u - share * np.float32(length)) - radius, radius


def _cloth(
    part: Part, u: NDArray[np.float32], v: NDArray[np.float32], *, unit: float, seed: int
) -> NDArray[np.float32]:
    colour = np.array(part.colour, np.float32)
    second = np.array(part.second or part.colour, np.float32)
    band = 0.030 * unit
    if part.cloth == "stripes":
        share = np.clip(0.5 + np.sin(u * np.pi / band) * band / 2.2, 0, 1)
    elif part.cloth == "checks":
        share = 0.5 * (np.sin(u * np.pi / band) > 0.3) + 0.5 * (np.sin(v * np.pi / band) > 0.3)
    elif part.cloth == "mottled":
        second = colour * 1.5 + 0.02
        rng = np.random.default_rng([seed, 5])
        share = np.clip(0.22 * value_noise((u.shape[1], u.shape[0]), rng, cell=max(unit * 0.02, 2), octaves=3), 0, 1)
    else:
        share = np.zeros_like(u)
    rng = np.random.default_rng([seed, 7])
    folds = value_noise((u.shape[1], u.shape[0]), rng, cell=(max(unit * 0.05, 2), max(unit * 0.025, 2)), octaves=2)
    out = colour + (second - colour) * np.asarray(share, np.float32)[..., None]
    return np.asarray(out * (1 + 0.07 * folds[..., None]), np.float32)


def _step(x: NDArray[np.floating[Any]], soft: np.float32) -> NDArray[np.float32]:
    return np.asarray(np.clip(0.5 + x / soft, 0, 1), np.float32)
