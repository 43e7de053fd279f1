"""What a drawn scene is made of: people, place, camera and light, all as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Action = Literal["walk", "jump"]
Cloth = Literal["plain", "stripes", "checks", "mottled"]
Wall = Literal["bricks", "plaster", "boards"]
Floor = Literal["planks", "tiles", "grass"]
Colour = tuple[float, float, float]
"""Coded RGB, 0…1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """How a person is dressed."""

    skin: Colour = (0.80, 0.60, 0.47)
    hair: Colour = (0.16, 0.10, 0.07)
    top: Colour = (0.70, 0.20, 0.18)
    top_second: Colour = (0.92, 0.90, 0.84)
    """Second colour of the cloth's pattern."""
    cloth: Cloth = "stripes"
    legs: Colour = (0.16, 0.19, 0.30)
    shoes: Colour = (0.10, 0.09, 0.09)
    coat: float = 0.0
    """How far a coat or skirt reaches from the hips to the knees, 0 (none) to 1."""
    bare_arms: bool = False
    build: float = 1.0
    """Width of body and limbs; 1 is slim."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """One person, who is one layer."""

    name: str
    look: Look = field(default_factory=Look)
    action: Action = "walk"
    height: float = 1.0
    """Body height in eye heights of the camera: with 1.06 the eyes stand on the horizon."""
    start: tuple[float, float] = (0.0, 0.85)
    """Where the feet are in the first frame, as shares of the reference frame's width and height."""
    stop: tuple[float, float] = (1.0, 0.85)
    """Where the feet are in the last frame."""
    phase: float = 0.0
    """Of the gait (or jump) in the middle of the clip, in cycles. At 0 a walker's legs pass each other."""
    arm_swing: float = 1.0
    """How far a walker's arms swing; near 0 they hang close to the body."""
    period: float = 20.0
    """Frames per jump; walkers step as their speed asks."""
    jump_height: float = 0.35
    """How high the feet rise, in body heights."""
    facing: float | None = None
    """Degrees: 0 looks right, 90 at the camera, 180 left; None looks where the path leads (at the camera if still)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CameraMove:
    """A camera that only turns, so that frames are related by exact homographies."""

    pan_degrees: float = 0.0
    """Turn to the right over the clip, half of it before the middle."""
    shake_px: float = 0.0
    """Standard deviation of a hand's slow tremble, in pixels; a little roll comes with it."""
    focal: float = 1.3
    """Focal length in frame widths."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Retime:
    """A retime whose truth is drawn: the source frame each layer shows in each output frame."""

    name: str
    kind: str
    maps: tuple[tuple[int, ...], ...]
    """One row a person, one entry an output frame."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SceneSpec:
    """A whole scene. The same spec draws the same pictures."""

    name: str
    people: tuple[Person, ...]
    size: tuple[int, int] = (448, 256)
    """``(width, height)`` in pixels."""
    n_frames: int = 48
    fps: int = 24
    wall: Wall = "bricks"
    floor: Floor = "planks"
    horizon: float = 0.36
    """Height of the camera's eye line, as a share of the frame's height."""
    wall_foot: float = 0.64
    """Where wall and floor meet, as a share of the frame's height."""
    mats: bool = False
    """Put an elastic mat under each jumper, which dents."""
    gloss: float = 0.8
    """Strength of floor reflections at the feet, 0…1."""
    shadow: float = 0.5
    """Darkness of the cast shadows, 0…1."""
    light: tuple[float, float] = (0.55, 0.28)
    """Shadow of a point one unit high: so far to the right, and so far up the picture, in the same units."""
    camera: CameraMove = field(default_factory=CameraMove)
    shutter: float = 0.5
    """Share of the frame's time that the shutter is open; 0 draws no motion blur."""
    grain: float = 1.5
    """Standard deviation of film grain in 1/255."""
    seed: int = 0
    retimes: tuple[Retime, ...] = ()
