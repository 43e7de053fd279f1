"""Run every scene folder with rendered truth through polytempo and score what comes out.

The method sees the clip and the rough masks, never the truth; the camera is estimated. Example:

    python bench/truth.py ../shared/bench --scene crossing --json bench/results/now.json --out out/bench
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from machine import commit, machine_facts, measured
from outputs import contact_sheet, edl_from_frame_maps, write_alphas, write_output
from pipeline import RunConfig, progress_line, run_scene
from scene_folder import find_score_script, read_scene_folder, scene_folders
from scoring import (
    BASELINES,
    DECOMPOSE_BAR_SECS,
    baseline,
    below_bars,
    headline,
    headline_table,
    output_table,
    score,
    write_results,
)

from polytempo.render.sequence import render_frames

SCHEMA, VERSION = "polytempo.bench.truth", 1
BASELINE_CACHE = Path(__file__).parent / "results" / "baselines"


def main() -> int:
    """Run, print, write."""
    given = arguments()
    config = RunConfig(
        preset=given.preset,
        inputs=given.inputs,
        seed=given.seed,
        camera=given.camera,
        masks=given.masks,
        true_amodal=given.true_amodal,
        decompose=given.decompose,
    )
    script = find_score_script(given.scenes, given.score)
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "version": VERSION,
        "commit": commit(),
        "machine": machine_facts(),
        "preset": config.preset,
        "inputs": config.inputs,
        "seed": config.seed,
        "oracle": config.oracle,
        "scenes": {},
    }
    for folder in scene_folders(given.scenes, given.scene):
        document["scenes"][folder.name] = run_one(folder, config, script, given)
        if given.json:
            write_results(given.json, document)
    return 0


def run_one(folder: Path, config: RunConfig, script: Path, given: argparse.Namespace, **course: Any) -> dict[str, Any]:
    """Decompose, render, score and print one scene; ``course`` as ``run_scene`` has it."""
    scene = read_scene_folder(folder)
    result = run_scene(scene, config, cache=given.stage_cache, report=progress_line, **course)
    out: Path = given.out / folder.name
    stages = result.stages
    wanted = scene.outputs()
    with measured("render", stages):
        for name, maps in wanted.items():
            mine = {result.layer_of[k]: frames for k, frames in maps.items()}
            edl = edl_from_frame_maps(mine, result.stack, result.clip)
            write_output(out / f"{name}.mp4", render_frames(result.stack, edl, result.clip), fps=scene.fps)
    write_alphas(out, result.stack, result.layer_of)
    contact_sheet(out / "sheet.png", out, list(wanted))
    started = time.perf_counter()
    ours = score(script, folder, out, ssim=not given.no_ssim)
    beside = {kind: baseline(script, folder, kind, BASELINE_CACHE) for kind in BASELINES}
    figures = {"polytempo": headline(ours)} | {kind: headline(one) for kind, one in beside.items()}
    below = below_bars(folder.name, figures["polytempo"])
    if config.preset == "draft" and stages["decompose"]["seconds"] > DECOMPOSE_BAR_SECS:
        below.append("decompose seconds")
    print(f"\n{headline_table(folder.name, figures)}\n{output_table(ours, beside)}")
    cost = "  ".join(
        f"{name} {one['seconds']:.1f} s{' (kept)' if one.get('cached') else ''} {one['peak_mb']:.0f} MB"
        for name, one in stages.items()
    )
    print(f"  {cost}  (scoring {time.perf_counter() - started:.0f} s)")
    print(f"  below the bar: {', '.join(below) or 'nothing'}{'   ORACLE INPUT' if config.oracle else ''}", flush=True)
    for warning in result.warnings:
        print(f"  warning: {warning}")
    return {
        "headline": figures["polytempo"],
        "below_bars": below,
        "stages": stages,
        "outputs": ours["outputs"],
        "alpha": ours["alpha"],
        "baselines": {kind: figures[kind] for kind in beside},
        "warnings": list(result.warnings),
        **({} if result.course is None else {"course": asdict(result.course)}),
    }


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenes", type=Path, help="folder of scene folders, or one scene folder")
    parser.add_argument("--preset", default="draft", choices=["draft"])
    parser.add_argument(
        "--inputs",
        default="masks",
        choices=["masks", "masks+keypoints"],
        help="what the method sees beside the clip",
    )
    parser.add_argument("--scene", nargs="+", metavar="NAME", help="only these")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where outputs go, a folder a scene")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--score", type=Path, metavar="PATH", help="score.py, when it is not with the scenes")
    parser.add_argument("--no-ssim", action="store_true", help="skip SSIM (faster)")
    parser.add_argument("--stage-cache", type=Path, metavar="DIR", help="keep camera and cast between runs")
    parser.add_argument("--decompose", default=RunConfig().decompose, metavar="MODULE:FUNCTION", help="for experiments")
    parser.add_argument("--camera", default="estimate", choices=["estimate", "truth", "static"], help="for diagnosis")
    parser.add_argument("--masks", default="rough_masks", choices=["rough_masks", "masks"], help="for diagnosis")
    parser.add_argument("--true-amodal", action="store_true", help="for diagnosis: the cast is given the true masks")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
