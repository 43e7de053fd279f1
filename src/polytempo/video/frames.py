"""The frame store: a clip's pictures decoded once, raw on disk, read through memory mapping."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from polytempo.core.errors import InputError, VersionError
from polytempo.core.files import atomic_path, require_disk_space
from polytempo.core.pictures import Picture
from polytempo.core.progress import Progress, Report, silent
from polytempo.video.clip import Clip
from polytempo.video.door import write_failure
from polytempo.video.reader import read_pictures

WHERE = "video.frames"
SCHEMA, VERSION = "polytempo.frames", 1
RAW, META = "frames.raw", "frames.json"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FrameStore:
    """A clip's pictures on disk: ``store[t]`` is ``uint8 [H, W, 3]``, read-only, without copying."""

    folder: Path
    pictures: NDArray[np.uint8]
    """Memory-mapped ``[T, H, W, 3]``, coded RGB."""

    @classmethod
    def build(
        cls, clip: Clip, folder: Path, *, size: tuple[int, int] | None = None, report: Report = silent
    ) -> FrameStore:
        """Decode a clip into a folder, which appears only when it is whole.

        Args:
            clip: The probed clip.
            folder: Where the store goes; replaced if it exists.
            size: ``(width, height)`` to scale to, averaging areas when smaller; None keeps the clip's.
            report: Receives progress, a frame at a time.

        Raises:
            InputError: a frame cannot be decoded, or the folder cannot be written.
            ResourceError: the disk has no room; checked before the start.
        """
        width, height = size or (clip.width, clip.height)
        require_disk_space(folder, clip.n_frames * height * width * 3, where=WHERE)
        try:
            with atomic_path(folder) as partial:
                partial.mkdir()
                with (partial / RAW).open("wb") as file:
                    for n, picture in enumerate(read_pictures(clip, size=size)):
                        file.write(np.ascontiguousarray(picture).data)
                        report(Progress(stage=WHERE, done=n + 1, total=clip.n_frames, message="Reading the clip"))
                meta = {"schema": SCHEMA, "version": VERSION, "shape": [clip.n_frames, height, width, 3]}
                (partial / META).write_text(json.dumps(meta, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise write_failure(error, where=WHERE, path=folder) from error
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> FrameStore:
        """Open a store that was built before.

        Raises:
            InputError: there is no whole store at the folder.
            VersionError: a newer program wrote it.
        """
        todo = "Build it again from the clip"
        try:
            meta = json.loads((folder / META).read_text(encoding="utf-8"))
            n_bytes = (folder / RAW).stat().st_size
        except (OSError, ValueError) as error:
            raise InputError(
                WHERE, "a frame store must be readable", got=str(error) or "nothing", todo=todo, path=folder
            ) from error
        shape = _shape(meta)
        if shape is None:
            if _newer(meta):
                raise VersionError(
                    WHERE,
                    f"the frame store must be of version {VERSION}",
                    got=str(meta["version"]),
                    todo=todo,
                    path=folder,
                )
            raise InputError(WHERE, f"{META} must describe a frame store", got="something else", todo=todo, path=folder)
        needed = int(np.prod(shape, dtype=object))
        if n_bytes != needed:
            raise InputError(WHERE, f"{RAW} must hold {needed} bytes", got=f"{n_bytes}", todo=todo, path=folder)
        return cls(folder=folder, pictures=np.memmap(folder / RAW, dtype=np.uint8, mode="r", shape=shape))

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.pictures)

    def __getitem__(self, index: int, /) -> Picture:
        """Give one frame ``uint8 [H, W, 3]``."""
        return np.asarray(self.pictures[index])

    @property
    def size(self) -> tuple[int, int]:
        """``(width, height)`` in pixels."""
        return int(self.pictures.shape[2]), int(self.pictures.shape[1])


def _shape(meta: Any) -> tuple[int, int, int, int] | None:
    if not isinstance(meta, dict):
        return None
    fields = cast("dict[str, Any]", meta)
    shape: Any = fields.get("shape")
    known = fields.get("schema") == SCHEMA and fields.get("version") == VERSION and isinstance(shape, list)
    if not known or len(shape) != 4 or not all(type(n) is int and n > 0 for n in shape) or shape[3] != 3:
        return None
    return shape[0], shape[1], shape[2], 3


def _newer(meta: Any) -> bool:
    if not isinstance(meta, dict):
        return False
    fields = cast("dict[str, Any]", meta)
    version: Any = fields.get("version")
    return fields.get("schema") == SCHEMA and isinstance(version, int) and version > VERSION
