"""Indices of a palette PNG, which OpenCV would turn into colours."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from polytempo.core.errors import InputError

WHERE = "objects.masks_import"
MOST_PIXELS = 2**27
"""Largest picture that is decoded."""


def read_indexed_png(path: Path) -> NDArray[np.uint8]:
    """Palette indices (or grey values) ``[H, W]`` of a PNG file with one channel of at most 8 bits.

    Raises:
        InputError: no PNG, damaged, interlaced, or of another mode.

    Source: PNG specification (W3C, 3rd edition), chunks and filters.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(WHERE, "a mask must be a file that can be read", got=str(error), path=path) from error
    try:
        return _decode(data, path)
    except (struct.error, zlib.error, ValueError, IndexError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            WHERE, "a mask must be a whole PNG picture", got="a damaged file", todo="Export it again", path=path
        ) from error


def _decode(data: bytes, path: Path) -> NDArray[np.uint8]:
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise InputError(WHERE, "a mask must be a PNG picture", got="another kind of file", path=path)
    at, packed, header = 8, bytearray(), b""
    while at + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        check = data[at + 8 + length : at + 12 + length]
        if len(check) < 4 or zlib.crc32(kind + body) != struct.unpack(">I", check)[0]:
            raise ValueError("chunk")
        if kind == b"IHDR":
            header = body
        elif kind == b"IDAT":
            packed += body
        elif kind == b"IEND":
            break
        at += 12 + length
    width, height, depth, mode, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    if mode not in (0, 3) or depth > 8 or interlaced:
        raise InputError(
            WHERE, "an indexed mask must be a PNG with a palette or grey, 8 bits, not interlaced",
            got=f"colour type {mode}, {depth} bits{', interlaced' if interlaced else ''}",
            todo="Save it with a palette", path=path,
        )  # fmt: skip
    if not 0 < width * height <= MOST_PIXELS:
        raise ValueError("size")
    stride = (width * depth + 7) // 8
    unpacker = zlib.decompressobj()
    raw = np.frombuffer(unpacker.decompress(bytes(packed), height * (stride + 1)), np.uint8)
    rows = raw.reshape(height, stride + 1)
    lines = _unfiltered(rows)
    if depth == 8:
        return lines
    per = 8 // depth
    shifts = np.arange(8 - depth, -1, -depth)
    parts = (lines[:, :, None] >> shifts[None, None, :]) & (2**depth - 1)
    return np.ascontiguousarray(parts.reshape(height, stride * per)[:, :width].astype(np.uint8))


def _unfiltered(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Undo the row filters of a picture with one byte a pixel."""
    height, stride = rows.shape[0], rows.shape[1] - 1
    out = np.zeros((height, stride), np.uint8)
    above = np.zeros(stride, np.uint8)
    for y in range(height):
        kind, line = int(rows[y, 0]), rows[y, 1:]
        if kind == 0:
            out[y] = line
        elif kind == 1:
            out[y] = np.cumsum(line, dtype=np.uint64).astype(np.uint8)
        elif kind == 2:
            out[y] = line + above
        elif kind in (3, 4):
            left, corner = 0, 0
            values, over = line.tolist(), above.tolist()
            for x in range(stride):
                up = over[x]
                guess = (left + up) // 2 if kind == 3 else _paeth(left, up, corner)
                left, corner = (values[x] + guess) & 255, up
                out[y, x] = left
        else:
            raise ValueError("filter")
        above = out[y]
    return out


def _paeth(left: int, up: int, corner: int) -> int:
    """The neighbour nearest to ``left + up - corner``; left before up before corner."""
    a, b, c = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
    if a <= b and a <= c:
        return left
    return up if b <= c else corner
