"""The presets and the baselines of ``score.py`` on the same scenes with rendered truth, in one table.

    python bench/paper/presets.py ../shared/bench --scene crossing --minutes 20 60 --out out/presets

A neural preset gets as many epochs as go into its CPU minutes; its whole course is scaled to them. Every run is scored
by the functions of ``bench/truth.py`` and kept in ``DIR/PRESET/SCENE.json`` as soon as it ends.

Ctrl-C, SIGTERM and ``--wall-minutes`` end a training after the epoch that it is in; what it has learned by then is
scored, and the table says how many of its epochs it had. The same command, given again, goes on with that training and
with the runs that are missing, also after a crash.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the bench's shared modules

from course import stopped_politely
from pipeline import RunConfig
from report import Findings, experiment
from scene_folder import find_score_script, scene_folders
from truth import run_one

from polytempo.core.files import write_json

PRESETS = ("draft", "standard", "paper")


def main() -> int:
    """Run, print, write."""
    return experiment("presets", __doc__, run, more=options)


def options(parser: argparse.ArgumentParser) -> None:
    """What is run, and for how long."""
    defaults = RunConfig()
    parser.add_argument("scenes", type=Path, help="folder of scene folders, or one scene folder")
    parser.add_argument("--scene", nargs="+", metavar="NAME", help="only these")
    parser.add_argument("--presets", nargs="+", default=list(PRESETS), choices=PRESETS)
    parser.add_argument("--minutes", type=float, nargs=2, default=[20.0, 60.0], metavar=("STANDARD", "PAPER"),
                        help="CPU minutes of training")  # fmt: skip
    parser.add_argument("--wall-minutes", type=float, metavar="N", help="end a training after so long, and score it")
    parser.add_argument("--batch", type=int, default=defaults.batch_size, help="frames in a batch, for a neural preset")
    parser.add_argument("--base-channels", type=int, default=defaults.base_channels, help="width of the renderer")
    parser.add_argument("--inputs", default="masks+keypoints", choices=["masks", "masks+keypoints"])
    parser.add_argument("--score", type=Path, metavar="PATH", help="score.py, when it is not with the scenes")
    parser.add_argument("--no-ssim", action="store_true", help="skip SSIM (faster)")
    parser.add_argument("--stage-cache", type=Path, metavar="DIR", help="keep camera and cast between runs")


def run(given: argparse.Namespace) -> Findings:
    """Every scene by every preset."""
    script = find_score_script(given.scenes, given.score)
    minutes = dict(zip(PRESETS[1:], given.minutes, strict=True))
    found = Findings(settings={
        "minutes": minutes, "batch": given.batch, "base_channels": given.base_channels, "inputs": given.inputs,
        "gradient_memory": RunConfig().gradient_memory,
    })  # fmt: skip
    root: Path = given.out
    for folder in scene_folders(given.scenes, given.scene):
        for i, preset in enumerate(given.presets):
            config = RunConfig(
                preset=preset, inputs=given.inputs, seed=given.seeds[0], minutes=minutes.get(preset, 0.0),
                batch_size=given.batch, base_channels=given.base_channels,
            )  # fmt: skip
            given.out = root / preset
            result = kept(folder, config, script, given)
            if i == 0:
                found.table += [
                    {"scene": folder.name, "method": name, **figures} for name, figures in result["baselines"].items()
                ]
            cost, course = result["stages"]["decompose"], result.get("course")
            row = {"scene": folder.name, "method": preset, **result["headline"], "peak MB": cost["peak_mb"]}
            if course is None:
                row["CPU minutes"] = cost["cpu_seconds"] / 60
            else:
                row |= {"CPU minutes": course["cpu_seconds"] / 60, "epochs": course["done"], "of": course["planned"]}
            found.table.append(row)
    given.out = root
    return found


def kept(folder: Path, config: RunConfig, script: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Result of one run: that of an earlier command, where it was made with the same settings."""
    path: Path = given.out / f"{folder.name}.json"
    if path.is_file():
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["config"] == repr(config) and not _ended_early(document["result"]):
            return document["result"]
    with stopped_politely(wall_minutes=given.wall_minutes) as stop:
        result = run_one(folder, config, script, given, course_folder=given.out / f"{folder.name}-course", stop=stop)
    write_json(path, {"config": repr(config), "result": result})
    return result


def _ended_early(result: dict[str, Any]) -> bool:
    return "course" in result and result["course"]["done"] < result["course"]["planned"]


if __name__ == "__main__":
    sys.exit(main())
