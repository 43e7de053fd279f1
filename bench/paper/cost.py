"""What an epoch costs each preset, in seconds and memory, against frames, pixels and layers.

    python bench/paper/cost.py --out out/paper

An epoch looks at every frame once. ``draft`` learns who changes which pixel with its thin network; ``standard`` and
``paper`` train the paper's renderer, the one over the clean plate and the other with a pass for the background. Every
case runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from report import Findings, experiment

BATCH = 4
PRESETS = ("draft", "standard", "paper")


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """What is measured."""

    preset: str
    frames: int = 4
    width: int = 224
    height: int = 128
    layers: int = 2


def main() -> int:
    """Run, print, write."""
    return experiment("cost", __doc__, run, more=options)


def options(parser: argparse.ArgumentParser) -> None:
    """What is run."""
    parser.add_argument("--presets", nargs="+", default=list(PRESETS), choices=PRESETS)
    parser.add_argument("--tiny", action="store_true", help="one small case a preset, to see that it works")
    parser.add_argument("--case", help=argparse.SUPPRESS)


def cases(preset: str, *, tiny: bool) -> list[Case]:
    """The base case, then each axis alone."""
    base = Case(preset=preset)
    if tiny:
        return [replace(base, width=96, height=64)]
    others = [{"frames": 8}, {"width": 320, "height": 192}, {"width": 448, "height": 256}, {"layers": 1}, {"layers": 3}]
    return [base, *(replace(base, **one) for one in others)]


def run(given: argparse.Namespace) -> Findings:
    """Every case in a child."""
    found = Findings(settings={"batch": BATCH})
    for preset in given.presets:
        for case in cases(preset, tiny=given.tiny):
            words = [sys.executable, __file__, "--out", str(given.out), "--case", json.dumps(asdict(case))]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise SystemExit(f"{case} failed:\n{done.stderr.strip()}")
            found.table.append(asdict(case) | json.loads(done.stdout.splitlines()[-1]))
    return found


def measure(case: Case) -> dict[str, Any]:
    """CPU and wall seconds of an epoch, and the memory that it takes beside the drawn clip and the imports."""
    from machine import peak_mb, reset_peak
    from small_runs import visible_cast

    from polytempo.synth.draw import draw
    from polytempo.synth.scenes import walkers

    scene = draw(walkers(n_people=case.layers, size=(case.width, case.height), n_frames=case.frames))
    cast = visible_cast(scene)
    epochs: Callable[[int], object] = (
        draft_epochs(scene, cast) if case.preset == "draft" else neural_epochs(scene, cast, case.preset)
    )
    reset_peak()
    idle = peak_mb()
    seconds: list[tuple[float, float]] = []
    for n in (1, 1, 3):
        start, cpu = time.perf_counter(), time.process_time()
        epochs(n)
        seconds.append((time.perf_counter() - start, time.process_time() - cpu))
    # The first run compiles and fills caches; the difference of the others leaves out what is done once a clip.
    wall, cpu = ((after - before) / 2 for before, after in zip(*seconds[1:], strict=True))
    return {
        "seconds an epoch": round(wall, 3),
        "CPU seconds an epoch": round(cpu, 3),
        "peak MB": round(peak_mb() - idle, 1),
    }


def draft_epochs(scene: Any, cast: Any) -> Callable[[int], object]:
    """Preset ``draft`` in so many epochs."""
    from polytempo.decompose.lnr.draft import DraftConfig, decompose_draft

    def run(epochs: int) -> object:
        config = DraftConfig()
        config = replace(config, training=replace(config.training, epochs=epochs))
        return decompose_draft(scene.pictures, scene.camera, cast, config=config)

    return run


def neural_epochs(scene: Any, cast: Any, preset: str) -> Callable[[int], object]:
    """A neural preset's training in so many epochs, none of them a warm start."""
    from polytempo.decompose.lnr.maps import layer_maps
    from polytempo.decompose.lnr.paper_config import paper_config, shortened, standard_config
    from polytempo.decompose.lnr.train import train

    maps = layer_maps(cast, scene.camera, {})
    course = standard_config() if preset == "standard" else paper_config()

    def run(epochs: int) -> object:
        config = replace(shortened(course, epochs), batch_size=BATCH, curriculum_epochs=0, warm_epochs=0)
        return train(scene.pictures, maps, config=config, plate=scene.background)

    return run


if __name__ == "__main__":
    if "--case" in sys.argv:
        print(json.dumps(measure(Case(**json.loads(sys.argv[sys.argv.index("--case") + 1])))))
        sys.exit(0)
    sys.exit(main())
