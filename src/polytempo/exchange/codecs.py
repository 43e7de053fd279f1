"""What a video file can be written as, and what this build of FFmpeg can write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from av.codec.codec import Codec, UnknownCodecError

from polytempo.core.errors import InputError

WHERE = "exchange.codecs"
VideoCodec = Literal["h264", "hevc", "av1", "prores4444", "vp9-alpha", "ffv1"]
Depth = Literal[8, 10, 16]


@dataclass(frozen=True, kw_only=True, slots=True)
class CodecFacts:
    """One way of coding."""

    encoders: tuple[str, ...]
    """FFmpeg's encoders, the preferred first."""
    decoder: str | None = None
    """Decoder that must be named, because the one FFmpeg picks leaves alpha out."""
    suffixes: tuple[str, ...]
    pixel_formats: Mapping[int, str]
    """Pixel format by bit depth."""
    alpha: bool
    """Whether alpha is kept; it is straight in all of these files."""
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    quality: str | None = None
    """Name of the option that sets the quality; None for a codec that has no choice."""
    tag: str | None = None
    """Four letters under which players look for it."""


CODECS: dict[VideoCodec, CodecFacts] = {
    "h264": CodecFacts(
        encoders=("libx264",),
        suffixes=(".mp4", ".mov", ".mkv", ".m4v"),
        pixel_formats={8: "yuv420p", 10: "yuv420p10le"},
        alpha=False,
        options={"preset": "medium"},
        quality="crf",
    ),
    "hevc": CodecFacts(
        encoders=("libx265",),
        suffixes=(".mp4", ".mov", ".mkv", ".m4v"),
        pixel_formats={8: "yuv420p", 10: "yuv420p10le"},
        alpha=False,
        options={"preset": "fast", "x265-params": "log-level=error"},
        quality="crf",
        tag="hvc1",
    ),
    "av1": CodecFacts(
        encoders=("libsvtav1", "libaom-av1"),
        suffixes=(".mp4", ".mkv", ".webm"),
        pixel_formats={8: "yuv420p", 10: "yuv420p10le"},
        alpha=False,
        options={"preset": "8"},
        quality="crf",
    ),
    "prores4444": CodecFacts(
        encoders=("prores_ks",),
        suffixes=(".mov",),
        pixel_formats={10: "yuva444p10le"},
        alpha=True,
        options={"profile": "4444", "alpha_bits": "16", "vendor": "apl0"},
    ),
    "vp9-alpha": CodecFacts(
        encoders=("libvpx-vp9",),
        decoder="libvpx-vp9",
        suffixes=(".webm",),
        pixel_formats={8: "yuva420p"},
        alpha=True,
        options={"b": "0", "deadline": "good", "cpu-used": "4", "auto-alt-ref": "0", "row-mt": "1"},
        quality="crf",
    ),
    "ffv1": CodecFacts(
        encoders=("ffv1",),
        suffixes=(".mkv",),
        pixel_formats={8: "bgra", 16: "rgba64le"},
        alpha=True,
        options={"level": "3", "slicecrc": "1"},
    ),
}
"""All ways of coding a video, by our name."""


def encoder_of(codec: VideoCodec) -> str:
    """FFmpeg's encoder for a codec.

    Raises:
        InputError: this build has none, or the codec has no such name.
    """
    if codec not in CODECS:
        raise InputError(WHERE, f"the codec must be one of {', '.join(CODECS)}", got=repr(codec))
    for name in CODECS[codec].encoders:
        try:
            Codec(name, "w")
        except UnknownCodecError:
            continue
        return name
    raise InputError(
        WHERE,
        "the codec must be in this build of FFmpeg",
        got=f"{codec} without {' or '.join(CODECS[codec].encoders)}",
        todo=f"Choose another: {', '.join(name for name in CODECS if name != codec)}",
    )
