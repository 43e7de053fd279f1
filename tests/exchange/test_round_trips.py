"""Out and in again: what comes back is what went out, to within what each codec promises, alpha included."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction as F
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from polytempo.core.errors import InputError, ShapeError
from polytempo.exchange import codecs
from polytempo.exchange.alpha import premultiplied, straight
from polytempo.exchange.codecs import CODECS, VideoCodec, encoder_of
from polytempo.exchange.exr import read_exr, write_exr
from polytempo.exchange.images import read_png_sequence, write_png_sequence, write_preview
from polytempo.exchange.video import VideoConfig, read_video, write_video
from polytempo.layers.sparse import crop_of_picture
from polytempo.render.compose import lay_over, opaque
from support import psnr

SIZE = (96, 64)
TOLERANCE_DB = {"h264": 33, "hevc": 33, "av1": 33, "prores4444": 44, "vp9-alpha": 34, "ffv1": 50}
"""Of the composite over a backdrop (of the picture, for codecs without alpha), at the default quality."""


def backdrop() -> np.ndarray:
    rng = np.random.default_rng(0)
    picture = rng.uniform(60, 200, (8, 12, 3)).astype(np.float32)
    return np.clip(cv2.resize(picture, SIZE, interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)


def layer(t: int) -> np.ndarray:
    """A soft coloured disc with a fainter shadow, premultiplied."""
    alpha = np.zeros((SIZE[1], SIZE[0]), np.float32)
    cv2.ellipse(alpha, (50, 52), (30, 6), 0, 0, 360, 0.4, -1)
    cv2.circle(alpha, (30 + 4 * t, 30), 16, 1.0, -1)
    alpha = cv2.GaussianBlur(alpha, (0, 0), 2)
    colour = np.broadcast_to(
        np.array([200.0, 120, 40]) * (0.6 + 0.4 * np.linspace(0, 1, SIZE[0])[:, None]), (64, 96, 3)
    )
    return np.rint(np.dstack([colour * alpha[..., None], alpha * 255])).astype(np.uint8)


def layers() -> Iterator[np.ndarray]:
    return (layer(t) for t in range(6))


def over(picture: np.ndarray) -> np.ndarray:
    frame = opaque(backdrop())
    lay_over(frame, crop_of_picture(np.ascontiguousarray(picture)))
    return np.ascontiguousarray(frame[..., :3])


@pytest.mark.parametrize("codec", list(CODECS))
def test_video(codec: VideoCodec, tmp_path: Path) -> None:
    facts = CODECS[codec]
    path = tmp_path / f"out{facts.suffixes[0]}"
    pictures = list(layers()) if facts.alpha else [over(one) for one in layers()]
    write_video(path, iter(pictures), size=SIZE, frame_rate=F(30000, 1001), config=VideoConfig(codec=codec))
    back = list(read_video(path, codec=codec))
    assert len(back) == 6
    for sent, came in zip(pictures, back, strict=True):
        assert came.shape == sent.shape
        a, b = (over(one) if facts.alpha else one for one in (sent, came))
        assert psnr(a, b) > TOLERANCE_DB[codec]
        if facts.alpha:
            assert np.abs(sent[..., 3].astype(int) - came[..., 3]).mean() < 1.0
    with av.open(str(path)) as container:
        assert container.streams.video[0].average_rate == F(30000, 1001)


def test_lossless_alpha_is_exact(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mkv", layers(), size=SIZE, frame_rate=F(25), config=VideoConfig(codec="ffv1", depth=16))
    for sent, came in zip(layers(), read_video(tmp_path / "a.mkv", codec="ffv1"), strict=True):
        assert np.array_equal(sent, came)
    write_video(tmp_path / "b.mkv", layers(), size=SIZE, frame_rate=F(25), config=VideoConfig(codec="ffv1"))
    came = next(read_video(tmp_path / "b.mkv", codec="ffv1"))
    assert np.array_equal(layer(0)[..., 3], came[..., 3])
    assert np.abs(layer(0).astype(int) - came).max() <= 1  # eight bits of straight colour


@pytest.mark.parametrize(("codec", "name"), [("h264", "yuv420p10le"), ("hevc", "yuv420p10le"), ("av1", "yuv420p10le")])
def test_ten_bits_and_colour_tags(codec: VideoCodec, name: str, tmp_path: Path) -> None:
    path = tmp_path / "deep.mp4"
    config = VideoConfig(codec=codec, depth=10, bitrate=2_000_000)
    write_video(path, (over(one) for one in layers()), size=SIZE, frame_rate=F(24), config=config)
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        assert frame.format.name == name
        assert int(frame.colorspace) == 6  # BT.601 at this size
        assert int(frame.color_range) == 1
    for sent, came in zip(layers(), read_video(path, codec=codec), strict=True):
        assert psnr(over(sent), came) > 34


@pytest.mark.parametrize("depth", [8, 16])
def test_png(depth: int, tmp_path: Path) -> None:
    assert write_png_sequence(tmp_path / "png", layers(), depth=depth) == 6
    assert sorted(one.name for one in (tmp_path / "png").iterdir())[-1] == "0005.png"
    for sent, came in zip(layers(), read_png_sequence(tmp_path / "png"), strict=True):
        assert np.abs(sent.astype(int) - came).max() <= (1 if depth == 8 else 0)
    write_png_sequence(tmp_path / "rgb", (over(one) for one in layers()), depth=depth)
    assert all(map(np.array_equal, (over(one) for one in layers()), read_png_sequence(tmp_path / "rgb")))


@pytest.mark.parametrize("arrangement", ["layers", "parts"])
def test_exr(arrangement: str, tmp_path: Path) -> None:
    opaque = np.dstack([backdrop(), np.full(SIZE[::-1], 255, np.uint8)])
    sent = {"background": opaque, "girl": layer(0), "boy": layer(3)}
    write_exr(tmp_path / "f.exr", sent, arrangement=arrangement)
    came = read_exr(tmp_path / "f.exr")
    assert list(came) == list(sent)
    assert all(np.array_equal(sent[name], came[name]) for name in sent)


def test_previews(tmp_path: Path) -> None:
    for name in ("p.gif", "p.apng"):
        write_preview(tmp_path / name, (over(one) for one in layers()), size=SIZE, frame_rate=F(25), side_px=48)
        with av.open(str(tmp_path / name)) as container:
            frames = [one.to_ndarray(format="rgb24") for one in container.decode(video=0)]
        assert len(frames) == 6
        assert frames[0].shape == (32, 48, 3)
        small = cv2.resize(over(layer(5)), (48, 32), interpolation=cv2.INTER_AREA)
        assert psnr(frames[5], small) > (30 if name == "p.gif" else 60)


def test_straight_and_back() -> None:
    every = np.stack(np.meshgrid(np.arange(256), np.arange(256)), axis=2)
    colour, alpha = np.minimum(every[..., 0], every[..., 1]), every[..., 1]
    picture = np.dstack([colour, colour, colour, alpha]).astype(np.uint8)
    assert np.array_equal(premultiplied(straight(picture, depth=16)), picture)
    assert np.abs(premultiplied(straight(picture)).astype(int) - picture).max() <= 1


@pytest.mark.refusal
def test_what_does_not_go_together_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(name: str, *, size: tuple[int, int] = SIZE, **settings: object) -> None:
        write_video(tmp_path / name, layers(), size=size, frame_rate=F(24), config=VideoConfig(**settings))  # type: ignore[arg-type]

    for message, name, settings in (
        ("prores4444 must go into .mov; got '.mp4'", "a.mp4", {"codec": "prores4444"}),
        ("h264 must have 8 or 10 bits a channel; got 16", "a.mp4", {"depth": 16}),
        ("either a quality or a bitrate must be given; got both", "a.mp4", {"crf": 10, "bitrate": 5000}),
        ("ffv1 must be written without quality", "a.mkv", {"codec": "ffv1", "crf": 10}),
        ("crf must lie in 0 to 63; got 99", "a.mp4", {"crf": 99}),
        ("the bitrate must lie in", "a.mp4", {"bitrate": 5}),
        ("the codec must be one of h264", "a.mp4", {"codec": "divx"}),
    ):
        with pytest.raises(InputError, match=message):
            write(name, **settings)
    with pytest.raises(ShapeError, match="the codec must keep alpha; got a layer in frame 0"):
        write("a.mp4")
    with pytest.raises(ShapeError, match=r"a picture must be uint8 \[64, 32, 3 or 4\]"):
        write("a.mkv", size=(32, 64), codec="ffv1")
    with pytest.raises(InputError, match="there must be pictures to write"):
        write_video(tmp_path / "a.mp4", iter([]), size=SIZE, frame_rate=F(24))
    assert list(tmp_path.iterdir()) == []
    missing = {
        **CODECS,
        "av1": codecs.CodecFacts(encoders=("libnone",), suffixes=(".mp4",), pixel_formats={8: "yuv420p"}, alpha=False),
    }
    monkeypatch.setattr(codecs, "CODECS", missing)
    with pytest.raises(
        InputError, match=r"must be in this build of FFmpeg; got av1 without libnone\. Choose another: h264"
    ):
        encoder_of("av1")
    with pytest.raises(InputError, match="the folder must hold PNG files; got none"):
        list(read_png_sequence(tmp_path))
    (tmp_path / "x.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match="the picture must be a PNG file"):
        list(read_png_sequence(tmp_path))
    with pytest.raises(InputError, match=r"must end in \.exr"):
        write_exr(tmp_path / "a.png", {"a": layer(0)})
    with pytest.raises(InputError, match="must have no full stop"):
        write_exr(tmp_path / "a.exr", {"a.b": layer(0)})
    (tmp_path / "x.exr").write_bytes(b"no picture")
    with pytest.raises(InputError, match="must be an OpenEXR file"):
        read_exr(tmp_path / "x.exr")
    with pytest.raises(InputError, match=r"a preview must end in \.gif"):
        write_preview(tmp_path / "a.webp", iter([]), size=SIZE, frame_rate=F(24))
