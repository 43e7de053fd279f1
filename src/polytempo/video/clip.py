"""What is known of a clip without decoding its pictures."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class ColourTags:
    """How coded numbers become RGB, in FFmpeg's names; never ``unspecified``."""

    matrix: str
    """``"bt709"``, ``"smpte170m"`` (BT.601) or ``"bt2020nc"``."""
    primaries: str
    transfer: str
    full_range: bool
    assumed: bool
    """True when the file stated no matrix and one was chosen by picture size."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clip:
    """A video file, probed: upright size, exact times, colour, sound.

    Sizes are in pixels after rotation. ``pts[n] * time_base`` is the time of frame ``n`` in seconds; the first frame
    need not be at 0.
    """

    path: Path
    width: int
    height: int
    n_frames: int
    frame_rate: Fraction
    """Frames a second: nominal for a constant rate, average otherwise."""
    time_base: Fraction
    """Seconds per tick of ``pts``."""
    pts: tuple[int, ...]
    rotation: int
    """Degrees (0, 90, 180, 270) that were baked in to make the picture upright, counter-clockwise as FFmpeg says."""
    bit_depth: int
    colour: ColourTags
    audio_codecs: tuple[str, ...]
    """Codec name per audio stream; empty for a silent clip."""
    mirrored: bool = False
    """True when the file asks for its picture to be turned upside down before it is rotated (some front cameras)."""
    times_rebuilt: bool = False
    """True when the file states no frame times and they were laid out by the frame rate."""
    notes: tuple[str, ...] = ()
    """What was assumed or changed on the way in, a sentence each."""

    def time_of(self, frame: int) -> Fraction:
        """Time of a frame in seconds since the first frame."""
        return (self.pts[frame] - self.pts[0]) * self.time_base

    def frame_at(self, time: Fraction) -> int:
        """Frame on screen at a time in seconds since the first frame, clamped to the clip."""
        tick = time / self.time_base + self.pts[0]
        return min(max(bisect_right(self.pts, tick) - 1, 0), self.n_frames - 1)

    @property
    def is_variable_rate(self) -> bool:
        """True when frames do not follow each other at one interval (to within a tick)."""
        steps = {b - a for a, b in zip(self.pts, self.pts[1:], strict=False)}
        return len(steps) > 0 and max(steps) - min(steps) > 1
