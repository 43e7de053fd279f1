"""How fast slow motion is at 1080p, and that its memory does not grow with the clip's length.

Three drawn people with shadow and reflection each, 1920 x 1080, a live background with grain, a camera at rest. All
three run at half speed, so that every second output frame lies between two of the source. Layers are read from a store
of a few dozen frames that come round again, so that a long clip needs no large disk. Example:

    python bench/slow_motion.py --frames 100 1000 5000 --json bench/results/slow_motion.json
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from machine import commit, machine_facts, peak_mb, reset_peak
from render_speed import drawn_clip, layered, person, texture

from polytempo.camera.path import static_path
from polytempo.core.files import write_json
from polytempo.core.pictures import Picture
from polytempo.edit.edl import Between, Edl, clip_duration, identity_edl
from polytempo.edit.operations.picture import interpolate
from polytempo.edit.operations.speed import speed
from polytempo.layers.sparse import Crop, crop_of
from polytempo.layers.stack import Background, LayerStack
from polytempo.layers.store import LayerName, StackWriter, read_stack
from polytempo.render.sequence import RenderConfig, render_clip, render_frames
from polytempo.video.clip import Clip

SCHEMA, VERSION = "polytempo.bench.slow_motion", 1
DRAWN = 32
"""Frames on disk."""


class ComingRound:
    """Stored pictures again and again, as a clip of any length."""

    def __init__(self, stored: Any, n_frames: int) -> None:
        self._stored, self._n_frames = stored, n_frames

    def __len__(self) -> int:
        return self._n_frames

    def __getitem__(self, index: int, /) -> Picture:
        """One frame."""
        return self._stored[index % DRAWN]

    def crop(self, index: int, /) -> Crop:
        """One frame's crop."""
        return crop_of(self._stored, index % DRAWN)


def main() -> None:
    """Draw, render, print, write."""
    given = arguments()
    size = (given.width, given.height)
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "version": VERSION,
        "commit": commit(),
        "machine": machine_facts(),
        "size": size,
        "layers": 3,
        "codec": {"name": "h264", "crf": RenderConfig().crf, "preset": given.preset},
        "runs": [],
    }
    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder) / "layers", size)
        for between in given.between:
            for n_frames in given.frames:
                run = measure(Path(folder), n_frames, size, between, given.preset)
                document["runs"].append(run)
                print(json.dumps(run), flush=True)
                if given.json:
                    write_json(given.json, document)


def measure(folder: Path, n_frames: int, size: tuple[int, int], between: Between, preset: str) -> dict[str, Any]:
    """Figures of one length and one way."""
    clip = drawn_clip(n_frames, size)
    stack = long_stack(read_stack(folder / "layers"), n_frames)
    edl = edited(clip, [layer.name for layer in stack.layers], between)
    for _ in render_frames(stack, edl, clip, stop=4):
        pass  # compiles
    reset_peak()
    start, cpu = time.perf_counter(), time.process_time()
    render_clip(stack, edl, clip, folder / "out.mp4", config=RenderConfig(preset=preset))
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    return {
        "between": between,
        "frames": n_frames,
        "written_fps": round(n_frames / seconds, 2),
        "cpu_ms_per_frame": round(1e3 * cpu / n_frames, 1),
        "peak_mb": round(peak_mb(), 1),
        "other_load": round(os.getloadavg()[0], 1),
    }


def edited(clip: Clip, names: list[str], between: Between) -> Edl:
    """Everybody at half speed."""
    edl = identity_edl(names, clip_duration(clip))
    for name in names:
        edl = interpolate(speed(edl, name, factor=Fraction(1, 2)), name, between=between)
    return edl


def long_stack(short: LayerStack, n_frames: int) -> LayerStack:
    """A stack of any length from one of a few frames."""
    return LayerStack(
        background=replace(short.background, live=ComingRound(short.background.live, n_frames)),
        layers=tuple(
            replace(one, pictures=ComingRound(one.pictures, n_frames), effects=ComingRound(one.effects, n_frames))
            for one in short.layers
        ),
        order=(short.order[0],) * n_frames,
        camera=static_path(n_frames, short.size),
    )


def draw(folder: Path, size: tuple[int, int]) -> None:
    """Write the few frames."""
    rng = np.random.default_rng(0)
    plate = texture(rng, size)
    cloth = [texture(rng, size) for _ in range(3)]
    grain = rng.integers(0, 5, (size[1], size[0], 3)).astype(np.uint8)
    names = [LayerName(layer_id=k + 1, name=f"person {k + 1}", subject_ids=(k + 1,)) for k in range(3)]
    with StackWriter(folder, layers=names, camera=static_path(DRAWN, size), order=[(1, 2, 3)] * DRAWN) as writer:
        writer.write_background(Background(colour=plate, coverage=np.ones(plate.shape[:2], np.uint16)))
        for t in range(DRAWN):
            clear = np.full((size[1], size[0]), 255, np.uint8)
            for k in range(3):
                body, effects = person(np.roll(cloth[k], 9 * t, axis=1), t=t, side=k / 2)
                writer.write(k + 1, body, effects=effects)
                clear = cv2.subtract(clear, cv2.add(body[..., 3], effects[..., 3]))
            writer.write_live(layered(cv2.add(plate, np.roll(grain, 977 * t, axis=1)), clear))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, nargs="+", default=[100, 1000, 5000])
    parser.add_argument("--between", nargs="+", default=["nearest", "flow"], choices=["nearest", "blend", "flow"])
    parser.add_argument("--width", type=int, default=1920)
    parser.add_argument("--height", type=int, default=1080)
    parser.add_argument("--preset", default=RenderConfig().preset)
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args()


if __name__ == "__main__":
    main()
