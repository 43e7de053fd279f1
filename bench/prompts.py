"""How well boxes on a few frames become masks: against the true masks of rendered scenes and of the demo's drawn one.

Boxes are those of the true masks on a few frames (of the drawn scene a little loose, as in the demo); all else the
method finds by itself, the camera too. With ``--keypoints`` it is given those of the scenes besides.

Example:
    python bench/prompts.py ../shared/bench --scenes crossing panning trampoline drawn
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scene_folder import read_scene_folder

from polytempo.bodies.keypoints_import import read_keypoints
from polytempo.bodies.near_limbs import limbs_of_prompted
from polytempo.camera.estimate import estimate_camera
from polytempo.camera.path import CameraPath
from polytempo.layers.metrics import mask_iou
from polytempo.objects.limb_reach import Limbs
from polytempo.objects.prompts import Prompt, Prompts, SubjectPrompts
from polytempo.objects.segment import segment
from polytempo.synth.draw import draw
from polytempo.synth.scenes import crossing
from polytempo.video.probe import probe
from polytempo.video.reader import read_pictures

Masks = dict[str, NDArray[np.bool_]]
LEAST_PX = 150
"""Nobody draws a box around less."""


def main() -> None:
    """Follow, compare, print one JSON line a scene."""
    given = arguments()
    for name in given.scenes:
        pictures, masks = scene_of(given.folder, name)
        prompts = boxes(masks, n_frames=given.frames, loose_px=given.loose)
        started, cpu = time.perf_counter(), time.process_time()
        camera = estimate_camera(pictures)
        limbs = limbs_of(given.folder / name / "keypoints.json", prompts, camera) if given.keypoints else {}
        found = segment(pictures, camera, prompts, limbs=limbs)
        row: dict[str, Any] = {"scene": name, **scores(found, masks)}
        if given.keypoints:
            row["keypoints"] = sorted(limbs)
        row |= {"seconds": round(time.perf_counter() - started), "cpu_s": round(time.process_time() - cpu)}
        print(json.dumps(row), flush=True)
        if given.out:
            given.out.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(given.out / f"{name}.npz", **found)


def scene_of(folder: Path, name: str) -> tuple[NDArray[np.uint8], Masks]:
    """Pictures and true masks of a scene folder, or of the drawn one."""
    if name == "drawn":
        drawn = draw(crossing())
        return drawn.pictures, dict(zip(("far", "near"), drawn.masks, strict=True))
    scene = read_scene_folder(folder / name)
    return np.stack(list(read_pictures(probe(scene.path / "input.mp4")))), scene.masks("masks")


def limbs_of(path: Path, prompts: Prompts, camera: CameraPath) -> dict[str, Limbs]:
    """Limbs by name, of those whose keypoints lie in their boxes."""
    size = camera.frame_size
    found = read_keypoints(path, n_frames=len(camera.canvas_from_frame), clip_size=size, size=size)
    return limbs_of_prompted(found, prompts, camera)


def boxes(masks: Masks, *, n_frames: int, loose_px: int) -> Prompts:
    """Boxes around the true masks on ``n_frames`` frames spread over the clip."""
    n, height, width = next(iter(masks.values())).shape
    subjects: list[SubjectPrompts] = []
    for name, stack in masks.items():
        prompts: list[Prompt] = []
        for t in np.linspace(0, n - 1, n_frames).round().astype(int):
            if stack[t].sum() < LEAST_PX:
                continue
            rows, columns = np.nonzero(stack[t])
            box = (
                columns.min() - loose_px,
                rows.min() - loose_px,
                columns.max() + 1 + loose_px,
                rows.max() + 1 + loose_px,
            )
            left, top, right, bottom = (float(v) for v in np.clip(box, 0, (width, height, width, height)))
            prompts.append(Prompt(frame=int(t), box=(left, top, right, bottom)))
        subjects.append(SubjectPrompts(name=name, prompts=tuple(prompts)))
    return Prompts(size=(width, height), subjects=tuple(subjects))


def scores(found: Masks, truth: Masks) -> dict[str, Any]:
    """Mean IoU of each subject over the frames in which it is in sight, and the mean of these."""
    per = {
        name: float(np.mean([mask_iou(found[name][t], stack[t]) for t in np.flatnonzero(stack.any((1, 2)))]))
        for name, stack in truth.items()
    }
    return {"mean_iou": round(float(np.mean(list(per.values()))), 4), "iou": {k: round(v, 4) for k, v in per.items()}}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of scene folders")
    parser.add_argument("--scenes", nargs="+", default=["crossing", "panning", "trampoline", "drawn"])
    parser.add_argument("--frames", type=int, default=3, help="frames with boxes")
    parser.add_argument("--loose", type=int, default=0, metavar="PX", help="how much larger than the mask a box is")
    parser.add_argument("--keypoints", action="store_true", help="give the scenes' keypoints, too")
    parser.add_argument("--out", type=Path, help="folder for the masks that were found")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
