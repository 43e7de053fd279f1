"""``stack.json``: everything about a layer store but its pixels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ConfigDict, TypeAdapter, ValidationError

from polytempo.camera.path import CameraKind, CameraPath
from polytempo.core.errors import InputError, ShapeError, VersionError
from polytempo.layers.chunks import LARGEST, Chunk, damaged
from polytempo.layers.shading_store import ShadingRecord, shading_fault

FORMAT = "polytempo.layers"
VERSION = 1
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerRecord:
    """A layer and where its frames lie."""

    __pydantic_config__ = _STRICT
    layer_id: int
    name: str
    subject_ids: tuple[int, ...]
    file: str
    frames: tuple[Chunk, ...]
    effects: tuple[Chunk, ...] | None = None
    """In the same file; None where the layer keeps its effects in its pictures."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StackDocument:
    """The document; field names are its keys."""

    __pydantic_config__ = _STRICT
    format: str = FORMAT
    version: int = VERSION
    frame_size: tuple[int, int]
    canvas_size: tuple[int, int]
    camera_kind: CameraKind
    camera_warnings: tuple[str, ...]
    canvas_from_frame: tuple[tuple[tuple[float, float, float], ...], ...]
    residual_px: tuple[float, ...]
    composite_space: str
    order: tuple[tuple[int, ...], ...]
    background_colour: Chunk
    background_coverage: Chunk
    live: tuple[Chunk, ...] | None = None
    """What frames show of the background themselves; None where the plate alone stands for it."""
    exposure: tuple[tuple[float, float, float], ...] | None = None
    """Gain of each frame over the plate, per channel; None where it is 1 throughout."""
    layers: tuple[LayerRecord, ...]
    shadings: tuple[ShadingRecord, ...] | None = None
    """UV and light of layers that have atlases."""

    def camera(self) -> CameraPath:
        """The camera path that the document holds."""
        return CameraPath(
            canvas_from_frame=np.array(self.canvas_from_frame, np.float64),
            canvas_size=self.canvas_size,
            frame_size=self.frame_size,
            kind=self.camera_kind,
            residual_px=np.array(self.residual_px, np.float64),
            warnings=self.camera_warnings,
        )


_ADAPTER = TypeAdapter(StackDocument)


def write_document(path: Path, document: StackDocument) -> None:
    """Write the document; the folder around it is not yet in its place, so this write need not be atomic."""
    path.write_bytes(_ADAPTER.dump_json(document))


def read_document(path: Path) -> StackDocument:
    """Read a document and check that it agrees with itself.

    Raises:
        DamagedStackError: it is missing, no JSON, or contradicts itself.
        VersionError: it was written in a version that this program does not know.
    """
    try:
        raw: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise damaged(path, f"it cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise damaged(path, "it is not JSON") from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise damaged(path, "it is not a layer store's document")
    if raw.get("version") != VERSION:
        raise VersionError(
            "layers.store",
            f"the layer store must be of version {VERSION}",
            got=f"version {raw.get('version')!r}",
            todo="Open it with the program that wrote it, or decompose the clip again",
            path=path,
        )
    try:
        document = _ADAPTER.validate_json(json.dumps(raw), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise damaged(path, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    fault = _fault(document)
    if fault:
        raise damaged(path, fault)
    return document


def require_consistent(
    layers: Sequence[tuple[int, str]], order: Sequence[Sequence[int]], n_frames: int, *, where: str
) -> None:
    """Refuse layers and orders that do not belong together.

    Args:
        layers: Id and name of each.
        order: Layer ids back to front for every frame.
        n_frames: Number of frames.
        where: Place for the message.

    Raises:
        InputError: two layers share an id or a name, an id is below 1, or the order names a layer that is not there.
        ShapeError: there is not one order a frame.
    """
    ids, names = [one[0] for one in layers], [one[1] for one in layers]
    if len(set(ids)) != len(ids) or len(set(names)) != len(names) or any(one < 1 for one in ids):
        raise InputError(where, "layers must have ids from 1 and names of their own", got=f"ids {ids}, names {names}")
    if len(order) != n_frames or n_frames == 0:
        raise ShapeError(where, "there must be one order for each frame", got=f"{len(order)} for {n_frames} frames")
    for frame, one in enumerate(order):
        if len(set(one)) != len(one) or not set(one) <= set(ids):
            raise InputError(where, f"orders must name layers {ids}, each once", got=f"{tuple(one)} in frame {frame}")


def _fault(document: StackDocument) -> str:
    """What in a well-formed document cannot be, or nothing."""
    n_frames = len(document.canvas_from_frame)
    try:
        require_consistent(
            [(one.layer_id, one.name) for one in document.layers], document.order, n_frames, where="order"
        )
    except InputError as error:
        return str(error)
    width, height = document.frame_size
    canvas_width, canvas_height = document.canvas_size
    if min(*document.frame_size, *document.canvas_size) < 1 or len(document.residual_px) != n_frames:
        return "sizes or camera lengths that cannot be"
    matrices = np.array(document.canvas_from_frame, np.float64)
    if not np.isfinite(matrices).all() or (np.abs(np.linalg.det(matrices)) < 1e-12).any():
        return "a homography that cannot be inverted"
    if document.background_colour.shape != (canvas_height, canvas_width, 3):
        return "a background of another size than the canvas"
    if document.background_coverage.shape != (canvas_height, canvas_width):
        return "a coverage of another size than the canvas"
    if document.exposure is not None:
        gains = np.array(document.exposure, np.float64)
        if gains.shape != (n_frames, 3) or not np.isfinite(gains).all() or gains.min() <= 0:
            return "exposure gains that are not positive or not one a frame"
    for frame, chunk in enumerate(document.live or ()):
        if len(document.live or ()) != n_frames or not _fits(chunk, width=width, height=height):
            return f"the background's frame {frame} does not lie in the picture"
    for layer in document.layers:
        effects = layer.frames if layer.effects is None else layer.effects
        if {len(layer.frames), len(effects)} != {n_frames} or Path(layer.file).name != layer.file:
            return f"layer {layer.name} has {len(layer.frames)} frames in {layer.file!r}, not {n_frames}"
        for number, chunk in enumerate((*layer.frames, *effects)):
            if not _fits(chunk, width=width, height=height):
                return f"layer {layer.name}, frame {number % n_frames} does not lie in the picture"
    for one in document.shadings or ():
        if fault := shading_fault(one, n_frames=n_frames, layer_ids=[layer.layer_id for layer in document.layers]):
            return fault
    return ""


def _fits(chunk: Chunk, *, width: int, height: int) -> bool:
    if len(chunk.shape) != 3 or chunk.shape[2] != 4 or not 0 <= chunk.n_bytes <= LARGEST or chunk.start < 0:
        return False
    rows, columns = chunk.shape[:2]
    inside = min(rows, columns, chunk.x, chunk.y) >= 0 and chunk.x + columns <= width and chunk.y + rows <= height
    return inside and (chunk.n_bytes > 0) == (rows * columns > 0)
