"""Paper A, A.1: first the easier half of the frames, because overlapping people make correlations ambiguous.

    python bench/paper/curriculum.py --out out/paper

For half of the frames either of two people is alone in the middle, for the other half both are there, each with their
square beside the *other* one's body. Is the half that the curriculum withholds the ambiguous one, as the paper says?
Preset ``paper`` learns from either half alone. And what is gained by withholding it? It is trained with the curriculum
and without it in equally many *steps*: an epoch on half of the frames has half of the steps, so that equal epochs would
be less work.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import Any

import blocks
import numpy as np
from numpy.typing import NDArray
from report import Claim, Findings, chart, experiment, over_grey, sheet
from small_runs import BATCH, Learned, course, learned, learned_maps, maps_of_blocks, part_of, settings

from polytempo.decompose.lnr.maps import LayerMaps
from polytempo.decompose.lnr.paper_config import LnrConfig
from polytempo.decompose.lnr.schedule import easiest_first

LEAST_CLEARER = 0.2
"""So much more of a square's alpha must be its own person's in the easier half than in the harder, learned alone."""
LEAST_GAIN = 0.1
"""So much more of a square's alpha must be its own person's with the curriculum, where people overlap, in the mean …"""
LEAST_RIGHT = 0.6
"""… and so much of it in any case."""
EASY_STEPS = 1 / 4
"""Share of the steps on the easier half: of the paper's 2,500 epochs the first 1,000 have half of the steps."""
L1_STEPS = 2 / 3
"""As in ``patient_course``, but of the steps."""
POSITIVE = 2
"""Value of a trimap where the layer surely is."""
LOOKS = 24
"""Looks at the layers on the way."""
RIGHT = 0.9
"""Share at which the table says in how many steps it was reached."""


def main() -> int:
    """Run the experiment."""
    return experiment("curriculum", __doc__, run, seeds=(0, 1, 2), more=options)


def options(parser: argparse.ArgumentParser) -> None:
    """How long it is trained."""
    parser.add_argument("--steps", type=int, default=480, help="optimiser steps, the same with and without")
    parser.add_argument("--easy", type=float, default=EASY_STEPS, help="share of them on the easier half")


def run(given: argparse.Namespace) -> Findings:
    """With and without; every seed draws another clip."""
    n_frames = len(blocks.apart_and_together().pictures)
    courses = {"with": course_of(given.steps, n_frames, given.easy), "without": course_of(given.steps, n_frames, 0)}
    found = Findings(settings={"steps": given.steps, "easy": given.easy, "frames": n_frames} | {
        name: settings(one) | {"epochs": one.n_epochs, "curriculum_epochs": one.curriculum_epochs}
        for name, one in courses.items()
    })  # fmt: skip
    for seed in given.seeds:
        scene = blocks.apart_and_together(seed)
        apart, together = np.split(np.arange(n_frames), 2)
        frames = (0, 8, 12, 15, 18, 21)
        lines = [("input", [scene.pictures[t] for t in frames])]
        for name, config in courses.items():
            curve: list[float] = []
            result = learned(
                scene, config, seed=seed, every=max(1, config.n_epochs // LOOKS), watch=partial(note, scene, curve)
            )
            shares = by_steps(curve, config, n_frames, given.steps)
            found.table.append({
                "seed": seed, "curriculum": name,
                "right where they are apart": right(scene, result.layers[apart], apart),
                "right where they overlap": right(scene, result.layers[together], together),
                "steps until 0.9 of it stay right": steps_until(shares, given.steps),
                "bootstrap ended at epoch": result.bootstrap_epoch,
            })  # fmt: skip
            for m, who in ((1, "her"), (2, "his")):
                lines.append((f"{who} layer, {name}", [over_grey(result.layers[t, m]) for t in frames]))
            if seed == given.seeds[0]:
                found.curves[name] = shares
        found.table += [halves(scene, given.steps, seed=seed)]
        if seed == given.seeds[0]:
            sheet(given.out / "curriculum.png", lines)
            chart(given.out / "curriculum-right.png", found.curves, across=f"{given.steps} steps",
                  up="alpha in the right layer where they overlap")  # fmt: skip
    found.claims = claims(found)
    return found


def halves(scene: blocks.Blocks, steps: int, *, seed: int) -> dict[str, Any]:
    """How much is right in either half of the frames, as the curriculum ranks them, when nothing else was learned."""
    maps = maps_of_blocks(scene)
    row: dict[str, Any] = {"seed": seed}
    for name, frames in zip(("easier", "harder"), ranked_halves(maps), strict=True):
        config = course_of(steps, len(frames), 0)
        result = learned_maps(scene.pictures[frames], part_of(maps, frames), scene.clean, config, seed=seed)
        row[f"right in the {name} half alone"] = right(scene, result.layers, frames)
    return row


def ranked_halves(maps: LayerMaps) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Frames that the curriculum begins with, and those that it withholds."""
    ranked = np.array(easiest_first(maps.trimap.swapaxes(0, 1) == POSITIVE), np.int64)
    half = (len(ranked) + 1) // 2
    return np.sort(ranked[:half]), np.sort(ranked[half:])


def claims(found: Findings) -> list[Claim]:
    """What the tables say: of the paper's reason, and of what comes of it.

    The paper says why frames are withheld and not what is gained by it. That is open: several designs did not show
    any gain (see the docs).
    """
    easier, harder = (
        [row[f"right in the {name} half alone"] for row in found.table if "curriculum" not in row]
        for name in ("easier", "harder")
    )
    column = "right where they overlap"
    with_it, without = (
        [row[column] for row in found.table if row.get("curriculum") == name] for name in ("with", "without")
    )
    return [
        Claim(text="what is withheld is ambiguous: of each square more is its own person's in the easier half than in "
                   "the harder, either learned alone (share of alpha, least lead)",
              value=min(a - b for a, b in zip(easier, harder, strict=True)), least=LEAST_CLEARER),
        Claim(text="where people overlap, more of each square is its own person's (share of alpha, mean gain)",
              value=float(np.mean(with_it) - np.mean(without)), least=LEAST_GAIN, open=True),
        Claim(text="and the better part of it is (share of alpha, worst seed)", value=min(with_it),
              least=LEAST_RIGHT, open=True),
    ]  # fmt: skip


def course_of(steps: int, n_frames: int, easy: float) -> LnrConfig:
    """Paper A's training in so many steps, a share of them on the easier half."""
    a_half, whole = steps_in((n_frames + 1) // 2), steps_in(n_frames)
    curriculum = round(steps * easy / a_half)
    rest = round((steps - curriculum * a_half) / whole)
    l1 = curriculum + round((steps * L1_STEPS - curriculum * a_half) / whole)
    return course(curriculum + rest, curriculum_epochs=curriculum, l1_epochs=l1)


def steps_in(n_frames: int) -> int:
    """Steps of an epoch on so many frames."""
    return -(-n_frames // BATCH)


def right(scene: blocks.Blocks, layers: NDArray[np.float32], frames: NDArray[np.int64]) -> float:
    """Share of the squares' alpha that is their own person's in some frames, mean over both squares.

    Args:
        scene: All frames of it.
        layers: Of these frames, ``[T, M, 4, H, W]``.
        frames: Their numbers.
    """
    shares: list[float] = []
    for effect in scene.effects.values():
        here = effect.seen[frames]
        alphas = [float(layers[:, m, 3][here].mean()) for m in (1, 2)]
        shares.append(alphas[effect.owner - 1] / max(sum(alphas), 1e-6))
    return float(np.mean(shares))


def note(scene: blocks.Blocks, curve: list[float], now: Learned) -> None:
    """How right the layers are at this time, where people overlap."""
    together = np.split(np.arange(len(scene.pictures)), 2)[1]
    curve.append(right(scene, now.layers[together], together))


def by_steps(curve: list[float], config: LnrConfig, n_frames: int, steps: int) -> list[float]:
    """A curve over epochs as one over steps, so that both have the same axis."""
    a_half, whole = steps_in((n_frames + 1) // 2), steps_in(n_frames)
    every = max(1, config.n_epochs // LOOKS)
    at = [
        min(epoch, config.curriculum_epochs) * a_half + max(0, epoch - config.curriculum_epochs) * whole
        for epoch in (1 + every * i for i in range(len(curve)))
    ]
    return np.interp(np.linspace(0, steps, LOOKS + 1), at, curve).tolist()


def steps_until(shares: list[float], steps: int) -> int | None:
    """Steps after which a curve of ``by_steps`` stays above ``RIGHT``; nothing where it does not."""
    above = [value >= RIGHT for value in shares]
    if not above[-1]:
        return None
    return round(steps * (len(above) - above[::-1].index(False) if False in above else 0) / LOOKS)


if __name__ == "__main__":
    sys.exit(main())
