"""Sound carried from one file to another, packet by packet, without decoding it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet

from polytempo.core.errors import InputError
from polytempo.video.clip import Clip
from polytempo.video.decode import codec_name
from polytempo.video.door import open_input, reason

WHERE = "video.audio"
PRE_ROLL = 2
"""Packets kept before time 0: decoders of AAC and Opus need one to start from, and hide what lies before 0."""


class AudioCopy:
    """Copies a clip's sound into a container in step with the pictures.

    The source's first picture is time 0. Packets well before it, or at or after the end asked for, stay out: the
    sound is cut to within a packet (21 ms of AAC at 48 kHz).

    Args:
        clip: Where the sound comes from; may be silent.
        container: Where it goes; its other streams are already added and nothing is written yet.
        path: The file being written, for messages.

    Raises:
        InputError: the container cannot carry a codec of the clip.
    """

    def __init__(self, clip: Clip, container: OutputContainer, path: Path) -> None:
        self._clip, self._out = clip, container
        self._input = open_input(clip.path)
        self._streams: dict[int, AudioStream] = {}
        self._origin = clip.pts[0] * clip.time_base if not clip.times_rebuilt else Fraction(0)
        try:
            for stream in self._input.streams.audio:
                if codec_name(stream) is None:
                    continue  # a stream that FFmpeg does not know cannot be described to the new file
                self._streams[stream.index] = container.add_stream_from_template(stream)
            if self._streams:
                container.start_encoding()
        except (FFmpegError, ValueError) as error:
            self._input.close()
            raise InputError(
                "video.writer",
                f"{path.suffix} must be able to carry the clip's sound",
                got=f"{', '.join(clip.audio_codecs)} ({reason(error)})",
                todo="Write .mkv instead",
                path=clip.path,
            ) from error
        self._packets = self._demuxed()
        self._held: tuple[Fraction, Packet[Any]] | None = next(self._packets, None)

    def __enter__(self) -> AudioCopy:
        """Give the copier itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Close the source."""
        self._input.close()

    def copy_until(self, time: Fraction) -> None:
        """Write the packets that begin before ``time`` seconds and were not written yet."""
        while self._held is not None and self._held[0] < time:
            self._out.mux(self._held[1])
            self._held = next(self._packets, None)

    def _demuxed(self) -> Iterator[tuple[Fraction, Packet[Any]]]:
        """Packets with their start in seconds since the first picture."""
        if not self._streams:
            return
        sources = [self._input.streams[index] for index in self._streams]
        last: dict[int, int] = {}
        try:
            for packet in self._input.demux(sources):
                if packet.size == 0 or packet.pts is None or packet.is_corrupt:
                    continue
                start = packet.pts * packet.time_base - self._origin
                if start + PRE_ROLL * (packet.duration or 0) * packet.time_base < 0:
                    continue
                ticks = round(self._origin / packet.time_base)
                packet.pts -= ticks
                packet.dts = packet.pts if packet.dts is None else packet.dts - ticks
                if packet.dts <= last.get(packet.stream_index, packet.dts - 1):
                    continue  # damaged times run backwards, which no file may
                last[packet.stream_index] = packet.dts
                packet.stream = self._streams[packet.stream_index]
                yield start, packet
        except FFmpegError as error:
            raise InputError(
                WHERE,
                "the clip's sound must be readable",
                got=reason(error),
                todo="Render without sound",
                path=self._clip.path,
            ) from error
