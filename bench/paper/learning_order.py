"""Paper A, Figures 6 and 7: what goes with a person is learned first, and by that person's layer.

    python bench/paper/learning_order.py --out out/paper --json bench/results/paper-learning-order.json

Trains the neural model of preset ``paper`` from nothing on three tiny sequences. For Figure 6 it is noted how far each
square is reconstructed after every epoch; for Figure 7 in whose layer each square ends up. What the paper claims is
asserted by a margin, and the exit code is 1 where it is not met. An epoch takes about five seconds on one idle core; in
60 epochs people are found and squares are not yet, so give it some hundreds.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import blocks
import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from polytempo.core.files import write_json
from polytempo.decompose.lnr.augment import JitterConfig
from polytempo.decompose.lnr.maps import LayerMaps, layer_maps, make_batch
from polytempo.decompose.lnr.model import LayeredRenderer, composite_straight
from polytempo.decompose.lnr.paper_config import LnrConfig
from polytempo.decompose.lnr.train import train

LEAST_LEAD = 0.05
"""Figure 6: by so much of its contrast the correlated square must be ahead, as a mean over the epochs."""
LEAST_SHARE = 0.6
"""Figure 7: so much of a square's alpha must be its own person's …"""
LEAST_ALPHA = 0.3
"""… and its own person must show it: of two alphas near nothing a share says nothing."""


def course(n_epochs: int) -> LnrConfig:
    """Paper A's training without what needs thousands of epochs: no jitter, no curriculum on twelve frames."""
    return LnrConfig(
        n_epochs=n_epochs, batch_size=4, curriculum_epochs=0, l1_epochs=max(1, n_epochs // 12),
        jitter=JitterConfig(brightness=0, crop_share=0),
    )  # fmt: skip


def watched(
    scene: blocks.Blocks, n_epochs: int, seed: int
) -> tuple[dict[str, list[float]], LayeredRenderer, LayerMaps]:
    """How far each square is reconstructed after every epoch: 0 nothing, 1 wholly; with the trained model."""
    maps = layer_maps(scene.cast, scene.camera, {})
    clean = np.median(scene.pictures, 0)
    seen: dict[str, list[float]] = {name: [] for name in scene.squares}

    def watch(_: int, model: LayeredRenderer) -> None:
        picture = composites(model, maps, scene.pictures)
        for name, mask in scene.squares.items():
            missed = np.abs(picture - scene.pictures)[mask].mean()
            contrast = np.abs(clean[None] - scene.pictures)[mask].mean()
            seen[name].append(float(1 - missed / contrast))

    trained = train(scene.pictures, maps, config=course(n_epochs), seed=seed, watch=watch)
    return seen, trained.model, maps


def layers_of(model: LayeredRenderer, maps: LayerMaps, pictures: NDArray[np.uint8]) -> torch.Tensor:
    """Straight layers ``[T, M, 4, H, W]``, 0…1, with batch statistics as in training."""
    with torch.no_grad():
        return model(make_batch(maps, pictures, np.arange(len(pictures))))


def composites(model: LayeredRenderer, maps: LayerMaps, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Composite of every frame, ``[T, H, W, 3]``, 0…255."""
    batch = make_batch(maps, pictures, np.arange(len(pictures)))
    picture = composite_straight(layers_of(model, maps, pictures), batch.order)
    return (picture * 255).permute(0, 2, 3, 1).numpy()


def figure_6(scene: blocks.Blocks, ahead: str, behind: str, n_epochs: int, seed: int, out: Path) -> dict[str, Any]:
    """Order of learning of two squares."""
    seen, _, _ = watched(scene, n_epochs, seed)
    lead = float(np.mean(np.array(seen[ahead]) - np.array(seen[behind])))
    _chart(out / f"figure-6-{scene.name}.png", seen)
    return {"claim": f"'{ahead}' is learned before '{behind}'", "lead": lead, "least": LEAST_LEAD,
            "met": lead >= LEAST_LEAD, "curves": {k: [round(v, 4) for v in c] for k, c in seen.items()}}  # fmt: skip


def figure_7(n_epochs: int, seed: int, out: Path) -> dict[str, Any]:
    """Assignment of two squares to two people."""
    scene = blocks.two_people(seed)
    seen, model, maps = watched(scene, n_epochs, seed)
    layers = layers_of(model, maps, scene.pictures).numpy()
    owner = {"hers": 1, "his": 2}
    shares: dict[str, float] = {}
    own: dict[str, float] = {}
    for name, mask in scene.squares.items():
        alpha = [float(layers[:, m, 3][mask].mean()) for m in (1, 2)]
        own[name] = alpha[owner[name] - 1]
        shares[name] = own[name] / max(sum(alpha), 1e-6)
    tiles = [
        np.hstack([_tile(scene.pictures[t]), *(_tile(_over_grey(layers[t, m])) for m in (1, 2))]) for t in (1, 5, 9)
    ]
    _write(out / "figure-7.png", np.vstack(tiles))
    return {"claim": "each square goes to its own person's layer", "shares": shares, "least": LEAST_SHARE,
            "alphas": own, "least_alpha": LEAST_ALPHA,
            "met": min(shares.values()) >= LEAST_SHARE and min(own.values()) >= LEAST_ALPHA,
            "curves": {k: [round(v, 4) for v in c] for k, c in seen.items()}}  # fmt: skip


def main() -> int:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=["motion", "proximity", "assignment"])
    parser.add_argument("--epochs", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the figures go")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    given = parser.parse_args()
    n, seed, out = given.epochs, given.seed, given.out
    runs: dict[str, Callable[[], dict[str, Any]]] = {
        "motion": lambda: figure_6(blocks.motion(seed), "with her", "at random", n, seed, out),
        "proximity": lambda: figure_6(blocks.proximity(seed), "near", "far", n, seed, out),
        "assignment": lambda: figure_7(n, seed, out),
    }
    document: dict[str, Any] = {"schema": "polytempo.bench.paper", "version": 1, "epochs": n, "seed": seed, "runs": {}}
    for name in given.only or runs:
        started = time.perf_counter()
        result = runs[name]()
        result["seconds"] = round(time.perf_counter() - started, 1)
        document["runs"][name] = result
        brief = {key: value for key, value in result.items() if key != "curves"}
        print(f"{name}: {json.dumps(brief)}", flush=True)
        if given.json:
            write_json(given.json, document)
    return 0 if all(one["met"] for one in document["runs"].values()) else 1


def _chart(path: Path, curves: dict[str, list[float]]) -> None:
    """Curves over epochs, 0 below and 1 above."""
    width, height = 480, 260
    picture = np.full((height, width, 3), 255, np.uint8)
    colours = ((40, 140, 60), (200, 80, 60))
    for (name, values), colour in zip(curves.items(), colours, strict=False):
        x = np.linspace(30, width - 20, len(values))
        y = (height - 30) - np.clip(values, 0, 1) * (height - 60)
        points = np.stack([x, y], -1).round().astype(np.int32)
        cv2.polylines(picture, [points], isClosed=False, color=colour, thickness=2, lineType=cv2.LINE_AA)
        place = (int(x[-1]) - 90, int(y[-1]) - 8)
        cv2.putText(picture, name, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, 1, cv2.LINE_AA)
    _write(path, picture)


def _over_grey(rgba: NDArray[np.float32]) -> NDArray[np.uint8]:
    colour, alpha = rgba[:3].transpose(1, 2, 0), rgba[3][..., None]
    return ((colour * alpha + 0.6 * (1 - alpha)) * 255).astype(np.uint8)


def _tile(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return cv2.resize(picture, None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST)


def _write(path: Path, picture: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    done, data = cv2.imencode(".png", picture[..., ::-1])
    assert done
    path.write_bytes(data.tobytes())


if __name__ == "__main__":
    sys.exit(main())
