"""What every experiment of the paper shares: its command line, its claims with their margins, its table and figures."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the bench's shared modules

from machine import commit, machine_facts, peak_mb, reset_peak
from result_schemas import check_results

from polytempo.core.files import write_json

SCHEMA, VERSION = "polytempo.bench.paper", 1
Picture = NDArray[np.uint8]
COLOURS = ((40, 140, 60), (200, 80, 60), (50, 80, 200), (150, 100, 30))


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """Something that the paper says, as a figure that must reach a margin."""

    text: str
    value: float
    least: float
    open: bool = False
    """Known not to be shown at this size, and said so in the docs: a finding, which fails no command."""

    @property
    def met(self) -> bool:
        """Whether it holds by its margin; not where there is no figure."""
        return bool(self.value >= self.least)


@dataclass(kw_only=True, slots=True)
class Findings:
    """What an experiment gives."""

    settings: dict[str, Any]
    """All that the figures depend on beside the seeds."""
    claims: list[Claim] = field(default_factory=list)
    table: list[dict[str, Any]] = field(default_factory=list)
    curves: dict[str, list[float]] = field(default_factory=dict)


Run = Callable[[argparse.Namespace], Findings]


def experiment(
    name: str,
    about: str | None,
    run: Run,
    *,
    epochs: int | None = None,
    seeds: Sequence[int] = (0,),
    more: Callable[[argparse.ArgumentParser], object] = lambda _: None,
) -> int:
    """Read the command line, run, print, write ``paper-NAME.json`` beside the figures; 1 where a claim is not met.

    An open claim fails nothing. ``epochs`` and ``seeds`` are those of the committed figures; ``more`` may add options.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where figures and table go")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(seeds))
    if epochs is not None:
        parser.add_argument("--epochs", type=int, default=epochs)
    more(parser)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    reset_peak()
    wall, cpu = time.perf_counter(), time.process_time()
    found = run(given)
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "version": VERSION,
        "commit": commit(),
        "machine": machine_facts(),
        "threads": int(os.environ.get("OMP_NUM_THREADS", "0")) or None,
        "experiment": name,
        "seeds": given.seeds,
        "settings": ({} if epochs is None else {"epochs": given.epochs}) | found.settings,
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "wall_seconds": round(time.perf_counter() - wall, 1),
        "peak_mb": round(peak_mb(), 1),
        "claims": [
            {**asdict(one), "value": round(one.value, 4), "met": one.met} for one in found.claims
        ],
        "table": [_rounded(row) for row in found.table],
        "curves": {key: [round(v, 4) for v in values] for key, values in found.curves.items()},
    }  # fmt: skip
    check_results(document)
    write_json(given.out / f"paper-{name}.json", document)
    for row in document["table"]:
        print("  ".join(f"{key} {value}" for key, value in row.items()))
    for one in document["claims"]:
        verdict = "holds" if one["met"] else "not shown" if one["open"] else "DOES NOT HOLD"
        print(f"{verdict}: {one['text']}: {one['value']} (at least {one['least']})")
    print(f"{document['cpu_seconds']} CPU seconds, {document['peak_mb']} MB, {document['machine']['kind']}", flush=True)
    return 0 if all(one.met or one.open for one in found.claims) else 1


def write_picture(path: Path, picture: Picture) -> None:
    """Write RGB or straight RGBA as PNG."""
    channels = [2, 1, 0, 3][: picture.shape[-1]]
    done, data = cv2.imencode(".png", np.ascontiguousarray(picture[..., channels]), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    assert done
    path.write_bytes(data.tobytes())


def sheet(path: Path, rows: Sequence[tuple[str, Sequence[Picture]]], *, zoom: int = 2) -> None:
    """A row of pictures a label, all of one size, enlarged by whole pixels."""
    lines = []
    for label, pictures in rows:
        large = [cv2.resize(one, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_NEAREST) for one in pictures]
        line = np.hstack([np.pad(np.asarray(one), ((2, 2), (2, 2), (0, 0)), constant_values=255) for one in large])
        head = np.full((18, line.shape[1], 3), 255, np.uint8)
        _text(head, label, (4, 13), (0, 0, 0))
        lines.append(np.vstack([head, line]))
    width = max(one.shape[1] for one in lines)
    lines = [np.pad(one, ((0, 0), (0, width - one.shape[1]), (0, 0)), constant_values=255) for one in lines]
    write_picture(path, np.vstack(lines))


def chart(path: Path, curves: dict[str, list[float]], *, across: str, up: str) -> None:
    """Curves over steps, 0 below and 1 above."""
    width, height, left, low = 520, 280, 34, 30
    picture = np.full((height, width, 3), 255, np.uint8)
    for share in (0.0, 0.5, 1.0):
        y = round(height - low - share * (height - 2 * low))
        cv2.line(picture, (left, y), (width - 10, y), (225, 225, 225), 1)
        _text(picture, f"{share:g}", (6, y + 4), (90, 90, 90))
    for i, (name, values) in enumerate(curves.items()):
        colour = COLOURS[i % len(COLOURS)]
        x = np.linspace(left, width - 10, len(values))
        y = (height - low) - np.clip(values, 0, 1) * (height - 2 * low)
        points = np.stack([x, y], -1).round().astype(np.int32)
        cv2.polylines(picture, [points], isClosed=False, color=colour, thickness=2, lineType=cv2.LINE_AA)
        _text(picture, name, (left + 8 + 150 * i, 14), colour)
    _text(picture, f"{up} over {across}", (left, height - 8), (90, 90, 90))
    write_picture(path, picture)


def over_grey(rgba: NDArray[np.float32], *, grey: float = 0.6) -> Picture:
    """A straight layer ``[4, H, W]``, 0…1, over plain grey."""
    colour, alpha = rgba[:3].transpose(1, 2, 0), rgba[3][..., None]
    return as_bytes(colour * alpha + grey * (1 - alpha))


def as_grey(alpha: NDArray[Any]) -> Picture:
    """A matte 0…1 as a picture."""
    return as_bytes(np.repeat(np.asarray(alpha, np.float32)[..., None], 3, -1))


def as_bytes(picture: NDArray[Any]) -> Picture:
    """From 0…1 to 0…255."""
    return np.clip(np.asarray(picture, np.float32) * 255 + 0.5, 0, 255).astype(np.uint8)


def _text(picture: Picture, text: str, at: tuple[int, int], colour: tuple[int, int, int]) -> None:
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA)


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()}
