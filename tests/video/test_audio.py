from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from polytempo.core.errors import InputError
from polytempo.video.probe import probe
from polytempo.video.reader import read_pictures
from polytempo.video.writer import write_clip

DrawClip = Callable[..., Path]


def samples(path: Path) -> NDArray[Any]:
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)


def sound_starts(path: Path) -> list[Fraction]:
    """Start of each sound packet in seconds after the first picture."""
    with av.open(str(path)) as container:
        starts = [p.pts * p.time_base for p in container.demux(audio=0) if p.size and p.pts is not None]
    clip = probe(path)
    return [start - clip.pts[0] * clip.time_base for start in starts]


def copy(source: Path, target: Path, *, n: int | None = None) -> None:
    clip = probe(source)
    pictures = list(read_pictures(clip, stop=n))
    write_clip(target, pictures, size=(64, 48), pts=clip.pts, time_base=clip.time_base, audio_from=clip)


@pytest.mark.parametrize(("source", "codec", "target"), [
    ("a.mp4", "aac", "out.mp4"), ("a.mkv", "aac", "out.mp4"), ("a.mkv", "libopus", "out.mkv"),
    ("a.mov", "pcm_s16le", "out.mov"), ("a.mkv", "flac", "out.mkv"),
])  # fmt: skip
def test_sound_is_the_same_to_the_sample(
    draw_clip: DrawClip, tmp_path: Path, source: str, codec: str, target: str
) -> None:
    path = draw_clip(source, n=24, audio=codec)
    copy(path, tmp_path / target)
    np.testing.assert_array_equal(samples(tmp_path / target), samples(path))
    assert sound_starts(tmp_path / target) == pytest.approx(sound_starts(path), abs=0.001)
    assert probe(tmp_path / target).audio_codecs == probe(path).audio_codecs


def test_sound_ends_with_the_pictures(draw_clip: DrawClip, tmp_path: Path) -> None:
    copy(draw_clip(n=24, audio="aac"), tmp_path / "out.mp4", n=12)
    starts = sound_starts(tmp_path / "out.mp4")
    assert float(starts[0]) == pytest.approx(-1024 / 48000)
    assert 0.5 - 1024 / 48000 <= starts[-1] < 0.5


def test_sound_keeps_step_with_pictures_that_start_late(draw_clip: DrawClip, tmp_path: Path) -> None:
    late = [400 + 40 * n for n in range(12)]
    path = draw_clip("a.mkv", time_base=Fraction(1, 1000), pts=late, n=12, audio="aac")
    copy(path, tmp_path / "out.mp4")
    kept = [float(start) for start in sound_starts(path) if start >= 0]
    got = [float(start) for start in sound_starts(tmp_path / "out.mp4") if start >= 0]
    assert got == pytest.approx(kept[: len(got)], abs=0.0015)
    assert len(got) >= len(kept) - 1
    assert probe(tmp_path / "out.mp4").pts[0] == 0


def test_silent_clip_gives_a_silent_file(draw_clip: DrawClip, tmp_path: Path) -> None:
    copy(draw_clip(), tmp_path / "out.mp4")
    assert probe(tmp_path / "out.mp4").audio_codecs == ()


@pytest.mark.refusal
def test_container_that_cannot_carry_the_sound(draw_clip: DrawClip, tmp_path: Path) -> None:
    path = draw_clip("a.mkv", audio="flac")
    with pytest.raises(
        InputError, match=r"\.mov must be able to carry the clip's sound; got flac .* Write \.mkv instead"
    ):
        copy(path, tmp_path / "out.mov")
    assert not (tmp_path / "out.mov").exists()


@pytest.mark.refusal
def test_source_that_is_gone(draw_clip: DrawClip, tmp_path: Path) -> None:
    clip = probe(draw_clip(audio="aac"))
    pictures = list(read_pictures(clip))
    gone = replace(clip, path=tmp_path / "gone.mp4")
    with pytest.raises(InputError, match="the clip must exist"):
        write_clip(tmp_path / "out.mp4", pictures, size=(64, 48), frame_rate=Fraction(24), audio_from=gone)
    assert not (tmp_path / "out.mp4").exists()
