import os
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from polytempo.core.errors import InputError
from polytempo.video import probe as probe_module
from polytempo.video.probe import probe, square_size
from polytempo.video.reader import read_pictures

DrawClip = Callable[..., Path]
Number = Callable[[NDArray[np.uint8]], int]


def test_plain_clip(draw_clip: DrawClip) -> None:
    path = draw_clip(audio="aac", rate=Fraction(30000, 1001))
    clip = probe(str(path))
    assert (clip.path, clip.width, clip.height, clip.n_frames) == (path, 64, 48, 12)
    assert (clip.frame_rate, clip.time_base) == (Fraction(30000, 1001), Fraction(1, 30000))
    assert clip.pts == tuple(range(0, 12 * 1001, 1001))
    assert (clip.rotation, clip.mirrored, clip.bit_depth, clip.audio_codecs) == (0, False, 8, ("aac",))
    assert (clip.colour.matrix, clip.colour.full_range, clip.colour.assumed) == ("smpte170m", False, True)
    assert not clip.times_rebuilt
    assert clip.notes == ()


# Containers with times of all kinds; B-frames wherever the codec has them.
KINDS: dict[str, dict[str, Any]] = {
    "mov": {"name": "a.mov", "codec": "prores_ks", "pixel_format": "yuv422p10le"},
    "matroska": {"name": "a.mkv"},
    "transport stream": {"name": "a.ts"},
    "program stream": {
        "name": "a.mpg",
        "codec": "mpeg2video",
        "options": {"bf": "2", "qmin": "1", "qmax": "2"},
        "rate": Fraction(25),
    },
    "avi, order lost": {"name": "a.avi"},
    "avi, packed": {"name": "a.avi", "codec": "mpeg4", "options": {"bf": "2"}},
    "raw stream": {"name": "a.h264"},
    "webm": {"name": "a.webm", "codec": "libvpx-vp9", "options": {"crf": "4", "b": "0"}},
    "webm, hidden frames": {
        "name": "a.webm",
        "codec": "libvpx",
        "options": {"crf": "4", "b": "4M", "auto-alt-ref": "1"},
    },
    "fragments": {"container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "moving jpeg": {
        "name": "a.avi",
        "codec": "mjpeg",
        "pixel_format": "yuvj420p",
        "options": {"qmin": "1", "qmax": "2"},
    },
    "lossless rgb": {"name": "a.mkv", "codec": "ffv1", "pixel_format": "bgr0"},
    "open groups": {"options": {"x264-params": "open-gop=1:keyint=5:bframes=3"}},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_of_every_container(draw_clip: DrawClip, number: Number, kind: str) -> None:
    clip = probe(draw_clip(**KINDS[kind]))
    assert clip.n_frames == 12
    assert clip.frame_rate == KINDS[kind].get("rate", 24)
    assert [number(picture) for picture in read_pictures(clip)] == list(range(12))
    assert not clip.is_variable_rate
    assert clip.times_rebuilt == (kind in ("avi, order lost", "raw stream"))
    assert clip.notes == (
        ("The file states no frame times; they were laid out by its frame rate.",) if clip.times_rebuilt else ()
    )


def test_variable_rate_and_late_start(draw_clip: DrawClip, number: Number) -> None:
    pts = [5000, 5040, 5080, 5130, 5150, 5200, 5290, 5300]
    for name in ("a.mp4", "a.mkv"):
        clip = probe(draw_clip(name, n=8, time_base=Fraction(1, 1000), pts=pts))
        assert [clip.time_of(n) for n in range(8)] == [Fraction(t - 5000, 1000) for t in pts]
        assert clip.pts[0] * clip.time_base == 5
        assert clip.is_variable_rate
        assert clip.frame_rate == Fraction(7000, 300)
        assert [number(picture) for picture in read_pictures(clip)] == list(range(8))


def test_edit_list_shows_only_its_part(draw_clip: DrawClip, number: Number) -> None:
    path = draw_clip(n=24, options={"g": "8"})
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 12
    length, start = struct.unpack(">Ii", data[at : at + 8])
    data[at : at + 8] = struct.pack(">Ii", length // 2, start + 5 * 512)
    path.write_bytes(data)
    clip = probe(path)
    assert clip.n_frames == 12
    assert clip.pts[0] == 0
    assert [number(picture) for picture in read_pictures(clip)] == list(range(5, 17))


@pytest.mark.parametrize(("rotation", "quarter_turns"), [(90, 1), (180, 2), (-90, 3)])
def test_rotation_is_baked_in(
    draw_clip: DrawClip, drawn: Callable[..., Any], rotation: int, quarter_turns: int
) -> None:
    clip = probe(draw_clip(rotation=rotation))
    assert clip.rotation == rotation % 360
    assert (clip.width, clip.height) == ((48, 64) if quarter_turns % 2 else (64, 48))
    wanted = np.rot90(drawn(12, 64, 48)[3], quarter_turns)  # counter-clockwise
    assert np.abs(list(read_pictures(clip))[3].astype(int) - wanted).mean() < 2


def test_mirrored_picture(tmp_path: Path, drawn: Callable[..., Any]) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream: Any = container.add_stream("libx264", rate=24, options={"crf": "4"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.set_display_rotation(0, hflip=True)
        for picture in drawn(3, 64, 48):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    got = next(read_pictures(probe(tmp_path / "a.mp4")))
    assert np.abs(got.astype(int) - drawn(3, 64, 48)[0][:, ::-1]).mean() < 4


def test_odd_rotation_is_noted(draw_clip: DrawClip) -> None:
    clip = probe(draw_clip(rotation=45))
    assert clip.rotation == 0
    assert clip.notes == ("A rotation by 45 degrees is not a quarter turn and was left out.",)


@pytest.mark.parametrize(
    ("aspect", "size"), [(Fraction(4, 3), (86, 48)), (Fraction(3, 4), (64, 64)), (Fraction(1), (64, 48))]
)
def test_pixels_are_made_square(draw_clip: DrawClip, number: Number, aspect: Fraction, size: tuple[int, int]) -> None:
    clip = probe(draw_clip(aspect=aspect))
    assert (clip.width, clip.height) == size == square_size(64, 48, aspect)
    pictures = list(read_pictures(clip))
    assert pictures[0].shape == (size[1], size[0], 3)
    assert [number(picture) for picture in pictures] == list(range(12))
    assert len(clip.notes) == (aspect != 1)


def test_what_is_left_out_is_said(draw_clip: DrawClip) -> None:
    clip = probe(draw_clip("a.mkv", codec="ffv1", pixel_format="yuva420p"))
    assert clip.notes == ("The clip has transparency, which is left out.",)
    clip = probe(draw_clip("b.mp4", options={"x264-params": "interlaced=1"}))
    assert clip.notes == ("The clip is interlaced; its two fields stay woven into one picture.",)


@pytest.mark.parametrize(
    ("numbers", "names"),
    [
        ((1, 1, 1, 1), ("bt709", False, "bt709", "bt709")),
        ((5, 2, 5, 6), ("smpte170m", True, "bt470bg", "smpte170m")),
        ((9, 1, 9, 16), ("bt2020nc", False, "bt2020", "smpte2084")),
    ],
)
def test_tags_are_read(draw_clip: DrawClip, numbers: tuple[int, ...], names: tuple[Any, ...]) -> None:
    clip = probe(draw_clip(tags=numbers))
    colour = clip.colour
    assert (colour.matrix, colour.full_range, colour.primaries, colour.transfer) == names
    assert not colour.assumed
    assert len(clip.notes) == (numbers[3] == 16)


@pytest.mark.parametrize(("layout", "codec", "depth"), [("yuv420p10le", "ffv1", 10), ("yuv444p12le", "ffv1", 12)])
def test_deep_clips(draw_clip: DrawClip, number: Number, layout: str, codec: str, depth: int) -> None:
    clip = probe(draw_clip("a.mkv", codec=codec, pixel_format=layout))
    assert clip.bit_depth == depth
    assert [number(picture) for picture in read_pictures(clip)] == list(range(12))


@pytest.mark.refusal
def test_rate_for_a_file_that_states_none(draw_clip: DrawClip, monkeypatch: pytest.MonkeyPatch) -> None:
    path = draw_clip("a.h264")
    assert probe(path, frame_rate=Fraction(25)).frame_rate == 25
    monkeypatch.setattr(probe_module, "_stated_rate", lambda stream: Fraction(0))
    with pytest.raises(
        InputError, match=r"the stream must state a frame rate\. Pass --frame-rate, e\.g\. 30000/1001\."
    ):
        probe(path)


@pytest.mark.refusal
def test_paths_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("no video at all, " * 100)
    os.mkfifo(tmp_path / "pipe.mp4")
    for name, message in {
        "missing.mp4": "the clip must exist; got no such file",
        ".": "the clip must be a file; got a folder",
        "empty.mp4": "the clip must hold something; got an empty file",
        "pipe.mp4": "the clip must be a plain file; got a device or pipe",
        "text.mp4": "the file must be a video that FFmpeg can open; got invalid data",
        "x\0.mp4": "the clip must exist",
        "a" * 300: "the clip must .*",
        "text.mp4/a.mp4": "the clip must exist",
    }.items():
        with pytest.raises(InputError, match=f"^video.probe: {message}"):
            probe(tmp_path / name)


@pytest.mark.refusal
def test_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.mp4").write_bytes(b"x")

    def denied(*args: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(InputError, match="the clip must be readable; got permission denied"):
        probe(tmp_path / "a.mp4")


@pytest.mark.refusal
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp", "a.tiff", "a.webp"])
def test_still_pictures(tmp_path: Path, drawn: Callable[..., Any], name: str) -> None:
    cv2.imwrite(str(tmp_path / name), drawn(1, 64, 48)[0])
    with pytest.raises(InputError, match=r"^video\.probe: .*still picture"):
        probe(tmp_path / name)


@pytest.mark.refusal
def test_sound_without_pictures(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream: Any = container.add_stream("aac", rate=48000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(InputError, match="the file must hold a video stream; got only audio"):
        probe(tmp_path / "a.mp4")


@pytest.mark.refusal
def test_too_few_frames(draw_clip: DrawClip) -> None:
    with pytest.raises(InputError, match="must hold at least 2 frames; got 1 frame"):
        probe(draw_clip(n=1))
    path = draw_clip("none.avi", n=0)
    with pytest.raises(InputError, match=r"video\.probe: the clip must hold pictures; got 0"):
        probe(path)


@pytest.mark.refusal
def test_size_out_of_bounds(draw_clip: DrawClip, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="the picture must measure 16 to 8192 pixels a side; got 8x8"):
        probe(draw_clip(size=(8, 8)))
    monkeypatch.setattr(probe_module, "MAX_SIDE", 100)
    with pytest.raises(InputError, match="16 to 100 pixels a side; got 120x48"):
        probe(draw_clip(size=(120, 48)))
    with pytest.raises(InputError, match="got 128x48"):
        probe(draw_clip(aspect=Fraction(2)))


@pytest.mark.refusal
def test_too_many_frames(draw_clip: DrawClip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_module, "MAX_FRAMES", 10)
    with pytest.raises(InputError, match="the clip must have at most 10 frames"):
        probe(draw_clip())


@pytest.mark.refusal
def test_cut_short(draw_clip: DrawClip) -> None:
    front = draw_clip(n=24, options={"g": "8"}, container_options={"movflags": "faststart"})
    data = front.read_bytes()
    front.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"the file must be whole; got an end after \d+ of 24 frames\. Copy or export"):
        probe(front)
    back = draw_clip("back.mp4")
    back.write_bytes(back.read_bytes()[:-300])
    with pytest.raises(InputError, match="It may be cut short"):
        probe(back)
    tagged = draw_clip("a.mkv", n=72, options={"g": "8"})
    data = tagged.read_bytes()
    tagged.write_bytes(data[: len(data) // 3])
    with pytest.raises(
        InputError, match=r"the file must be whole(: it states 3\.00 s of pictures; got \d|; got an end)"
    ):
        probe(tagged)
