"""Frames of a clip as upright RGB, in order or by number, never the whole clip in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Literal, cast

import av
import cv2
import numpy as np
from av.error import FFmpegError
from av.video.reformatter import VideoReformatter
from jaxtyping import UInt8

from polytempo.core.errors import InputError
from polytempo.core.pictures import Picture
from polytempo.video.clip import Clip
from polytempo.video.colour import rgb_from_frame
from polytempo.video.decode import TODO_DAMAGED, decoded, video_stream
from polytempo.video.door import open_input, reason

WHERE = "video.reader"
MAX_KEPT_BYTES = 2**28


def read_pictures(
    clip: Clip, *, start: int = 0, stop: int | None = None, size: tuple[int, int] | None = None
) -> Iterator[Picture]:
    """Decode frames in order.

    Args:
        clip: The probed clip.
        start: First frame.
        stop: One past the last frame; None for the clip's end.
        size: ``(width, height)`` to scale to, averaging areas when smaller; None keeps the clip's.

    Yields:
        ``uint8 [H, W, 3]``, coded RGB, upright.

    Raises:
        InputError: the range lies outside the clip, or a frame cannot be decoded.
    """
    stop = clip.n_frames if stop is None else stop
    if not 0 <= start <= stop <= clip.n_frames:
        raise InputError(
            WHERE, f"a range must lie within 0 to {clip.n_frames}", got=f"{start} to {stop}", path=clip.path
        )
    with ClipReader(clip, size=size, n_kept=1) as reader:
        for n in range(start, stop):
            yield reader[n]


def resized(picture: UInt8[np.ndarray, "H W 3"], size: tuple[int, int]) -> UInt8[np.ndarray, "H2 W2 3"]:
    """Scale a picture to ``(width, height)``: area average when smaller, cubic when larger."""
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture
    smaller = size[0] * size[1] < width * height
    scaled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    return cast("Picture", scaled)


class ClipReader:
    """Frames of a clip by number; decodes forward where it can, seeks where it must.

    Use it as a context manager. Frames near each other are cheap, jumps cost a seek to the key frame before.

    Args:
        clip: The probed clip.
        size: ``(width, height)`` to scale to; None keeps the clip's.
        depth: 8 gives ``uint8``, 16 gives ``uint16`` with full scale 65535 (for deep clips).
        n_kept: How many frames are kept decoded, as far as 256 MB hold them.
    """

    def __init__(
        self, clip: Clip, *, size: tuple[int, int] | None = None, depth: Literal[8, 16] = 8, n_kept: int = 8
    ) -> None:
        self._clip, self._size, self._depth = clip, size, depth
        width, height = size or (clip.width, clip.height)
        self._n_kept = max(1, min(n_kept, MAX_KEPT_BYTES // (width * height * 3 * depth // 8)))
        self._number_of = {pts: n for n, pts in enumerate(clip.pts)}
        self._kept: OrderedDict[int, Any] = OrderedDict()
        self._scaler = VideoReformatter()
        self._frames: Iterator[av.VideoFrame] = iter(())
        self._next = 0
        self._coded: tuple[int, int] | None = None
        self._open()

    def __len__(self) -> int:
        """Number of frames."""
        return self._clip.n_frames

    def __enter__(self) -> ClipReader:
        """Give the reader itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file; frames asked for afterwards fail."""
        self._frames = iter(())
        self._container.close()

    def __getitem__(self, index: int, /) -> Any:
        """Give one frame, ``[H, W, 3]``, read-only.

        Raises:
            InputError: the frame cannot be decoded, or the file changed since it was probed.
            IndexError: the index lies outside the clip.
        """
        if not 0 <= index < self._clip.n_frames:
            raise IndexError(index)
        if index in self._kept:
            self._kept.move_to_end(index)
            return self._kept[index]
        if not self._next <= index <= self._next + max(16, round(self._clip.frame_rate)):
            self._seek(index)
        picture = self._decode_to(index)
        self._kept[index] = picture
        while len(self._kept) > self._n_kept:
            self._kept.popitem(last=False)
        return picture

    def _open(self) -> None:
        self._container = open_input(self._clip.path)
        self._stream = video_stream(self._container, self._clip.path)
        self._frames = decoded(self._container, self._stream, self._clip.path)
        self._next = 0

    def _seek(self, index: int) -> None:
        """Stand before a frame at or before ``index``, at the start of the file if nothing nearer works."""
        clip = self._clip
        back = 0
        while not clip.times_rebuilt and index - back > 0:
            try:
                self._container.seek(clip.pts[index - back], stream=self._stream, backward=True)
                frame = next(decoded(self._container, self._stream, clip.path), None)
                n = self._number_of.get(frame.pts) if frame is not None and frame.pts is not None else None
                if frame is not None and n is not None and n <= index and not frame.is_corrupt:
                    self._frames = self._after(frame, n)
                    self._next = n
                    return
            except (FFmpegError, InputError):
                pass  # a bad place to land: an earlier one may do, and decoding from the start names the fault
            back = max(2 * back, 16)
        self.close()
        self._open()

    def _after(self, first: av.VideoFrame, n: int) -> Iterator[av.VideoFrame]:
        yield first
        yield from decoded(self._container, self._stream, self._clip.path, n_before=n + 1)

    def _decode_to(self, index: int) -> Any:
        clip = self._clip
        while True:
            frame = next(self._frames, None)
            if frame is None:
                raise self._fault(f"an end of the file before frame {self._next} of {clip.n_frames}")
            n = self._next if clip.times_rebuilt else self._number_of.get(frame.pts)  # pyright: ignore
            if n is None or n < self._next:
                raise self._fault(f"a frame at an unexpected time after frame {self._next - 1}")
            if n > self._next or frame.is_corrupt:
                raise self._fault(f"no good frame {self._next}")
            self._next = n + 1
            if n == index:
                return self._upright(frame)

    def _upright(self, frame: av.VideoFrame) -> Any:
        clip = self._clip
        coded = (frame.width, frame.height)
        self._coded = self._coded or coded
        if coded != self._coded:
            raise self._fault(
                f"{coded[0]}x{coded[1]} after {self._coded[0]}x{self._coded[1]} at frame {self._next - 1}"
            )
        turned = clip.rotation % 180 != 0
        coded_size = (clip.height, clip.width) if turned else (clip.width, clip.height)
        try:
            picture = rgb_from_frame(frame, self._scaler, tags=clip.colour, size=coded_size, depth=self._depth)
        except (FFmpegError, ValueError) as error:
            raise self._fault(f"{reason(error)} at frame {self._next - 1}") from error
        if clip.mirrored:
            picture = np.flipud(picture)
        if clip.rotation:
            picture = np.rot90(picture, clip.rotation // 90)
        picture = np.ascontiguousarray(picture)
        if self._size is not None:
            picture = resized(picture, self._size)  # pyright: ignore
        picture.flags.writeable = False
        return picture

    def _fault(self, what: str) -> InputError:
        return InputError(WHERE, "every frame must decode", got=what, todo=TODO_DAMAGED, path=self._clip.path)
