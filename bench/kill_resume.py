"""Kill a run at random moments, go on, and see whether the result is the one it would have been.

    python bench/kill_resume.py --kills 20 --out out/kills [--clip my.mp4 --subjects my.json] [--json FILE]

The first run is left alone; it says how long each stage takes. Kills are then dealt out over all stages, most of them
to those of decompose and render: the program is followed by its own events, and when the stage in question has begun,
a random share of that stage's time later, it is killed. After every kill the project must open; after the last one a
run goes to its end and its clip must equal the first, byte by byte. Without ``--clip`` a small scene is drawn.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from machine import commit, machine_facts
from result_schemas import check_results

from polytempo.core.errors import PolytempoError
from polytempo.core.files import write_json
from polytempo.project.folder import open_project
from polytempo.synth.draw import draw
from polytempo.synth.scenes import crossing
from polytempo.video.writer import write_clip

SCHEMA, VERSION = "polytempo.bench.kill_resume", 1
STAGES = ("probe", "frames", "camera_first", "masks", "camera", "cast", "separation", "layers", "render")
SIZE = (320, 192)
EDIT = ("--freeze", "far@0.3s", "--duplicate", "near*12+1f:3,0")
"""Many copies, so that the render of a small scene lasts long enough to be hit."""
SHARES = {"separation": 6, "layers": 4, "render": 4}
"""Kills of twenty by stage; one for each of the others."""
CHECKPOINT_SECS = 1.0
"""A checkpoint is kept this often, instead of every 15 s, so that a small scene has several to go on from."""
PROGRAM = (
    "import sys, polytempo.decompose.lnr.ownership as ownership; from polytempo.cli.main import main; "
    f"ownership.CHECKPOINT_SECS = {CHECKPOINT_SECS}; sys.exit(main())"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """One kill to come."""

    stage: str
    after_secs: float
    """After the stage has begun."""


def main() -> int:
    """Run, kill, resume, compare, print."""
    given = arguments()
    out: Path = given.out
    out.mkdir(parents=True, exist_ok=True)
    for name in ("whole", "killed"):
        shutil.rmtree(out / f"{name}.polytempo", ignore_errors=True)
    clip, subjects = (given.clip, given.subjects) if given.clip else drawn(out, epochs=given.epochs)
    common = ["--subjects", str(subjects), *(["--config", str(out / "small.toml")] if not given.clip else [])]
    edit = given.edit or EDIT

    def words(name: str) -> list[str]:
        root, path = out / f"{name}.polytempo", out / f"{name}.mp4"
        return ["retime", str(clip), *common, *edit, "--project", str(root), "-o", str(path)]

    print("undisturbed run", flush=True)
    if run(words("whole")) != 0:
        return 1
    seconds = seconds_of(out / "whole.polytempo")
    print("  ".join(f"{stage} {seconds[stage]:.1f} s" for stage in STAGES), flush=True)
    root, rng = out / "killed.polytempo", random.Random(given.seed)
    kills: list[dict[str, Any]] = []
    for plan in plans(given.kills, seconds, rng):
        for _ in range(5):  # a stage that was over before its kill came is run again: the kill counts where it fell
            fell = killed(words("killed"), plan)
            if fell["exit"] == -signal.SIGKILL:
                break
            again(root, plan.stage)
        kills.append({"stage": plan.stage, "after_secs": round(plan.after_secs, 2), **fell, **state(root)})
        print(f"kill {len(kills)}: {kills[-1]}", flush=True)
    code = run(words("killed"))
    same = code == 0 and (out / "killed.mp4").read_bytes() == (out / "whole.mp4").read_bytes()
    fell_in = Counter(one["fell_in"] for one in kills if one["exit"] == -signal.SIGKILL)
    document = {
        "schema": SCHEMA,
        "version": VERSION,
        "commit": commit(),
        "machine": machine_facts(),
        "seed": given.seed,
        "checkpoint_secs": CHECKPOINT_SECS,
        "stage_seconds": seconds,
        "kills": kills,
        "fell_in": {stage: fell_in[stage] for stage in STAGES if fell_in[stage]},
        "all_open": all(one["opens"] for one in kills),
        "same": same,
    }
    print(f"\nkills that fell, by stage: {document['fell_in']}")
    print(f"all opened: {document['all_open']}; same clip in the end: {same}")
    if given.json:
        check_results(document)
        write_json(given.json, document)
    return 0 if same and document["all_open"] and fell_in.total() == len(kills) else 1


def plans(count: int, seconds: dict[str, float], rng: random.Random) -> list[Plan]:
    """Deal kills out over the stages in proportion to ``SHARES``, in the order in which stages run.

    A stage that keeps checkpoints has less left to do after every kill, so its kills come sooner.
    """
    weights = [SHARES.get(stage, 1) for stage in STAGES]
    ends = np.round(np.cumsum(weights) / sum(weights) * count).astype(int)
    out: list[Plan] = []
    for stage, n in zip(STAGES, np.diff([0, *ends]).tolist(), strict=True):
        longest = seconds[stage] * (1.5 / max(n, 1.5) if stage == "separation" else 0.95)
        out += [Plan(stage=stage, after_secs=rng.random() * longest) for _ in range(n)]
    return out


def killed(words: Sequence[str], plan: Plan) -> dict[str, Any]:
    """Start polytempo, kill it as planned, and say how it ended and in which stage."""
    fell: dict[str, Any] = {"fell_in": "start", "share_done": 0.0}
    begun: set[str] = set()
    with start(words) as process:
        assert process.stdout is not None  # asked for in start
        timers: list[threading.Timer] = []
        for line in process.stdout:
            try:
                event = json.loads(line)
            except ValueError:  # the line in which it was killed
                continue
            if event["event"] != "progress":
                continue
            fell = {"fell_in": event["stage"], "share_done": round(event["done"] / max(event["total"], 1e-9), 3)}
            if event.get("message") != "kept" and event["stage"] == plan.stage and not timers:
                timers.append(threading.Timer(plan.after_secs, process.kill))
                timers[0].start()
            if event.get("message") != "kept":
                begun.add(event["stage"])
        for timer in timers:
            timer.cancel()
    return {"exit": process.returncode, **fell, "begun": [stage for stage in STAGES if stage in begun]}


def start(words: Sequence[str]) -> subprocess.Popen[str]:
    """Start polytempo in a process of its own that tells its events."""
    command = [sys.executable, "-c", PROGRAM, *words, "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8")


def run(words: Sequence[str]) -> int:
    """Run polytempo to its end."""
    with start(words) as process:
        lines, _ = process.communicate()
    if process.returncode != 0:
        print("\n".join(lines.splitlines()[-1:]), file=sys.stderr)
    return process.returncode


def again(root: Path, stage: str) -> None:
    """Let a finished stage be run again, as if its result had never been there."""
    with open_project(root) as project:
        if stage in project.current:
            project.discard_result(stage, project.current[stage])


def state(root: Path) -> dict[str, Any]:
    """Whether the project opens with nothing half-written in it, what is done, and whether a checkpoint is kept."""
    try:
        with open_project(root):
            left = [one for one in root.rglob("*.partial*") if "work" not in one.relative_to(root).parts]
    except PolytempoError as error:
        print(error, file=sys.stderr)
        left = [root]
    return {
        "opens": not left,
        "done": [stage for stage in STAGES if list((root / "stages" / stage).glob("[!.]*"))],
        "checkpoint": bool(list((root / "work").rglob("*.safetensors"))),
    }


def seconds_of(root: Path) -> dict[str, float]:
    """Wall time of each stage of a project, as it recorded them."""
    with open_project(root, writing=False) as project:
        records = {
            stage: root / "stages" / stage / key / "record.json" for stage, key in project.current.items()
        }  # fmt: skip
        return {stage: round(json.loads(records[stage].read_text())["seconds"], 3) for stage in STAGES}


def drawn(out: Path, *, epochs: int) -> tuple[Path, Path]:
    """Draw a small scene with prompts and settings."""
    scene = draw(crossing(size=SIZE, n_frames=24))
    clip, subjects = out / "small.mp4", out / "subjects.json"
    write_clip(clip, scene.pictures, size=SIZE, frame_rate=Fraction(24), crf=14)
    boxes: dict[str, dict[str, list[int]]] = {"far": {}, "near": {}}
    for name, masks in zip(boxes, scene.masks, strict=True):
        for frame in (0, 8, 15, 23):
            rows, columns = np.nonzero(masks[frame])
            if len(rows) > 150:
                boxes[name][str(frame)] = [
                    int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1,
                ]  # fmt: skip
    subjects.write_text(json.dumps({"subjects": boxes}))
    (out / "small.toml").write_text(f"work_side_px = 224\n[decompose.training]\nepochs = {epochs}\n")
    return clip, subjects


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=30, help="of the drawn scene's training")
    parser.add_argument("--clip", type=Path)
    parser.add_argument("--subjects", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("edit", nargs="*", help="edits, after --")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
