"""Writing a clip: exact times, tagged colour, sound carried over, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from polytempo.core.errors import InputError, ShapeError
from polytempo.core.files import atomic_path
from polytempo.core.pictures import Picture
from polytempo.video.audio import AudioCopy
from polytempo.video.clip import Clip, ColourTags
from polytempo.video.colour import MATRIX_IDS, PRIMARIES_IDS, TRANSFER_IDS, default_tags, frame_from_rgb
from polytempo.video.door import threads, write_failure

WHERE = "video.writer"
Codec = Literal["h264", "h265", "ffv1"]
ENCODERS: dict[str, str] = {"h264": "libx264", "h265": "libx265", "ffv1": "ffv1"}
"""Our codec names and FFmpeg's encoders; ``ffv1`` is lossless RGB and belongs in ``.mkv``."""
QUICK = {"preset": "ultrafast", "x264-params": "bframes=3:b-adapt=0:deblock=0,0"}
"""Our own speed word for H.264. Against x264's ``superfast`` at one crf, on a drawn clip and two filmed ones: half the
processor time (13.5 ms a frame for 29 at 1080p), 4 to 39 % more bytes, -0.5 to +1.2 dB."""
PRESETS = [
    "quick",
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
    "placebo",
]
SUFFIXES = (".mp4", ".mov", ".mkv", ".m4v")


def write_clip(
    path: str | Path,
    pictures: Iterable[Picture],
    *,
    size: tuple[int, int],
    frame_rate: Fraction | None = None,
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    colour: ColourTags | None = None,
    audio_from: Clip | None = None,
    codec: Codec = "h264",
    crf: int = 16,
    preset: str = "quick",
) -> None:
    """Encode pictures to a file, which appears only when it is whole.

    Even sizes are coded 4:2:0, which plays everywhere. A size with an odd side is coded 4:4:4, since 4:2:0 cannot
    state it without cropping or stretching.

    Args:
        path: Ending in ``.mp4``, ``.m4v``, ``.mov`` or ``.mkv``; replaced if it exists.
        pictures: ``uint8 [H, W, 3]`` each, coded RGB; taken one at a time. A fourth byte a pixel is not looked at.
        size: ``(width, height)`` of every picture.
        frame_rate: Frames a second, for a constant rate.
        pts: Time of each frame in ticks of ``time_base``, strictly rising, instead of a frame rate; the first is
            written as 0. At least as many as pictures.
        time_base: Seconds per tick of ``pts``.
        colour: How to code and tag; None tags what decoders assume at this size (BT.709 from 1280×720, else BT.601).
        audio_from: A clip whose sound is copied, packet by packet, up to the end of the pictures.
        codec: ``"h264"``, ``"h265"`` or lossless ``"ffv1"``.
        crf: Quality of H.264 and H.265, 0 (lossless) to 51; 16 is hard to tell from the source.
        preset: Speed word of x264 and x265, or ``"quick"``: keeps up with rendering on two cores (``QUICK``; for H.265
            that is ``superfast``). Slower words save bytes.

    Raises:
        InputError: the name's ending, codec or times do not fit; there are no pictures; the path cannot be written;
            the container cannot carry the sound.
        ShapeError: a picture is not ``uint8 [H, W, 3]`` (or 4) of ``size``.
        ResourceError: the disk ran full.
    """
    path = Path(path)
    clock = _clock(frame_rate, pts, time_base)
    _check(path, size=size, codec=codec, pts=pts, crf=crf, preset=preset)
    tags = colour or default_tags(*size)
    try:
        with atomic_path(path) as partial, ExitStack() as stack:
            options = _container_options(path, clock)
            container = stack.enter_context(av.open(f"file:{partial}", "w", container_options=options))
            stream = _add_stream(container, size=size, clock=clock, tags=tags, codec=codec, crf=crf, preset=preset)
            sound = stack.enter_context(AudioCopy(audio_from, container, path)) if audio_from is not None else None
            _encode(container, stream, _checked(pictures, size), clock=clock, pts=pts, tags=tags, sound=sound)
    except (FFmpegError, OSError) as error:
        raise write_failure(error, where=WHERE, path=path) from error


def _encode(
    container: OutputContainer,
    stream: VideoStream,
    pictures: Iterator[Picture],
    *,
    clock: Fraction,
    pts: Sequence[int] | None,
    tags: ColourTags,
    sound: AudioCopy | None,
) -> None:
    scaler = VideoReformatter()
    pixel_format = stream.codec_context.pix_fmt or "yuv420p"
    durations: dict[int | None, int] = {}
    end = 0

    def mux(packets: list[Packet[Any]]) -> None:
        for packet in packets:
            packet.duration = durations.pop(packet.pts, 1)
            if sound is not None and packet.pts is not None:
                sound.copy_until(packet.pts * clock)
            container.mux(packet)

    for n, picture in enumerate(pictures):
        if pts is not None and n >= len(pts):
            raise InputError(WHERE, "every picture must have a time", got=f"{len(pts)} times and more pictures")
        frame = frame_from_rgb(picture, scaler, tags=tags, pixel_format=pixel_format)
        start, end = _interval(n, pts)
        frame.pts, frame.time_base, frame.duration = start, clock, end - start
        durations[start] = end - start
        mux(stream.encode(frame))
    if end == 0:
        raise InputError(WHERE, "there must be pictures to write", got="none")
    mux(stream.encode(None))
    if sound is not None:
        sound.copy_until(end * clock)


def _container_options(path: Path, clock: Fraction) -> dict[str, str]:
    if path.suffix.lower() == ".mkv":
        return {}
    options = {"movflags": "+faststart"}  # the index in front, so that browsers start before the file is whole
    if clock.denominator <= 1_000_000:
        # QuickTime files note their length in ticks of their own, by default too coarse for a short last frame.
        options["movie_timescale"] = str(clock.denominator)
    return options


def _interval(n: int, pts: Sequence[int] | None) -> tuple[int, int]:
    """Start and end of frame ``n`` in ticks from the first; the last frame lasts as long as the one before."""
    if pts is None:
        return n, n + 1
    start = pts[n] - pts[0]
    if n + 1 < len(pts):
        return start, pts[n + 1] - pts[0]
    return start, start + (pts[n] - pts[n - 1] if n else 1)


def _add_stream(
    container: OutputContainer,
    *,
    size: tuple[int, int],
    clock: Fraction,
    tags: ColourTags,
    codec: str,
    crf: int,
    preset: str,
) -> VideoStream:
    if codec == "ffv1":
        options, pixel_format = {"level": "3", "slicecrc": "1"}, "bgr0"
    else:
        options = {"crf": str(crf), "preset": "superfast" if preset == "quick" else preset}
        if codec == "h264" and preset == "quick":
            options |= QUICK
        pixel_format = "yuv444p" if size[0] % 2 or size[1] % 2 else "yuv420p"
    if codec == "h265":
        options["x265-params"] = "log-level=error"
    stream: VideoStream = container.add_stream(ENCODERS[codec], rate=1 / clock, options=options)  # pyright: ignore
    context = stream.codec_context
    context.width, context.height = size
    context.pix_fmt = pixel_format
    context.time_base = clock
    context.thread_count = threads()
    context.sample_aspect_ratio = Fraction(1)
    if codec == "h265":
        context.codec_tag = "hvc1"
    if pixel_format != "bgr0":
        context.colorspace, context.color_range = MATRIX_IDS[tags.matrix], 2 if tags.full_range else 1
        context.color_primaries, context.color_trc = PRIMARIES_IDS[tags.primaries], TRANSFER_IDS[tags.transfer]
    return stream


def _checked(pictures: Iterable[Picture], size: tuple[int, int]) -> Iterator[Picture]:
    width, height = size
    for n, picture in enumerate(pictures):
        if picture.shape not in ((height, width, 3), (height, width, 4)) or picture.dtype != np.uint8:
            raise ShapeError(
                WHERE,
                f"a picture must be uint8 [{height}, {width}, 3]",
                got=f"{picture.dtype} {list(picture.shape)} for frame {n}",
            )
        yield picture


def _clock(frame_rate: Fraction | None, pts: Sequence[int] | None, time_base: Fraction | None) -> Fraction:
    """Seconds per tick of the file to be written."""
    if pts is None and time_base is None and frame_rate is not None:
        if frame_rate <= 0:
            raise InputError(WHERE, "the frame rate must be above 0", got=str(frame_rate))
        return 1 / frame_rate
    if pts is not None and time_base is not None and frame_rate is None:
        if time_base <= 0:
            raise InputError(WHERE, "the time base must be above 0", got=str(time_base))
        return time_base
    raise InputError(WHERE, "either a frame rate or frame times with their time base must be given")


def _check(path: Path, *, size: tuple[int, int], codec: str, pts: Sequence[int] | None, crf: int, preset: str) -> None:
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(WHERE, f"the file's name must end in {', '.join(SUFFIXES)}", got=repr(path.suffix), path=path)
    if path.is_dir():
        raise InputError(WHERE, "the file must not be a folder", todo="Choose another name", path=path)
    if codec not in ENCODERS:
        raise InputError(WHERE, f"the codec must be one of {', '.join(ENCODERS)}", got=repr(codec))
    if codec == "ffv1" and path.suffix.lower() != ".mkv":
        raise InputError(WHERE, "lossless FFV1 must go into .mkv", got=path.suffix, path=path)
    if not 0 <= crf <= 51:
        raise InputError(WHERE, "crf must lie in 0 to 51", got=str(crf))
    if preset not in PRESETS:
        raise InputError(WHERE, f"the preset must be one of {', '.join(PRESETS)}", got=repr(preset))
    if not 16 <= min(size) <= max(size) <= 8192:
        raise InputError(WHERE, "a picture must measure 16 to 8192 pixels a side", got=f"{size[0]}x{size[1]}")
    if pts is not None and any(b <= a for a, b in pairwise(pts)):
        n = next(n for n, (a, b) in enumerate(pairwise(pts)) if b <= a)
        raise InputError(
            WHERE, "frame times must rise strictly", got=f"{pts[n]} then {pts[n + 1]} at frames {n} and {n + 1}"
        )
