"""How well motions are aligned by themselves: against the true warps of a rendered scene.

The method sees the clip and the rough masks; the camera is estimated. Example:

    python bench/align.py ../shared/bench/trampoline --json bench/results/align-trampoline.json
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from machine import commit, machine_facts
from scene_folder import read_scene_folder

from polytempo.camera.estimate import estimate_camera
from polytempo.core.errors import InputError
from polytempo.core.files import write_json
from polytempo.edit.align.choose import METHODS, align_motions
from polytempo.edit.align.signals import signal_from_masks
from polytempo.objects.build import build_cast
from polytempo.video.frames import FrameStore
from polytempo.video.probe import probe

SCHEMA, VERSION = "polytempo.bench.align", 1


def main() -> None:
    """Follow, align, compare, write."""
    given = arguments()
    scene = read_scene_folder(given.scene)
    facts = json.loads((given.scene / "scene.json").read_text())["retimes"][given.retime]
    leader = str(facts["reference"])
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "version": VERSION,
        "commit": commit(),
        "machine": machine_facts(),
        "scene": scene.name,
        "leader": leader,
        "runs": [],
    }
    masks = scene.masks("rough_masks")
    clip = probe(given.scene / "input.mp4")
    with tempfile.TemporaryDirectory() as folder:
        pictures = FrameStore.build(clip, Path(folder) / "frames").pictures
        union = np.logical_or.reduce(list(masks.values()))
        camera = estimate_camera(pictures, ignore=union)
        cast = build_cast(masks, pictures, camera)
    amodal = {one.name: one.amodal for one in cast.subjects}
    for kind in given.signals:
        signals = {name: signal_from_masks(name, one, camera, kind=kind) for name, one in amodal.items()}
        for name in sorted(set(signals) - {leader}):
            truth = np.array(scene.retimes[given.retime][int(name)])
            for method in ("auto", *METHODS):
                start = time.perf_counter()
                try:
                    found = align_motions(signals[leader], signals[name], method=method)
                except InputError as error:
                    run = {"signal": kind, "follower": name, "asked": method, "refused": str(error)}
                else:
                    error = np.abs(found.warp.at(np.arange(len(truth), dtype=np.float64)) - truth)
                    run = {
                        "signal": kind,
                        "follower": name,
                        "asked": method,
                        "used": found.method,
                        "median_error_frames": round(float(np.median(error)), 3),
                        "worst_error_frames": round(float(error.max()), 3),
                        "correlation_before": round(found.before, 3),
                        "correlation_after": round(found.likeness, 3),
                        "seconds": round(time.perf_counter() - start, 3),
                    }
                document["runs"].append(run)
                print(json.dumps(run))
    if given.json:
        write_json(given.json, document)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scene", type=Path, help="scene folder whose scene.json holds a retime with a reference")
    parser.add_argument("--retime", default="sync")
    parser.add_argument("--signals", nargs="+", default=["height", "head", "feet"])
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args()


if __name__ == "__main__":
    main()
