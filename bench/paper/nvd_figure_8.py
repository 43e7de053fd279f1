"""Figure 8 of paper B: kinds of residual, and of encoding, at equal time; and what the residual is for.

Every variant is trained for the same processor time on a scene folder with rendered truth (``disco``). Beside the
reconstruction stands the *shading of paint*: the background's texture is painted over in one colour, and the painted
wall under the model's light is held against the same paint under the truth's light. A colour's mean and strength are a
matter of taste between texture and light, so both are fitted, a gain and an offset a channel, to every variant alike.

    OMP_NUM_THREADS=1 python bench/paper/nvd_figure_8.py ../shared/bench/disco --out out/paper --seconds 60
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from report import Claim, Findings, as_bytes, experiment, sheet
from scene_folder import SceneFolder, read_scene_folder

from polytempo.camera.path import CameraPath, static_path
from polytempo.decompose.nvd.config import FieldConfig, NvdConfig, nvd_draft_config, nvd_shortened
from polytempo.decompose.nvd.export import frame_of_model
from polytempo.decompose.nvd.footage import Footage, clip_footage
from polytempo.decompose.nvd.model import AtlasModel, LayerStart
from polytempo.decompose.nvd.starts import layer_starts
from polytempo.decompose.nvd.train import train
from polytempo.layers.metrics import psnr
from polytempo.objects.build import build_cast
from polytempo.objects.flow import neighbour_flow
from polytempo.video.frames import FrameStore
from polytempo.video.probe import probe

PAINT = 0.6
"""Grey that the wall is painted in."""
TRIAL_STEPS = 12
SINES = FieldConfig(encoding="sines", n_hidden=3, width=64)
Video = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Given:
    """A scene as all variants see it."""

    footage: Footage
    frames: Video
    """``[T, H, W, 3]``, 0…1."""
    wall: Video
    """Truth: the background alone."""
    camera: CameraPath

    def starts(self, config: NvdConfig) -> list[LayerStart]:
        """Where the layers start."""
        return layer_starts(self.footage, self.camera, config)


def variants(given: Given) -> dict[str, NvdConfig]:
    """What is compared; all but one thing as in preset ``draft``."""
    base = nvd_draft_config()
    # A factor's departure counts in the picture times the colour, an addend's by itself: for equal strength there, the
    # addend's weight is divided by the mean square of colours.
    fair = base.weights.residual / float((given.frames**2).mean())
    return {
        "multiplicative": base,
        "additive": replace(base, residual_kind="additive"),
        "additive, held alike": replace(
            base, residual_kind="additive", weights=replace(base.weights, residual=fair)
        ),
        "none": replace(base, residual_kind="none"),
        "sines": replace(base, texture=SINES, residual=SINES, residual_background=None, alpha=SINES),
    }  # fmt: skip


def run(given: argparse.Namespace) -> Findings:
    """Train all, measure, draw."""
    scene = read_scene_folder(given.scene)
    seen = given_scene(scene, width=given.width)
    found = Findings(settings={"scene": scene.name, "width": given.width, "seconds": given.seconds, "paint": PAINT})
    painted = painted_truth(seen)
    t = len(seen.frames) // 4
    pictures = {"frame and truth": [as_bytes(seen.frames[t]), as_bytes(seen.frames[3 * t]), as_bytes(painted[t]),
                                    as_bytes(painted[3 * t])]}  # fmt: skip
    for name, config in variants(seen).items():
        rows = [
            measured(seen, config, painted, seconds=given.seconds, seed=seed, keep=(t, 3 * t)) for seed in given.seeds
        ]
        pictures[name] = rows[0][1]
        numbers = [one for one, _ in rows]
        found.table.append(
            {"variant": name} | {key: float(np.mean([one[key] for one in numbers])) for key in numbers[0]}
        )
    of = {row["variant"]: row for row in found.table}
    best = of["multiplicative"]
    found.claims += [
        Claim(text="with a residual the picture is nearer than with none, dB", value=best["psnr"] - of["none"]["psnr"],
              least=3.0),
        Claim(text="paint follows the light better under factors than under addends (correlation)",
              value=best["shading"] - max(of["additive"]["shading"], of["additive, held alike"]["shading"]), least=0.1),
        Claim(text="painted walls are nearer to the truth under factors than under addends, dB",
              value=best["painted"] - max(of["additive"]["painted"], of["additive, held alike"]["painted"]), least=1.0),
        Claim(text="hash grids are nearer than sines at equal time, dB", value=best["psnr"] - of["sines"]["psnr"],
              least=1.0),
        Claim(text="factors are nearer than addends held alike, dB",
              value=best["psnr"] - of["additive, held alike"]["psnr"], least=0.0),
    ]  # fmt: skip
    sheet(given.out / "nvd-figure-8.png", list(pictures.items()), zoom=1)
    return found


def measured(
    seen: Given, config: NvdConfig, painted: Video, *, seconds: float, seed: int, keep: tuple[int, int]
) -> tuple[dict[str, float], list[NDArray[np.uint8]]]:
    """Train a variant for so long; its figures, and its pictures at two times, plain and painted."""
    starts = seen.starts(config)
    trial = nvd_shortened(config, TRIAL_STEPS)
    train(seen.footage, starts, config=trial, seed=seed)  # compiles
    before = time.process_time()
    train(seen.footage, starts, config=trial, seed=seed)
    n_steps = max(round(seconds / (time.process_time() - before) * TRIAL_STEPS), 2 * TRIAL_STEPS)
    before = time.process_time()
    model = train(seen.footage, starts, config=nvd_shortened(config, n_steps), seed=seed).model
    spent = time.process_time() - before
    plain, under_paint, values = [], [], []
    for t, (picture, wall) in enumerate(said(model)):
        values.append(psnr(picture, seen.frames[t]))
        plain.append(picture)
        under_paint.append(wall)
    lit = fitted(np.stack(under_paint), painted, where=bare_always(seen))
    bare = bare_always(seen)
    row = {
        "steps": float(n_steps),
        "processor_seconds": spent,
        "psnr": float(np.mean(values)),
        "painted": psnr(lit[:, bare], painted[:, bare]),
        "shading": shading_correlation(lit[:, bare], painted[:, bare]),
    }
    return row, [as_bytes(one[t]) for one in (plain, lit) for t in keep]


def said(model: AtlasModel) -> Iterator[tuple[Video, Video]]:
    """Frames of a model, and the background painted over in one colour under the model's light."""
    for t in range(model.extent.n_frames):
        frame = frame_of_model(model, t)
        paint = torch.full_like(frame.colour[-1], PAINT)
        yield frame.composite.numpy(), model.shaded(paint, frame.residual[-1]).numpy()


def painted_truth(seen: Given) -> Video:
    """The wall painted in one colour under the truth's light: that of each moment relative to its mean over time."""
    return PAINT * seen.wall / np.maximum(seen.wall.mean(0), 0.02)


def bare_always(seen: Given) -> NDArray[np.bool_]:
    """Pixels that nobody is ever near, bright enough for the truth's light to be known."""
    return ~seen.footage.near.numpy().any(0) & (seen.wall.mean(0).min(-1) > 0.04)


def fitted(picture: Video, truth: Video, *, where: NDArray[np.bool_]) -> Video:
    """The picture with the gain and offset a channel that bring it nearest to the truth."""
    a, b = picture[:, where], truth[:, where]
    a_mean, b_mean = a.mean((0, 1)), b.mean((0, 1))
    slope = ((a - a_mean) * (b - b_mean)).mean((0, 1)) / np.maximum(((a - a_mean) ** 2).mean((0, 1)), 1e-9)
    return (b_mean + slope * (picture - a_mean)).astype(np.float32)


def shading_correlation(picture: Video, truth: Video) -> float:
    """Correlation of changes over time, pooled over places and channels; 0 where nothing changes."""
    a, b = picture - picture.mean(0), truth - truth.mean(0)
    return float((a * b).sum() / np.sqrt(max(float((a**2).sum() * (b**2).sum()), 1e-12)))


def given_scene(scene: SceneFolder, *, width: int) -> Given:
    """Read a scene folder at a width; its camera stands still, and that is told."""
    clip = probe(scene.path / "input.mp4")
    size = (width, round(clip.height * width / clip.width))
    with tempfile.TemporaryDirectory() as folder:
        pictures = np.array(FrameStore.build(clip, Path(folder) / "frames", size=size).pictures)
    masks = {name: np.stack([_resized(one, size) for one in mask]) for name, mask in scene.masks("rough_masks").items()}
    camera = static_path(scene.n_frames, size)
    footage = clip_footage(pictures, build_cast(masks, pictures, camera), neighbour_flow(pictures))
    with av.open(str(scene.path / "truth" / "background.mp4")) as container:
        wall = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    small = np.stack([cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in wall])
    return Given(
        footage=footage, frames=pictures.astype(np.float32) / 255, wall=small.astype(np.float32) / 255,
        camera=camera,
    )  # fmt: skip


def _resized(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    return cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) >= 0.5


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scene", type=Path, help="a scene folder whose camera stands still")
    parser.add_argument("--seconds", type=float, default=60.0, help="processor time of each variant")
    parser.add_argument("--width", type=int, default=224, help="pixels that frames are wide")


if __name__ == "__main__":
    sys.exit(experiment("nvd-figure-8", __doc__, run, more=_arguments))
