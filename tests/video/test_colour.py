from itertools import product

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter

from polytempo.core.errors import InputError
from polytempo.video.clip import ColourTags
from polytempo.video.colour import (
    FAST,
    MATRIX_IDS,
    default_tags,
    frame_from_rgb,
    rgb_from_frame,
    tags_of_frame,
)

# Luma weights of red and blue: ITU-R BT.601, BT.709, BT.2020; SMPTE 240M; FCC.
WEIGHTS = {
    "smpte170m": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020nc": (0.2627, 0.0593),
    "smpte240m": (0.212, 0.087), "fcc": (0.30, 0.11),
}  # fmt: skip
COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (200, 100, 50), (20, 60, 120), (128,) * 3]


def make_tags(matrix: str, *, full: bool) -> ColourTags:
    return ColourTags(matrix=matrix, primaries="bt709", transfer="bt709", full_range=full, assumed=False)


def coded(colour: tuple[int, ...], matrix: str, *, full: bool) -> np.ndarray:
    """Y, Cb, Cr from the standards' own formulas."""
    red_weight, blue_weight = WEIGHTS[matrix]
    red, green, blue = (value / 255 for value in colour)
    luma = red_weight * red + (1 - red_weight - blue_weight) * green + blue_weight * blue
    blue_chroma, red_chroma = (blue - luma) / 2 / (1 - blue_weight), (red - luma) / 2 / (1 - red_weight)
    if full:
        return np.array([255 * luma, 128 + 255 * blue_chroma, 128 + 255 * red_chroma]).clip(0, 255)
    return np.array([16 + 219 * luma, 128 + 224 * blue_chroma, 128 + 224 * red_chroma])


@pytest.mark.parametrize(("matrix", "full", "layout"), list(product(WEIGHTS, [False, True], ["yuv420p", "yuv444p"])))
def test_flat_colours_follow_the_standards(matrix: str, full: bool, layout: str) -> None:
    scaler, tags = VideoReformatter(), make_tags(matrix, full=full)
    for colour in COLOURS:
        frame = frame_from_rgb(np.full((16, 32, 3), colour, np.uint8), scaler, tags=tags, pixel_format=layout)
        values = [np.frombuffer(plane, np.uint8)[0] for plane in frame.planes]
        assert np.abs(values - coded(colour, matrix, full=full)).max() <= 1.01
        assert tags_of_frame(frame, where="t") == tags
        back = rgb_from_frame(frame, scaler, tags=tags, size=(32, 16))
        assert np.abs(back.astype(int) - colour).max() <= 2


@pytest.mark.parametrize(("matrix", "full"), list(product(WEIGHTS, [False, True])))
def test_deep_pictures_keep_ten_bits(matrix: str, full: bool) -> None:
    scale = 1023 if full else 4 * 219
    offset = 0 if full else 64
    frame = av.VideoFrame(32, 16, "yuv444p10le")
    steps = []
    for luma in (500, 501):
        for plane, value in zip(frame.planes, (luma, 512, 512), strict=True):
            plane.update(np.full(plane.buffer_size // 2, value, np.uint16).tobytes())
        tags = make_tags(matrix, full=full)
        picture = rgb_from_frame(frame, VideoReformatter(), tags=tags, size=(32, 16), depth=16)
        assert picture.dtype == np.uint16
        assert np.abs(picture.astype(int) - 65535 * (luma - offset) / scale).max() < 65535 / 1000
        steps.append(int(picture[0, 0, 1]))
    assert steps[0] < steps[1]


def test_chroma_is_interpolated_on_reading() -> None:
    ramp = np.zeros((32, 64, 3), np.uint8)
    ramp[..., 0] = np.linspace(20, 230, 64)
    ramp[..., 2] = 250 - ramp[..., 0]
    tags, scaler = default_tags(64, 32), VideoReformatter()
    frame = frame_from_rgb(ramp, scaler, tags=tags, pixel_format="yuv420p")
    back = rgb_from_frame(frame, scaler, tags=tags, size=(64, 32))
    assert np.abs(back[:, 2:-2].astype(int) - ramp[:, 2:-2]).max() <= 4


@pytest.mark.parametrize(("matrix", "full"), list(product(WEIGHTS, [False, True])))
def test_writing_420_in_one_pass_is_the_standards_formula_and_nearly_the_scaler(matrix: str, full: bool) -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (18, 34, 4)).astype(np.uint8)
    picture[:6, :16, :3] = 255 * rng.integers(0, 2, (3, 8, 3)).repeat(2, 0).repeat(2, 1)  # to the ends of the range
    tags, scaler = make_tags(matrix, full=full), VideoReformatter()

    def planes(frame: av.VideoFrame) -> list[np.ndarray]:
        return [
            np.frombuffer(one, np.uint8).reshape(-1, one.line_size)[: one.height, : one.width].astype(float)
            for one in frame.planes
        ]

    ours = planes(frame_from_rgb(picture, scaler, tags=tags, pixel_format="yuv420p"))
    rgb = np.ascontiguousarray(picture[..., :3])
    assert all(map(np.array_equal, ours, planes(frame_from_rgb(rgb, scaler, tags=tags, pixel_format="yuv420p"))))
    exact = coded(tuple(rgb.reshape(-1, 3).T.astype(float)), matrix, full=full).reshape(3, 18, 34)
    means = coded(tuple(rgb.reshape(9, 2, 17, 2, 3).mean((1, 3)).reshape(-1, 3).T), matrix, full=full).reshape(3, 9, 17)
    for plane, wanted in zip(ours, (exact[0], means[1], means[2]), strict=True):
        assert np.abs(plane - wanted).max() <= 0.51
    by_scaler = scaler.reformat(
        av.VideoFrame.from_ndarray(rgb, format="rgb24"),
        format="yuv420p",
        dst_colorspace=MATRIX_IDS[matrix],
        src_color_range=2,
        dst_color_range=2 if full else 1,
        interpolation=FAST,
    )
    assert max(np.abs(a - b).max() for a, b in zip(ours, planes(by_scaler), strict=True)) <= 2


@pytest.mark.parametrize(
    ("size", "matrix"),
    [((448, 256), "smpte170m"), ((960, 540), "smpte170m"), ((1280, 536), "bt709"), ((720, 1280), "bt709")],
)
def test_assumed_matrix_follows_the_size(size: tuple[int, int], matrix: str) -> None:
    tags = default_tags(*size)
    assert (tags.matrix, tags.full_range, tags.assumed) == (matrix, False, True)


@pytest.mark.parametrize("layout", ["rgb24", "gbrp", "pal8"])
def test_rgb_needs_no_matrix(layout: str) -> None:
    frame = av.VideoFrame(32, 16, layout)
    assert tags_of_frame(frame, where="t").assumed


def test_untagged_jpeg_layout_is_full_range() -> None:
    assert tags_of_frame(av.VideoFrame(32, 16, "yuvj420p"), where="t").full_range
    assert not tags_of_frame(av.VideoFrame(32, 16, "yuv420p"), where="t").full_range


@pytest.mark.refusal
def test_unknown_matrix_is_refused() -> None:
    frame = av.VideoFrame(32, 16, "yuv420p")
    frame.colorspace = 8
    with pytest.raises(
        InputError, match=rf"^t: the colour matrix must be one of {', '.join(MATRIX_IDS)}; got FFmpeg's"
    ):
        tags_of_frame(frame, where="t")
