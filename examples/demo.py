"""The whole way, once: a drawn scene (or your own clip) goes in, a retimed clip comes out, with a report of its layers.

    python examples/demo.py --out out/demo
    python examples/demo.py --out out/demo --clip my.mp4 --subjects my.json -- --freeze girl@1.2s

Without ``--clip`` a scene is drawn: two people pass each other, and the far one is made to stand still while the other
walks on.
Without ``--subjects`` a clip's subjects are proposed by their motion. What is run is printed as you would type it.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from polytempo.cli.main import main as polytempo
from polytempo.core.errors import PolytempoError
from polytempo.synth.draw import DrawnScene, draw
from polytempo.synth.scenes import crossing
from polytempo.video.probe import probe
from polytempo.video.reader import read_pictures
from polytempo.video.writer import write_clip

N_FRAMES = 40
PROMPTED_FRAMES = 4
LOOSE_PX = 4
MOST_WIDTH = 960


def main() -> int:
    """Run the demo and say where things are."""
    given = arguments()
    out: Path = given.out
    out.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    try:
        code = drawn_demo(out) if given.clip is None else own_clip(out, given.clip, given.subjects, given.edit)
    except PolytempoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    if code == 0:
        print(f"\nDone in {time.perf_counter() - started:.0f} s. Look at:")
        for name in ("input.mp4", "retimed.mp4", "side-by-side.mp4", "report.png", "report.html", "proposals.png"):
            if (out / name).exists():
                print(f"  {out / name}")
    return code


def drawn_demo(out: Path) -> int:
    """Draw the scene, name its people by loose boxes on a few frames, freeze one of them."""
    print("Drawing a scene: two people pass each other on a glossy floor", flush=True)
    scene = draw(crossing(n_frames=N_FRAMES))
    clip, prompts = out / "input.mp4", out / "subjects.json"
    write_clip(clip, scene.pictures, size=scene.spec.size, frame_rate=Fraction(scene.spec.fps), crf=14)
    prompts.write_text(json.dumps({"size": list(scene.spec.size), "subjects": loose_boxes(scene)}, indent=1))
    return whole_way(out, clip, ["--subjects", str(prompts)], ["--freeze", "far@1.5s"])


def own_clip(out: Path, clip: Path, subjects: Path | None, edit: list[str]) -> int:
    """Take a user's clip: with subjects all the way, without them as far as proposing some."""
    root = project_of(out, clip)
    if subjects is None and not (root / "subjects.json").exists():
        code = run(["subjects", str(clip), "--project", str(root)])
        if code == 0 and (root / "proposals.png").exists():
            (out / "proposals.png").write_bytes((root / "proposals.png").read_bytes())
            print(f"\nPick the ones you want, then run the same again:\n  .venv/bin/polytempo subjects {root} --pick 1")
        return code
    if not edit:
        code = run(
            ["subjects", str(clip), "--project", str(root), *(["--subjects", str(subjects)] if subjects else [])]
        )
        if code != 0:
            return code
        edit = ["--freeze", f"{first_subject(root)}@{float(middle(clip)):.2f}s"]
    return whole_way(out, clip, ["--subjects", str(subjects)] if subjects else [], edit)


def whole_way(out: Path, clip: Path, subjects: list[str], edit: list[str]) -> int:
    """Retime, report, and put input and result side by side."""
    root, retimed = project_of(out, clip), out / "retimed.mp4"
    code = run(["retime", str(clip), *subjects, *edit, "--project", str(root), "-o", str(retimed)])
    code = code or run(["report", str(root), "-o", str(out / "report.html")])
    if code == 0:
        side_by_side(clip, retimed, out / "side-by-side.mp4")
    return code


def run(words: list[str]) -> int:
    """Run a command of polytempo as a user would, and show it."""
    print(f"\n$ polytempo {shlex.join(words)}", flush=True)
    return polytempo(words)


def side_by_side(left: Path, right: Path, path: Path) -> None:
    """Write a clip that shows two clips of one size beside each other."""
    one, other = probe(left), probe(right)
    width = min(one.width, MOST_WIDTH) // 2 * 2
    size = (width, round(one.height * width / one.width / 2) * 2)
    gap = np.full((size[1], 8, 3), 24, np.uint8)

    def frames() -> Iterator[NDArray[np.uint8]]:
        pairs = zip(read_pictures(one, size=size), read_pictures(other, size=size), strict=False)
        for a, b in pairs:
            yield np.concatenate([a, gap, b], axis=1)

    write_clip(path, frames(), size=(2 * width + 8, size[1]), pts=one.pts, time_base=one.time_base)


def loose_boxes(scene: DrawnScene) -> dict[str, dict[str, list[int]]]:
    """Give boxes a little larger than each person on a few frames, as one would draw them by hand."""
    width, height = scene.spec.size
    out: dict[str, dict[str, list[int]]] = {}
    for name, masks in zip(("far", "near"), scene.masks, strict=True):
        boxes: dict[str, list[int]] = {}
        for frame in np.linspace(0, scene.spec.n_frames - 1, PROMPTED_FRAMES).round().astype(int):
            rows, columns = np.nonzero(masks[frame])
            if len(rows) > 150:
                boxes[str(frame)] = [
                    max(0, int(columns.min()) - LOOSE_PX),
                    max(0, int(rows.min()) - LOOSE_PX),
                    min(width, int(columns.max()) + 1 + LOOSE_PX),
                    min(height, int(rows.max()) + 1 + LOOSE_PX),
                ]
        out[name] = boxes
    return out


def project_of(out: Path, clip: Path) -> Path:
    """Place of a clip's project."""
    return out / f"{clip.stem}.polytempo"


def first_subject(root: Path) -> str:
    """Name of the first subject of a project that has some."""
    from polytempo.project.arrays import read_cast
    from polytempo.project.folder import open_project

    with open_project(root, writing=False) as project:
        return read_cast(project.current_result("cast") / "cast.npz").subjects[0].name


def middle(clip: Path) -> Fraction:
    """Time of a clip's middle frame in seconds."""
    found = probe(clip)
    return found.time_of(found.n_frames // 2)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("out/demo"), help="folder that everything is written to")
    parser.add_argument("--clip", type=Path, help="your own video instead of the drawn scene")
    parser.add_argument("--subjects", type=Path, help="who is to be separated: prompts or masks")
    parser.add_argument("edit", nargs="*", help="edits, after --: --freeze girl@1.2s")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
