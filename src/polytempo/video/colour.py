"""How coded video numbers become RGB and back: matrices, ranges and the tags that name them.

All conversions go through FFmpeg's scaler with matrix and range spelt out (it never guesses), except that eight-bit
4:2:0 is read and written by ``chroma``. ``FULL_QUALITY`` reads chroma with interpolation at full accuracy, ``FAST`` is
for writing, where the scaler's rounding is already within one step.
"""

from __future__ import annotations

from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from jaxtyping import UInt8
from numpy.typing import NDArray

from polytempo.core.errors import InputError
from polytempo.video.chroma import PLANAR_420, frame_420_from_rgba, rgb_from_420
from polytempo.video.clip import ColourTags

MATRIX_IDS = {"bt709": 1, "fcc": 4, "smpte170m": 6, "smpte240m": 7, "bt2020nc": 9}
"""Our matrix names and FFmpeg's numbers for them (ISO/IEC 23091-4)."""

PRIMARIES_IDS = {
    "bt709": 1, "bt470m": 4, "bt470bg": 5, "smpte170m": 6, "smpte240m": 7, "film": 8, "bt2020": 9, "smpte428": 10,
    "smpte431": 11, "smpte432": 12, "ebu3213": 22,
}  # fmt: skip

TRANSFER_IDS = {
    "bt709": 1, "gamma22": 4, "gamma28": 5, "smpte170m": 6, "smpte240m": 7, "linear": 8, "log": 9, "log_sqrt": 10,
    "iec61966-2-4": 11, "bt1361e": 12, "iec61966-2-1": 13, "bt2020-10": 14, "bt2020-12": 15, "smpte2084": 16,
    "smpte428": 17, "arib-std-b67": 18,
}  # fmt: skip

LIMITED, FULL = 1, 2
FULL_QUALITY = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
FAST = Interpolation.AREA

_MATRIX_NAMES = {number: name for name, number in MATRIX_IDS.items()} | {5: "smpte170m", 10: "bt2020nc"}
_PRIMARIES_NAMES = {number: name for name, number in PRIMARIES_IDS.items()}
_TRANSFER_NAMES = {number: name for name, number in TRANSFER_IDS.items()}
_UNSPECIFIED = 2
_RGB = 0
_DEFAULTS = {
    "bt709": ("bt709", "bt709"),
    "fcc": ("bt470m", "gamma22"),
    "smpte170m": ("smpte170m", "smpte170m"),
    "smpte240m": ("smpte240m", "smpte240m"),
    "bt2020nc": ("bt2020", "bt2020-10"),
}


def default_tags(width: int, height: int) -> ColourTags:
    """Tags that decoders assume for an untagged clip: BT.709 from 1280×720 up, else BT.601; limited range."""
    matrix = "bt709" if max(width, height) >= 1280 or min(width, height) >= 720 else "smpte170m"
    primaries, transfer = _DEFAULTS[matrix]
    return ColourTags(matrix=matrix, primaries=primaries, transfer=transfer, full_range=False, assumed=True)


def tags_of_frame(frame: av.VideoFrame, *, where: str) -> ColourTags:
    """Read a decoded frame's tags, filling what the file leaves open by its size.

    Raises:
        InputError: the matrix is one that is not supported (YCgCo, ICtCp, constant-luminance).
    """
    assumed = default_tags(frame.width, frame.height)
    if is_rgb(frame):
        return assumed
    number = int(frame.colorspace)
    stated = number not in (_UNSPECIFIED, _RGB)
    matrix = _MATRIX_NAMES.get(number) if stated else assumed.matrix
    if matrix is None:
        raise InputError(
            where,
            f"the colour matrix must be one of {', '.join(MATRIX_IDS)}",
            got=f"FFmpeg's number {number}",
            todo="Convert the clip to BT.709 first",
        )
    primaries, transfer = _DEFAULTS[matrix]
    return ColourTags(
        matrix=matrix,
        primaries=_PRIMARIES_NAMES.get(int(frame.color_primaries), primaries),
        transfer=_TRANSFER_NAMES.get(int(frame.color_trc), transfer),
        full_range=_is_full_range(frame),
        assumed=not stated,
    )


def is_rgb(frame: av.VideoFrame) -> bool:
    """True when the frame holds RGB or a palette of it, which no matrix applies to."""
    return frame.format.is_rgb or frame.format.has_palette


def rgb_from_frame(
    frame: av.VideoFrame,
    scaler: VideoReformatter,
    *,
    tags: ColourTags,
    size: tuple[int, int],
    depth: int = 8,
    quality: int = FULL_QUALITY,
) -> NDArray[Any]:
    """Convert a decoded frame to RGB.

    Args:
        frame: As the decoder gave it.
        scaler: Kept between frames: it caches its tables.
        tags: How the numbers are coded.
        size: ``(width, height)`` wanted, before any rotation.
        depth: 8 for ``uint8``, 16 for ``uint16`` (full scale 65535).
        quality: Scaler flags.

    Returns:
        ``[height, width, 3]``, full range.
    """
    if (
        depth == 8
        and frame.format.name in PLANAR_420
        and size == (frame.width, frame.height)
        and not any(n % 2 for n in size)
    ):
        return rgb_from_420(frame, matrix=tags.matrix, full_range=tags.full_range)
    rgb = is_rgb(frame)
    picture = scaler.reformat(
        frame,
        width=size[0],
        height=size[1],
        format="rgb24" if depth == 8 else "rgb48le",
        src_colorspace=None if rgb else MATRIX_IDS[tags.matrix],
        src_color_range=FULL if rgb or tags.full_range else LIMITED,
        dst_color_range=FULL,
        interpolation=quality,
    )
    values = picture.to_ndarray()
    if depth == 8 or rgb:
        return values
    # The scaler widens by shifting bits, so its white falls short of 65535 by up to a 256th.
    bits = frame.format.components[0].bits
    white = (2**bits - 1) * 2 ** (16 - bits) if tags.full_range else 255 * 256
    return np.minimum(np.rint(values * np.float32(65535 / white)), 65535).astype(np.uint16)


def frame_from_rgb(
    picture: UInt8[np.ndarray, "H W C"], scaler: VideoReformatter, *, tags: ColourTags, pixel_format: str
) -> av.VideoFrame:
    """Convert a picture to a tagged frame in a YUV (or planar RGB) pixel format for an encoder.

    Args:
        picture: RGB ``uint8 [H, W, 3]``, or with a fourth byte a pixel that is not looked at.
        scaler: Kept between frames: it caches its tables.
        tags: How the numbers shall be coded.
        pixel_format: FFmpeg's name.
    """
    height, width, channels = picture.shape
    if pixel_format == "yuv420p" and not (height % 2 or width % 2):
        whole: Any = picture if channels == 4 else cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA)
        coded = frame_420_from_rgba(np.ascontiguousarray(whole), matrix=tags.matrix, full_range=tags.full_range)
    else:
        name = "rgb24" if channels == 3 else "rgba"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format=name)
        frame.color_range = FULL
        if pixel_format in ("gbrp", "bgr0"):
            return scaler.reformat(frame, format=pixel_format)
        coded = scaler.reformat(
            frame,
            format=pixel_format,
            dst_colorspace=MATRIX_IDS[tags.matrix],
            src_color_range=FULL,
            dst_color_range=FULL if tags.full_range else LIMITED,
            interpolation=FAST,
        )
    coded.colorspace = MATRIX_IDS[tags.matrix]
    coded.color_range = FULL if tags.full_range else LIMITED
    coded.color_primaries = PRIMARIES_IDS[tags.primaries]
    coded.color_trc = TRANSFER_IDS[tags.transfer]
    return coded


def _is_full_range(frame: av.VideoFrame) -> bool:
    stated = int(frame.color_range)
    if stated in (LIMITED, FULL):
        return stated == FULL
    return frame.format.name.startswith(("yuvj", "gray"))
