"""Paper A, Figure 6: what goes with a person is learned first.

    python bench/paper/figure_6.py --out out/paper

Two sequences: of two squares, one goes with the person and one jumps about; then both go along, one of them nearer. The
neural model of preset ``paper`` is trained on each from nothing, and it is noted how far each square is reconstructed.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial

import blocks
import numpy as np
from report import Claim, Findings, chart, experiment, over_grey, sheet
from small_runs import Learned, course, learned, maps_of_blocks, reconstructed, settings

SEQUENCES = (("motion", blocks.motion, "with her", "at random"), ("proximity", blocks.proximity, "near", "far"))
LEAST_LEAD = 0.05
"""By so much of its contrast the square that goes along, or is nearer, must be ahead, as a mean over the epochs."""
EVERY = 5
"""Epochs between two looks."""


def main() -> int:
    """Run the experiment."""
    return experiment("figure-6", __doc__, run, epochs=110)


def run(given: argparse.Namespace) -> Findings:
    """Both sequences with every seed."""
    config = course(given.epochs)
    found = Findings(settings=settings(config))
    for name, make, ahead, behind in SEQUENCES:
        leads: list[float] = []
        for seed in given.seeds:
            scene = make(seed)
            seen: dict[str, list[float]] = {square: [] for square in (ahead, behind)}

            maps = maps_of_blocks(scene, band_px=max(blocks.SIZE))  # a trimap that favours neither square
            result = learned(scene, config, seed=seed, maps=maps, watch=partial(note, scene, seen), every=EVERY)
            leads.append(float(np.mean(np.array(seen[ahead]) - np.array(seen[behind]))))
            found.table += [
                {"sequence": name, "seed": seed, "square": square, "half reconstructed at epoch": half_at(values),
                 "in the end": values[-1]}
                for square, values in seen.items()
            ]  # fmt: skip
            found.curves |= {f"{name} {seed} {square}": values for square, values in seen.items()}
            if seed == given.seeds[0]:
                chart(
                    given.out / f"figure-6-{name}.png", seen, across=f"{given.epochs} epochs", up="share reconstructed"
                )
                frames = (1, 5, 9)
                sheet(given.out / f"figure-6-{name}-layers.png", [
                    ("input", [scene.pictures[t] for t in frames]),
                    ("her layer", [over_grey(result.layers[t, 1]) for t in frames]),
                ])  # fmt: skip
        found.claims.append(
            Claim(
                text=f"{name}: '{ahead}' is learned before '{behind}' (mean lead)", value=min(leads), least=LEAST_LEAD
            )
        )
    return found


def note(scene: blocks.Blocks, seen: dict[str, list[float]], now: Learned) -> None:
    """How far each square is reconstructed where it is seen: 0 not at all, 1 wholly."""
    picture = now.picture()
    for square, values in seen.items():
        values.append(reconstructed(scene, picture, scene.effects[square]))


def half_at(values: list[float]) -> int | None:
    """First epoch at which half of a square was there."""
    above = np.flatnonzero(np.array(values) >= 0.5)
    return int(above[0]) * EVERY if len(above) else None


if __name__ == "__main__":
    sys.exit(main())
