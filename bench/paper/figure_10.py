"""Paper A, Figure 10: against closed-form matting and a two-layer baseline in the manner of Double-DIP.

    pip install "polytempo[bench]"
    python bench/paper/figure_10.py --out out/paper

She pulls a cart, as the paper's rider has a bicycle. All three are given the same trimap of her body; most of the cart
lies beyond its band, where it counts as surely not hers.
"""

from __future__ import annotations

import argparse
import sys

import blocks
import numpy as np
from double_dip import double_dip
from numpy.typing import NDArray
from pymatting import estimate_alpha_cf
from report import Claim, Findings, as_grey, experiment, sheet
from small_runs import learned, patient_course, settings

LEAST_GAIN = 0.3
"""By so much must the layer's mean alpha on the cart be above that of matting, which is bound by the trimap."""
LEAST_CLEAR = {"closed-form matting": 0.02, "double-dip": 0.05}
"""And by so much must its mean error over the whole frame be below each baseline's: Double-DIP is not bound by the
trimap and may have the cart, with what is around it."""


def main() -> int:
    """Run the experiment."""
    return experiment("figure-10", __doc__, run, epochs=110)


def run(given: argparse.Namespace) -> Findings:
    """All three, every seed."""
    config = patient_course(given.epochs)
    found = Findings(settings=settings(config) | {"double-dip steps": given.epochs})
    gains: list[float] = []
    errors: dict[str, list[float]] = {name: [] for name in LEAST_CLEAR}
    for seed in given.seeds:
        scene = blocks.cart(seed)
        result = learned(scene, config, seed=seed)
        trimap = result.maps.trimap[:, 0].astype(np.float32) / 2
        mattes: dict[str, NDArray[np.float32]] = {
            "layer": result.layers[:, 1, 3],
            "closed-form matting": np.stack([
                estimate_alpha_cf(picture / 255.0, one.astype(np.float64))
                for picture, one in zip(scene.pictures, trimap, strict=True)
            ]).astype(np.float32),
            "double-dip": double_dip(scene.pictures, trimap, n_steps=given.epochs, seed=seed),
        }  # fmt: skip
        cart, whole = scene.effects["cart"].seen, scene.alpha[0]
        rows = [
            {"seed": seed, "method": name, "alpha on the cart": float(matte[cart].mean()),
             "alpha on the body": float(matte[scene.bodies[0]].mean()),
             "mean error": float(np.abs(matte - whole).mean())}
            for name, matte in mattes.items()
        ]  # fmt: skip
        found.table += rows
        gains.append(rows[0]["alpha on the cart"] - rows[1]["alpha on the cart"])
        for row in rows[1:]:
            errors[row["method"]].append(row["mean error"] - rows[0]["mean error"])
        if seed == given.seeds[0]:
            frames = (1, 4, 7, 10)
            sheet(given.out / "figure-10.png", [
                ("input", [scene.pictures[t] for t in frames]),
                ("trimap", [as_grey(trimap[t]) for t in frames]),
                *((name, [as_grey(matte[t]) for t in frames]) for name, matte in mattes.items()),
            ])  # fmt: skip
    found.claims = [
        Claim(text="the layer has the cart, closed-form matting has not (alpha ahead)", value=min(gains),
              least=LEAST_GAIN),
        *(Claim(text=f"the layer's matte is nearer to the truth than that of {name} (mean error)", value=min(values),
                least=LEAST_CLEAR[name]) for name, values in errors.items()),
    ]  # fmt: skip
    return found


if __name__ == "__main__":
    sys.exit(main())
