"""The presets and the baselines of ``score.py`` on the same scenes with rendered truth, in one table.

    python bench/paper/presets.py ../shared/bench --scene crossing --presets paper --minutes 60 --out out/presets

A neural preset gets as many epochs as go into the minutes given; its whole course is scaled to them. Every run is
scored by the functions of ``bench/truth.py`` and written at once, so that a run that is stopped keeps what it has.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pipeline import RunConfig
from report import Findings, experiment
from scene_folder import find_score_script, scene_folders
from truth import run_one

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
    parser.add_argument("--minutes", type=float, default=defaults.minutes, help="of training, for a neural preset")
    parser.add_argument("--batch", type=int, default=defaults.batch_size, help="frames in a batch, for a neural preset")
    parser.add_argument("--base-channels", type=int, default=defaults.base_channels, help="width of the renderer")
    parser.add_argument("--inputs", default="masks+keypoints", choices=["masks", "masks+keypoints"])
    parser.add_argument("--score", type=Path, metavar="PATH", help="score.py, when it is not with the scenes")
    parser.add_argument("--no-ssim", action="store_true", help="skip SSIM (faster)")
    parser.add_argument("--stage-cache", type=Path, metavar="DIR", help="keep camera and cast between runs")


def run(given: argparse.Namespace) -> Findings:
    """Every scene by every preset."""
    script = find_score_script(given.scenes, given.score)
    found = Findings(settings={
        "minutes": given.minutes, "batch": given.batch, "base_channels": given.base_channels, "inputs": given.inputs,
    })  # fmt: skip
    root: Path = given.out
    for folder in scene_folders(given.scenes, given.scene):
        for i, preset in enumerate(given.presets):
            config = RunConfig(
                preset=preset, inputs=given.inputs, seed=given.seeds[0], minutes=given.minutes,
                batch_size=given.batch, base_channels=given.base_channels,
            )  # fmt: skip
            given.out = root / preset
            result = run_one(folder, config, script, given)
            seconds = round(result["stages"]["decompose"]["seconds"])
            if i == 0:
                found.table += [
                    {"scene": folder.name, "method": name, **figures} for name, figures in result["baselines"].items()
                ]
            found.table.append({"scene": folder.name, "method": preset, **result["headline"], "seconds": seconds,
                                "epochs": result.get("epochs")})  # fmt: skip
    given.out = root
    return found


if __name__ == "__main__":
    sys.exit(main())
