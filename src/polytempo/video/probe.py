"""What a video file holds, told without decoding more than its first frame wherever the file allows."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.sidedata.sidedata import Type as SideDataType
from av.video.stream import VideoStream

from polytempo.core.errors import InputError
from polytempo.core.time import seconds_from_text
from polytempo.video.clip import Clip
from polytempo.video.colour import tags_of_frame
from polytempo.video.decode import TODO_DAMAGED, codec_name, decoded, video_stream
from polytempo.video.door import WHERE, open_input, reason

MAX_SIDE = 8192
"""Longest side of a picture, in pixels."""
MIN_SIDE = 16
"""Shortest side of a picture, in pixels."""
N_COMPARED = 8
"""How many pictures are decoded to see that the packets' times are theirs."""
MAX_FRAMES = 500_000
"""Most frames of a clip (more than two hours at 60 a second)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Times:
    pts: tuple[int, ...]
    time_base: Fraction
    rebuilt: bool = False


def probe(path: str | Path, *, frame_rate: Fraction | None = None) -> Clip:
    """Read a clip's size, exact times, colour and sound.

    Times come from the packets, so a long clip is probed quickly. Where packets state none, or the first picture does
    not belong to the first of them, all pictures are decoded once to learn theirs; where even pictures state none,
    times are laid out by the frame rate and ``Clip.notes`` says so.

    Args:
        path: A video file.
        frame_rate: Frames a second, only for files that state neither times nor rate.

    Raises:
        InputError: the path cannot be read or is a folder; the file is no video, a still picture, or damaged; it has
            no video stream, fewer than two frames, no frame rate, or a size out of bounds.
    """
    path = Path(path)
    with open_input(path) as container:
        _refuse_picture_format(container, path)
        stream = video_stream(container, path)
        _check_size(stream.codec_context.width, stream.codec_context.height, path)
        times = _packet_times(container, stream, path)
    with open_input(path) as container:
        stream = video_stream(container, path)
        firsts = list(islice(decoded(container, stream, path), N_COMPARED))
        audio = tuple(codec_name(s) or "unknown" for s in container.streams.audio)
        stated_rate = _stated_rate(stream)
        aspect = Fraction(stream.sample_aspect_ratio or 1)
    if not firsts:
        raise InputError(WHERE, "the clip must hold pictures", got="0 that decode", todo=TODO_DAMAGED, path=path)
    first = firsts[0]
    if times is None or tuple(frame.pts for frame in firsts) != times.pts[:N_COMPARED]:
        times = _decoded_times(path, frame_rate=frame_rate or stated_rate)
    n_frames = len(times.pts)
    if n_frames < 2:
        raise InputError(
            WHERE,
            "the clip must hold at least 2 frames",
            got="1 frame",
            todo="Give a video, not a still picture",
            path=path,
        )
    notes = ["The file states no frame times; they were laid out by its frame rate."] if times.rebuilt else []
    width, height = square_size(first.width, first.height, aspect)
    if (width, height) != (first.width, first.height):
        notes.append(f"Pixels of aspect {aspect} were made square: {first.width}x{first.height} to {width}x{height}.")
    _check_size(width, height, path)
    rotation, mirrored = _orientation(first)
    if rotation is None:
        notes.append(f"A rotation by {first.rotation} degrees is not a quarter turn and was left out.")
        rotation = 0
    colour = tags_of_frame(first, where=WHERE)
    if colour.transfer in ("smpte2084", "arib-std-b67"):
        notes.append("The clip is high dynamic range; its coded values are kept as they are.")
    if first.interlaced_frame:
        notes.append("The clip is interlaced; its two fields stay woven into one picture.")
    if any(component.is_alpha for component in first.format.components):
        notes.append("The clip has transparency, which is left out.")
    return Clip(
        path=path,
        width=height if rotation % 180 else width,
        height=width if rotation % 180 else height,
        n_frames=n_frames,
        frame_rate=_frame_rate(times, stated_rate),
        time_base=times.time_base,
        pts=times.pts,
        rotation=rotation,
        mirrored=mirrored,
        bit_depth=max(component.bits for component in first.format.components),
        colour=colour,
        audio_codecs=audio,
        times_rebuilt=times.rebuilt,
        notes=tuple(notes),
    )


def square_size(width: int, height: int, aspect: Fraction) -> tuple[int, int]:
    """Give the size with square pixels: the side that the aspect stretches grows to an even number, none shrinks."""
    if aspect > 1:
        return 2 * round(width * aspect / 2), height
    return (width, height) if aspect == 1 else (width, 2 * round(height / aspect / 2))


def _packet_times(container: InputContainer, stream: VideoStream, path: Path) -> _Times | None:
    """Frame times from the packets, or None where they cannot be trusted."""
    pts: list[int | None] = []
    n_packets = 0
    try:
        for packet in container.demux(stream):
            if packet.size == 0:
                continue
            n_packets += 1
            if packet.is_corrupt:
                raise _cut_short(len(pts), stream.frames, path)
            if not packet.is_discard:
                pts.append(packet.pts)
            if len(pts) > MAX_FRAMES:
                raise InputError(
                    WHERE, f"the clip must have at most {MAX_FRAMES} frames", got="more", todo="Cut it", path=path
                )
    except FFmpegError as error:
        raise InputError(
            WHERE,
            "the file must be whole",
            got=f"{reason(error)} after {len(pts)} frames",
            todo=TODO_DAMAGED,
            path=path,
        ) from error
    if not pts:
        raise InputError(WHERE, "the clip must hold pictures", got="0 frames", todo="Export it again", path=path)
    n_stated = len(stream.index_entries) if stream.frames and "mp4" in container.format.name else 0
    if n_packets < n_stated:
        raise _cut_short(n_packets, n_stated, path)
    known = sorted(value for value in pts if value is not None)
    # AVI knows no order of showing; hidden frames (VP8) and packed ones (MPEG-4) break one packet, one picture.
    doubtful = container.format.name == "avi" or stream.codec_context.name in ("vp8", "mpeg4")
    if doubtful or len(known) < len(pts) or len(set(known)) < len(known):
        return None
    times = _Times(pts=tuple(known), time_base=Fraction(stream.time_base or 1))
    stated = _stated_secs(stream)
    found = (known[-1] - min(known[0], 0)) * times.time_base
    if stated is not None and found < stated * Fraction(9, 10) - Fraction(1, 2):
        raise InputError(
            WHERE,
            f"the file must be whole: it states {float(stated):.2f} s of pictures",
            got=f"{float(found):.2f} s",
            todo="Copy or export the clip again",
            path=path,
        )
    return times


def _stated_secs(stream: VideoStream) -> Fraction | None:
    """Length of the pictures as Matroska's tags state it."""
    text = stream.metadata.get("DURATION", "")
    try:
        return seconds_from_text(text, where=WHERE) if text else None
    except InputError:
        return None


def _decoded_times(path: Path, *, frame_rate: Fraction) -> _Times:
    """Frame times from decoding everything; laid out by the frame rate where pictures carry none."""
    with open_input(path) as container:
        stream = video_stream(container, path)
        pts = [frame.pts for frame in decoded(container, stream, path)]
        time_base = Fraction(stream.time_base or 1)
    known = [value for value in pts if value is not None]
    if len(known) == len(pts) and all(b > a for a, b in pairwise(known)):
        return _Times(pts=tuple(known), time_base=time_base)
    if not frame_rate:
        raise InputError(
            WHERE, "the stream must state a frame rate", todo="Pass --frame-rate, e.g. 30000/1001", path=path
        )
    return _Times(pts=tuple(range(len(pts))), time_base=1 / frame_rate, rebuilt=True)


def _stated_rate(stream: VideoStream) -> Fraction:
    # An unset rate is None or 0, depending on PyAV's version.
    return Fraction(stream.guessed_rate or stream.average_rate or 0)


def _frame_rate(times: _Times, stated: Fraction) -> Fraction:
    """The stated rate where the times follow it to within a tick a frame, else the average."""
    if times.rebuilt:
        return 1 / times.time_base
    step = (times.pts[-1] - times.pts[0]) * times.time_base / (len(times.pts) - 1)
    if stated and abs(1 / stated - step) * (len(times.pts) - 1) <= times.time_base:
        return stated
    return 1 / step


def _orientation(frame: av.VideoFrame) -> tuple[int | None, bool]:
    """Quarter turns counter-clockwise in degrees (None for another angle), and whether to flip up and down before."""
    side_data: Any = frame.side_data  # PyAV's stub gives it the type of a dictionary of names
    data = next((bytes(entry) for entry in side_data if entry.type == SideDataType.DISPLAYMATRIX), b"")
    mirrored = False
    if len(data) >= 36:
        a, b, _, c, d, *_ = (int(value) for value in np.frombuffer(data[:36], np.int32))
        mirrored = a * d - b * c < 0
    turn = round(frame.rotation / 90) * 90
    return (turn % 360 if abs(frame.rotation - turn) <= 1 else None), mirrored


def _refuse_picture_format(container: InputContainer, path: Path) -> None:
    name = container.format.name
    if name == "image2" or name.endswith("_pipe"):
        raise InputError(WHERE, "the clip must be a video", got="a still picture", todo="Give a video file", path=path)


def _check_size(width: int, height: int, path: Path) -> None:
    if not (min(width, height) >= MIN_SIDE and max(width, height) <= MAX_SIDE):
        raise InputError(
            WHERE,
            f"the picture must measure {MIN_SIDE} to {MAX_SIDE} pixels a side",
            got=f"{width}x{height}",
            todo="Scale the clip",
            path=path,
        )


def _cut_short(n: int, stated: int, path: Path) -> InputError:
    of = f" of {stated}" if stated else ""
    return InputError(WHERE, "the file must be whole", got=f"an end after {n}{of} frames", todo=TODO_DAMAGED, path=path)
