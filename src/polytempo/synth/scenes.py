"""Ready-made scenes: a crossing, walkers, jumpers and a pan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from polytempo.core.errors import InputError
from polytempo.synth.scene import CameraMove, Look, Person, Retime, SceneSpec

LOOKS = (
    Look(skin=(0.87, 0.68, 0.56), hair=(0.30, 0.17, 0.09), top=(0.62, 0.14, 0.17), cloth="mottled",
         legs=(0.13, 0.12, 0.14), shoes=(0.22, 0.13, 0.09), coat=0.7, build=1.06),
    Look(skin=(0.55, 0.37, 0.27), hair=(0.07, 0.05, 0.05), top=(0.16, 0.25, 0.52), top_second=(0.90, 0.90, 0.88),
         cloth="stripes", legs=(0.42, 0.37, 0.28), shoes=(0.75, 0.74, 0.72)),
    Look(skin=(0.78, 0.58, 0.44), hair=(0.62, 0.46, 0.22), top=(0.88, 0.68, 0.16), top_second=(0.35, 0.24, 0.10),
         cloth="checks", legs=(0.14, 0.20, 0.36), shoes=(0.55, 0.14, 0.12), bare_arms=True),
    Look(skin=(0.68, 0.48, 0.36), hair=(0.12, 0.08, 0.06), top=(0.16, 0.42, 0.33), top_second=(0.70, 0.85, 0.76),
         cloth="stripes", legs=(0.24, 0.23, 0.25), shoes=(0.12, 0.12, 0.13), coat=0.35),
    Look(skin=(0.90, 0.72, 0.62), hair=(0.45, 0.42, 0.40), top=(0.80, 0.78, 0.75), top_second=(0.45, 0.50, 0.60),
         cloth="plain", legs=(0.30, 0.16, 0.12), shoes=(0.20, 0.16, 0.14), build=1.12),
)  # fmt: skip
"""Five ways to be dressed, taken in turn."""


def crossing(*, size: tuple[int, int] = (448, 256), n_frames: int = 48, seed: int = 0, grain: float = 1.5) -> SceneSpec:
    """Two people pass each other; the nearer one hides the other wholly for some frames. Glossy planks, brick wall.

    Retimes: ``freeze_1`` (the far person stands still) and ``delay_2`` (the near person a sixth of the clip later).
    """
    far = Person(name="far walker", look=replace(LOOKS[1], build=0.85), height=0.90, start=(0.855, 0.775),
                 stop=(0.20, 0.775), phase=0.09, arm_swing=0.3)  # fmt: skip
    near = Person(name="near walker", look=replace(LOOKS[0], build=1.55, coat=1.0), height=1.13, start=(0.12, 0.90),
                  stop=(0.96, 0.90), phase=0.02)  # fmt: skip
    spec = SceneSpec(name="drawn_crossing", people=(far, near), size=size, n_frames=n_frames, seed=seed, grain=grain)
    return _with_retimes(spec, (_freeze(spec, 1, n_frames // 4), _delay(spec, 2, max(n_frames // 6, 1))))


def walkers(
    *,
    n_people: int = 3,
    size: tuple[int, int] = (448, 256),
    n_frames: int = 48,
    seed: int = 0,
    grain: float = 1.5,
    shake_px: float = 0.0,
) -> SceneSpec:
    """People walk about a tiled hall on slanting paths, so that who is in front changes.

    Retimes: ``freeze_1`` and, with two people or more, ``delay_2``.

    Raises:
        InputError: ``n_people`` is not 1 to 8.
    """
    if not 1 <= n_people <= 8:
        raise InputError("synth.scenes", "the number of people must be 1 to 8", got=str(n_people))
    rng = np.random.default_rng([seed, 3])
    people: list[Person] = []
    for n in range(n_people):
        right = n % 2 == 0
        low, high = (0.06 + 0.10 * rng.random()), (0.82 + 0.12 * rng.random())
        y = 0.76 + 0.15 * ((n * 0.618 + 0.2) % 1.0)
        drift = rng.uniform(-0.10, 0.10)
        people.append(
            Person(
                name=f"walker {n + 1}",
                look=LOOKS[n % len(LOOKS)],
                height=float(rng.uniform(0.96, 1.12)),
                start=(low if right else high, float(np.clip(y - drift, 0.72, 0.94))),
                stop=(high if right else low, float(np.clip(y + drift, 0.72, 0.94))),
                phase=float(rng.random()),
            )
        )
    spec = SceneSpec(
        name="drawn_walkers", people=tuple(people), size=size, n_frames=n_frames, seed=seed, grain=grain,
        wall="plaster", floor="tiles", gloss=0.55, light=(-0.5, 0.24), camera=CameraMove(shake_px=shake_px),
    )  # fmt: skip
    retimes = [_freeze(spec, 1, n_frames // 3)]
    if n_people > 1:
        retimes.append(_delay(spec, 2, max(n_frames // 6, 1)))
    return _with_retimes(spec, tuple(retimes))


def jumpers(
    *,
    n_people: int = 3,
    size: tuple[int, int] = (448, 256),
    n_frames: int = 48,
    seed: int = 0,
    grain: float = 1.5,
    shake_px: float = 0.0,
) -> SceneSpec:
    """People jump at periods of their own, each on an elastic mat that dents, on a lawn before a fence.

    Retimes: ``sync`` (everybody at the phase of layer 1) and ``freeze_1``.

    Raises:
        InputError: ``n_people`` is not 1 to 5.
    """
    if not 1 <= n_people <= 5:
        raise InputError("synth.scenes", "the number of jumpers must be 1 to 5", got=str(n_people))
    periods = (18.0, 22.0, 16.0, 20.0, 24.0)
    scale = min(n_frames / 48, 1.0)
    at = (np.arange(n_people) + 0.5) / n_people
    people = tuple(
        Person(name=f"jumper {n + 1}", look=replace(LOOKS[(n + 2) % len(LOOKS)], coat=0.0), action="jump",
               height=0.94 + 0.05 * (n % 3) - 0.02 * n_people, start=(float(at[n]), 0.86 + 0.03 * (n % 2)),
               stop=(float(at[n]), 0.86 + 0.03 * (n % 2)), phase=0.3 * n, period=periods[n] * max(scale, 0.4),
               jump_height=0.24, facing=90.0 + 24 * (n % 3 - 1))
        for n in range(n_people)
    )  # fmt: skip
    spec = SceneSpec(
        name="drawn_jumpers", people=people, size=size, n_frames=n_frames, seed=seed, grain=grain, wall="boards",
        floor="grass", mats=True, gloss=0.0, light=(0.42, 0.20), horizon=0.30, wall_foot=0.60,
        camera=CameraMove(shake_px=shake_px),
    )  # fmt: skip
    return _with_retimes(spec, (_sync(spec), _freeze(spec, 1, n_frames // 3)))


def pan(
    *, size: tuple[int, int] = (448, 256), n_frames: int = 48, seed: int = 0, grain: float = 1.5, degrees: float = 26.0
) -> SceneSpec:
    """The camera follows one walker past another who goes the other way and leaves the picture.

    Retimes: ``freeze_1`` and ``delay_2``.
    """
    followed = Person(name="followed", look=LOOKS[3], height=1.06, start=(-0.06, 0.86), stop=(1.0, 0.86), phase=0.3)
    other = Person(name="other way", look=LOOKS[2], height=1.02, start=(0.72, 0.78), stop=(0.05, 0.78), phase=0.1)
    spec = SceneSpec(
        name="drawn_pan", people=(followed, other), size=size, n_frames=n_frames, seed=seed, grain=grain,
        wall="plaster", floor="planks", gloss=0.5, light=(-0.4, 0.26),
        camera=CameraMove(pan_degrees=degrees, shake_px=0.4),
    )  # fmt: skip
    return _with_retimes(spec, (_freeze(spec, 1, n_frames // 2), _delay(spec, 2, max(n_frames // 6, 1))))


def _with_retimes(spec: SceneSpec, retimes: tuple[Retime, ...]) -> SceneSpec:
    return replace(spec, retimes=retimes)


def _same(spec: SceneSpec) -> tuple[int, ...]:
    return tuple(range(spec.n_frames))


def _freeze(spec: SceneSpec, layer_id: int, frame: int) -> Retime:
    maps = [_same(spec)] * len(spec.people)
    maps[layer_id - 1] = (frame,) * spec.n_frames
    return Retime(name=f"freeze_{layer_id}", kind="freeze", maps=tuple(maps))


def _delay(spec: SceneSpec, layer_id: int, n: int) -> Retime:
    maps = [_same(spec)] * len(spec.people)
    maps[layer_id - 1] = tuple(max(t - n, 0) for t in range(spec.n_frames))
    return Retime(name=f"delay_{layer_id}", kind="delay", maps=tuple(maps))


def _sync(spec: SceneSpec) -> Retime:
    """Show everybody at the source frame nearest in time whose phase is the first person's."""
    middle = (spec.n_frames - 1) / 2
    frames = np.arange(spec.n_frames)

    def phase(n: int) -> np.ndarray:
        return spec.people[n].phase + (frames - middle) / spec.people[n].period

    maps: list[tuple[int, ...]] = []
    for n in range(len(spec.people)):
        gap = np.abs((phase(n)[None] - phase(0)[:, None] + 0.5) % 1.0 - 0.5)
        cost = gap + 1e-4 * np.abs(frames[None] - frames[:, None])
        maps.append(tuple(int(s) for s in cost.argmin(1)))
    return Retime(name="sync", kind="sync", maps=tuple(maps))
