"""A scene folder with rendered truth, as far as a method may see it, and what it is asked to make."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

FrameMap = tuple[int, ...]
"""Source frame shown in each output frame."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SceneFolder:
    """What ``scene.json`` states."""

    path: Path
    name: str
    n_frames: int
    size: tuple[int, int]
    fps: int
    layer_ids: tuple[int, ...]
    homographies: NDArray[np.float64]
    """``[T, 3, 3]``, frame 0 from frame f. Truth: only for diagnosis."""
    retimes: dict[str, dict[int, FrameMap]]

    def outputs(self) -> dict[str, dict[int, FrameMap]]:
        """Every output that ``score.py`` knows, as source frames per layer; a layer left out is absent."""
        same = tuple(range(self.n_frames))
        ids = self.layer_ids
        wanted: dict[str, dict[int, FrameMap]] = {"background": {}}
        wanted |= {f"without_{k}": {j: same for j in ids if j != k} for k in ids}
        wanted |= {f"solo_{k}": {k: same} for k in ids}
        wanted |= {f"retime_{name}": maps for name, maps in self.retimes.items()}
        return wanted | {"reconstruction": dict.fromkeys(ids, same)}

    def masks(self, kind: str) -> dict[str, NDArray[np.bool_]]:
        """``bool [T, H, W]`` per layer, named by its number; ``kind`` is the folder."""
        return {
            str(k): np.stack([_mask(self.path / kind / str(k) / f"{t:04d}.png") for t in range(self.n_frames)])
            for k in self.layer_ids
        }


def read_scene_folder(path: Path) -> SceneFolder:
    """Read ``scene.json`` of a scene folder."""
    facts: dict[str, Any] = json.loads((path / "scene.json").read_text())
    return SceneFolder(
        path=path,
        name=facts["name"],
        n_frames=facts["frames"],
        size=(facts["size"][0], facts["size"][1]),
        fps=facts["fps"],
        layer_ids=tuple(layer["id"] for layer in facts["layers"]),
        homographies=np.array(facts["homographies"], np.float64),
        retimes={
            name: {int(k): tuple(frames) for k, frames in one["maps"].items()} for name, one in facts["retimes"].items()
        },
    )


def scene_folders(root: Path, names: list[str] | None) -> list[Path]:
    """Scene folders under ``root`` (or ``root`` itself), by name; all of them when no names are given."""
    if (root / "scene.json").is_file():
        return [root]
    found = sorted(p.parent for p in root.glob("*/scene.json"))
    missing = set(names or []) - {p.name for p in found}
    if not found or missing:
        raise SystemExit(f"no scene folder under {root}" + (f" named {', '.join(sorted(missing))}" if missing else ""))
    return [p for p in found if not names or p.name in names]


def find_score_script(scenes: Path, given: Path | None) -> Path:
    """Find ``score.py``: as given, with the scenes, above them, or in the shared bench beside this repository."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "bench"
    for folder in (scenes, scenes.parent, beside):
        if given is None and (folder / "score.py").is_file():
            return folder / "score.py"
    if given is None or not given.is_file():
        raise SystemExit(f"no score.py found with {scenes}; pass --score PATH")
    return given


def _mask(path: Path) -> NDArray[np.bool_]:
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise SystemExit(f"mask is missing: {path}")
    return picture > 127
