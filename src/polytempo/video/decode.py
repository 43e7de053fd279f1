"""Decoding a file's pictures in order, with every way it can go wrong named.

Small damage that FFmpeg's decoders conceal passes, as in every player: being strict would also refuse the slightly
faulty headers that some cameras write. What cannot be decoded, is cut off, or leaves a frame out is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
from av.codec.context import CodecContext
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from polytempo.core.errors import InputError
from polytempo.video.door import WHERE, reason, threads

TODO_DAMAGED = "Copy or export the clip again, or cut it before that frame"


def video_stream(container: InputContainer, path: Path) -> VideoStream:
    """Give the first video stream that is no cover picture, ready for decoding.

    Raises:
        InputError: there is none, or no decoder for it.
    """
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        kinds = sorted({s.type for s in container.streams})
        raise InputError(
            WHERE, "the file must hold a video stream", got=f"only {', '.join(kinds) or 'nothing'}", path=path
        )
    stream = streams[0]
    if codec_name(stream) is None:
        raise InputError(
            WHERE, "the video's codec must be known", got="one without a decoder", todo="Convert the clip", path=path
        )
    stream.thread_type, stream.thread_count = "AUTO", threads()
    return stream


def decoded(
    container: InputContainer, stream: VideoStream, path: Path, *, n_before: int = 0
) -> Iterator[av.VideoFrame]:
    """Decode from where the container stands to its end, in the order of showing.

    Args:
        container: Open, standing at a key frame.
        stream: Its video stream.
        path: For messages.
        n_before: Number of the first frame, for messages.

    Raises:
        InputError: the data are damaged or cut off; the message gives the number of the last good frame.
    """
    n = n_before
    try:
        for packet in container.demux(stream):
            if packet.is_corrupt:
                raise _damaged("a packet that is cut off", n, path)
            for frame in packet.decode():
                yield frame
                n += 1
    except FFmpegError as error:
        raise _damaged(reason(error), n, path) from error


def _damaged(what: str, n: int, path: Path) -> InputError:
    return InputError(
        "video.reader", "every frame must decode", got=f"{what} after {n} good frames", todo=TODO_DAMAGED, path=path
    )


def codec_name(stream: Stream) -> str | None:
    """Name of a stream's codec; None where FFmpeg has no decoder, for which PyAV gives no context at all."""
    context: CodecContext | None = stream.codec_context
    return None if context is None else context.name  # pyright: ignore[reportUnnecessaryComparison]
