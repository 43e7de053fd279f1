"""Paper A, Figure 11: a layered against a non-layered model.

    python bench/paper/figure_11.py --out out/paper

The non-layered model is the same network over one sampled texture of everybody and the background at once; it gives
the frame itself and is trained with L1 alone. Both are to reconstruct the clip, then to show it without either person.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

import blocks
import numpy as np
import torch
from numpy.typing import NDArray
from report import Claim, Findings, as_bytes, experiment, sheet
from small_runs import learned, maps_of_blocks, patient_course, settings

from polytempo.decompose.lnr.losses import reconstruction_loss
from polytempo.decompose.lnr.maps import LayerMaps, make_batch
from polytempo.decompose.lnr.model import LayeredRenderer, unit_range
from polytempo.decompose.lnr.paper_config import LnrConfig
from polytempo.decompose.lnr.train import epoch_seed, new_model
from polytempo.layers.metrics import psnr

LEAST_RECONSTRUCTION_DB = 24.0
"""So near must both come to the clip."""
LEAST_GAIN_DB = 1.5
"""By so much must layers be nearer to the truth where the person taken out and their square had been."""


def main() -> int:
    """Run the experiment."""
    return experiment("figure-11", __doc__, run, epochs=110)


def run(given: argparse.Namespace) -> Findings:
    """Both models, every seed."""
    config = patient_course(given.epochs)
    found = Findings(settings=settings(config))
    for seed in given.seeds:
        scene = blocks.two_people(seed)
        maps = maps_of_blocks(scene)
        layered = learned(scene, config, seed=seed, maps=maps)
        model = non_layered(scene, flat(maps, (1, 2)), config, seed=seed)
        pictures: dict[tuple[str, tuple[int, ...]], NDArray[np.float32]] = {}
        for shown in ((1, 2), (2,), (1,)):
            pictures["layered", shown] = layered.picture(shown)
            pictures["non-layered", shown] = picture_of(model, flat(maps, shown), scene)
            truth = scene.truth(shown) / 255
            gone = [scene.alpha[k - 1] for k in (1, 2) if k not in shown]
            where = np.any(gone, axis=0) if gone else np.ones(scene.alpha.shape[1:], bool)
            found.table += [
                {"seed": seed, "model": name, "shown": ", ".join(("she", "he")[k - 1] for k in shown),
                 "psnr": psnr(picture, truth), "psnr where somebody is gone": psnr(picture, truth, where=where)}
                for name in ("layered", "non-layered")
                if (picture := pictures[name, shown]) is not None
            ]  # fmt: skip
        if seed == given.seeds[0]:
            frames = (1, 5, 9, 11)
            rows = [("input", [scene.pictures[t] for t in frames])]
            rows += [
                (f"{name}, {'all' if len(shown) == 2 else 'without her' if shown == (2,) else 'without him'}",
                 [as_bytes(pictures[name, shown][t]) for t in frames])
                for shown in ((1, 2), (2,), (1,)) for name in ("layered", "non-layered")
            ]  # fmt: skip
            sheet(given.out / "figure-11.png", rows)
    whole = [row for row in found.table if row["shown"] == "she, he"]
    edits = [row for row in found.table if row["shown"] != "she, he"]
    column = "psnr where somebody is gone"
    gains = [
        a[column] - b[column]
        for a, b in zip(edits[::2], edits[1::2], strict=True)
    ]  # fmt: skip
    found.claims = [
        Claim(text="both reconstruct the clip (dB)", least=LEAST_RECONSTRUCTION_DB,
              value=min(row["psnr"] for row in whole)),
        Claim(text="with a person taken out, layers are nearer to the truth (dB, mean gain)", least=LEAST_GAIN_DB,
              value=float(np.mean(gains))),
    ]  # fmt: skip
    return found


def flat(maps: LayerMaps, shown: tuple[int, ...]) -> LayerMaps:
    """The people shown over one another and the background, as a single map."""
    tile, uv, person = (one[:, :1].copy() for one in (maps.tile, maps.uv, maps.person))
    for t, order in enumerate(maps.order):
        for m in (int(one) for one in order if int(one) in shown):
            there = maps.person[t, m] > 0
            tile[t, 0][there], person[t, 0][there] = maps.tile[t, m][there], maps.person[t, m][there]
            uv[t, 0][:, there] = maps.uv[t, m][:, there]
    return replace(maps, tile=tile, uv=uv, person=person, trimap=maps.trimap[:, :0], order=maps.order[:, :0])


def non_layered(scene: blocks.Blocks, maps: LayerMaps, config: LnrConfig, *, seed: int) -> LayeredRenderer:
    """Train the same network on the one map, by L1 alone, in as many steps of the same size.

    Source: LNR, Section 6.4.2.
    """
    model = new_model(maps.n_people, seed=seed, base_channels=config.base_channels)
    optimiser = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    for epoch in range(config.n_epochs):
        frames = torch.randperm(maps.n_frames, generator=torch.Generator().manual_seed(epoch_seed(seed, epoch))).numpy()
        for start in range(0, len(frames), config.batch_size):
            chosen = frames[start : start + config.batch_size]
            batch = make_batch(maps, scene.pictures[chosen], chosen)
            optimiser.zero_grad()
            loss = reconstruction_loss(unit_range(model.render_layer(batch, 0).rgba[:, :3]), batch.frames)
            loss.backward()
            optimiser.step()
    return model


def picture_of(model: LayeredRenderer, maps: LayerMaps, scene: blocks.Blocks) -> NDArray[np.float32]:
    """What the network makes of a map, ``[T, H, W, 3]``, 0…1, with batch statistics as in training."""
    batch = make_batch(maps, scene.pictures, np.arange(maps.n_frames))
    with torch.no_grad():
        return unit_range(model.render_layer(batch, 0).rgba[:, :3]).permute(0, 2, 3, 1).numpy()


if __name__ == "__main__":
    sys.exit(main())
