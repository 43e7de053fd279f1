"""Compressed arrays one after the other in a file, each guarded by a checksum."""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numcodecs.blosc import Blosc
from numpy.typing import NDArray
from pydantic import ConfigDict

from polytempo.core.errors import InputError, ResourceError

CODEC = Blosc(cname="lz4", clevel=5, shuffle=Blosc.NOSHUFFLE)
LARGEST = 2**31 - 1
"""Bytes of one array that the codec can take."""


class DamagedStackError(InputError):
    """A layer store that cannot be read: files missing, cut short or changed."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Where a compressed array lies in its file, and what it is."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    start: int
    """Bytes before it in the file."""
    n_bytes: int
    """Its compressed length; 0 for an empty array."""
    crc: int
    """CRC-32 of the compressed bytes."""
    shape: tuple[int, ...]
    x: int = 0
    """Column of its first pixel in the whole picture."""
    y: int = 0
    """Row of its first pixel in the whole picture."""


def append_chunk(file: BinaryIO, array: NDArray[Any], *, x: int = 0, y: int = 0) -> Chunk:
    """Compress an array at the end of a file and tell where it lies.

    Raises:
        ResourceError: the disk ran full, or the file cannot be written.
    """
    data: bytes = CODEC.encode(np.ascontiguousarray(array)) if array.size else b""
    start = file.tell()
    try:
        file.write(data)
    except OSError as error:
        raise ResourceError(
            "layers.store",
            "there must be room for the layers",
            got=error.strerror or "an error of the disk",
            todo="Free some space and run it again",
            path=file.name,
        ) from error
    return Chunk(start=start, n_bytes=len(data), crc=zlib.crc32(data), shape=array.shape, x=x, y=y)


def load_chunk(path: Path, chunk: Chunk, dtype: type[np.generic], *, what: str) -> NDArray[Any]:
    """Read one array back; read-only. Safe to call from several threads.

    Args:
        path: The file.
        chunk: Where it lies.
        dtype: Its type of number.
        what: What it is, for the message.

    Raises:
        DamagedStackError: the file cannot be read, or the bytes are not those that were written.
    """
    if chunk.n_bytes == 0:
        return np.zeros(chunk.shape, dtype)
    try:
        # One open a frame costs microseconds and leaves no file open that a caller would have to close.
        with path.open("rb") as file:
            data = os.pread(file.fileno(), chunk.n_bytes, chunk.start)
    except OSError as error:
        raise damaged(path, f"{what} cannot be read ({error.strerror})") from error
    # The codec trusts its input, so nothing reaches it that the checksum does not vouch for.
    if len(data) != chunk.n_bytes or zlib.crc32(data) != chunk.crc:
        raise damaged(path, f"{what} is cut short or changed")
    array = np.frombuffer(CODEC.decode(data), dtype)
    if array.size != int(np.prod(chunk.shape)):
        raise damaged(path, f"{what} has another size than stated")
    return array.reshape(chunk.shape)


def damaged(path: Path, got: str) -> DamagedStackError:
    """The refusal of a damaged store."""
    return DamagedStackError(
        "layers.store",
        "the layer store must be whole",
        got=got,
        todo="Decompose the clip again; nothing else is lost",
        path=path,
    )
