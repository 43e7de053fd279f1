"""UV and light of a layer on disk: one file a layer, its arrays one after the other, each guarded by a checksum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from jaxtyping import Float32
from numpy.typing import NDArray
from pydantic import ConfigDict

from polytempo.core.errors import InputError, ShapeError
from polytempo.layers.chunks import LARGEST, Chunk, append_chunk, damaged, load_chunk
from polytempo.layers.shading import Shading

LARGEST_LIGHT = 1000.0
"""Factors of light are kept as half floats; more than this is no light."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ShadingRecord:
    """Where a layer's UV and light lie."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    layer_id: int
    """0 for the background."""
    file: str
    uv: tuple[Chunk, ...]
    """float32 ``[h, w, 2]`` a frame."""
    light: tuple[Chunk, ...]
    """float16 ``[S, S, 3]`` a frame."""


@dataclass(slots=True)
class ShadingWriter:
    """Appends frames to an open file."""

    layer_id: int
    file: BinaryIO
    name: str
    uv: list[Chunk] = field(default_factory=list[Chunk])
    light: list[Chunk] = field(default_factory=list[Chunk])

    def write(self, uv: Float32[np.ndarray, "h w 2"], light: Float32[np.ndarray, "S S 3"]) -> None:
        """Append the next frame.

        Raises:
            ShapeError: a shape is none of ours, or another than that of the frames before.
            InputError: a number is not finite, or no light.
        """
        fits = uv.ndim == 3 and uv.shape[2] == 2 and min(uv.shape) > 1
        fits = fits and light.ndim == 3 and light.shape[0] == light.shape[1] and light.shape[2] == 3
        if not fits or (self.uv and (self.uv[0].shape, self.light[0].shape) != (uv.shape, light.shape)):
            raise ShapeError(
                "layers.store",
                "UV must be [h, w, 2] and light [S, S, 3], of one shape in all frames",
                got=f"{uv.shape} and {light.shape}",
            )
        if not np.isfinite(uv).all() or not ((light >= 0) & (light <= LARGEST_LIGHT)).all():
            raise InputError(
                "layers.store", f"UV must be finite, and light from 0 to {LARGEST_LIGHT:g}",
                got=f"neither in frame {len(self.uv)} of layer {self.layer_id}",
            )  # fmt: skip
        self.uv.append(append_chunk(self.file, uv.astype(np.float32)))
        self.light.append(append_chunk(self.file, light.astype(np.float16)))

    def finished(self, n_frames: int) -> ShadingRecord:
        """Close the file.

        Raises:
            InputError: there is not one frame for each of the clip.
        """
        if len(self.uv) != n_frames:
            raise InputError(
                "layers.store",
                f"UV and light must come for {n_frames} frames or for none",
                got=f"{len(self.uv)} of layer {self.layer_id}",
            )
        self.file.close()
        return ShadingRecord(layer_id=self.layer_id, file=self.name, uv=tuple(self.uv), light=tuple(self.light))


class StoredArrays:
    """Arrays in a store: ``arrays[t]`` reads one frame's. Safe to use from several threads."""

    def __init__(self, path: Path, chunks: Sequence[Chunk], dtype: type[np.generic], *, what: str) -> None:
        self._path, self._chunks, self._dtype, self._what = path, tuple(chunks), dtype, what

    def __len__(self) -> int:
        return len(self._chunks)

    def __getitem__(self, index: int, /) -> NDArray[np.float32]:
        """Frame ``index`` as float32.

        Raises:
            DamagedStackError: the frame's part of the file is damaged, or holds what is no number.
        """
        what = f"{self._what}, frame {index}"
        read = load_chunk(self._path, self._chunks[index], self._dtype, what=what)
        if not np.isfinite(read).all():
            raise damaged(self._path, f"{what} holds what is no number")
        return read.astype(np.float32)


def stored_shading(folder: Path, record: ShadingRecord, *, what: str) -> Shading:
    """UV and light, read when they are asked for."""
    path = folder / record.file
    return Shading(
        uv=StoredArrays(path, record.uv, np.float32, what=f"UV of {what}"),
        light=StoredArrays(path, record.light, np.float16, what=f"light of {what}"),
    )


def shading_fault(record: ShadingRecord, *, n_frames: int, layer_ids: Sequence[int]) -> str:
    """What in a record cannot be, or nothing."""
    if record.layer_id not in (0, *layer_ids) or Path(record.file).name != record.file:
        return f"UV and light of layer {record.layer_id} in {record.file!r}"
    for kind, chunks, channels in (("UV", record.uv, 2), ("light", record.light, 3)):
        shapes = {one.shape for one in chunks}
        fits = all(len(one) == 3 and one[2] == channels and min(one) > 1 for one in shapes)
        if len(chunks) != n_frames or len(shapes) != 1 or not fits:
            return f"{kind} of layer {record.layer_id} is not one array of one shape for each of {n_frames} frames"
        if any(not 0 < one.n_bytes <= LARGEST or one.start < 0 for one in chunks):
            return f"{kind} of layer {record.layer_id} lies nowhere"
    return ""
