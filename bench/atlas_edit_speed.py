"""How fast an edit on atlases is drawn from what the layer store keeps, and that memory does not grow with length.

The stack of ``render_speed`` at 1920 x 1080 with UV and light beside every layer, as a clip decomposed at 448 pixels
has them. The edit paints a third of the wall, repaints one person whole, freezes her under the lights of the output and
doubles the light on the other. On a machine with other work look at the processor time. Example:

    python bench/atlas_edit_speed.py --json bench/results/atlas_edit_speed.json
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from machine import commit, machine_facts, peak_mb, reset_peak
from numpy.typing import NDArray
from render_speed import draw_stack, drawn_clip
from result_schemas import check_results

from polytempo.atlas.edit import BACKGROUND, AtlasEdit, edited_stack
from polytempo.core.files import write_json
from polytempo.edit.edl import Edl, clip_duration, identity_edl
from polytempo.edit.light import Light
from polytempo.edit.operations.freeze import freeze
from polytempo.edit.operations.light import relight
from polytempo.layers.shading import Shading
from polytempo.layers.sparse import crop_of
from polytempo.layers.stack import LayerStack
from polytempo.layers.store import read_stack, write_stack
from polytempo.render.compose import lay_over
from polytempo.render.plate import PlateView
from polytempo.render.sequence import render_frames
from polytempo.video.clip import Clip

SCHEMA, VERSION = "polytempo.bench.atlas_edit_speed", 1
NODES, ATLAS, LIGHT = (151, 87), 2000, 96
"""Nodes of UV for 448 x 256 working pixels; sides of an atlas that is painted on and of light over it."""


def main() -> None:
    """Draw, render, print, write."""
    given = arguments()
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "version": VERSION,
        "commit": commit(),
        "machine": machine_facts(),
        "size": (given.width, given.height),
        "runs": [],
    }
    for n_frames in given.frames:
        with tempfile.TemporaryDirectory() as folder:
            run = measure(Path(folder), drawn_clip(n_frames, (given.width, given.height)), given)
        document["runs"].append(run)
        print(json.dumps(run))
    check_results(document)
    if given.json:
        write_json(given.json, document)


def measure(folder: Path, clip: Clip, given: argparse.Namespace) -> dict[str, Any]:
    """Figures of one length; a frame's time is the median over its repeats' medians."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:  # so that its memory is not counted
        apart.submit(draw_lit, folder, clip, holes=given.holes).result()
    kept = sum(one.stat().st_size for one in (folder / "lit").glob("shading-*.bin"))
    stack = edited_stack(read_stack(folder / "lit"), edits())
    edl = edited(clip, [one.name for one in stack.layers])
    for _ in render_frames(stack, edl, clip, stop=2):
        pass  # compiles
    wall: list[float] = []
    cpu: list[float] = []
    reset_peak()
    for _ in range(given.repeats):
        begun, times = time.process_time(), [time.perf_counter()]
        for _frame in render_frames(stack, edl, clip):
            times.append(time.perf_counter())
        wall.append(statistics.median(np.diff(times)))
        cpu.append((time.process_time() - begun) / clip.n_frames)
    return {
        "frames": clip.n_frames,
        "fps_median": round(1 / statistics.median(wall), 1),
        "cpu_ms_per_frame": round(1e3 * statistics.median(cpu), 1),
        "peak_mb": round(peak_mb()),
        "shading_mb": round(kept / 1e6, 1),
        "other_load": round(os.getloadavg()[0], 1),
        "repeats": given.repeats,
        "holes": given.holes,
    }


def draw_lit(folder: Path, clip: Clip, *, holes: bool) -> None:
    """Write the stack with its shading."""
    draw_stack(folder / "drawn", clip)
    stack = with_shading(read_stack(folder / "drawn"))
    if not holes:
        stack = replace(stack, background=replace(stack.background, live=WithoutHoles(stack)))
    write_stack(folder / "lit", stack)


class WithoutHoles:
    """What frames show of the background, on the plate where somebody hides it."""

    def __init__(self, stack: LayerStack) -> None:
        self._stack, self._plates = stack, PlateView(stack)

    def __len__(self) -> int:
        return self._stack.n_frames

    def __getitem__(self, index: int, /) -> NDArray[np.uint8]:
        frame = self._plates.frame(index)
        assert self._stack.background.live is not None
        lay_over(frame, crop_of(self._stack.background.live, index))
        return frame


def with_shading(stack: LayerStack) -> LayerStack:
    """UV that follows the camera, and light that wanders over the atlas."""
    x, y = np.meshgrid(np.linspace(-0.9, 0.9, NODES[0]), np.linspace(-0.5, 0.5, NODES[1]))
    centre = np.linspace(-1, 1, LIGHT)
    u, v = np.meshgrid(centre, centre)
    uv, light = [], []
    for t in range(stack.n_frames):
        shift = stack.camera.canvas_from_frame[t, :2, 2] / 960
        uv.append(np.stack([x + shift[0], y + shift[1]], -1))
        spot = np.exp(-((u - np.sin(t / 20)) ** 2 + v**2) * 4)
        light.append(np.stack([0.6 + spot, np.full_like(spot, 0.9), 1.2 - 0.5 * spot], -1))
    shading = Shading(uv=np.stack(uv).astype(np.float32), light=np.stack(light).astype(np.float32))
    layers = tuple(replace(one, shading=shading) for one in stack.layers)
    return replace(stack, layers=layers, background=replace(stack.background, shading=shading))


def edits() -> dict[int, AtlasEdit]:
    """Words over a third of the wall's width, another colour for the first person."""
    words = np.zeros((ATLAS, ATLAS, 3), np.float32)
    cv2.rectangle(words, (700, 800), (1300, 1200), (0.3, -0.2, 0.1), -1)
    return {BACKGROUND: AtlasEdit(change=words), 1: AtlasEdit(change=np.full((ATLAS, ATLAS, 3), 0.1, np.float32))}


def edited(clip: Clip, names: list[str]) -> Edl:
    """One frozen under the lights of the output, the other's light doubled."""
    edl = freeze(identity_edl(names, clip_duration(clip)), names[0], at=clip.time_of(clip.n_frames // 3))
    return relight(relight(edl, names[0], Light(of="output")), names[1], Light(gain=2.0))


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, nargs="+", default=[24, 96])
    parser.add_argument("--width", type=int, default=1920)
    parser.add_argument("--height", type=int, default=1080)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--holes", action="store_true", help="a background with holes where people stand")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
