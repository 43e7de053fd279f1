"""How long decomposing, rendering and propagating take, and how time and memory grow with frames, pixels and layers.

Every case runs on a drawn scene in a process of its own: one pass that counts for nothing (compiling, caches), then the
repeats; median and interquartile range. Example:

    python bench/speed.py --json bench/results/speed.json
    python bench/speed.py --suite render --repeats 5

On a machine that others use too, ``OMP_NUM_THREADS=1`` gives steadier figures; the results say so.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from machine import commit, machine_facts, peak_mb, reset_peak
from result_schemas import check_results

from polytempo.core.files import write_json

SCHEMA, VERSION = "polytempo.bench.speed", 1
SUITES = ("render", "propagate", "decompose")
EPOCHS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """What is measured."""

    suite: str
    frames: int = 12
    width: int = 224
    height: int = 128
    layers: int = 2


def cases(suite: str, *, tiny: bool) -> list[Case]:
    """The base case, then each axis alone."""
    if tiny:
        # Somebody has to be large enough, and seen for long enough, to be followed.
        small = (160, 96, 10, 20) if suite == "propagate" else (64, 48, 4, 8)
        return [Case(suite=suite, frames=n, width=small[0], height=small[1], layers=1) for n in small[2:]]
    base = Case(suite=suite)
    more_frames = [Case(suite=suite, frames=n) for n in (24, 48)]
    more_pixels = [Case(suite=suite, width=w, height=h) for w, h in ((320, 192), (448, 256))]
    more_layers = [Case(suite=suite, layers=n) for n in (1, 3)]
    return [base, *more_frames, *more_pixels, *more_layers]


def main() -> int:
    """Run every case in a child, print, write."""
    given = arguments()
    if given.case:
        print(json.dumps(measure(Case(**json.loads(given.case)), repeats=given.repeats, seed=given.seed)))
        return 0
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "version": VERSION,
        "commit": commit(),
        "machine": machine_facts(),
        "threads": int(os.environ.get("OMP_NUM_THREADS", "0")) or None,
        "other_load": round(os.getloadavg()[0], 1),
        "seed": given.seed,
        "repeats": given.repeats,
        "epochs": EPOCHS,
        "runs": [],
        "growth": [],
    }
    for suite in given.suite:
        runs = [in_child(case, given) for case in cases(suite, tiny=given.tiny)]
        document["runs"] += runs
        document["growth"] += growth(suite, runs)
        if given.json:
            check_results(document)
            write_json(given.json, document)
    for one in document["growth"]:
        print(
            f"{one['suite']:<10} over {one['axis']:<7} seconds ~ n^{one['seconds']:.2f}  memory ~ n^{one['memory']:.2f}"
        )
    return 0


def in_child(case: Case, given: argparse.Namespace) -> dict[str, Any]:
    """Measure a case in a fresh process and print it."""
    words = ["--case", json.dumps(asdict(case)), "--repeats", str(given.repeats), "--seed", str(given.seed)]
    done = subprocess.run([sys.executable, __file__, *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{case} failed:\n{done.stderr.strip()}")
    run = json.loads(done.stdout.splitlines()[-1])
    print(
        f"{case.suite:<10} {case.frames:>3} frames {case.width}x{case.height} {case.layers} layers: "
        f"{run['seconds_median']:.3f} s (iqr {run['seconds_iqr']:.3f}, first {run['seconds_first']:.2f}) "
        f"{run['frames_per_second']:.1f} fps, {run['peak_mb']:.0f} MB ({run['idle_mb']:.0f} before)",
        flush=True,
    )
    return run


def measure(case: Case, *, repeats: int, seed: int) -> dict[str, Any]:
    """Draw the scene, run once unmeasured, then measure."""
    from polytempo.synth.draw import draw
    from polytempo.synth.scenes import walkers

    size = (case.width, case.height)
    scene = draw(walkers(n_people=case.layers, size=size, n_frames=case.frames, seed=seed))
    run = {"render": rendering, "propagate": propagating, "decompose": decomposing}[case.suite](scene, seed)
    reset_peak()
    idle = peak_mb()
    seconds: list[float] = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    first, rest = seconds[0], seconds[1:]
    middle = statistics.median(rest)
    low, high = np.quantile(rest, (0.25, 0.75))
    return {
        **asdict(case),
        "seconds_median": round(middle, 4),
        "seconds_iqr": round(float(high - low), 4),
        "seconds_all": [round(one, 4) for one in rest],
        "seconds_first": round(first, 4),
        "frames_per_second": round(case.frames / middle, 2),
        "peak_mb": round(peak_mb(), 1),
        "idle_mb": round(idle, 1),
    }


def rendering(scene: Any, _seed: int) -> Callable[[], None]:
    """Write an edit that freezes the first layer, H.264, from true layers."""
    from polytempo.edit.edl import clip_duration, identity_edl
    from polytempo.edit.operations.freeze import freeze
    from polytempo.render.sequence import render_clip
    from polytempo.video.probe import probe
    from polytempo.video.writer import write_clip

    folder = Path(tempfile.mkdtemp())
    write_clip(folder / "in.mp4", iter(scene.pictures), size=scene.spec.size, frame_rate=Fraction(scene.spec.fps))
    clip, stack = probe(folder / "in.mp4"), scene.stack()
    edl = identity_edl([one.name for one in stack.layers], clip_duration(clip))
    edl = freeze(edl, stack.layers[0].name, at=clip.time_of(clip.n_frames // 2))
    return lambda: render_clip(stack, edl, clip, folder / "out.mp4")


def propagating(scene: Any, _seed: int) -> Callable[[], None]:
    """Separate all subjects from a box each, on the frame where most of them is seen."""
    from polytempo.objects.prompts import Prompt, Prompts, SubjectPrompts
    from polytempo.objects.segment import segment

    subjects: list[SubjectPrompts] = []
    for mask, person in zip(scene.masks, scene.spec.people, strict=True):
        frame = int(mask.sum((1, 2)).argmax())
        ys, xs = np.nonzero(mask[frame])
        box = (float(xs.min()), float(ys.min()), float(xs.max() + 1), float(ys.max() + 1))
        subjects.append(SubjectPrompts(name=person.name.replace(" ", "-"), prompts=(Prompt(frame=frame, box=box),)))
    prompts = Prompts(size=scene.spec.size, subjects=tuple(subjects))
    return lambda: discard(segment(scene.pictures, scene.camera, prompts))


def decomposing(scene: Any, seed: int) -> Callable[[], None]:
    """Preset ``draft`` from true masks with few epochs: the cost of an epoch and of all that is not training."""
    from dataclasses import replace

    from polytempo.decompose.lnr.draft import DraftConfig, decompose_draft
    from polytempo.objects.build import build_cast

    masks = {person.name: mask for mask, person in zip(scene.masks, scene.spec.people, strict=True)}
    cast = build_cast(masks, scene.pictures, scene.camera)
    config = DraftConfig()
    config = replace(config, training=replace(config.training, epochs=EPOCHS))
    return lambda: discard(decompose_draft(scene.pictures, scene.camera, cast, config=config, seed=seed))


def discard(_: object) -> None:
    """Let go of a result."""


def growth(suite: str, runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Exponents along each axis that was varied, from the runs that differ from the first in that axis alone."""
    out: list[dict[str, Any]] = []
    base = runs[0]
    for axis in ("frames", "pixels", "layers"):
        others = {"frames", "pixels", "layers"} - {axis}
        along = [one for one in runs if all(_extent(one, a) == _extent(base, a) for a in others)]
        along.sort(key=lambda one: _extent(one, axis))
        if len({_extent(one, axis) for one in along}) < 2:
            continue
        n = [math.log(_extent(one, axis)) for one in along]
        seconds = [math.log(max(one["seconds_median"], 1e-6)) for one in along]
        memory = [math.log(max(one["peak_mb"] - one["idle_mb"], 1.0)) for one in along]
        out.append({"suite": suite, "axis": axis, "seconds": round(slope(n, seconds), 2),
                    "memory": round(slope(n, memory), 2)})  # fmt: skip
    return out


def slope(x: list[float], y: list[float]) -> float:
    """Slope of the straight line through points, least squares."""
    return float(np.polyfit(x, y, 1)[0])


def _extent(run: dict[str, Any], axis: str) -> int:
    return run["width"] * run["height"] if axis == "pixels" else run[axis]


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", nargs="+", default=list(SUITES), choices=SUITES)
    parser.add_argument("--repeats", type=int, default=3, help="passes measured, after one that is not")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--tiny", action="store_true", help="two small cases, to see that it works")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
