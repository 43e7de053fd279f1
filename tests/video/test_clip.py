from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from polytempo.video.clip import Clip
from polytempo.video.colour import default_tags


def make_clip(pts: tuple[int, ...], *, time_base: Fraction = Fraction(1, 90000)) -> Clip:
    return Clip(
        path=Path("a.mp4"), width=64, height=48, n_frames=len(pts), frame_rate=Fraction(30), time_base=time_base,
        pts=pts, rotation=0, bit_depth=8, colour=default_tags(64, 48), audio_codecs=(),
    )  # fmt: skip


@given(st.sets(st.integers(-(10**6), 10**6), min_size=2, max_size=20))
def test_frame_at_its_own_time_is_the_frame(ticks: set[int]) -> None:
    clip = make_clip(tuple(sorted(ticks)))
    assert [clip.frame_at(clip.time_of(n)) for n in range(clip.n_frames)] == list(range(clip.n_frames))
    almost = [clip.time_of(n) - clip.time_base / 2 for n in range(1, clip.n_frames)]
    assert [clip.frame_at(time) for time in almost] == list(range(clip.n_frames - 1))


def test_frame_at_is_clamped() -> None:
    clip = make_clip((900, 1800, 3600))
    assert clip.frame_at(Fraction(-5)) == 0
    assert clip.frame_at(Fraction(5)) == 2
    assert clip.time_of(0) == 0
    assert clip.time_of(2) == Fraction(3, 100)


def test_variable_rate() -> None:
    assert make_clip((0, 40, 120)).is_variable_rate
    assert not make_clip((0, 33, 67, 100)).is_variable_rate  # 30 a second in milliseconds
    assert not replace(make_clip((0, 40)), n_frames=2).is_variable_rate
