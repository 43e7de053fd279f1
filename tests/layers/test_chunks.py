"""Compressed arrays in a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from polytempo.core.errors import ResourceError
from polytempo.layers.chunks import DamagedStackError, append_chunk, load_chunk


def test_arrays_come_back_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "arrays.bin"
    arrays = [
        np.arange(60, dtype=np.uint8).reshape(3, 5, 4),
        np.zeros((0, 0, 4), np.uint8),
        np.ones((2, 2, 4), np.uint8),
    ]
    with path.open("wb") as file:
        chunks = [append_chunk(file, one, x=n) for n, one in enumerate(arrays)]
    assert [one.x for one in chunks] == [0, 1, 2]
    for one, chunk in zip(reversed(arrays), reversed(chunks), strict=True):
        back = load_chunk(path, chunk, np.uint8, what="a test")
        assert np.array_equal(back, one)
        assert not one.size or not back.flags.writeable


@pytest.mark.refusal
def test_wrong_bytes_never_reach_the_codec(tmp_path: Path) -> None:
    path = tmp_path / "arrays.bin"
    with path.open("wb") as file:
        chunk = append_chunk(file, np.arange(100, dtype=np.uint8))
    with pytest.raises(DamagedStackError, match=r"got a test is cut short or changed.*File: .*arrays\.bin"):
        load_chunk(path, replace(chunk, crc=chunk.crc ^ 1), np.uint8, what="a test")
    with pytest.raises(DamagedStackError, match="a test has another size than stated"):
        load_chunk(path, replace(chunk, shape=(99,)), np.uint8, what="a test")


@pytest.mark.refusal
def test_a_full_disk_is_named() -> None:
    class Full:
        name = "layers.bin"

        def tell(self) -> int:
            return 0

        def write(self, _: bytes) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(ResourceError, match=r"room for the layers; got No space left on device.*layers\.bin"):
        append_chunk(Full(), np.ones(3, np.uint8))  # type: ignore[arg-type]
