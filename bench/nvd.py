"""Method nvd on clips by paper B's protocol, and on scene folders against rendered truth.

A clip goes the way that the command line goes: subjects and camera first, then the atlases and the layers. The model's
picture, neither clamped nor rounded, is held against every frame at working size: PSNR is the mean over frames, as the
paper's; SSIM beside it. On scene folders the layers are then retimed as the truth is, and scored. Example:

    OMP_NUM_THREADS=1 python bench/nvd.py ../shared/bench/disco ../shared/clips/tennis \
        --json bench/results/nvd-draft.json --out out/nvd

A clip is a scene folder; a folder with ``clip.mp4``, ``mask`` and, where the camera is known, ``homographies.txt``; or
a video with ``NAME.prompts.json`` beside it. Projects stay under ``--out``: another run redoes only what has changed.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from machine import commit, machine_facts
from outputs import edl_from_frame_maps, write_output
from pydantic import TypeAdapter
from result_schemas import check_results
from scene_folder import find_score_script, read_scene_folder
from scoring import baseline, score

from polytempo.core.files import write_json
from polytempo.decompose.nvd.build import empty_model
from polytempo.decompose.nvd.config import NvdConfig
from polytempo.decompose.nvd.export import FrameOfModel, frame_of_model
from polytempo.decompose.nvd.model import AtlasModel
from polytempo.layers.metrics import psnr, ssim
from polytempo.layers.store import read_stack
from polytempo.objects.cast import Cast
from polytempo.project.arrays import read_camera, read_cast
from polytempo.project.folder import Project, open_project
from polytempo.project.records import read_record
from polytempo.render.sequence import render_frames
from polytempo.video.frames import FrameStore
from polytempo.video.probe import probe

SCHEMA, VERSION = "polytempo.bench.nvd", 1
BARS: dict[str, dict[str, float]] = {
    "disco": {"psnr": 33, "retime_baked_freeze_1": 30, "retime_freeze_1": 27, "retime_delay_1": 27},
    "tennis": {"psnr": 28},
}
"""What preset ``draft`` must reach, in dB; ``psnr`` is the reconstruction."""
BASELINE_CACHE = Path(__file__).parent / "results" / "baselines"


@dataclass(frozen=True, kw_only=True, slots=True)
class Footage:
    """A clip and what is known of it."""

    name: str
    clip: Path
    known: tuple[str, ...]
    """Words of the command line that say who is in it, and how the camera moves."""
    scene: Path | None = None
    """Where there is rendered truth."""


def footage_at(path: Path, *, masks: str) -> Footage:
    """Find out what a path holds; see the module's text."""
    if (path / "scene.json").is_file():
        return Footage(name=path.name, clip=path / "input.mp4", known=("--subjects", str(path / masks)), scene=path)
    if (path / "clip.mp4").is_file():
        homographies = path / "homographies.txt"
        known = ["--subjects", str(path / "mask")]
        known += ["--homographies", str(homographies)] if homographies.is_file() else []
        return Footage(name=path.name, clip=path / "clip.mp4", known=tuple(known))
    prompts = path.with_suffix(".prompts.json")
    if not (path.is_file() and prompts.is_file()):
        raise SystemExit(f"neither a scene folder, nor a folder with clip.mp4, nor a clip with prompts: {path}")
    return Footage(name=path.stem, clip=path, known=("--subjects", str(prompts)))


def main() -> int:
    """Run, compare, print, write."""
    given = arguments()
    threads = os.environ.get("OMP_NUM_THREADS")
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "version": VERSION,
        "commit": commit(),
        "machine": machine_facts(),
        "threads": int(threads) if threads else None,
        "other_load": round(os.getloadavg()[0], 1),
        "preset": given.preset,
        "changed": list(given.set),
        "clips": {},
    }
    for path in given.clips:
        footage = footage_at(path, masks=given.masks)
        found = document["clips"][footage.name] = run_one(footage, given)
        print(line(footage.name, found), flush=True)
        if given.json:
            check_results(document)
            write_json(given.json, document)
    return 0


def run_one(footage: Footage, given: argparse.Namespace) -> dict[str, Any]:
    """Follow, learn, compare, and where there is truth retime."""
    root: Path = given.out / f"{footage.name}.polytempo"
    common = [str(footage.clip), "--project", str(root)]
    changes = [word for one in given.set for word in ("--set", one)]
    cpu = {"subjects": polytempo("subjects", *common, *footage.known, *changes)}
    cpu["layers"] = polytempo("decompose", *common, "--method", "nvd", "--preset", given.preset, *changes)
    with open_project(root, writing=False) as project:
        stages = {name: stage_cost(project, name) for name in ("camera", "cast", "atlases", "layers")}
        found = compared(project)
        outputs: dict[str, Any] = {}
        if footage.scene is not None:
            outputs = retimed(project, footage.scene, given.out / footage.name, given.score)
    return {
        **found,
        "stages": stages,
        "cpu_seconds": cpu,
        "outputs": outputs,
        "below_bars": below(footage.name, {"psnr": found["psnr"], **{k: row["psnr"] for k, row in outputs.items()}}),
    }


def polytempo(*words: str) -> float:
    """Run one command; its seconds of processor time, which do not depend on who else is at work."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-m", "polytempo", *words, "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"polytempo {' '.join(words)} failed:\n{done.stderr.strip() or done.stdout.strip()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1)


def stage_cost(project: Project, stage: str) -> dict[str, float]:
    """Wall seconds and peak memory, as the project has them."""
    record = read_record(project.current_result(stage) / "record.json")
    assert record is not None  # a result without one is none
    return {"seconds": round(record.seconds, 1), "peak_mb": round(record.peak_mb, 1)}


def compared(project: Project) -> dict[str, Any]:
    """The model against the frames."""
    frames = FrameStore.open(project.current_result("frames") / "store")
    cast = read_cast(project.current_result("cast") / "cast.npz")
    model = model_of(project, frames, cast)
    somebody = np.any([one.mask for one in cast.subjects], axis=0)
    rows: list[dict[str, float]] = []
    for t, said in enumerate(said_of(model)):
        truth = np.asarray(frames[t]) / 255.0
        picture = said.composite.numpy().astype(np.float64)
        unlit = (said.colour * said.alpha[..., None]).sum(0).numpy().astype(np.float64)
        row = {"psnr": psnr(picture, truth), "ssim": ssim(picture, truth), "psnr_unlit": psnr(unlit, truth)}
        if somebody[t].any() and not somebody[t].all():
            row |= {
                "psnr_subjects": psnr(picture, truth, where=somebody[t]),
                "psnr_rest": psnr(picture, truth, where=~somebody[t]),
            }
        rows.append(row)
    width, height = frames.size
    means = {
        name: round(statistics.fmean(one[name] for one in rows if name in one), 4 if name == "ssim" else 2)
        for name in dict.fromkeys(name for one in rows for name in one)
    }
    return {"frames": len(frames), "width": width, "height": height, "layers": model.n_layers, **means}


def model_of(project: Project, frames: FrameStore, cast: Cast) -> AtlasModel:
    """The trained model that a project holds."""
    folder = project.current_result("atlases")
    record = read_record(folder / "record.json")
    assert record is not None
    config = TypeAdapter(NvdConfig).validate_python(record.config)
    camera = read_camera(project.current_result("camera") / "camera.json")
    model = empty_model(frames, camera, cast, config=config)
    model.load_state_dict(safetensors.torch.load_file(folder / "atlases.safetensors"))
    return model


def said_of(model: AtlasModel) -> Iterator[FrameOfModel]:
    """The model's frames."""
    with torch.no_grad():
        for t in range(model.extent.n_frames):
            yield frame_of_model(model, t)


def retimed(project: Project, scene_path: Path, out: Path, script: Path | None) -> dict[str, Any]:
    """What the truth shows, rendered from the project's layers and scored; the masked median beside it."""
    scene, clip = read_scene_folder(scene_path), probe(scene_path / "input.mp4")
    stack = read_stack(project.current_result("layers") / "stack")
    layer_of = {int(one.name): one.layer_id for one in stack.layers}
    for name, maps in scene.outputs().items():
        edl = edl_from_frame_maps({layer_of[k]: frames for k, frames in maps.items()}, stack, clip)
        write_output(out / f"{name}.mp4", render_frames(stack, edl, clip), fps=scene.fps)
    score_script = find_score_script(scene_path.parent, script)
    ours = score(score_script, scene_path, out)["outputs"]
    beside = baseline(score_script, scene_path, "masked-median", BASELINE_CACHE)["outputs"]
    kept = ("psnr", "ssim", "effect", "hole", "disocc")
    return {
        name: {
            key: None if value is None else round(value, 4)
            for key, value in [
                *((one, row.get(one)) for one in kept),
                ("masked_median", beside.get(name, {}).get("psnr")),
            ]
        }
        for name, row in ours.items()
        if row["status"] == "ok"
    }


def below(name: str, figures: dict[str, float]) -> list[str]:
    """Names of figures that are missing or below their bars."""
    return [key for key, bar in BARS.get(name, {}).items() if figures.get(key, 0) < bar]


def line(name: str, found: dict[str, Any]) -> str:
    """A clip's figures as text."""
    lines = [
        f"{name}: {found['frames']} frames of {found['width']}x{found['height']}, {found['layers']} layers: "
        f"PSNR {found['psnr']:.2f} dB (subjects {found.get('psnr_subjects', np.nan):.2f}, rest "
        f"{found.get('psnr_rest', np.nan):.2f}, without light {found['psnr_unlit']:.2f}), SSIM {found['ssim']:.4f}",
        "  " + "  ".join(f"{k} {v['seconds']:.0f} s {v['peak_mb']:.0f} MB" for k, v in found["stages"].items())
        + f"  processor {found['cpu_seconds']['subjects']:.0f} + {found['cpu_seconds']['layers']:.0f} s",
        *(f"  {k:<24} {row['psnr']:.2f} dB  (masked median {row['masked_median']:.2f})"
          for k, row in found["outputs"].items() if row["masked_median"] is not None),
        f"  below the bar: {', '.join(found['below_bars']) or 'nothing'}",
    ]  # fmt: skip
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="+", metavar="CLIP", help="see above")
    parser.add_argument("--preset", default="draft", choices=["draft", "standard", "paper"])
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help="as for polytempo")
    parser.add_argument("--masks", default="rough_masks", choices=["rough_masks", "masks"], help="of scene folders")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="projects and outputs")
    parser.add_argument("--score", type=Path, metavar="PATH", help="score.py, when it is not with the scenes")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
