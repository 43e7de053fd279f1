"""Video files of every codec we write, with alpha where it has one, and read back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from polytempo.core.errors import InputError, ShapeError
from polytempo.core.files import atomic_path
from polytempo.core.pictures import Picture
from polytempo.exchange.alpha import premultiplied, straight
from polytempo.exchange.codecs import CODECS, Depth, VideoCodec, encoder_of
from polytempo.video.audio import AudioCopy
from polytempo.video.clip import Clip, ColourTags
from polytempo.video.colour import MATRIX_IDS, PRIMARIES_IDS, TRANSFER_IDS, default_tags, frame_from_rgb
from polytempo.video.door import open_input, reason, threads, write_failure

WHERE = "exchange.video"
FULL, LIMITED = 2, 1


@dataclass(frozen=True, kw_only=True, slots=True)
class VideoConfig:
    """How a video file is written."""

    codec: VideoCodec = "h264"
    """``h264``, ``hevc``, ``av1``; with alpha ``prores4444``, ``vp9-alpha`` and lossless ``ffv1``."""
    crf: int | None = None
    """Quality, 0 (best) to 51 (63 for AV1 and VP9); 16 when neither it nor a bitrate is given."""
    bitrate: int | None = None
    """Bits a second, instead of a quality."""
    depth: Depth | None = None
    """Bits a channel; the least that the codec has when left out."""


def write_video(
    path: Path,
    pictures: Iterable[Picture],
    *,
    size: tuple[int, int],
    frame_rate: Fraction,
    config: VideoConfig = VideoConfig(),
    colour: ColourTags | None = None,
    audio_from: Clip | None = None,
) -> None:
    """Write pictures as a video; the file appears when it is whole.

    Args:
        path: Its ending must be one that the codec goes into.
        pictures: ``uint8 [H, W, 3]``, or ``[H, W, 4]`` premultiplied, which is written straight.
        size: ``(width, height)``.
        frame_rate: Frames a second.
        config: Codec and quality.
        colour: How to code and tag; what decoders assume at this size when left out.
        audio_from: A clip whose sound is copied, packet by packet, up to the end of the pictures.

    Raises:
        InputError: ending, codec, depth or quality do not go together, this build lacks the encoder, there is no
            picture, or the place cannot be written.
        ShapeError: a picture is not of that size, or has alpha that the codec cannot keep.
        ResourceError: the disk ran full.
    """
    encoder = encoder_of(config.codec)
    facts = CODECS[config.codec]
    depth = _checked(path, size, config)
    tags = colour or default_tags(*size)
    pixel_format = facts.pixel_formats[depth]
    if (size[0] % 2 or size[1] % 2) and "420" in pixel_format and not facts.alpha:
        pixel_format = pixel_format.replace("420", "444") if config.codec != "av1" else pixel_format
    try:
        with ExitStack() as stack:
            partial = stack.enter_context(atomic_path(path))
            container = stack.enter_context(av.open(f"file:{partial}", "w"))
            stream: VideoStream = container.add_stream(encoder, rate=frame_rate, options=_options(config))  # pyright: ignore
            _describe(stream, size, pixel_format, tags, tag=facts.tag)
            if config.bitrate is not None:
                stream.codec_context.bit_rate = config.bitrate
            sound = stack.enter_context(AudioCopy(audio_from, container, path)) if audio_from is not None else None
            n = -1
            for n, frame in enumerate(_frames(pictures, size, pixel_format, tags, alpha=facts.alpha, depth=depth)):
                frame.pts, frame.time_base = n, 1 / frame_rate
                container.mux(stream.encode(frame))
                if sound is not None:
                    sound.copy_until((n + 1) / frame_rate)
            if n < 0:
                raise InputError(WHERE, "there must be pictures to write", got="none")
            container.mux(stream.encode(None))
    except (FFmpegError, OSError) as error:
        raise write_failure(error, where=WHERE, path=path) from error


def read_video(path: Path, *, codec: VideoCodec) -> Iterator[NDArray[np.uint8]]:
    """Pictures of a file that was written here: ``[H, W, 3]``, or ``[H, W, 4]`` premultiplied for a codec with alpha.

    Raises:
        InputError: the file cannot be read.
    """
    facts = CODECS[codec]
    try:
        with open_input(path) as container:
            stream = container.streams.video[0]
            context = av.CodecContext.create(facts.decoder, "r") if facts.decoder else None
            scaler = VideoReformatter()
            for packet in container.demux(stream):
                if context is not None and packet.size == 0:
                    continue  # the end, which a decoder of our own is told below
                for frame in packet.decode() if context is None else context.decode(packet):  # pyright: ignore
                    yield _picture(frame, scaler, alpha=facts.alpha)
            for frame in [] if context is None else context.decode(None):  # pyright: ignore
                yield _picture(frame, scaler, alpha=facts.alpha)  # pyright: ignore
    except FFmpegError as error:
        raise InputError(WHERE, "the video must be readable", got=reason(error), path=path) from error


def _picture(frame: av.VideoFrame, scaler: VideoReformatter, *, alpha: bool) -> NDArray[np.uint8]:
    rgb = frame.format.is_rgb
    deep = frame.format.components[0].bits > 8
    target = ("rgba64le" if deep else "rgba") if alpha else "rgb24"
    matrix = int(frame.colorspace)
    picture = scaler.reformat(
        frame,
        format=target,
        src_colorspace=None if rgb else (matrix if matrix in MATRIX_IDS.values() else MATRIX_IDS["bt709"]),
        src_color_range=FULL if rgb else int(frame.color_range) or LIMITED,
        dst_color_range=FULL,
    ).to_ndarray()
    return premultiplied(picture) if alpha else np.asarray(picture, np.uint8)


def _frames(
    pictures: Iterable[Picture], size: tuple[int, int], pixel_format: str, tags: ColourTags, *, alpha: bool, depth: int
) -> Iterator[av.VideoFrame]:
    scaler = VideoReformatter()
    for n, picture in enumerate(pictures):
        if picture.dtype != np.uint8 or picture.shape not in ((size[1], size[0], 3), (size[1], size[0], 4)):
            raise ShapeError(
                WHERE,
                f"a picture must be uint8 [{size[1]}, {size[0]}, 3 or 4]",
                got=f"{picture.dtype} {list(picture.shape)} for frame {n}",
            )
        if picture.shape[2] == 4 and not alpha:
            raise ShapeError(WHERE, "the codec must keep alpha", got=f"a layer in frame {n}", todo="Use prores4444")
        if not alpha and depth == 8:
            yield frame_from_rgb(picture, scaler, tags=tags, pixel_format=pixel_format)
            continue
        whole: Any = picture
        if alpha:
            opaque = np.full((*picture.shape[:2], 1), 255, np.uint8)
            rgba = picture if picture.shape[2] == 4 else np.concatenate([picture, opaque], axis=2)
            whole = straight(rgba, depth=16 if depth > 8 else 8)
        name = {(3, 1): "rgb24", (4, 1): "rgba", (4, 2): "rgba64le"}[whole.shape[2], whole.itemsize]
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(whole), format=name)
        frame.color_range = FULL
        if pixel_format in ("bgra", "rgba64le"):
            yield scaler.reformat(frame, format=pixel_format)
            continue
        coded = scaler.reformat(
            frame,
            format=pixel_format,
            dst_colorspace=MATRIX_IDS[tags.matrix],
            src_color_range=FULL,
            dst_color_range=FULL if tags.full_range else LIMITED,
        )
        coded.colorspace, coded.color_range = MATRIX_IDS[tags.matrix], FULL if tags.full_range else LIMITED
        coded.color_primaries, coded.color_trc = PRIMARIES_IDS[tags.primaries], TRANSFER_IDS[tags.transfer]
        yield coded


def _describe(
    stream: VideoStream, size: tuple[int, int], pixel_format: str, tags: ColourTags, *, tag: str | None
) -> None:
    context = stream.codec_context
    context.width, context.height, context.pix_fmt = size[0], size[1], pixel_format
    context.thread_count = threads()
    context.sample_aspect_ratio = Fraction(1)
    if tag is not None:
        context.codec_tag = tag
    if pixel_format not in ("bgra", "rgba64le"):
        context.colorspace, context.color_range = MATRIX_IDS[tags.matrix], FULL if tags.full_range else LIMITED
        context.color_primaries, context.color_trc = PRIMARIES_IDS[tags.primaries], TRANSFER_IDS[tags.transfer]


def _options(config: VideoConfig) -> dict[str, str]:
    facts = CODECS[config.codec]
    options = dict(facts.options)
    if facts.quality and config.bitrate is None:
        options[facts.quality] = str(16 if config.crf is None else config.crf)
    if config.codec == "vp9-alpha" and config.bitrate is not None:
        options.pop("b")
    return options


def _checked(path: Path, size: tuple[int, int], config: VideoConfig) -> int:
    facts = CODECS[config.codec]
    if path.suffix.lower() not in facts.suffixes:
        raise InputError(
            WHERE, f"{config.codec} must go into {', '.join(facts.suffixes)}", got=repr(path.suffix), path=path
        )
    depth = min(facts.pixel_formats) if config.depth is None else config.depth
    if depth not in facts.pixel_formats:
        raise InputError(
            WHERE,
            f"{config.codec} must have {' or '.join(map(str, facts.pixel_formats))} bits a channel",
            got=f"{config.depth}",
        )
    if config.crf is not None and config.bitrate is not None:
        raise InputError(WHERE, "either a quality or a bitrate must be given", got="both")
    if (config.crf is not None or config.bitrate is not None) and facts.quality is None:
        raise InputError(WHERE, f"{config.codec} must be written without quality or bitrate", got="one of them")
    if config.crf is not None and not 0 <= config.crf <= 63:
        raise InputError(WHERE, "crf must lie in 0 to 63", got=str(config.crf))
    if config.bitrate is not None and not 1000 <= config.bitrate <= 10**10:
        raise InputError(WHERE, "the bitrate must lie in 1,000 to 10,000,000,000", got=str(config.bitrate))
    if config.codec == "av1" and (size[0] % 2 or size[1] % 2):
        raise InputError(WHERE, "AV1 must have even sides here", got=f"{size[0]}x{size[1]}", todo="Use h264 or ffv1")
    return depth
