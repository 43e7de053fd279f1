"""Figures 7 and 8 of paper B: kinds of residual, and of encoding, at equal time; and what the residual is for.

Every variant is trained for the same processor time on a scene folder with rendered truth (``disco``), and looked at
with its residual and without it (factors of 1, addends of 0). Kinds of residual cost the same a step, so their time is
told in steps, which are alike for all of them whoever else is at work. What is measured:

- *reconstruction*, PSNR as the paper takes it, and its *drop* where the residual is switched off (Figure 8a): a
  residual that holds what belongs to the texture leaves a worse picture behind. It cannot vanish where lights change,
  so it is read beside *unlit*, what remains, and beside the model that never had a residual;
- *texture* (Figure 7): the wall's atlas against the truth's mean over time, PSNR, where nobody ever is;
- *painted*, *shading*: the wall's texture is painted over in one colour, and the painted wall under the model's light
  is held against the same paint under the truth's light: PSNR, and correlation of changes over time. A colour's mean
  and strength are a matter of taste between texture and light, so here, and for *texture*, both are fitted, a gain and
  an offset a channel, to every variant alike;
- *curves* (Figure 8b): PSNR of the points of a step, over the steps.

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
from typing import Any, Literal

import av
import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from report import Claim, Findings, Picture, as_bytes, chart, experiment, sheet
from scene_folder import SceneFolder, read_scene_folder

from polytempo.camera.path import CameraPath, static_path
from polytempo.decompose.nvd.config import (
    FieldConfig,
    LossWeights,
    NvdConfig,
    nvd_draft_config,
    nvd_shortened,
)
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
TRIAL_STEPS = 40
"""Steps that tell how many fit into the time."""
SMOOTHED = 5
"""Logged steps over which a curve is averaged."""
CHART_TOP_DB = 40.0
AS_PRINTED = LossWeights().residual
"""Weight of paper B's Eq. 11."""
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


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Measured:
    """A variant, trained."""

    numbers: dict[str, float]
    pictures: list[Picture]
    """A frame, the same without the residual, the background's texture, and the painted wall."""
    curve: list[float]
    """PSNR of the points of every ``LOG_EVERY``-th step, averaged over some."""


def variants(given: Given) -> dict[str, NvdConfig]:
    """What is compared; all but one thing as in preset ``draft``."""
    base = nvd_draft_config()
    # A factor's departure counts in the picture times the colour, an addend's by itself: for equal strength there, the
    # addend's weights are divided by the mean square of colours.
    brightness = float((given.frames**2).mean())

    def of_kind(kind: Literal["multiplicative", "additive"], *, residual: float, lasting: float) -> NvdConfig:
        return replace(base, residual_kind=kind, weights=replace(base.weights, residual=residual, lasting=lasting))

    residual, lasting = base.weights.residual, base.weights.lasting
    return {
        "multiplicative": base,
        "additive": of_kind("additive", residual=residual, lasting=lasting),
        "additive, held alike": of_kind("additive", residual=residual / brightness, lasting=lasting / brightness),
        "multiplicative, Eq. 11 as printed": of_kind("multiplicative", residual=AS_PRINTED, lasting=0.0),
        "additive, Eq. 11 as printed": of_kind("additive", residual=AS_PRINTED, lasting=0.0),
        "none": replace(base, residual_kind="none"),
        "sines": replace(base, texture=SINES, residual=SINES, residual_background=None, alpha=SINES),
    }


def run(given: argparse.Namespace) -> Findings:
    """Train all, measure, draw."""
    scene = read_scene_folder(given.scene)
    seen = given_scene(scene, width=given.width)
    found = Findings(settings={"scene": scene.name, "width": given.width, "seconds": given.seconds, "paint": PAINT})
    painted = painted_truth(seen)
    t = len(seen.frames) // 4
    truth = [as_bytes(one) for one in (seen.frames[t], seen.frames[3 * t], seen.wall.mean(0), painted[t])]
    pictures = {"two frames; the wall's mean over time; painted": truth}
    kinds = steps_in(seen, nvd_draft_config(), given.seconds)
    for name, config in variants(seen).items():
        alike = config.residual_kind != "none" and config.texture.encoding == "hash"
        n_steps = kinds if alike else steps_in(seen, config, given.seconds)
        runs = [measured(seen, config, painted, n_steps=n_steps, seed=seed, frame=t) for seed in given.seeds]
        pictures[name] = runs[0].pictures
        found.curves[name] = runs[0].curve
        means = {key: float(np.mean([one.numbers[key] for one in runs])) for key in runs[0].numbers}
        found.table.append({"variant": name, **means})
    found.claims += claims({row["variant"]: row for row in found.table}, found.curves)
    sheet(given.out / "nvd-figure-8.png", list(pictures.items()), zoom=1)
    curves = {name: [one / CHART_TOP_DB for one in found.curves[name]] for name in ("multiplicative", "sines")}
    chart(
        given.out / "nvd-figure-8-curves.png", curves, across="equal processor time", up=f"PSNR / {CHART_TOP_DB:g} dB"
    )
    return found


def claims(of: dict[str, dict[str, Any]], curves: dict[str, list[float]]) -> list[Claim]:
    """What the paper says, and what we say of paint, from the table and the curves."""

    def ahead(figure: str, one: str, other: str) -> float:
        return float(of[one][figure] - of[other][figure])

    factors, addends = "multiplicative", "additive, held alike"
    printed = ("multiplicative, Eq. 11 as printed", "additive, Eq. 11 as printed")
    needed = next((i for i, one in enumerate(curves[factors], 1) if one >= curves["sines"][-1]), np.inf)
    return [
        Claim(text="with a residual the picture is nearer than with none, dB", value=ahead("psnr", factors, "none"),
              least=3.0),
        Claim(text="switched off, addends leave a larger drop than factors, Eq. 11 as printed, dB (Figure 8a)",
              value=ahead("drop", *printed[::-1]), least=3.0),
        Claim(text="the same with our weights, both held alike, dB", value=ahead("drop", addends, factors), least=1.0),
        Claim(text="the texture is nearer to the wall under factors, Eq. 11 as printed, dB (Figure 7)",
              value=ahead("texture", *printed), least=3.0),
        Claim(text="the same with our weights, both held alike, dB",
              value=ahead("texture", factors, addends), least=0.5),
        Claim(text="painted walls are nearer to the truth under factors, Eq. 11 as printed, dB",
              value=ahead("painted", *printed), least=1.0),
        Claim(text="the same with our weights, both held alike, dB",
              value=ahead("painted", factors, addends), least=0.3),
        Claim(text="hash grids are nearer than sines at equal time, dB (Figure 8b)",
              value=ahead("psnr", factors, "sines"), least=1.0),
        Claim(text="and are where sines end in so many times fewer steps (Figure 8b)",
              value=len(curves["sines"]) / needed, least=1.5),
    ]  # fmt: skip


def steps_in(seen: Given, config: NvdConfig, seconds: float) -> int:
    """Steps of a variant that take so much processor time."""
    starts, trial = seen.starts(config), nvd_shortened(config, TRIAL_STEPS)
    train(seen.footage, starts, config=nvd_shortened(config, 4))  # compiles
    before = time.process_time()
    train(seen.footage, starts, config=trial)
    return max(round(seconds / (time.process_time() - before) * TRIAL_STEPS), 24)


def measured(seen: Given, config: NvdConfig, painted: Video, *, n_steps: int, seed: int, frame: int) -> Measured:
    """Train a variant; its figures, and its pictures at a time."""
    starts = seen.starts(config)
    before = time.process_time()
    trained = train(seen.footage, starts, config=nvd_shortened(config, n_steps), seed=seed)
    spent = time.process_time() - before
    said = list(said_of(trained.model))
    bare, wall = bare_always(seen), seen.wall.mean(0)
    lit = fitted(np.stack([one.painted for one in said]), painted, where=bare)
    texture = fitted(said[frame].texture[None], wall[None], where=bare)[0]
    with_light = float(np.mean([psnr(one.picture, truth) for one, truth in zip(said, seen.frames, strict=True)]))
    unlit = float(np.mean([psnr(one.unlit, truth) for one, truth in zip(said, seen.frames, strict=True)]))
    pictures = (said[frame].picture, said[frame].unlit, said[frame].texture, lit[frame])
    return Measured(
        numbers={
            "steps": float(n_steps),
            "processor_seconds": spent,
            "psnr": with_light,
            "unlit": unlit,
            "drop": with_light - unlit,
            "texture": psnr(texture[bare], wall[bare]),
            "painted": psnr(lit[:, bare], painted[:, bare]),
            "shading": shading_correlation(lit[:, bare], painted[:, bare]),
        },
        pictures=[as_bytes(one) for one in pictures],
        curve=curve([one["colour"] for one in trained.history]),
    )


def curve(colour_loss: list[float]) -> list[float]:
    """PSNR from the colour term, a sum over three channels, each averaged with those just before it."""
    found = -10 * np.log10(np.array(colour_loss) / 3)
    return [float(found[max(i + 1 - SMOOTHED, 0) : i + 1].mean()) for i in range(len(found))]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Said:
    """What a model says of a frame, ``[H, W, 3]``."""

    picture: Video
    unlit: Video
    """With the residuals switched off."""
    texture: Video
    """Of the background."""
    painted: Video
    """The background painted over in one colour under the model's light."""


def said_of(model: AtlasModel) -> Iterator[Said]:
    """Frames of a model."""
    for t in range(model.extent.n_frames):
        frame = frame_of_model(model, t)
        paint = torch.full_like(frame.colour[-1], PAINT)
        yield Said(
            picture=frame.composite.numpy(),
            unlit=(frame.colour * frame.alpha[..., None]).sum(0).numpy(),
            texture=frame.colour[-1].numpy(),
            painted=model.shaded(paint, frame.residual[-1]).numpy(),
        )


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
