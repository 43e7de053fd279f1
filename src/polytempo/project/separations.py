"""A separation on disk: plain arrays that are read through memory mapping, never a pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polytempo.core.files import write_json
from polytempo.decompose.lnr.solve import Separation

ARRAYS = ("probability", "change", "significance", "dwelling")
PICTURED = ("hidden", "meeting")
"""Pictures of bodies by layer and frame."""


def write_separation(folder: Path, separation: Separation) -> None:
    """Write a separation into a folder of its own, which the caller makes appear in one step."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ARRAYS:
        np.save(folder / f"{name}.npy", getattr(separation, name), allow_pickle=False)
    head: dict[str, Any] = {"layer_ids": separation.layer_ids}
    for name in PICTURED:
        head[name] = {}
        for layer_id, frames in getattr(separation, name).items():
            head[name][str(layer_id)] = sorted(frames)
            stacked = np.stack([frames[t] for t in sorted(frames)]).astype(np.float16)
            np.save(folder / f"{name}_{layer_id}.npy", stacked, allow_pickle=False)
    write_json(folder / "separation.json", head)


def read_separation(folder: Path) -> Separation:
    """Read what ``write_separation`` wrote.

    Raises:
        OSError, ValueError, KeyError, TypeError: it is missing or damaged.
    """
    head: Any = json.loads((folder / "separation.json").read_text(encoding="utf-8"))
    probability, change, significance, dwelling = (_mapped(folder / f"{name}.npy") for name in ARRAYS)
    layer_ids = tuple(int(one) for one in head["layer_ids"])
    n_frames = len(significance)
    same = probability.shape[:2] == change.shape[:2] == (n_frames, len(layer_ids))
    same = same and dwelling.shape == (n_frames, *probability.shape[2:])
    if not (same and probability.ndim == 4 and change.ndim == 5 and significance.ndim == 3):
        raise ValueError("arrays that do not belong together")
    hidden, meeting = (_pictured(folder, name, head[name]) for name in PICTURED)
    return Separation(
        layer_ids=layer_ids,
        probability=probability,
        change=change,
        significance=significance,
        dwelling=dwelling,
        hidden=hidden,
        meeting=meeting,
    )


def _pictured(folder: Path, name: str, frames_of: dict[str, list[int]]) -> dict[int, dict[int, NDArray[np.float32]]]:
    out: dict[int, dict[int, NDArray[np.float32]]] = {}
    for text, frames in frames_of.items():
        stacked = _mapped(folder / f"{name}_{int(text)}.npy")
        if len(stacked) != len(frames) or stacked.ndim != 4:
            raise ValueError(f"{name} bodies that do not belong together")
        out[int(text)] = {int(t): stacked[n].astype(np.float32) for n, t in enumerate(frames)}
    return out


def _mapped(path: Path) -> NDArray[Any]:
    return np.load(path, mmap_mode="r", allow_pickle=False)
