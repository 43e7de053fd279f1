"""How fast an edit is rendered and written, and that memory does not grow with the clip's length.

A drawn stack on disk: 960 x 540, a hand-held camera stabilised on a canvas, a live background with grain, two people
with a shadow and a reflection each, textured. The edit freezes one (her pictures are carried through the canvas in
every frame) and delays the other by ten frames. On a machine with other work look at the processor time: two idle cores
write about ``2000 / cpu_ms_per_frame`` frames a second. Example:

    python bench/render_speed.py --json bench/results/render_speed.json
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from machine import commit, machine_facts, measured, peak_mb, reset_peak
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.core.files import write_json
from polytempo.edit.edl import Edl, clip_duration, identity_edl
from polytempo.edit.operations.delay import delay
from polytempo.edit.operations.freeze import freeze
from polytempo.layers.sparse import crop_of
from polytempo.layers.stack import Background
from polytempo.layers.store import LayerName, StackWriter, read_stack
from polytempo.render.sequence import RenderConfig, render_clip, render_frames
from polytempo.video.clip import Clip, ColourTags

SCHEMA, VERSION = "polytempo.bench.render_speed", 1
RATE = Fraction(30)


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
        "layers": 2,
        "camera": "stabilised",
        "codec": {"name": "h264", "crf": RenderConfig().crf, "preset": given.preset},
        "runs": [],
    }
    with tempfile.TemporaryDirectory() as folder:
        for n_frames in given.frames:
            run = measure(Path(folder) / f"layers-{n_frames}", n_frames, size, given)
            document["runs"].append(run)
            print(json.dumps(run))
    if given.json:
        write_json(given.json, document)


def measure(folder: Path, n_frames: int, size: tuple[int, int], given: argparse.Namespace) -> dict[str, Any]:
    """Figures of one length."""
    stages: dict[str, dict[str, float]] = {}
    clip = drawn_clip(n_frames, size)
    with measured("draw_and_store", stages):
        draw_stack(folder, clip)
    stack = read_stack(folder)
    edl = edited(clip, [layer.name for layer in stack.layers])
    for _ in render_frames(stack, edl, clip, stop=3):
        pass  # compiles
    reads: list[float] = []
    for t in range(min(n_frames, 60)):
        start = time.perf_counter()
        crop_of(stack.layers[0].pictures, t)
        reads.append(1e3 * (time.perf_counter() - start))
    with measured("render_only", stages):
        for _ in render_frames(stack, edl, clip):
            pass
    seconds: list[float] = []
    cpu: list[float] = []
    peaks: list[float] = []
    for _ in range(given.repeats):
        reset_peak()
        start, cpu_start = time.perf_counter(), time.process_time()
        render_clip(stack, edl, clip, folder / "out.mp4", config=RenderConfig(preset=given.preset))
        seconds.append(time.perf_counter() - start)
        cpu.append(time.process_time() - cpu_start)
        peaks.append(peak_mb())
    size_bytes = sum(path.stat().st_size for path in folder.glob("*.bin"))
    return {
        "frames": n_frames,
        "written_fps_median": round(n_frames / statistics.median(seconds), 1),
        "written_fps_worst": round(n_frames / max(seconds), 1),
        "rendered_fps": round(n_frames / stages["render_only"]["seconds"], 1),
        "cpu_ms_per_frame": round(1e3 * statistics.median(cpu) / n_frames, 2),
        "other_load": round(os.getloadavg()[0], 1),
        "peak_mb": round(max(peaks), 1),
        "read_crop_ms_median": round(statistics.median(reads), 3),
        "store_mb": round(size_bytes / 1e6, 1),
        "repeats": given.repeats,
    }


def edited(clip: Clip, names: list[str]) -> Edl:
    """One frozen, one late."""
    edl = identity_edl(names, clip_duration(clip))
    edl = freeze(edl, names[0], at=clip.time_of(min(36, clip.n_frames - 1)))
    return delay(edl, names[1], by=10 / RATE)


def drawn_clip(n_frames: int, size: tuple[int, int]) -> Clip:
    """A clip that needs no file, since the drawn layers stand for it."""
    return Clip(
        path=Path("drawn.mp4"),
        width=size[0],
        height=size[1],
        n_frames=n_frames,
        frame_rate=RATE,
        time_base=1 / (RATE * 512),
        pts=tuple(512 * n for n in range(n_frames)),
        rotation=0,
        bit_depth=8,
        colour=ColourTags(matrix="bt709", primaries="bt709", transfer="bt709", full_range=False, assumed=True),
        audio_codecs=(),
    )


def draw_stack(folder: Path, clip: Clip) -> None:
    """Write a stack of two people who walk, frame by frame."""
    rng = np.random.default_rng(0)
    size, n_frames, margin = (clip.width, clip.height), clip.n_frames, 40
    steps = np.cumsum(rng.normal(0, 1.2, (n_frames, 3)) * (1, 1, 2e-4), axis=0)
    matrices = np.tile(np.eye(3), (n_frames, 1, 1))
    for t in range(n_frames):
        x, y = margin + 20 * np.tanh(steps[t, :2] / 20)
        c, s = np.cos(0.01 * np.tanh(steps[t, 2])), np.sin(0.01 * np.tanh(steps[t, 2]))
        matrices[t] = [[c, -s, x], [s, c, y], [0, 0, 1]]
    canvas = (size[0] + 2 * margin, size[1] + 2 * margin)
    camera = CameraPath(
        canvas_from_frame=matrices,
        canvas_size=canvas,
        frame_size=size,
        kind="stabilised",
        residual_px=np.zeros(n_frames),
    )
    plate = texture(rng, canvas)
    names = [LayerName(layer_id=k + 1, name=name, subject_ids=(k + 1,)) for k, name in enumerate(("girl", "boy"))]
    cloth = [texture(rng, size) for _ in names]
    grain = rng.integers(0, 5, (size[1], size[0], 3)).astype(np.uint8)
    with StackWriter(folder, layers=names, camera=camera, order=[(1, 2)] * n_frames) as writer:
        writer.write_background(Background(colour=plate, coverage=np.ones(plate.shape[:2], np.uint16)))
        for t in range(n_frames):
            clear = np.full((size[1], size[0]), 255, np.uint8)
            for k in range(2):
                body, effects = person(cloth[k], t=t, side=k)
                writer.write(k + 1, body, effects=effects)
                clear = cv2.subtract(clear, cv2.add(body[..., 3], effects[..., 3]))
            seen = cv2.warpPerspective(plate, matrices[t], size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
            writer.write_live(layered(cv2.add(seen, np.roll(grain, 977 * t, axis=1)), clear))


def person(cloth: NDArray[np.uint8], *, t: int, side: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Body (about 150 x 330 pixels at 960 x 540) and its shadow with a reflection, both soft at the edge."""
    height, width = cloth.shape[:2]
    unit = height / 540
    x = width * (0.25 + 0.5 * side) + width * 0.2 * np.sin(t / 25 + 2 * side)
    alpha = np.zeros((height, width), np.uint8)
    cv2.ellipse(alpha, (round(x), round(300 * unit)), (round(70 * unit), round(150 * unit)), 0, 0, 360, 255, -1)
    cv2.circle(alpha, (round(x), round(140 * unit)), round(40 * unit), 255, -1)
    alpha = cv2.GaussianBlur(alpha, (0, 0), 2)
    shade = np.zeros((height, width), np.uint8)
    cv2.ellipse(
        shade, (round(x + 60 * unit), round(455 * unit)), (round(200 * unit), round(35 * unit)), 0, 0, 360, 110, -1
    )
    mirrored = cv2.flip(alpha[: round(450 * unit)], 0)[: height - round(450 * unit)] // 5
    shade = cv2.GaussianBlur(shade, (0, 0), 6)
    shade[height - mirrored.shape[0] :] = np.maximum(shade[height - mirrored.shape[0] :], mirrored)
    return layered(cloth, alpha), layered(cloth // 6, shade)


def layered(colour: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Premultiplied RGBA."""
    shares = (colour.astype(np.uint16) * alpha[..., None] // 255).astype(np.uint8)
    return np.dstack([shares, alpha])


def texture(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A photo-like surface: blotches of several sizes and grain."""
    width, height = size
    total = np.full((height, width, 3), 120.0, np.float32)
    for cell, strength in ((96, 45), (24, 20), (6, 10), (1, 2)):
        noise = rng.normal(0, strength, (height // cell + 2, width // cell + 2, 3)).astype(np.float32)
        total += cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC)
    return np.clip(total, 0, 255).astype(np.uint8)


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, nargs="+", default=[200, 1000])
    parser.add_argument("--width", type=int, default=960)
    parser.add_argument("--height", type=int, default=540)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--preset", default=RenderConfig().preset)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
