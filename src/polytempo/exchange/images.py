"""Numbered PNG files, 8 or 16 bits, with straight alpha; and small moving previews."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import cv2
import numpy as np
from av.error import FFmpegError
from av.filter.graph import Graph
from av.video.format import VideoFormat
from av.video.stream import VideoStream
from numpy.typing import NDArray

from polytempo.core.errors import InputError
from polytempo.core.files import atomic_path
from polytempo.core.pictures import Picture
from polytempo.exchange.alpha import premultiplied, straight
from polytempo.video.door import write_failure

WHERE = "exchange.images"


def write_png_sequence(folder: Path, pictures: Iterable[Picture], *, depth: Literal[8, 16] = 8) -> int:
    """Write ``0000.png``, ``0001.png`` … into a folder that appears when all are there.

    Args:
        folder: Replaced if it exists.
        pictures: ``uint8 [H, W, 3]``, or ``[H, W, 4]`` premultiplied, which is written straight.
        depth: Bits a channel; 16 keep what dividing by alpha gives.

    Returns:
        How many.

    Raises:
        InputError: there are none, or the place cannot be written.
        ResourceError: the disk ran full.
    """
    count = 0
    with atomic_path(folder) as partial:
        partial.mkdir()
        for count, picture in enumerate(pictures, start=1):
            whole = straight(picture, depth=depth) if picture.shape[2] == 4 else _deep(picture, depth)
            order = [2, 1, 0, 3] if whole.shape[2] == 4 else [2, 1, 0]
            done, data = cv2.imencode(".png", np.ascontiguousarray(whole[..., order]))
            assert done  # arrays of three or four channels of 8 or 16 bits can be encoded
            (partial / f"{count - 1:04d}.png").write_bytes(data.tobytes())
        if count == 0:
            raise InputError(WHERE, "there must be pictures to write", got="none", path=folder)
    return count


def read_png_sequence(folder: Path) -> Iterator[NDArray[np.uint8]]:
    """Pictures of a folder of PNG files in the order of their names: ``[H, W, 3]``, or ``[H, W, 4]`` premultiplied.

    Raises:
        InputError: there are none, or one cannot be read.
    """
    paths = png_paths(folder)
    for path in paths:
        yield read_png(path)


def png_paths(folder: Path) -> list[Path]:
    """The PNG files of a folder, sorted by name.

    Raises:
        InputError: there are none.
    """
    paths = sorted(folder.glob("*.png")) if folder.is_dir() else []
    if not paths:
        raise InputError(WHERE, "the folder must hold PNG files", got="none", path=folder)
    return paths


def read_png(path: Path) -> NDArray[np.uint8]:
    """One PNG file: ``[H, W, 3]``, or ``[H, W, 4]`` premultiplied.

    Raises:
        InputError: it cannot be read.
    """
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise InputError(WHERE, "the picture must be readable", got=str(error.strerror), path=path) from error
    picture = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if picture is None:
        raise InputError(WHERE, "the picture must be a PNG file", got="something else", path=path)
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, axis=2)
    if picture.shape[2] == 4:
        return premultiplied(picture[..., [2, 1, 0, 3]])
    if picture.dtype == np.uint16:
        picture = np.rint(picture / 257).astype(np.uint8)
    return np.ascontiguousarray(picture[..., ::-1]).astype(np.uint8)


def write_preview(
    path: Path, pictures: Iterable[Picture], *, size: tuple[int, int], frame_rate: Fraction, side_px: int = 480
) -> None:
    """Write a small looping GIF or APNG.

    Args:
        path: Ending in ``.gif`` or ``.png``/``.apng``.
        pictures: ``uint8 [H, W, 3]``.
        size: ``(width, height)`` of them.
        frame_rate: Frames a second; a GIF shows at most 50.
        side_px: Longer side of the preview.

    Raises:
        InputError: another ending, no pictures, or the place cannot be written.
    """
    kind = {".gif": "gif", ".apng": "apng", ".png": "apng"}.get(path.suffix.lower())
    if kind is None:
        raise InputError(WHERE, "a preview must end in .gif, .apng or .png", got=repr(path.suffix), path=path)
    scale = min(1.0, side_px / max(size))
    small = (max(round(size[0] * scale), 2), max(round(size[1] * scale), 2))
    rate = min(frame_rate, Fraction(50)) if kind == "gif" else frame_rate
    step = max(round(frame_rate / rate), 1)
    count = 0
    try:
        with atomic_path(path) as partial, av.open(f"file:{partial}", "w", format=kind, options=_forever(kind)) as out:
            stream: VideoStream = out.add_stream(kind, rate=frame_rate / step)  # pyright: ignore
            stream.width, stream.height = small
            stream.pix_fmt = "rgb24" if kind == "apng" else "pal8"
            palette = _PaletteGraph(small, frame_rate / step) if kind == "gif" else None
            for n, picture in enumerate(pictures):
                if n % step:
                    continue
                shrunk = np.asarray(cv2.resize(picture, small, interpolation=cv2.INTER_AREA), np.uint8)
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(shrunk), format="rgb24")
                frame.pts, frame.time_base = count, step / frame_rate
                count += 1
                for one in [frame] if palette is None else palette.through(frame):
                    out.mux(stream.encode(one))
            if count == 0:
                raise InputError(WHERE, "there must be pictures to write", got="none", path=path)
            out.mux(stream.encode(None))
    except (FFmpegError, OSError) as error:
        raise write_failure(error, where=WHERE, path=path) from error


class _PaletteGraph:
    """A palette of its own for every frame, by FFmpeg's filters."""

    def __init__(self, size: tuple[int, int], rate: Fraction) -> None:
        graph = Graph()
        source = graph.add_buffer(width=size[0], height=size[1], format=VideoFormat("rgb24"), time_base=1 / rate)
        split, make = graph.add("split"), graph.add("palettegen", "stats_mode=single")
        use, sink = graph.add("paletteuse", "new=1"), graph.add("buffersink")
        source.link_to(split)
        split.link_to(use, 0, 0)
        split.link_to(make, 1, 0)
        make.link_to(use, 0, 1)
        use.link_to(sink)
        graph.configure()
        self._graph = graph

    def through(self, frame: av.VideoFrame) -> Iterator[av.VideoFrame]:
        self._graph.push(frame)
        while True:
            try:
                pulled = self._graph.pull()
            except (BlockingIOError, EOFError):
                return
            assert isinstance(pulled, av.VideoFrame)
            yield pulled


def _forever(kind: str) -> dict[str, str]:
    return {"loop": "0"} if kind == "gif" else {"plays": "0"}


def _deep(picture: NDArray[np.uint8], depth: int) -> NDArray[np.uint8] | NDArray[np.uint16]:
    return picture if depth == 8 else picture.astype(np.uint16) * np.uint16(257)
