"""Retimed layers in the light of the output's moment, scored against rendered truth: both systems, every way to light.

    python bench/relight.py SCENE --project nvd.polytempo --project lnr.polytempo --json relight.json

Figures are PSNR in dB, pooled over all frames: of the whole picture, and where the retimed bodies are.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
from machine import commit, machine_facts
from numpy.typing import NDArray
from outputs import edl_from_frame_maps
from result_schemas import check_results
from scene_folder import FrameMap, SceneFolder, read_scene_folder

from polytempo.cli.render import current_stack
from polytempo.core.files import write_json
from polytempo.core.progress import silent
from polytempo.edit.light import Light
from polytempo.layers.stack import LayerStack
from polytempo.project.folder import open_project
from polytempo.project.stages import run_probe
from polytempo.render.sequence import render_frames
from polytempo.video.clip import Clip

SCHEMA, VERSION = "polytempo.bench.relight", 1
WAYS: dict[str, Light | None] = {
    "its own light": None,
    "its light at the output": Light(of="output"),
    "the background's around it": Light(of="output", by="background"),
}


def main() -> int:
    """Score, print, write."""
    given = arguments()
    scene = read_scene_folder(given.scene)
    bodies = scene.masks("masks_amodal")
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "version": VERSION,
        "commit": commit(),
        "machine": machine_facts(),
        "scene": scene.name,
        "runs": [],
    }
    for folder in given.project:
        with open_project(folder, writing=False) as project:
            clip, stack = run_probe(project, silent).value, current_stack(project).value
        for name, maps in scene.retimes.items():
            truth = frames_of_video(given.scene / "truth" / f"retime_{name}.mp4")
            for way, light in WAYS.items():
                started = time.perf_counter()
                row = scored(stack, clip, maps, light, truth, bodies, scene)
                row |= {"project": folder.stem, "retime": name, "light": way, "secs": time.perf_counter() - started}
                document["runs"].append(row)
                print(f"{folder.stem:<12}{name:<18}{way:<28}{row['psnr']:>7.2f}{row['bodies']:>8.2f}")
    check_results(document)
    if given.json:
        write_json(given.json, document)
    return 0


def scored(
    stack: LayerStack,
    clip: Clip,
    maps: dict[int, FrameMap],
    light: Light | None,
    truth: NDArray[np.uint8],
    bodies: dict[str, NDArray[np.bool_]],
    scene: SceneFolder,
) -> dict[str, float]:
    """PSNR of a retimed clip over the frames, and over the bodies where the edit puts them (a still camera's)."""
    edl = edl_from_frame_maps(maps, stack, clip)
    edl = replace(edl, instances=tuple(replace(one, light=light) for one in edl.instances))
    errors, body_errors = [], []
    for t, frame in enumerate(render_frames(stack, edl, clip)):
        error = ((frame.astype(np.float32) - truth[t]) ** 2).mean(-1)
        there = np.any([bodies[str(k)][maps[k][t]] for k in scene.layer_ids], axis=0)
        errors.append(float(error.mean()))
        body_errors.append(error[there])
    return {"psnr": decibels(float(np.mean(errors))), "bodies": decibels(float(np.concatenate(body_errors).mean()))}


def decibels(error: float) -> float:
    """PSNR of a mean squared error of bytes."""
    return float(10 * np.log10(255.0**2 / max(error, 1e-4)))


def frames_of_video(path: Path) -> NDArray[np.uint8]:
    """Frames of a truth video, as ``score.py`` reads them."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scene", type=Path, help="scene folder with rendered truth and a still camera")
    parser.add_argument("--project", type=Path, action="append", required=True, help="decomposed; may be repeated")
    parser.add_argument("--json", type=Path, help="write the figures here")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
