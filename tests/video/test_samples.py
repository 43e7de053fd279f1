"""Sound as numbers: what was written is heard, at its time."""

from __future__ import annotations

from fractions import Fraction as F
from pathlib import Path

import numpy as np
import pytest

from polytempo.core.errors import InputError
from polytempo.render.sound import RATE, write_sound
from polytempo.video.samples import Sound, read_sound


def sung(path: Path, *, seconds: float = 1.0) -> Path:
    time = np.arange(round(seconds * RATE)) / RATE
    one = (0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    write_sound(path, np.stack([one, 0 * one]))
    return path


def test_channels_rate_and_length(tmp_path: Path) -> None:
    path = sung(tmp_path / "a.m4a")
    two = read_sound(path, rate=RATE, channels=2)
    assert two.samples.shape[0] == 2
    assert abs(two.samples.shape[1] - RATE) < 3000  # an encoder pads to whole packets
    assert np.abs(two.samples[0, 5000:40000]).max() == pytest.approx(0.5, abs=0.05)
    assert np.abs(two.samples[1]).max() < 0.02
    one = read_sound(path, rate=8000)
    assert one.samples.shape[0] == 1
    assert abs(one.samples.shape[1] - 8000) < 500


def test_from_a_time_of_the_files_clock() -> None:
    sound = Sound(samples=np.arange(10, dtype=np.float32)[None], rate=10, start=F(1))
    assert sound.from_time(F(3, 2))[0].tolist() == [5, 6, 7, 8, 9]
    assert sound.from_time(F(4, 5))[0, :4].tolist() == [0, 0, 0, 1]


@pytest.mark.refusal
def test_files_without_sound_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.m4a").write_bytes(b"no sound at all")
    with pytest.raises(InputError, match=r"x\.m4a"):
        read_sound(tmp_path / "x.m4a")
    with pytest.raises(InputError, match="the clip must exist"):
        read_sound(tmp_path / "nothing.m4a")
