from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.error import FFmpegError
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from polytempo.core.errors import InputError, ResourceError, ShapeError
from polytempo.video import writer
from polytempo.video.clip import ColourTags
from polytempo.video.probe import probe
from polytempo.video.reader import read_pictures
from polytempo.video.writer import write_clip

Drawn = Callable[[int, int, int], NDArray[np.uint8]]
MATRICES = {"smpte170m": ("smpte170m", "smpte170m"), "bt709": ("bt709", "bt709"), "bt2020nc": ("bt2020", "bt2020-10")}


def flat(
    n: int = 3, *, size: tuple[int, int] = (64, 48), colour: tuple[int, ...] = (200, 100, 50)
) -> NDArray[np.uint8]:
    return np.full((n, size[1], size[0], 3), colour, np.uint8)


@pytest.mark.parametrize(("matrix", "full"), list(product(MATRICES, [False, True])))
def test_colour_and_tags_survive(tmp_path: Path, matrix: str, full: bool) -> None:
    primaries, transfer = MATRICES[matrix]
    tags = ColourTags(matrix=matrix, primaries=primaries, transfer=transfer, full_range=full, assumed=False)
    for colour in [(200, 100, 50), (10, 240, 90), (255, 255, 255), (0, 0, 0)]:
        write_clip(tmp_path / "a.mp4", flat(colour=colour), size=(64, 48), frame_rate=Fraction(24), colour=tags, crf=4)
        clip = probe(tmp_path / "a.mp4")
        assert clip.colour == tags
        for picture in read_pictures(clip):
            assert np.abs(picture.astype(int) - colour).max() <= 2


@pytest.mark.parametrize(("size", "matrix"), [((64, 48), "smpte170m"), ((1280, 720), "bt709")])
def test_default_tags_are_written(tmp_path: Path, size: tuple[int, int], matrix: str) -> None:
    write_clip(tmp_path / "a.mp4", flat(2, size=size), size=size, frame_rate=Fraction(24))
    colour = probe(tmp_path / "a.mp4").colour
    assert (colour.matrix, colour.assumed) == (matrix, False)


@pytest.mark.parametrize("size", [(64, 48), (65, 48), (64, 47), (67, 45), (17, 16)])
@pytest.mark.parametrize("codec", ["h264", "h265", "ffv1"])
def test_every_size_is_kept_without_crop_or_stretch(
    tmp_path: Path, drawn: Drawn, size: tuple[int, int], codec: Any
) -> None:
    path, pictures = tmp_path / "a.mkv", drawn(3, *size)
    write_clip(path, pictures, size=size, frame_rate=Fraction(24), codec=codec, crf=4)
    clip = probe(path)
    assert (clip.width, clip.height) == size
    for got, wanted in zip(read_pictures(clip), pictures, strict=True):
        error = np.abs(got.astype(int) - wanted)
        assert error.max() <= (0 if codec == "ffv1" else 12)
        assert error.mean() < 2.5


@pytest.mark.parametrize(
    ("name", "codec", "size"), [("a.mkv", "ffv1", (64, 48)), ("a.mp4", "h264", (65, 47)), ("a.mp4", "h264", (64, 48))]
)
def test_a_fourth_byte_is_not_looked_at(
    tmp_path: Path, drawn: Drawn, name: str, codec: Any, size: tuple[int, int]
) -> None:
    pictures = drawn(3, *size)
    rest = np.random.default_rng(0).integers(0, 256, (*pictures.shape[:3], 1)).astype(np.uint8)
    written = []
    for number, one in enumerate((pictures, np.concatenate([pictures, rest], axis=3))):
        path = tmp_path / f"{number}{name}"
        write_clip(path, one, size=size, frame_rate=Fraction(24), codec=codec)
        written.append(list(read_pictures(probe(path))))
    assert all(map(np.array_equal, *written))
    assert codec != "ffv1" or all(map(np.array_equal, written[0], pictures))


def test_the_quick_preset_is_as_good_as_a_slower_one(tmp_path: Path, drawn: Drawn) -> None:
    pictures, quality, size = drawn(12, 160, 96), {}, {}
    for preset in ("quick", "superfast", "ultrafast"):
        path = tmp_path / f"{preset}.mp4"
        write_clip(path, pictures, size=(160, 96), frame_rate=Fraction(24), preset=preset)
        error = np.stack(list(read_pictures(probe(path)))).astype(float) - pictures
        quality[preset], size[preset] = -10 * np.log10((error**2).mean()), path.stat().st_size
    assert quality["quick"] > quality["superfast"] - 1
    assert size["quick"] < size["ultrafast"]
    assert size["quick"] < 1.6 * size["superfast"]


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@settings(deadline=None, max_examples=15)
@given(steps=st.lists(st.integers(1, 4000), min_size=2, max_size=12), origin=st.integers(-(10**6), 10**6))
def test_variable_times_are_exact(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, steps: list[int], origin: int
) -> None:
    pts = [origin + sum(steps[:n]) for n in range(len(steps))]
    path = tmp_path_factory.mktemp("t") / f"a{suffix}"
    write_clip(path, flat(len(pts)), size=(64, 48), pts=pts, time_base=Fraction(1, 15360))
    clip = probe(path)
    assert [clip.time_of(n) for n in range(clip.n_frames)] == [Fraction(tick - pts[0], 15360) for tick in pts]
    assert clip.pts[0] == 0


@pytest.mark.parametrize(
    "rate", [Fraction(24), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(120), Fraction(25, 2)]
)
def test_constant_rate_is_exact(tmp_path: Path, rate: Fraction) -> None:
    write_clip(tmp_path / "a.mp4", flat(30), size=(64, 48), frame_rate=rate)
    clip = probe(tmp_path / "a.mp4")
    assert clip.frame_rate == rate
    assert clip.time_of(29) == 29 / rate
    assert not clip.is_variable_rate
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.duration or 0) * (stream.time_base or 0) == 30 / rate


def test_pictures_are_taken_one_at_a_time(tmp_path: Path) -> None:
    alive: list[int] = []

    def pictures() -> Iterator[NDArray[np.uint8]]:
        for n in range(5):
            alive.append(n)
            yield flat(1)[0]

    write_clip(tmp_path / "a.mp4", pictures(), size=(64, 48), frame_rate=Fraction(24))
    assert alive == list(range(5))


def failing(after: int) -> Iterator[NDArray[np.uint8]]:
    yield from flat(after)
    raise RuntimeError


def test_failure_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError):
        write_clip(path, failing(3), size=(64, 48), frame_rate=Fraction(24))
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "a.txt"}, r"the file's name must end in \.mp4, \.mov, \.mkv, \.m4v; got '\.txt'"),
        ({"codec": "divx"}, "the codec must be one of h264, h265, ffv1; got 'divx'"),
        ({"codec": "ffv1"}, r"lossless FFV1 must go into \.mkv; got \.mp4"),
        ({"crf": 60}, "crf must lie in 0 to 51; got 60"),
        ({"preset": "warp"}, "the preset must be one of quick, ultrafast, .*; got 'warp'"),
        ({"size": (8, 48)}, "a picture must measure 16 to 8192 pixels a side; got 8x48"),
        ({"frame_rate": Fraction(0)}, "the frame rate must be above 0; got 0"),
        ({"frame_rate": None}, "either a frame rate or frame times with their time base must be given"),
        ({"pts": [0, 1, 2]}, "either a frame rate or frame times with their time base must be given"),
        (
            {"frame_rate": None, "pts": [0, 2, 2], "time_base": Fraction(1, 24)},
            "must rise strictly; got 2 then 2 at frames 1 and 2",
        ),
        (
            {"frame_rate": None, "pts": [0, 2], "time_base": Fraction(1, 24)},
            "every picture must have a time; got 2 times",
        ),
        ({"frame_rate": None, "pts": [0, 2, 3], "time_base": Fraction(0)}, "the time base must be above 0; got 0"),
    ],
)
def test_refused_by_name(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"path": "a.mp4", "size": (64, 48), "frame_rate": Fraction(24)} | options
    path = tmp_path / given.pop("path")
    with pytest.raises(InputError, match=f"^video.writer: .*{message}"):
        write_clip(path, flat(), **given)
    assert not list(tmp_path.iterdir())


@pytest.mark.refusal
def test_no_pictures(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there must be pictures to write; got none"):
        write_clip(tmp_path / "a.mp4", [], size=(64, 48), frame_rate=Fraction(24))
    assert not list(tmp_path.iterdir())


@pytest.mark.refusal
def test_picture_of_another_size(tmp_path: Path) -> None:
    wrong = [flat(1)[0], flat(1, size=(48, 64))[0]]
    with pytest.raises(ShapeError, match=r"a picture must be uint8 \[48, 64, 3\]; got uint8 \[64, 48, 3\] for frame 1"):
        write_clip(tmp_path / "a.mp4", wrong, size=(64, 48), frame_rate=Fraction(24))
    with pytest.raises(ShapeError, match="got float64"):
        write_clip(tmp_path / "a.mp4", flat() / 255, size=(64, 48), frame_rate=Fraction(24))
    assert not list(tmp_path.iterdir())


@pytest.mark.refusal
def test_path_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("a file")
    (tmp_path / "d.mp4").mkdir()
    with pytest.raises(InputError, match="the place must be writable"):
        write_clip(tmp_path / "f" / "a.mp4", flat(), size=(64, 48), frame_rate=Fraction(24))
    with pytest.raises(InputError, match="the file must not be a folder"):
        write_clip(tmp_path / "d.mp4", flat(), size=(64, 48), frame_rate=Fraction(24))


@pytest.mark.refusal
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), FFmpegError(28, "No space left on device")])
def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def full(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(writer, "_encode", full)
    with pytest.raises(ResourceError, match="the disk must have room for the file"):
        write_clip(tmp_path / "a.mp4", flat(), size=(64, 48), frame_rate=Fraction(24))
    assert not list(tmp_path.iterdir())
