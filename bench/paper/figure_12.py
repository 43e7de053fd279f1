"""Paper A, Figure 12: a trimap drawn by hand for one frame, and copied over some, repairs a wrong assignment.

    python bench/paper/figure_12.py --out out/paper

For some frames something splashes right beside him that is hers, who is elsewhere. It goes into his layer. Then her
trimap is drawn around the splash on one frame, saved as a picture, read by the door that ``--trimap`` uses, copied over
the frames of the splash, and all is learned again.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

import blocks
import numpy as np
from report import Claim, Findings, experiment, over_grey, sheet, write_picture
from small_runs import course, learned, maps_of_blocks, reconstructed, settings

from polytempo.objects.hand_trimap import HandTrimap, read_hand_trimap, with_hand_trimaps

LEAST_SHOWN, LEAST_GAIN = 0.6, 0.3
"""So much of the splash's contrast must her layer alone show with the trimap, and so much more than without it."""


def main() -> int:
    """Run the experiment."""
    return experiment("figure-12", __doc__, run, epochs=150)


def run(given: argparse.Namespace) -> Findings:
    """Without and with the trimap, every seed."""
    config = course(given.epochs)
    found = Findings(settings=settings(config))
    for seed in given.seeds:
        scene = blocks.splash(seed)
        effect = scene.effects["splash"]
        frames = np.flatnonzero(effect.seen.any((1, 2)))
        maps = maps_of_blocks(scene)
        picture = np.full((*effect.seen.shape[1:], 4), 255, np.uint8)
        picture[..., 3] = np.where(grown(effect.seen.any(0)), 255, 0)
        write_picture(given.out / "figure-12-trimap.png", picture)
        values = read_hand_trimap(given.out / "figure-12-trimap.png", clip_size=blocks.SIZE, size=blocks.SIZE)
        drawn = HandTrimap(layer="she", values=values, start=int(frames[0]), stop=int(frames[-1]) + 1)
        repaired = replace(
            maps, trimap=with_hand_trimaps(maps.trimap, [drawn], layers=["she", "he"], camera=scene.camera)
        )
        before = learned(scene, config, seed=seed, maps=maps)
        after = learned(scene, config, seed=seed, maps=repaired)
        found.table += [
            {"seed": seed, "trimap": name,
             "her layer shows": reconstructed(scene, result.picture({1}), effect),
             "his layer shows": reconstructed(scene, result.picture({2}), effect),
             "alpha in hers": float(result.layers[:, 1, 3][effect.seen].mean()),
             "alpha in his": float(result.layers[:, 2, 3][effect.seen].mean())}
            for name, result in (("from her mask", before), ("drawn", after))
        ]  # fmt: skip
        if seed == given.seeds[0]:
            shown = [int(t) for t in frames[:: max(len(frames) // 4, 1)]][:4]
            sheet(given.out / "figure-12.png", [
                ("input", [scene.pictures[t] for t in shown]),
                ("her layer, trimap from her mask", [over_grey(before.layers[t, 1]) for t in shown]),
                ("his layer, trimap from her mask", [over_grey(before.layers[t, 2]) for t in shown]),
                ("her layer, trimap drawn", [over_grey(after.layers[t, 1]) for t in shown]),
                ("his layer, trimap drawn", [over_grey(after.layers[t, 2]) for t in shown]),
            ])  # fmt: skip
    shown = np.array([row["her layer shows"] for row in found.table]).reshape(-1, 2)
    found.claims = [
        Claim(text="with it her layer alone shows the splash (share of its contrast)", least=LEAST_SHOWN,
              value=float(shown[:, 1].min())),
        Claim(text="and so much more of it than without", least=LEAST_GAIN,
              value=float((shown[:, 1] - shown[:, 0]).min())),
    ]  # fmt: skip
    return found


def grown(mask: np.ndarray) -> np.ndarray:
    """A pixel more on every side, as a hand draws."""
    out = mask.copy()
    for axis in (0, 1):
        out |= np.roll(out, 1, axis) | np.roll(out, -1, axis)
    return out


if __name__ == "__main__":
    sys.exit(main())
