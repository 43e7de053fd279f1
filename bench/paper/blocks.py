"""Synthetic sequences in the manner of paper A's Figures 6 and 7: people as blocks, with what goes with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath, static_path
from polytempo.objects.cast import Cast, LayerPlan, Subject

SIZE = (64, 32)
N_FRAMES = 12
RED, BLUE = (200, 50, 50), (50, 70, 200)
GREEN, YELLOW, WHITE = (20, 240, 30), (250, 235, 20), (250, 250, 250)

Box = tuple[int, int, int, int]
"""Left, top, width, height."""
Mask = NDArray[np.bool_]
Colour = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Effect:
    """What goes with a person beside the body."""

    name: str
    owner: int
    """Layer id, from 1."""
    colour: Colour
    whole: Mask
    """``[T, H, W]``, also where somebody in front hides it."""
    seen: Mask
    """Where nobody in front hides it, and nobody's body lies behind."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Blocks:
    """A drawn sequence and the truth about it. Person ``k`` is layer ``k``; the first is in front.

    Nothing covers a place in most of the frames, so that the background cannot stand for it.
    """

    pictures: NDArray[np.uint8]
    clean: NDArray[np.uint8]
    """The place alone, ``[H, W, 3]``."""
    cast: Cast
    camera: CameraPath
    effects: dict[str, Effect]
    paint: NDArray[np.uint8]
    """True colours of every layer, ``[L, T, H, W, 3]``."""
    alpha: Mask
    """Where every layer is, ``[L, T, H, W]``, effects included."""

    @property
    def bodies(self) -> Mask:
        """Whole bodies, ``[L, T, H, W]``."""
        return np.stack([one.amodal for one in self.cast.subjects])

    def truth(self, shown: tuple[int, ...]) -> NDArray[np.uint8]:
        """What the clip would be with these layers alone."""
        out = np.repeat(self.clean[None], self.paint.shape[1], 0)
        for k in sorted(shown, reverse=True):
            out[self.alpha[k - 1]] = self.paint[k - 1][self.alpha[k - 1]]
        return out


def motion(seed: int = 0) -> Blocks:
    """Figure 6, first video: one square goes with the person, the other jumps about."""
    rng = np.random.default_rng(seed)
    xs = [20 + 2 * t for t in range(N_FRAMES)]
    walker = [(x, 8, 6, 18) for x in xs]
    with_her = [(x - 10, 12, 10, 10) for x in xs]
    random = [(int(np.clip(x + rng.integers(-20, 21), 0, 54)), int(rng.integers(0, 23)), 10, 10) for x in xs]
    return drawn([walker], [("at random", 1, GREEN, boxes(random)), ("with her", 1, GREEN, boxes(with_her))], rng)


def proximity(seed: int = 0) -> Blocks:
    """Figure 6, second video: both squares move alike, one of them nearer."""
    rng = np.random.default_rng(seed)
    xs = [34 + 2 * t for t in range(N_FRAMES)]
    walker = [(x, 8, 6, 18) for x in xs]
    near, far = [(x - 10, 11, 10, 10) for x in xs], [(x - 34, 11, 10, 10) for x in xs]
    return drawn([walker], [("far", 1, GREEN, boxes(far)), ("near", 1, GREEN, boxes(near))], rng)


def two_people(seed: int = 0, *, texture: float = 0.0) -> Blocks:
    """Figure 7: she goes across with a green square, past him, who bobs up and down with a yellow one.

    She and her square hide him and his in some of the frames. ``texture`` is the spread of a fine pattern on bodies.
    """
    rng = np.random.default_rng(seed)
    xs = [22 + 2 * t for t in range(N_FRAMES)]
    ys = [1 + abs(3 * t % 32 - 16) for t in range(N_FRAMES)]
    she, he = [(x, 8, 6, 18) for x in xs], [(42, y, 6, 14) for y in ys]
    green, yellow = [(x - 10, 12, 10, 10) for x in xs], [(48, y + 3, 10, 7) for y in ys]
    things = [("hers", 1, GREEN, boxes(green)), ("his", 2, YELLOW, boxes(yellow))]
    return drawn([she, he], things, rng, texture=texture)


def splash(seed: int = 0) -> Blocks:
    """Figure 12: for some frames something splashes right beside him, and it is hers, who is elsewhere."""
    rng = np.random.default_rng(seed)
    she = [(6 + t, 8, 6, 18) for t in range(N_FRAMES)]
    he = [(42, 9 + round(8 * np.sin(1.3 * t)), 6, 14) for t in range(N_FRAMES)]
    water = [(48, 11, 10, 10) if 4 <= t < 9 else None for t in range(N_FRAMES)]
    return drawn([she, he], [("splash", 1, WHITE, boxes(water))], rng)


def cart(seed: int = 0) -> Blocks:
    """Figure 10: she pulls a cart, which no mask knows of."""
    rng = np.random.default_rng(seed)
    xs = [21 + 3 * t for t in range(N_FRAMES)]
    she = [(x, 5, 6, 18) for x in xs]
    things = np.zeros((N_FRAMES, SIZE[1], SIZE[0]), np.uint8)
    for t, x in enumerate(xs):
        cv2.rectangle(things[t], (x - 16, 11), (x - 3, 19), 1, cv2.FILLED)
        cv2.line(things[t], (x - 3, 14), (x, 14), 1, 2)
        for centre in ((x - 13, 21), (x - 6, 21)):
            cv2.circle(things[t], centre, 3, 1, cv2.FILLED)
    return drawn([she], [("cart", 1, WHITE, things > 0)], rng)


def apart_and_together(seed: int = 0) -> Blocks:
    """The curriculum's case: either of two people is alone in the middle for half of the frames, then both are there.

    Together each one's square lies beside the *other* one's body, so that these frames alone tell the wrong owner:
    what is near is learned first (Figure 6). Apart there is no doubt, and each of them is seen in the same places.
    """
    rng = np.random.default_rng(seed)
    people: tuple[list[Box], list[Box]] = ([], [])
    for t in range(2 * N_FRAMES):
        middle, y = int(rng.integers(18, 34)), int(rng.integers(10, 17))
        gap, lower, elsewhere = int(rng.integers(3, 6)), int(rng.integers(-1, 2)), int(rng.integers(10, 17))
        together = t >= N_FRAMES
        she = int(rng.integers(0, 4)) if N_FRAMES // 2 <= t < N_FRAMES else middle
        he = int(rng.integers(54, 58)) if t < N_FRAMES // 2 else middle + (gap if together else 5)
        people[0].append((she, y, 6, 14))
        people[1].append((he, y + lower if together else elsewhere, 6, 14))
    green = [(x + 7, y - 7, 8, 8) for x, y, *_ in people[0]]
    yellow = [(x - 9, y + 5, 8, 8) for x, y, *_ in people[1]]
    return drawn(list(people), [("hers", 1, GREEN, boxes(green)), ("his", 2, YELLOW, boxes(yellow))], rng)


def boxes(places: Sequence[Box | None]) -> Mask:
    """Filled boxes, one a frame."""
    out = np.zeros((len(places), SIZE[1], SIZE[0]), bool)
    for t, place in enumerate(places):
        if place is not None:
            x, y, width, height = place
            out[t, max(y, 0) : y + height, max(x, 0) : x + width] = True
    return out


def drawn(
    people: list[list[Box]],
    things: list[tuple[str, int, Colour, Mask]],
    rng: np.random.Generator,
    *,
    texture: float = 0.0,
) -> Blocks:
    """Draw people, the first in front, each over their things: name, layer id of the owner, colour, place."""
    rough = rng.uniform(95, 125, (2, 3, 3)).astype(np.float32)
    clean: Any = cv2.resize(rough, SIZE, interpolation=cv2.INTER_LINEAR).clip(0, 255).astype(np.uint8)
    bodies = np.stack([boxes(places) for places in people])
    paint, alpha = np.zeros((*bodies.shape, 3), np.uint8), bodies.copy()
    for k, places in enumerate(people):
        for _, owner, colour, mask in things:
            if owner == k + 1:
                paint[k][mask] = colour
                alpha[k] |= mask
        cloth = rng.normal(0, 1, (places[0][3], places[0][2], 3)) * texture
        painted = np.clip(np.array((RED, BLUE)[k]) + cloth, 0, 255).astype(np.uint8)
        for t, (x, y, width, height) in enumerate(places):
            paint[k, t, y : y + height, x : x + width] = painted[: SIZE[1] - y, : SIZE[0] - x]
    front = np.zeros_like(bodies)
    for k in range(1, len(people)):
        front[k] = front[k - 1] | alpha[k - 1]
    effects = {
        name: Effect(
            name=name, owner=k, colour=colour, whole=mask, seen=mask & ~front[k - 1] & ~bodies.any(0)
        )
        for name, k, colour, mask in things
    }  # fmt: skip
    scene = Blocks(
        pictures=np.zeros(0, np.uint8), clean=clean, cast=_cast(bodies, front), effects=effects, paint=paint,
        alpha=alpha, camera=static_path(bodies.shape[1], SIZE),
    )  # fmt: skip
    return replace(scene, pictures=scene.truth(tuple(range(1, len(people) + 1))))


def _cast(bodies: Mask, front: Mask) -> Cast:
    visible = bodies & ~front
    subjects = tuple(
        Subject(
            subject_id=k + 1,
            name=("she", "he")[k],
            mask=visible[k],
            amodal=bodies[k],
            visibility=(visible[k].sum((1, 2)) / np.maximum(bodies[k].sum((1, 2)), 1)).astype(np.float32),
        )
        for k in range(len(bodies))
    )
    layers = tuple(LayerPlan(layer_id=one.subject_id, name=one.name, subject_ids=(one.subject_id,)) for one in subjects)
    return Cast(subjects=subjects, layers=layers, order=(tuple(range(len(bodies), 0, -1)),) * bodies.shape[1])
