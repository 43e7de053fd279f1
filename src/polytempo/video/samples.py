"""Sound as numbers: one channel of a clip's or a sound file's first track."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.error import FFmpegError
from jaxtyping import Float32

from polytempo.core.errors import InputError
from polytempo.video.door import open_input, reason

WHERE = "video.samples"
LONGEST_SECS = 3600 * 4


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sound:
    """A track, decoded."""

    samples: Float32[np.ndarray, "C N"]
    """-1…1."""
    rate: int
    """Samples a second."""
    start: Fraction
    """Time of the first sample in seconds on the file's clock."""

    def from_time(self, time: Fraction) -> Float32[np.ndarray, "C M"]:
        """Samples from a time of the file's clock on, silence where it begins later."""
        skipped = round((time - self.start) * self.rate)
        if skipped >= 0:
            return self.samples[:, skipped:]
        return np.pad(self.samples, ((0, 0), (-skipped, 0)))


def read_sound(path: Path, *, rate: int = 22050, channels: int = 1) -> Sound:
    """Decode the first sound track of a file.

    Args:
        path: A clip or a sound file.
        rate: Samples a second wanted.
        channels: 1 (mixed down) or 2.

    Raises:
        InputError: the file cannot be read or has no sound.
    """
    pieces: list[np.ndarray] = []
    start: Fraction | None = None
    n_samples = 0
    with open_input(path) as container:
        if not container.streams.audio:
            raise InputError(WHERE, "the file must have sound", got="none", todo="Name a sound file", path=path)
        resampler = AudioResampler(format="fltp", layout="mono" if channels == 1 else "stereo", rate=rate)
        try:
            for frame in container.decode(container.streams.audio[0]):
                if start is None and frame.pts is not None and frame.time_base is not None:
                    start = frame.pts * frame.time_base
                frame.pts = None
                for out in resampler.resample(frame):
                    pieces.append(_array(out))
                    n_samples += out.samples
                if n_samples > LONGEST_SECS * rate:
                    raise InputError(WHERE, f"sound must last at most {LONGEST_SECS // 3600} hours", path=path)
            pieces += [_array(out) for out in resampler.resample(None)]
        except FFmpegError as error:
            raise InputError(WHERE, "the sound must be readable", got=reason(error), path=path) from error
    if not pieces:
        raise InputError(WHERE, "the file must have sound", got="an empty track", path=path)
    return Sound(samples=np.concatenate(pieces, axis=1), rate=rate, start=start or Fraction(0))


def _array(frame: AudioFrame) -> np.ndarray:
    return np.asarray(frame.to_ndarray(), np.float32)
