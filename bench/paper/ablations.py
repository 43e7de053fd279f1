"""What the regulariser and the transfer of detail are good for, each left out once.

    python bench/paper/ablations.py --out out/paper

Two people with squares of their own and a fine pattern on their clothes; she hides him in the last frames. Layers are
held against the truth, which is known. The curriculum has a command and a clip of its own, ``curriculum.py``.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

import blocks
import numpy as np
import torch
from numpy.typing import NDArray
from report import Claim, Findings, as_bytes, as_grey, experiment, over_grey, sheet
from small_runs import Learned, learned, patient_course, settings

from polytempo.layers.detail import transfer_detail
from polytempo.layers.metrics import psnr
from polytempo.layers.over import premultiplied

LEAST_SPARSE = 0.2
"""Without the regulariser by this share more alpha must lie where a layer has nothing …"""
LEAST_DETAIL_DB = 2.0
"""… and with detail a clip without one person must be nearer to the truth by this, where the other is."""


def main() -> int:
    """Run the experiment."""
    return experiment("ablations", __doc__, run, epochs=160)


def run(given: argparse.Namespace) -> Findings:
    """Everything, and everything but one thing; every seed."""
    everything = patient_course(given.epochs, curriculum_epochs=given.epochs * 2 // 5)
    variants = {
        "everything": everything,
        "no regulariser": replace(everything, regulariser=False),
    }
    found = Findings(settings=settings(everything) | {"curriculum_epochs": everything.curriculum_epochs})
    for seed in given.seeds:
        scene = blocks.two_people(seed, texture=25)
        results = {name: learned(scene, config, seed=seed) for name, config in variants.items()}
        rows = [{"seed": seed, "variant": name, **measures(scene, one)} for name, one in results.items()]
        rows[0] |= {"psnr without detail": edits_psnr(scene, results["everything"], detail=False),
                    "psnr with detail": edits_psnr(scene, results["everything"], detail=True)}  # fmt: skip
        found.table += rows
        if seed == given.seeds[0]:
            frames = (1, 5, 9, 11)
            lines = [("input", [scene.pictures[t] for t in frames])]
            for name, one in results.items():
                lines.append((f"her layer, {name}", [over_grey(one.layers[t, 1]) for t in frames]))
                lines.append((f"his layer's alpha, {name}", [as_grey(one.layers[t, 2, 3]) for t in frames]))
            for name, detail in (("without detail", False), ("with detail", True)):
                picture = without(scene, results["everything"], 2, detail=detail)
                lines.append((f"without him, {name}", [as_bytes(picture[t]) for t in frames]))
            sheet(given.out / "ablations.png", lines)

    def mean(variant: str, column: str) -> float:
        return float(np.mean([row[column] for row in found.table if row["variant"] == variant]))

    stray = "alpha where nothing is"
    found.claims = [
        Claim(text="the regulariser keeps layers sparse (stray alpha that it takes away, share)", least=LEAST_SPARSE,
              value=1 - mean("everything", stray) / max(mean("no regulariser", stray), 1e-9)),
        Claim(text="detail brings an edit nearer to the truth (dB)", least=LEAST_DETAIL_DB,
              value=mean("everything", "psnr with detail") - mean("everything", "psnr without detail")),
    ]  # fmt: skip
    return found


def measures(scene: blocks.Blocks, result: Learned) -> dict[str, float]:
    """Whose the squares are, and how much alpha lies where a layer has nothing."""
    shares: list[float] = []
    for effect in scene.effects.values():
        alphas = [float(result.layers[:, m, 3][effect.seen].mean()) for m in (1, 2)]
        shares.append(alphas[effect.owner - 1] / max(sum(alphas), 1e-6))
    stray = [float(result.layers[:, m, 3][~scene.alpha[m - 1]].mean()) for m in (1, 2)]
    return {
        "share in own layer": float(np.mean(shares)),
        "alpha where nothing is": float(np.mean(stray)),
        "psnr of the clip": psnr(result.picture(), scene.pictures / 255),
    }


def edits_psnr(scene: blocks.Blocks, result: Learned, *, detail: bool) -> float:
    """Mean over both people: the clip without one of them against the truth, on the other's body where it was seen."""
    values: list[float] = []
    for gone, left in ((1, 2), (2, 1)):
        where = scene.cast.subjects[left - 1].mask
        picture = without(scene, result, gone, detail=detail)
        values.append(psnr(picture, scene.truth((left,)) / 255, where=where))
    return float(np.mean(values))


def without(scene: blocks.Blocks, result: Learned, gone: int, *, detail: bool) -> NDArray[np.float32]:
    """The clip without somebody, ``[T, H, W, 3]``, 0…1; layers take the frame's detail first, or do not."""
    out = np.empty((*scene.pictures.shape,), np.float32)
    for t, order in enumerate(result.maps.order):
        stacked = torch.from_numpy(result.layers[t][[0, *order]])
        stacked[0, 3] = 1
        stacked = premultiplied(stacked)
        if detail:
            stacked = transfer_detail(stacked, torch.from_numpy(scene.pictures[t] / 255).permute(2, 0, 1).float())
        picture = stacked[0, :3]
        for m, layer in zip(order, stacked[1:], strict=True):
            if m != gone:
                picture = layer[:3] + picture * (1 - layer[3:])
        out[t] = picture.permute(1, 2, 0).numpy()
    return out


if __name__ == "__main__":
    sys.exit(main())
