"""Small clips drawn with FFmpeg's own encoders, in every shape that cameras and programs write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

DrawClip = Callable[..., Path]


def pictures(n: int, width: int, height: int) -> NDArray[np.uint8]:
    """Smooth pictures ``[n, height, width, 3]`` whose brightness tells the frame: mean of blue is ``8 + 8 * frame``."""
    y, x = np.mgrid[0:height, 0:width]
    clip = np.zeros((n, height, width, 3), np.uint8)
    clip[..., 0] = 40 + 160 * x / width
    clip[..., 1] = 40 + 160 * y / height
    clip[..., 2] = (8 + 8 * np.arange(n))[:, None, None]
    return clip


def number_of(picture: NDArray[np.uint8]) -> int:
    """Which frame of ``pictures`` this is."""
    return round((float(picture[..., 2].mean()) - 8) / 8)


@pytest.fixture
def draw_clip(tmp_path: Path) -> DrawClip:
    """Give a function that writes a clip with PyAV directly and returns its path."""

    def draw(
        name: str = "clip.mp4",
        *,
        n: int = 12,
        size: tuple[int, int] = (64, 48),
        codec: str = "libx264",
        pixel_format: str = "yuv420p",
        rate: Fraction = Fraction(24),
        time_base: Fraction | None = None,
        pts: Sequence[int] | None = None,
        rotation: int = 0,
        aspect: Fraction | None = None,
        tags: tuple[int, int, int, int] | None = None,
        options: dict[str, str] | None = None,
        container_options: dict[str, str] | None = None,
        format: str | None = None,
        audio: str | None = None,
        frames: Sequence[av.VideoFrame] | None = None,
    ) -> Path:
        path = tmp_path / name
        quality = {"crf": "4", "preset": "veryfast"} if codec == "libx264" else {}
        with av.open(str(path), "w", format=format, options=container_options or {}) as container:
            stream: Any = container.add_stream(codec, rate=rate, options=quality | (options or {}))
            context = stream.codec_context
            context.width, context.height = size
            context.pix_fmt = pixel_format
            if time_base is not None:
                context.time_base = time_base
            if codec == "mpeg4":
                context.qmin = context.qmax = 2
            if aspect is not None:
                context.sample_aspect_ratio = aspect
            if tags is not None:
                context.colorspace, context.color_range, context.color_primaries, context.color_trc = tags
            if rotation:
                stream.set_display_rotation(rotation)
            sound: Any = container.add_stream(audio, rate=48000) if audio else None
            if sound is not None:
                sound.layout = "mono"
            container.start_encoding()
            for t in range(n):
                if frames is not None:
                    frame = frames[t]
                else:
                    frame = av.VideoFrame.from_ndarray(pictures(n, *size)[t], format="rgb24").reformat(
                        format=pixel_format, dst_colorspace=5, dst_color_range=1
                    )
                frame.pts = t if pts is None else pts[t]
                frame.time_base = time_base or 1 / rate
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
            if sound is not None:
                write_tone(container, sound, seconds=n / rate)
        return path

    return draw


def write_tone(container: Any, stream: Any, *, seconds: Fraction) -> None:
    size, done = stream.codec_context.frame_size or 1024, 0
    while done < seconds * 48000:
        wave = np.sin(np.arange(done, done + size) * 0.05).astype(np.float32)[None] * 0.3
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, done, Fraction(1, 48000)
        container.mux(stream.encode(frame))
        done += size
    container.mux(stream.encode(None))


@pytest.fixture
def number() -> Callable[[NDArray[np.uint8]], int]:
    """Which frame of a drawn clip a picture is."""
    return number_of


@pytest.fixture
def drawn() -> Callable[[int, int, int], NDArray[np.uint8]]:
    """The pictures of a drawn clip, ``(n, width, height)``."""
    return pictures
