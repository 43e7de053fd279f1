from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from polytempo.core.errors import InputError
from polytempo.video.clip import Clip
from polytempo.video.probe import probe
from polytempo.video.reader import ClipReader, read_pictures, resized

DrawClip = Callable[..., Path]
Number = Callable[[NDArray[np.uint8]], int]


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=st.lists(st.integers(0, 29), max_size=12))
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {"g": "6"}),
        ("b.mp4", {"x264-params": "open-gop=1:keyint=6:bframes=3"}),
        ("c.ts", {"g": "6"}),
        ("d.avi", {}),
        ("e.h264", {"g": "6"}),
    ],
)
def test_random_access_gives_the_frame_asked_for(
    draw_clip: DrawClip, number: Number, name: str, options: dict[str, str], wanted: list[int]
) -> None:
    path = DRAWN.get(name) or DRAWN.setdefault(name, draw_clip(name, n=30, options=options))
    with ClipReader(probe(path), n_kept=3) as reader:
        assert len(reader) == 30
        assert [number(reader[n]) for n in wanted] == wanted


DRAWN: dict[str, Path] = {}


def test_range_and_size(draw_clip: DrawClip, number: Number) -> None:
    clip = probe(draw_clip())
    pictures = list(read_pictures(clip, start=3, stop=7, size=(32, 24)))
    assert [number(picture) for picture in pictures] == [3, 4, 5, 6]
    assert all(picture.shape == (24, 32, 3) and picture.dtype == np.uint8 for picture in pictures)
    assert list(read_pictures(clip, start=5, stop=5)) == []


def test_same_pictures_in_order_and_by_number(draw_clip: DrawClip) -> None:
    clip = probe(draw_clip())
    with ClipReader(clip) as reader:
        for n, picture in reversed(list(enumerate(read_pictures(clip)))):
            np.testing.assert_array_equal(reader[n], picture)


def test_pictures_are_kept_and_read_only(draw_clip: DrawClip) -> None:
    with ClipReader(probe(draw_clip()), n_kept=2) as reader:
        first = reader[0]
        assert reader[0] is first
        with pytest.raises(ValueError, match="read-only"):
            first[0] = 0
        reader[1], reader[2]
        assert reader[0] is not first
        with pytest.raises(IndexError):
            reader[12]


def test_sixteen_bits(draw_clip: DrawClip) -> None:
    clip = probe(draw_clip("a.mkv", codec="ffv1", pixel_format="yuv444p10le"))
    with ClipReader(clip) as reader, ClipReader(clip, depth=16) as deep:
        assert deep[5].dtype == np.uint16
        assert np.abs(deep[5] / 257 - reader[5]).max() <= 1


def test_area_average_when_smaller() -> None:
    checks = np.zeros((8, 8, 3), np.uint8)
    checks[::2, ::2] = checks[1::2, 1::2] = 200
    assert (resized(checks, (4, 4)) == 100).all()
    assert resized(checks, (8, 8)) is checks
    assert resized(checks, (16, 12)).shape == (12, 16, 3)


@pytest.mark.refusal
def test_range_outside_the_clip(draw_clip: DrawClip) -> None:
    with pytest.raises(InputError, match=r"^video\.reader: a range must lie within 0 to 12; got 5 to 13\. File: "):
        next(read_pictures(probe(draw_clip()), start=5, stop=13))


@pytest.mark.refusal
def test_file_that_changed_since_it_was_probed(draw_clip: DrawClip) -> None:
    clip = probe(draw_clip())
    longer = replace(clip, n_frames=14, pts=(*clip.pts, 6144, 6656))
    with pytest.raises(InputError, match=r"every frame must decode; got an end of the file before frame 12 of 14"):
        list(read_pictures(longer))
    shifted = replace(clip, pts=tuple(tick + 1 for tick in clip.pts))
    with pytest.raises(InputError, match="a frame at an unexpected time"):
        list(read_pictures(shifted))
    clip.path.unlink()
    with pytest.raises(InputError, match="the clip must exist"):
        list(read_pictures(clip))


VP9 = {"codec": "libvpx-vp9"}
FFV1 = {"codec": "ffv1", "pixel_format": "bgr0"}


def read_into(clip: Clip, numbers: list[int]) -> None:
    for n, _ in enumerate(read_pictures(clip)):
        numbers.append(n)


@pytest.mark.refusal
@pytest.mark.parametrize(("how", "options"), [("zeroed", VP9), ("cut", VP9), ("cut", FFV1)])
def test_damage_in_the_middle_names_the_frame(draw_clip: DrawClip, how: str, options: dict[str, str]) -> None:
    path = draw_clip("a.mkv", n=24, **options)
    clip = probe(path)
    data = bytearray(path.read_bytes())
    middle = len(data) * 2 // 3
    path.write_bytes(data[:middle] + (bytes(200) + data[middle + 200 :] if how == "zeroed" else b""))
    read: list[int] = []
    with pytest.raises(
        InputError, match=r"^video\.reader: every frame must decode; got .*\d.* Copy or export"
    ) as caught:
        read_into(clip, read)
    assert 8 <= len(read) <= 18
    assert str(len(read)) in caught.value.got


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("libx264", {"x264-params": "open-gop=1:keyint=8:bframes=3"}),
        ("libx265", {"x265-params": "log-level=none:keyint=8:open-gop=1:bframes=3", "crf": "4"}),
    ],
)
def test_recording_that_begins_between_key_frames(
    draw_clip: DrawClip, number: Number, codec: str, options: dict[str, str]
) -> None:
    path = draw_clip("a.ts", n=30, codec=codec, options=options)
    data = path.read_bytes()
    path.write_bytes(data[len(data) // 3 // 188 * 188 :])
    clip = probe(path)
    shown = [number(picture) for picture in read_pictures(clip)]
    assert shown == list(range(30 - clip.n_frames, 30))
    assert clip.n_frames > 10
    with ClipReader(clip) as reader:
        assert [number(reader[n]) for n in (9, 1, 0, 5)] == [shown[n] for n in (9, 1, 0, 5)]


@pytest.mark.refusal
def test_size_that_changes_on_the_way(draw_clip: DrawClip) -> None:
    path = draw_clip("a.h264")
    path.write_bytes(path.read_bytes() + draw_clip("b.h264", size=(96, 64)).read_bytes())
    clip = probe(path)
    assert clip.n_frames == 24
    with pytest.raises(InputError, match="every frame must decode; got 96x64 after 64x48 at frame 12"):
        list(read_pictures(clip))
