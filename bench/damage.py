"""Give polytempo damaged files and see that each is refused in our words or handled.

    python bench/damage.py --count 200 --out out/damage [--json FILE]

Clips, prompt files, mask folders, homographies and the files of a finished project are cut short, have bits flipped,
bytes deleted or stretches overwritten. An answer is good when the program ends by itself with a documented exit code
other than 1, says so in one line of ours, and leaves nothing half-written.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import random
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from types import FrameType
from typing import Any

import cv2
import numpy as np
from machine import commit, machine_facts
from result_schemas import check_results

from polytempo.camera.homographies_file import write_homographies
from polytempo.camera.path import static_path
from polytempo.cli.main import main as polytempo
from polytempo.core.files import write_json
from polytempo.synth.draw import draw
from polytempo.synth.scenes import crossing
from polytempo.video.writer import write_clip

SCHEMA, VERSION = "polytempo.bench.damage", 1
LONGEST_SECS = 600
GOOD_EXITS = {0, 2, 3, 4}


def main() -> int:
    """Damage, run, judge, print."""
    given = arguments()
    out: Path = given.out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    rng = random.Random(given.seed)
    signal.signal(signal.SIGALRM, _too_long)
    whole = make_whole(out / "whole")
    kinds: list[tuple[str, Callable[[Path, Path, random.Random], dict[str, Any]]]] = [
        ("clip", damaged_clip),
        ("prompts", damaged_prompts),
        ("masks", damaged_masks),
        ("project", damaged_project),
        ("homographies", damaged_homographies),
    ]
    found: list[dict[str, Any]] = []
    for number in range(given.count):
        kind, attempt = kinds[number % len(kinds)]
        place = out / f"{number:03d}"
        place.mkdir()
        result = {"number": number, "kind": kind} | attempt(whole, place, rng)
        found.append(result)
        if result["bad"]:
            print(f"{number} {kind}: {result['bad']}: {result['what']}: {result['text'][:300]}", flush=True)
        else:
            shutil.rmtree(place)
    table = Counter((one["kind"], one["exit"]) for one in found)
    for (kind, code), n in sorted(table.items()):
        print(f"{kind:8} exit {code}: {n}")
    bad = sum(bool(one["bad"]) for one in found)
    print(f"{len(found)} damaged inputs, {bad} answered badly")
    if given.json:
        document = {
            "schema": SCHEMA,
            "version": VERSION,
            "commit": commit(),
            "machine": machine_facts(),
            "seed": given.seed,
            "bad": bad,
            "results": [one | {"text": one["text"].replace(str(out), "OUT")} for one in found],
        }
        check_results(document)
        write_json(given.json, document)
    return 1 if bad else 0


def make_whole(folder: Path) -> Path:
    """Go the whole way once on a small drawn scene."""
    folder.mkdir(parents=True)
    scene = draw(crossing(size=(160, 96), n_frames=10))
    write_clip(folder / "clip.mp4", scene.pictures, size=(160, 96), frame_rate=Fraction(24), crf=14)
    for k, masks in enumerate(scene.masks, start=1):
        (folder / "masks" / f"{k:02d}").mkdir(parents=True)
        for t, mask in enumerate(masks):
            cv2.imwrite(str(folder / "masks" / f"{k:02d}" / f"{t:04d}.png"), mask.astype(np.uint8) * 255)
    write_homographies(folder / "homographies.txt", static_path(10, (160, 96)))
    near = np.argwhere(scene.masks[1][0])
    top, left = near.min(0)
    bottom, right = near.max(0) + 1
    box = [int(left), int(top), int(right), int(bottom)]
    (folder / "subjects.json").write_text(json.dumps({"subjects": {"near": {"0": box}}}))
    (folder / "small.toml").write_text("work_side_px = 160\n[decompose.training]\nepochs = 1\n")
    words = ["retime", str(folder / "clip.mp4"), "--subjects", str(folder / "subjects.json"), "--project"]
    words += [str(folder / "p.polytempo"), "--config", str(folder / "small.toml"), "-o", str(folder / "out.mp4")]
    answer = run(words)
    if answer["exit"] != 0:
        raise SystemExit(answer["text"])
    return folder


def damaged_clip(whole: Path, place: Path, rng: random.Random) -> dict[str, Any]:
    """Damage a clip and read all of it."""
    clip = place / "clip.mp4"
    what = damage(whole / "clip.mp4", clip, rng)
    root = place / "p.polytempo"
    words = ["subjects", str(clip), "--box", "a=10,10,60,90@0", "--project", str(root)]
    answer = run(["probe", str(clip)])
    if answer["exit"] == 0 and rng.random() < 0.5:
        answer = run([*words, "--config", str(whole / "small.toml")])
    return judged(answer, what, place)


def damaged_prompts(whole: Path, place: Path, rng: random.Random) -> dict[str, Any]:
    """Damage a prompt file."""
    shutil.copytree(whole / "p.polytempo", place / "p.polytempo")
    path = place / "subjects.json"
    what = damage(whole / "subjects.json", path, rng)
    return judged(run(["subjects", str(place / "p.polytempo"), "--subjects", str(path)]), what, place)


def damaged_masks(whole: Path, place: Path, rng: random.Random) -> dict[str, Any]:
    """Damage one picture of a folder of masks."""
    shutil.copytree(whole / "p.polytempo", place / "p.polytempo")
    shutil.copytree(whole / "masks", place / "masks")
    path = rng.choice(sorted((place / "masks").rglob("*.png")))
    what = damage(path, path, rng) if rng.random() < 0.8 else f"{path.name} missing"
    if what.endswith("missing"):
        path.unlink()
    return judged(run(["subjects", str(place / "p.polytempo"), "--subjects", str(place / "masks")]), what, place)


def damaged_homographies(whole: Path, place: Path, rng: random.Random) -> dict[str, Any]:
    """Damage a given camera path; one that still makes sense moves the background, which is the giver's affair."""
    shutil.copytree(whole / "p.polytempo", place / "p.polytempo")
    path = place / "homographies.txt"
    what = damage(whole / "homographies.txt", path, rng)
    return judged(run(["decompose", str(place / "p.polytempo"), "--homographies", str(path)]), what, place)


def damaged_project(whole: Path, place: Path, rng: random.Random) -> dict[str, Any]:
    """Damage one file of a finished project, then render and report."""
    root = place / "p.polytempo"
    shutil.copytree(whole / "p.polytempo", root)
    heads = [root / name for name in ("project.json", "subjects.json", "edit.json", "settings.json")]
    others = sorted(one for one in (root / "stages").rglob("*") if one.is_file())
    path = rng.choice(heads if rng.random() < 0.5 else others)
    what = f"{path.relative_to(root)}: " + damage(path, path, rng)
    verb = rng.choice(["render", "decompose", "report"])
    words = [verb, str(root), *(["-o", str(place / "out.mp4")] if verb == "render" else [])]
    return judged(run(words), what, place)


def damage(source: Path, path: Path, rng: random.Random) -> str:
    """Write a damaged copy and say what was done to it."""
    data = bytearray(source.read_bytes())
    kind = rng.choice(["cut", "flip", "delete", "overwrite", "empty", "noise"])
    size = len(data)
    if kind == "cut":
        del data[rng.randrange(size) :]
    elif kind == "flip":
        for _ in range(rng.choice([1, 3, 30])):
            data[rng.randrange(size)] ^= 1 << rng.randrange(8)
    elif kind == "delete":
        start = rng.randrange(size)
        del data[start : start + rng.randrange(1, 64)]
    elif kind == "overwrite":
        start = rng.randrange(size)
        data[start : start + 40] = rng.randbytes(min(40, size - start))
    elif kind == "empty":
        data = bytearray()
    else:
        data = bytearray(rng.randbytes(200))
    path.write_bytes(data)
    return f"{kind} of {size} bytes"


def run(words: Sequence[str]) -> dict[str, Any]:
    """Run polytempo in this process, within a time limit."""
    results, notes = io.StringIO(), io.StringIO()
    signal.alarm(LONGEST_SECS)
    try:
        with contextlib.redirect_stdout(results), contextlib.redirect_stderr(notes):
            code = polytempo([*words, "--json"])
    except TimeoutError:
        code = -1
    finally:
        signal.alarm(0)
    lines = results.getvalue().splitlines()
    return {"exit": code, "text": lines[-1] if lines else notes.getvalue()[-400:], "notes": notes.getvalue()}


def judged(answer: dict[str, Any], what: str, place: Path) -> dict[str, Any]:
    """Say what is wrong with an answer, if anything."""
    leftovers = [str(one) for one in place.rglob("*.partial*")]
    bad = ""
    if answer["exit"] not in GOOD_EXITS:
        bad = f"exit {answer['exit']}"
    elif "Traceback" in answer["notes"] or "Traceback" in answer["text"]:
        bad = "a traceback"
    elif leftovers:
        bad = f"half-written {leftovers[0]}"
    elif answer["exit"] != 0 and '"event": "error"' not in answer["text"]:
        bad = "no message of ours"
    return {"exit": answer["exit"], "what": what, "text": answer["text"], "bad": bad}


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TimeoutError


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="emptied first")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
