"""Kill a run at random moments, go on, and see whether the result is the one it would have been.

    python bench/kill_resume.py --kills 20 --out out/kills [--clip my.mp4 --subjects my.json] [--json FILE]

The first run is left alone; its wall time says when to kill the others. Kills are spread over decompose and render.
After every kill the project must open; after the last one a run goes to its end and its clip must equal the first, byte
by byte. Without ``--clip`` a small scene is drawn.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from polytempo.core.errors import PolytempoError
from polytempo.core.files import write_json
from polytempo.project.folder import open_project
from polytempo.synth.draw import draw
from polytempo.synth.scenes import crossing
from polytempo.video.writer import write_clip


def main() -> int:
    """Run, kill, resume, compare, print."""
    given = arguments()
    out: Path = given.out
    out.mkdir(parents=True, exist_ok=True)
    clip, subjects = (given.clip, given.subjects) if given.clip else drawn(out, epochs=given.epochs)
    common = ["--subjects", str(subjects), *(["--config", str(out / "small.toml")] if not given.clip else [])]
    edit = given.edit or ["--freeze", "far@0.3s"]

    def words(name: str) -> list[str]:
        root, path = out / f"{name}.polytempo", out / f"{name}.mp4"
        return ["retime", str(clip), *common, *edit, "--project", str(root), "-o", str(path)]

    # Everything before the layers is made once and copied, so that kills fall where the issue asks for them.
    print("undisturbed run", flush=True)
    if run(words("whole")) != 0:
        return 1
    records = records_of(out / "whole.polytempo")
    before = sum(records[one] for one in records if one not in ("separation", "layers", "render"))
    after = sum(records[one] for one in ("separation", "layers", "render"))
    start_secs = startup_secs()
    print(f"before layers {before:.1f} s, layers and render {after:.1f} s, start-up {start_secs:.1f} s", flush=True)
    root = out / "killed.polytempo"
    if run(["subjects", str(clip), *common, "--project", str(root)]) != 0:
        return 1
    rng = random.Random(given.seed)
    kills: list[dict[str, Any]] = []
    for number in range(given.kills):
        # A resumed run has less left to do; the moments follow so that late ones still hit something.
        moment = start_secs + rng.random() * max(after * (1 - number / given.kills), 1.0)
        process = start(words("killed"))
        try:
            process.wait(timeout=moment)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.communicate()
        opens = opened(root)
        kills.append({"after_secs": round(moment, 2), "exit": process.returncode, "opens": opens, "at": where(root)})
        print(
            f"kill {number + 1}: after {moment:.1f} s, exit {process.returncode}, opens: {opens}, {where(root)}",
            flush=True,
        )
    code = run(words("killed"))
    same = code == 0 and (out / "killed.mp4").read_bytes() == (out / "whole.mp4").read_bytes()
    good = same and all(one["opens"] for one in kills)
    print(f"\n{len(kills)} kills; all opened: {all(one['opens'] for one in kills)}; same clip in the end: {same}")
    if given.json:
        write_json(given.json, {"kills": kills, "same": same, "seed": given.seed})
    return 0 if good else 1


def start(words: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start polytempo."""
    return subprocess.Popen(
        [sys.executable, "-m", "polytempo.cli.main", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env=os.environ,
    )  # fmt: skip


def run(words: Sequence[str]) -> int:
    """Run polytempo to its end; a traceback counts as a failure."""
    process = start(words)
    _, errors = process.communicate()
    if process.returncode != 0 or b"Traceback" in errors:
        print(errors.decode(errors="replace")[-2000:], file=sys.stderr)
        return process.returncode or 1
    return 0


def startup_secs() -> float:
    """Time that the program takes before it does anything."""
    began = time.perf_counter()
    run(["retime", "--help"])
    return time.perf_counter() - began


def opened(root: Path) -> bool:
    """Whether the project opens for writing, with nothing half-written left in it."""
    try:
        with open_project(root):
            return not [one for one in root.rglob("*.partial*") if "work" not in one.relative_to(root).parts]
    except PolytempoError as error:
        print(error, file=sys.stderr)
        return False


def where(root: Path) -> str:
    """Which stages are done, and whether a checkpoint is kept."""
    done = [one for one in ("separation", "layers", "render") if list((root / "stages" / one).glob("[!.]*"))]
    kept = "checkpoint kept" if list((root / "work").rglob("*.safetensors")) else "no checkpoint"
    return f"done: {', '.join(done) or 'nothing'}; {kept}"


def records_of(root: Path) -> dict[str, float]:
    """Wall time of each stage of a project."""
    with open_project(root, writing=False) as project:
        return {
            stage: json.loads((root / "stages" / stage / key / "record.json").read_text())["seconds"]
            for stage, key in project.current.items()
        }


def drawn(out: Path, *, epochs: int) -> tuple[Path, Path]:
    """Draw a small scene with prompts and settings."""
    scene = draw(crossing(size=(160, 96), n_frames=16))
    clip, subjects = out / "small.mp4", out / "subjects.json"
    write_clip(clip, scene.pictures, size=(160, 96), frame_rate=Fraction(24), crf=14)
    boxes: dict[str, dict[str, list[int]]] = {"far": {}, "near": {}}
    for name, masks in zip(boxes, scene.masks, strict=True):
        for frame in (0, 5, 10, 15):
            rows, columns = np.nonzero(masks[frame])
            if len(rows) > 150:
                boxes[name][str(frame)] = [
                    int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1,
                ]  # fmt: skip
    subjects.write_text(json.dumps({"subjects": boxes}))
    (out / "small.toml").write_text(f"work_side_px = 160\n[decompose.training]\nepochs = {epochs}\n")
    return clip, subjects


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=12, help="of the drawn scene's training")
    parser.add_argument("--clip", type=Path)
    parser.add_argument("--subjects", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("edit", nargs="*", help="edits, after --")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
