"""The stage that completes hidden bodies by their keypoints: long to make, so its result is kept."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from polytempo.bodies.complete_cast import BodiesConfig, Body, HiddenPictures, completed_cast
from polytempo.camera.path import CameraPath
from polytempo.core.files import atomic_path
from polytempo.core.progress import Report
from polytempo.objects.cast import Cast
from polytempo.project.arrays import read_cast, write_cast
from polytempo.project.damaged import or_damaged
from polytempo.project.folder import Project
from polytempo.project.run import Result, run_stage
from polytempo.video.frames import FrameStore


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class WholeBodies:
    """What bodies made of a cast."""

    cast: Cast
    """With amodal masks from bodies."""
    folder: Path
    """Where the pictures are kept."""

    def hidden(self) -> HiddenPictures:
        """Read the pictures of what is hidden: hundreds of megabytes, which only a separation needs.

        Raises:
            DamagedProjectError: they cannot be read.
        """
        return or_damaged(self.folder, lambda: _read_hidden(self.folder / "hidden.npz"))


def run_whole_bodies(
    project: Project,
    frames: Result[FrameStore],
    cast: Result[Cast],
    camera: Result[CameraPath],
    bodies: Result[dict[int, Body]],
    *,
    config: BodiesConfig,
    report: Report,
) -> Result[WholeBodies]:
    """Complete a cast by its bodies.

    Args:
        project: Open for writing.
        frames: At working size.
        cast: At working size.
        camera: At working size.
        bodies: By subject id.
        config: How bodies are completed.
        report: Told as work goes on.
    """

    def make(folder: Path, report: Report) -> Sequence[str]:
        whole, hidden = completed_cast(
            frames.value, cast.value, bodies.value, camera=camera.value, config=config, report=report
        )
        write_cast(folder / "cast.npz", whole)
        _write_hidden(folder / "hidden.npz", hidden, size=frames.value.size)
        return ()

    inputs = {"frames": frames.key, "cast": cast.key, "camera": camera.key, "bodies": bodies.key}
    return run_stage(
        project,
        "whole_bodies",
        inputs=inputs,
        config=config,
        make=make,
        load=lambda folder: WholeBodies(cast=read_cast(folder / "cast.npz"), folder=folder),
        report=report,
    )


def _write_hidden(path: Path, hidden: HiddenPictures, *, size: tuple[int, int]) -> None:
    """Pictures cut to what is in them, in half precision, with an index of whose they are and where they lie."""
    index: list[list[int]] = []
    arrays: dict[str, NDArray[np.float16]] = {}
    for who, pictures in hidden.items():
        for t, rgba in pictures.items():
            rows, columns = np.nonzero(rgba.any(-1))
            top, left = (int(at.min()) if len(at) else 0 for at in (rows, columns))
            bottom, right = (int(at.max()) + 1 if len(at) else 0 for at in (rows, columns))
            arrays[f"picture_{len(index)}"] = rgba[top:bottom, left:right].astype(np.float16)
            index.append([who, t, top, left])
    head = {"size": size, "subjects": list(hidden), "pictures": index}
    with atomic_path(path) as partial, partial.open("wb") as file:
        text = np.frombuffer(json.dumps(head).encode(), np.uint8)
        np.savez_compressed(file, head=text, **arrays)  # pyright: ignore[reportArgumentType]  (stub takes ** for allow_pickle)


def _read_hidden(path: Path) -> dict[int, dict[int, NDArray[np.float32]]]:
    # From memory: numpy leaves the file open when the archive turns out to be damaged.
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as archive:
        head = json.loads(archive["head"].tobytes().decode())
        width, height = head["size"]
        out: dict[int, dict[int, NDArray[np.float32]]] = {int(who): {} for who in head["subjects"]}
        for i, (who, t, top, left) in enumerate(head["pictures"]):
            part = np.asarray(archive[f"picture_{i}"], np.float32)
            rgba = np.zeros((height, width, 4), np.float32)
            rgba[top : top + part.shape[0], left : left + part.shape[1]] = part
            out[int(who)][int(t)] = rgba
    return out
