"""How well motions are aligned by themselves: against the true warps of a rendered scene.

The method sees the clip and the rough masks, or with --keypoints the keypoints of the scene; the camera is estimated.

Example:
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

from polytempo.bodies.assign import keypoints_by_subject
from polytempo.bodies.complete import completed_track
from polytempo.bodies.keypoints import KeypointTrack
from polytempo.bodies.keypoints_import import read_keypoints
from polytempo.camera.estimate import estimate_camera
from polytempo.camera.path import CameraPath
from polytempo.core.errors import InputError
from polytempo.core.files import write_json
from polytempo.edit.align.choose import METHODS, align_motions
from polytempo.edit.align.signals import signal_from_keypoints, signal_from_masks
from polytempo.objects.build import build_cast
from polytempo.objects.cast import Cast
from polytempo.video.clip import Clip
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
        "motions": "keypoints" if given.keypoints else "mattes",
        "runs": [],
    }
    masks = scene.masks("rough_masks")
    clip = probe(given.scene / "input.mp4")
    with tempfile.TemporaryDirectory() as folder:
        pictures = FrameStore.build(clip, Path(folder) / "frames").pictures
        union = np.logical_or.reduce(list(masks.values()))
        camera = estimate_camera(pictures, ignore=union)
        cast = build_cast(masks, pictures, camera)
    tracks = keypoint_tracks(given.scene, clip, cast, camera) if given.keypoints else None
    amodal = {one.name: one.amodal for one in cast.subjects}
    for kind in given.signals:
        signals = {
            name: signal_from_masks(name, one, camera, kind=kind)
            if tracks is None
            else signal_from_keypoints(name, tracks[name].points, camera, kind=kind)
            for name, one in amodal.items()
        }
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


def keypoint_tracks(folder: Path, clip: Clip, cast: Cast, camera: CameraPath) -> dict[str, KeypointTrack]:
    """Keypoints by subject name, tied to the rough masks."""
    size = (clip.width, clip.height)
    found = read_keypoints(folder / "keypoints.json", n_frames=clip.n_frames, clip_size=size, size=size)
    by_subject = keypoints_by_subject(found, {one.subject_id: one.mask for one in cast.subjects})
    return {
        one.name: completed_track(by_subject[one.subject_id], n_frames=clip.n_frames, camera=camera)
        for one in cast.subjects
    }


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scene", type=Path, help="scene folder whose scene.json holds a retime with a reference")
    parser.add_argument("--retime", default="sync")
    parser.add_argument("--signals", nargs="+", default=["height", "head", "feet"])
    parser.add_argument("--keypoints", action="store_true", help="motions from the scene's keypoints.json")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args()


if __name__ == "__main__":
    main()
