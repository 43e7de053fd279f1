"""The clip's sound in an edit: as it is, silent, kept, or stretched with its pitch kept."""

from __future__ import annotations

import wave
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.error import FFmpegError
from av.filter.graph import Graph
from numpy.typing import NDArray

from polytempo.core.errors import InputError
from polytempo.core.files import atomic_path
from polytempo.edit.edl import Edl, clip_duration
from polytempo.edit.segments import Linear
from polytempo.edit.timemap import TimeMap, identity_map, line_map
from polytempo.video.clip import Clip
from polytempo.video.door import reason
from polytempo.video.samples import read_sound

WHERE = "render.sound"
SoundMode = Literal["auto", "silence", "keep", "stretch"]
"""``auto``: the clip's own where nothing of length or order has changed, else ``stretch`` where the background's clock
was changed, else ``keep``."""
RATE = 48000
SLOWEST, FASTEST = Fraction(1, 4), Fraction(4)
"""Speeds between which sound is stretched; beyond them it is silent."""
ENCODERS = {"aac": "aac", "opus": "libopus"}
FADE = 240
"""Samples over which a piece begins and ends, so that cuts do not click."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SoundPlan:
    """What becomes of the sound."""

    what: Literal["none", "copy", "silence", "keep", "stretch"]
    said: str
    """The same in words, for the user."""
    anew: Literal["aac", "opus"] | None = None
    """How sound is coded that the file cannot carry as it is."""


def sound_plan(edl: Edl, clip: Clip, mode: SoundMode, *, suffix: str = ".mkv") -> SoundPlan:
    """Decide what becomes of a clip's sound in an edit.

    Args:
        edl: The edit.
        clip: Whose sound.
        mode: What the user wants.
        suffix: Ending of the file that it goes into; sound of a kind that such files cannot carry is coded anew.
    """
    plan = _plan(edl, clip, mode)
    suffix = suffix.lower()
    if plan.what in ("none", "silence") or (
        plan.what != "stretch" and all(_carries(suffix, one) for one in clip.audio_codecs)
    ):
        return plan
    codec = "opus" if suffix == ".webm" else "aac"
    if plan.what == "stretch":
        return replace(plan, anew=codec)
    codecs = ", ".join(clip.audio_codecs)
    return replace(plan, anew=codec, said=f"{plan.said}, coded anew as {codec}: {suffix} cannot carry {codecs}")


def _plan(edl: Edl, clip: Clip, mode: SoundMode) -> SoundPlan:
    if not clip.audio_codecs:
        return SoundPlan(what="none", said="The clip has no sound")
    own = edl.clock in (None, identity_map(clip_duration(clip)))  # held after the clip's end, as an extended edit says
    same = own and edl.duration == clip_duration(clip)
    if mode == "silence":
        return SoundPlan(what="silence", said="The sound was left out, as asked")
    if same:
        return SoundPlan(what="copy", said="The sound was copied")
    if mode == "stretch" or (mode == "auto" and not own):
        how = "was stretched to the output's length" if own else "follows the background's clock"
        return SoundPlan(what="stretch", said=f"The sound {how}, its pitch kept")
    return SoundPlan(what="keep", said="The sound was kept as it is: it is cut, or ends early")


@contextmanager
def sound_source(edl: Edl, clip: Clip, plan: SoundPlan) -> Generator[Clip | None]:
    """Give what the writer is to copy sound from: the clip, a file made for the while, or nothing.

    Raises:
        InputError: the sound cannot be read.
    """
    match plan.what:
        case "copy" | "keep" if plan.anew is None:
            yield clip
        case "copy" | "keep" | "stretch":
            with TemporaryDirectory() as folder:
                codec = plan.anew or "aac"
                path = Path(folder) / ("sound.webm" if codec == "opus" else "sound.m4a")
                write_sound(path, retimed_sound(edl, clip) if plan.what == "stretch" else _whole(clip), codec=codec)
                yield replace(clip, path=path, pts=(0,), time_base=Fraction(1, RATE), n_frames=1, audio_codecs=(codec,))
        case _:
            yield None


def planned_sound(edl: Edl, clip: Clip, plan: SoundPlan) -> NDArray[np.float32] | None:
    """The sound of an edit as samples ``[2, N]`` at 48,000 a second, as long as the edit; None where there is none.

    Raises:
        InputError: the clip's sound cannot be read.
    """
    match plan.what:
        case "stretch":
            return retimed_sound(edl, clip)
        case "copy" | "keep":
            n = round(edl.duration * RATE)
            whole = _whole(clip)[:, :n]
            return np.pad(whole, ((0, 0), (0, n - whole.shape[1])))
        case _:
            return None


def write_wav(path: Path, samples: NDArray[np.float32]) -> None:
    """Write sound ``[2, N]`` as a WAV file of 16 bits, beside pictures that carry none.

    Raises:
        InputError: it cannot be written.
        ResourceError: the disk ran full.
    """
    whole = np.rint(np.clip(samples, -1, 1).T * 32767).astype("<i2")
    with atomic_path(path) as partial, wave.open(str(partial), "wb") as file:
        file.setnchannels(whole.shape[1])
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(whole.tobytes())


def _carries(suffix: str, codec: str) -> bool:
    """Whether a kind of file takes packets of a codec; Matroska takes all."""
    everywhere = codec in ("aac", "mp3", "ac3", "eac3", "alac")
    match suffix:
        case ".webm":
            return codec in ("opus", "vorbis")
        case ".mov":
            return everywhere or codec.startswith("pcm_")
        case ".mp4":
            return everywhere or codec in ("opus", "flac", "vorbis")
        case ".m4v":
            return everywhere
        case _:
            return True


def retimed_sound(edl: Edl, clip: Clip) -> NDArray[np.float32]:
    """The clip's sound under the background's clock, ``[2, N]`` at 48,000 samples a second.

    Where the clock runs forwards evenly, at a quarter to four times the speed, the sound runs with it at its own pitch;
    where it stands still, jumps back, bends or is hidden, it is silent.

    Raises:
        InputError: the clip's sound cannot be read.
    """
    whole = _whole(clip)
    clock, length = edl.clock, clip_duration(clip)
    if clock is None or clock == identity_map(length):
        clock = line_map(edl.duration, source_start=Fraction(0), speed=length / edl.duration)
    out = np.zeros((2, round(edl.duration * RATE)), np.float32)
    for start, stop, source_start, speed in _even_pieces(clock, edl.duration):
        if SLOWEST <= speed <= FASTEST:
            first, last = round(source_start * RATE), round((source_start + (stop - start) * speed) * RATE)
            place, n = round(start * RATE), round(stop * RATE) - round(start * RATE)
            piece = stretched(whole[:, max(first, 0) : last], speed)[:, :n]
            out[:, place : place + piece.shape[1]] = _faded(piece)
    return out


def _whole(clip: Clip) -> NDArray[np.float32]:
    """All of a clip's sound, ``[2, N]``, from its first picture on."""
    origin = clip.pts[0] * clip.time_base if not clip.times_rebuilt else Fraction(0)
    return read_sound(clip.path, rate=RATE, channels=2).from_time(origin)


def stretched(samples: NDArray[np.float32], speed: Fraction) -> NDArray[np.float32]:
    """Sound ``[2, N]`` at another speed with its pitch kept.

    Source: FFmpeg's ``atempo`` (overlap-add of similar waveforms).
    """
    if speed == 1 or samples.shape[1] == 0:
        return samples
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=RATE, format="fltp", layout="stereo", channels=2, time_base=Fraction(1, RATE)
    )
    last = source
    for factor in _factors(float(speed)):
        following = graph.add("atempo", f"{factor:.9f}")
        last.link_to(following)
        last = following
    sink = graph.add("abuffersink")
    last.link_to(sink)
    graph.configure()
    pieces: list[NDArray[np.float32]] = []
    block = 4096
    for n in range(0, samples.shape[1], block):
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples[:, n : n + block]), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, n, Fraction(1, RATE)
        graph.push(frame)
        pieces += _pulled(graph)
    graph.push(None)
    pieces += _pulled(graph)
    return np.concatenate(pieces, axis=1) if pieces else samples[:, :0]


def write_sound(path: Path, samples: NDArray[np.float32], *, codec: Literal["aac", "opus"] = "aac") -> None:
    """Write sound ``[2, N]`` as AAC or Opus.

    Raises:
        InputError: it cannot be written.
    """
    try:
        with av.open(str(path), "w") as container:
            stream: AudioStream = container.add_stream(ENCODERS[codec], rate=RATE, layout="stereo")  # pyright: ignore
            stream.bit_rate = 192_000
            for n in range(0, samples.shape[1], 1024):
                frame = AudioFrame.from_ndarray(
                    np.ascontiguousarray(np.clip(samples[:, n : n + 1024], -1, 1)), format="fltp", layout="stereo"
                )
                frame.sample_rate, frame.pts, frame.time_base = RATE, n, Fraction(1, RATE)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    except FFmpegError as error:
        raise InputError(WHERE, "the sound must be writable", got=reason(error), path=path) from error


def _even_pieces(clock: TimeMap, duration: Fraction) -> Iterator[tuple[Fraction, Fraction, Fraction, Fraction]]:
    for one in clock.segments:
        start, stop = max(one.start, Fraction(0)), min(one.stop, duration)
        if isinstance(one, Linear) and stop > start:
            yield start, stop, one.at(start), one.speed


def _factors(speed: float) -> list[float]:
    """Factors between a half and two, which the filter does best, whose product is the speed."""
    n = max(int(np.ceil(abs(np.log2(speed)))), 1)
    return [speed ** (1 / n)] * n


def _pulled(graph: Graph) -> list[NDArray[np.float32]]:
    out: list[NDArray[np.float32]] = []
    while True:
        try:
            frame = graph.pull()
        except (BlockingIOError, EOFError):
            return out
        assert isinstance(frame, AudioFrame)
        values = np.asarray(frame.to_ndarray(), np.float32)
        out.append(values if frame.format.is_planar else values.reshape(-1, 2).T)  # the filter gives them in turn


def _faded(piece: NDArray[np.float32]) -> NDArray[np.float32]:
    n = min(FADE, piece.shape[1] // 2)
    if n == 0:
        return piece
    faded, ramp = piece.copy(), np.linspace(0, 1, n, dtype=np.float32)
    faded[:, :n] *= ramp
    faded[:, -n:] *= ramp[::-1]
    return faded
