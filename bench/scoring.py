"""Running ``score.py`` on outputs and on its own baselines, and the table beside the bars of the project."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from polytempo.core.files import digest, file_digest, write_json

Scores = dict[str, Any]
BASELINES = ("masked-median", "copy")
BARS: dict[str, dict[str, float]] = {
    "crossing": {"effect": 28, "psnr": 33, "retime": 31, "disocc": 20, "reconstruction": 33.5},
    "trampoline": {"effect": 24, "psnr": 30, "retime": 30, "reconstruction": 33},
    "panning": {"effect": 27, "psnr": 31, "retime": 30, "disocc": 19, "reconstruction": 32.5},
}
"""What the draft preset must reach, in dB: means over all outputs but the reconstruction, every retime, and the
reconstruction."""
DECOMPOSE_BAR_SECS = 180.0


def score(script: Path, scene: Path, predicted: Path, *, ssim: bool = True) -> Scores:
    """Score a folder of outputs."""
    return _run(script, scene, [str(predicted)], predicted / "scores.json", ssim=ssim)


def baseline(script: Path, scene: Path, kind: str, cache: Path) -> Scores:
    """Scores of a built-in baseline, kept in ``cache`` for this script and scene."""
    key = digest(file_digest(script), file_digest(scene / "scene.json"), file_digest(scene / "input.mp4"), kind)[:16]
    kept = cache / f"{scene.name}-{kind}-{key}.json"
    if kept.is_file():
        return json.loads(kept.read_text())
    cache.mkdir(parents=True, exist_ok=True)
    return _run(script, scene, ["--baseline", kind], kept, ssim=False)


def _run(script: Path, scene: Path, words: list[str], out: Path, *, ssim: bool) -> Scores:
    command = [sys.executable, str(script), str(scene), *words, "--json", str(out), *([] if ssim else ["--no-ssim"])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not out.is_file():
        raise SystemExit(f"score.py failed on {scene.name}: {done.stderr.strip() or done.stdout.strip()}")
    return json.loads(out.read_text())


def headline(scores: Scores) -> dict[str, float | None]:
    """The figures that have bars: mean effect, mean PSNR, worst retime, mean disocclusion, reconstruction."""
    outputs = {name: row for name, row in scores["outputs"].items() if row["status"] == "ok"}
    mean = scores["mean_without_reconstruction"]
    retimes = [row["psnr"] for name, row in outputs.items() if name.startswith("retime_")]
    return {
        "effect": mean["effect"],
        "psnr": mean["psnr"],
        "retime": min(retimes, default=None),
        "disocc": mean["disocc"],
        "reconstruction": outputs.get("reconstruction", {}).get("psnr"),
    }


def below_bars(name: str, figures: dict[str, float | None]) -> list[str]:
    """Names of the figures of a scene that are missing or lie below their bar."""
    bars = BARS.get(name, {})
    return [k for k, bar in bars.items() if (value := figures.get(k)) is None or value < bar]


def headline_table(name: str, rows: dict[str, dict[str, float | None]]) -> str:
    """A scene's headline figures, ours and the baselines', with the bars below; ``!`` marks what is below."""
    columns = ("effect", "psnr", "retime", "disocc", "reconstruction")
    bars = BARS.get(name, {})
    lines = [f"{name:<16}" + "".join(f"{c:>16}" for c in columns)]
    for who, figures in rows.items():
        cells = [_cell(figures.get(c), bars.get(c) if who == "polytempo" else None) for c in columns]
        lines.append(f"  {who:<14}" + "".join(f"{c:>16}" for c in cells))
    if bars:
        lines.append(f"  {'bar':<14}" + "".join(f"{f'≥ {bars[c]:g}' if c in bars else '–':>16}" for c in columns))
    return "\n".join(lines)


def output_table(ours: Scores, beside: dict[str, Scores]) -> str:
    """Every output's PSNR, effect, hole and disocclusion, ours and (in brackets) the first baseline's."""
    columns = ("psnr", "ssim", "effect", "hole", "disocc")
    first = next(iter(beside.values()), {"outputs": {}})
    lines = [f"  {'output':<22}" + "".join(f"{c:>16}" for c in columns)]
    for name, row in ours["outputs"].items():
        if row["status"] != "ok":
            lines.append(f"  {name:<22}  {row['status']}")
            continue
        other = first["outputs"].get(name, {})
        cells = [_cell(row.get(c), None, digits=3 if c == "ssim" else 2) + _bracket(other.get(c)) for c in columns]
        lines.append(f"  {name:<22}" + "".join(f"{c:>16}" for c in cells))
    for k, row in ours["alpha"].items():
        if row["status"] == "ok":
            parts = (("iou", "iou"), ("mae", "mae_body"), ("visible", "mae_visible"), ("hidden", "mae_hidden"))
            text = "  ".join(f"{label} {_cell(row.get(field), None, digits=3)}" for label, field in parts)
            lines.append(f"  {'alpha_' + k:<22}  {text}")
    return "\n".join(lines)


def write_results(path: Path, document: dict[str, Any]) -> None:
    """Write the JSON of a run."""
    write_json(path, document)


def _cell(value: float | None, bar: float | None, *, digits: int = 2) -> str:
    if value is None:
        return "–"
    return f"{'!' if bar is not None and value < bar else ''}{value:.{digits}f}"


def _bracket(value: float | None) -> str:
    return f" ({value:.1f})" if value is not None else ""
