"""A clip small enough to go the whole way in seconds, with prompts and settings to match."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from polytempo.synth.draw import draw
from polytempo.synth.scenes import crossing
from polytempo.video.writer import write_clip

SIZE = (160, 96)
N_FRAMES = 12
SETTINGS = 'work_side_px = 160\n[decompose.training]\nepochs = 2\n[render]\npreset = "ultrafast"\n'


def write_tiny_clip(folder: Path) -> Path:
    """Write ``tiny.mp4``, ``subjects.json`` and ``tiny.toml`` into a folder and give the clip's path."""
    scene = draw(crossing(size=SIZE, n_frames=N_FRAMES))
    clip = folder / "tiny.mp4"
    write_clip(clip, scene.pictures, size=SIZE, frame_rate=Fraction(24), crf=14)
    boxes: dict[str, dict[str, list[int]]] = {}
    for name, masks in zip(("far", "near"), scene.masks, strict=True):
        boxes[name] = {str(t): _box(masks[t]) for t in (0, 4, 7, 11) if masks[t].sum() > 150}
    (folder / "subjects.json").write_text(json.dumps({"subjects": boxes}))
    (folder / "tiny.toml").write_text(SETTINGS)
    return clip


def retime_words(folder: Path, *edits: str, project: str = "tiny.polytempo", output: str = "out.mp4") -> Sequence[str]:
    """Give the command line that goes the whole way in a folder of ``write_tiny_clip``."""
    return [
        "retime",
        str(folder / "tiny.mp4"),
        "--subjects",
        str(folder / "subjects.json"),
        "--config",
        str(folder / "tiny.toml"),
        "--project",
        str(folder / project),
        *edits,
        "-o",
        str(folder / output),
    ]


def _box(mask: np.ndarray) -> list[int]:
    rows, columns = np.nonzero(mask)
    return [
        max(0, int(columns.min()) - 2),
        max(0, int(rows.min()) - 2),
        min(SIZE[0], int(columns.max()) + 3),
        min(SIZE[1], int(rows.max()) + 3),
    ]
