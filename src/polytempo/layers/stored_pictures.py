"""A layer's pictures in a store, read frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from polytempo.core.pictures import Picture
from polytempo.layers.chunks import Chunk, load_chunk
from polytempo.layers.sparse import Crop


class StoredPictures:
    """A layer's pictures in a store: ``pictures[t]`` reads one frame. Safe to use from several threads."""

    def __init__(self, path: Path, chunks: Sequence[Chunk], *, size: tuple[int, int], what: str) -> None:
        self._path, self._chunks, self._size, self._what = path, tuple(chunks), size, what

    def __len__(self) -> int:
        return len(self._chunks)

    def __getitem__(self, index: int, /) -> Picture:
        """Frame ``index`` as uint8 ``[H, W, 4]``, premultiplied.

        Raises:
            DamagedStackError: the frame's part of the file is damaged.
        """
        crop = self.crop(index)
        width, height = self._size
        rows, columns = crop.picture.shape[:2]
        picture = np.zeros((height, width, 4), np.uint8)
        picture[crop.y : crop.y + rows, crop.x : crop.x + columns] = crop.picture
        return picture

    def crop(self, index: int, /) -> Crop:
        """Frame ``index`` without the empty space around it.

        Raises:
            DamagedStackError: the frame's part of the file is damaged.
        """
        chunk = self._chunks[index]
        picture = load_chunk(self._path, chunk, np.uint8, what=f"{self._what}, frame {index}")
        return Crop(x=chunk.x, y=chunk.y, picture=picture)
