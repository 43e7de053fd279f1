"""Sound in an edit: what is decided, said and heard."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction as F
from pathlib import Path

import av
import numpy as np
import pytest

from polytempo.edit.algebra import compose
from polytempo.edit.operations.freeze import freeze
from polytempo.edit.operations.trim import extend, trim
from polytempo.edit.timemap import hold_map, line_map
from polytempo.render.sequence import RenderConfig, render_clip
from polytempo.render.sound import RATE, retimed_sound, sound_plan, stretched, write_sound
from polytempo.video.clip import Clip
from polytempo.video.probe import probe
from polytempo.video.samples import read_sound
from support.squares import N_FRAMES, drawn_clip, drawn_stack, edit_of

SECONDS = 4


def tones(*pitches: float) -> np.ndarray:
    """A pitch a second, stereo."""
    time = np.arange(RATE) / RATE
    one = np.concatenate([0.4 * np.sin(2 * np.pi * pitch * time) for pitch in pitches])
    return np.stack([one, one]).astype(np.float32)


@pytest.fixture
def sounding(tmp_path: Path) -> Clip:
    """A clip with a pitch a second."""
    write_sound(tmp_path / "tones.m4a", tones(300, 500, 700, 900))
    return replace(drawn_clip(SECONDS * 30), path=tmp_path / "tones.m4a", audio_codecs=("aac",))


def pitch(samples: np.ndarray, at: float, length: float = 0.3) -> float:
    part = samples[0, round(at * RATE) : round((at + length) * RATE)]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
    return float(np.argmax(spectrum) * RATE / len(part))


def plain(clip: Clip):
    stack = drawn_stack()
    return replace(edit_of(stack), duration=F(clip.n_frames, 30), instances=())


def test_what_is_decided_and_said(sounding: Clip) -> None:
    edl = plain(sounding)
    silent = replace(sounding, audio_codecs=())
    longer = extend(edl, duration=F(6))
    part = trim(edl, start=F(1), stop=F(2))
    assert sound_plan(edl, silent, "auto").said == "The clip has no sound"
    assert sound_plan(edl, sounding, "auto").what == "copy"
    assert sound_plan(edl, sounding, "silence").what == "silence"
    assert sound_plan(longer, sounding, "auto").what == "keep"
    assert (
        sound_plan(longer, sounding, "stretch").said == "The sound was stretched to the output's length, its pitch kept"
    )
    assert sound_plan(part, sounding, "auto").said == "The sound follows the background's clock, its pitch kept"
    assert sound_plan(part, sounding, "keep").what == "keep"


@pytest.mark.parametrize("speed", [F(1, 2), F(3, 4), F(3, 2), F(3)])
def test_stretching_keeps_the_pitch(speed: F) -> None:
    out = stretched(tones(440, 440), speed)
    assert abs(out.shape[1] / RATE - 2 / float(speed)) < 0.08
    assert abs(pitch(out, 0.2) - 440) < 5


def test_a_trimmed_edit_sounds_like_its_part(sounding: Clip) -> None:
    out = retimed_sound(trim(plain(sounding), start=F(1), stop=F(3)), sounding)
    assert out.shape[1] == 2 * RATE
    assert abs(pitch(out, 0.3) - 500) < 5
    assert abs(pitch(out, 1.3) - 700) < 5


def test_a_clock_at_half_speed_and_one_that_stands_still(sounding: Clip) -> None:
    half = replace(plain(sounding), clock=line_map(F(4), source_start=F(0), speed=F(1, 2)))
    out = retimed_sound(half, sounding)
    assert abs(pitch(out, 1.0) - 300) < 5
    assert abs(pitch(out, 3.0) - 500) < 5
    still = replace(half, clock=compose(hold_map(F(4), source=F(1)), line_map(F(4), source_start=F(0), speed=F(1))))
    assert not retimed_sound(still, sounding).any()
    longer = extend(plain(sounding), duration=F(6))
    assert abs(pitch(retimed_sound(longer, sounding), 5.0) - 900) < 5


def test_the_file_has_the_sound_that_was_decided(sounding: Clip, tmp_path: Path) -> None:
    stack = drawn_stack()
    clip = replace(sounding, n_frames=N_FRAMES, pts=drawn_clip().pts)
    edl = trim(freeze(edit_of(stack), "red", at=F(0)), start=F(1, 30))
    render_clip(stack, edl, clip, tmp_path / "out.mp4")
    assert probe(tmp_path / "out.mp4").audio_codecs == ("aac",)
    assert abs(pitch(read_sound(tmp_path / "out.mp4", rate=RATE, channels=2).samples, 0.02, 0.12) - 300) < 15
    render_clip(stack, edl, clip, tmp_path / "mute.mp4", config=RenderConfig(sound="silence"))
    with av.open(str(tmp_path / "mute.mp4")) as container:
        assert not container.streams.audio
