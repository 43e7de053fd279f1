"""What a stage may expect of a clip's frames, whether they lie in memory, in a store or in a file."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""``uint8 [H, W, 3]``, coded RGB 0…255; a layer's picture is ``[H, W, 4]``, premultiplied."""


@runtime_checkable
class Pictures(Protocol):
    """Frames by number: ``pictures[t]`` gives ``uint8 [H, W, C]``. A numpy array ``[T, H, W, C]`` is one."""

    def __len__(self) -> int:
        """Number of frames."""
        ...

    def __getitem__(self, index: int, /) -> Any:
        """One frame as an array ``[H, W, C]``; indices run from 0, negative ones are not promised."""
        ...


def picture_size(pictures: Pictures) -> tuple[int, int]:
    """Give ``(width, height)`` of the first frame."""
    height, width = pictures[0].shape[:2]
    return int(width), int(height)
