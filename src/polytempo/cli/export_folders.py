"""Exports that fill a folder: layers, pictures, OpenEXR; with the sound, and a note of what they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from polytempo.core.errors import InputError
from polytempo.core.files import atomic_path, write_json
from polytempo.core.pictures import Picture
from polytempo.core.progress import Progress, Report
from polytempo.edit.edl import Edl
from polytempo.exchange.codecs import CODECS
from polytempo.exchange.exr import write_exr
from polytempo.exchange.images import write_png_sequence
from polytempo.exchange.layers import BACKGROUND, background_frames, instance_frames
from polytempo.exchange.otio import output_rate
from polytempo.exchange.video import VideoConfig, write_video
from polytempo.layers.stack import LayerStack
from polytempo.render.interpolate import Interpolator
from polytempo.render.sequence import output_times, render_frames
from polytempo.render.sound import SoundPlan, planned_sound, sound_source, write_wav
from polytempo.video.clip import Clip

NOTE = "polytempo-export.json"
"""Says what a folder is; without it, a folder that holds something is not replaced."""
SCHEMA, VERSION = "polytempo.export", 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    """What is exported, and how."""

    stack: LayerStack
    edl: Edl
    clip: Clip
    kind: str
    config: VideoConfig | None
    """For video; None for pictures."""
    sound: SoundPlan
    network: Interpolator | None
    report: Report


def check_folder(folder: Path) -> None:
    """Refuse, before any work, a place where something lies that no export put there.

    Raises:
        InputError: it is a file, or a folder that holds something else.
    """
    if folder.is_dir():
        if (folder / NOTE).exists() or not any(folder.iterdir()):
            return
        raise InputError(
            "cli",
            "the folder must be a new one, or one of an earlier export, which is replaced",
            got="a folder that holds something else",
            todo="Choose another name",
            path=folder,
        )
    if folder.exists():
        raise InputError("cli", "this export fills a folder", got="a file of that name", path=folder)


def file_names(names: Sequence[str]) -> dict[str, str]:
    """Names that can be files and channels of OpenEXR, each another, also where case does not count."""
    out: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        plain = "".join(letter if letter.isalnum() or letter in "-_ " else "_" for letter in name)
        free = next(
            one for n in range(1, len(names) + 1) if (one := plain if n == 1 else f"{plain}~{n}").lower() not in taken
        )
        taken.add(free.lower())
        out[name] = free
    return out


def write_picture_folder(made: Export, folder: Path) -> None:
    """The composite as numbered PNG files.

    Raises:
        InputError: the place cannot be written.
        ResourceError: the disk ran full.
    """
    with atomic_path(folder) as partial:
        pictures = render_frames(made.stack, made.edl, made.clip, interpolator=made.network)
        write_png_sequence(partial, counted(made, pictures, "composite"), depth=16 if made.kind == "png16" else 8)
        _finish(made, partial, layers=[])


def write_layer_folder(made: Export, folder: Path) -> None:
    """The background and each instance by itself, as a video or a folder of PNG files each; sound with the background.

    Raises:
        InputError: an instance is called like the background, or the place cannot be written.
        ResourceError: the disk ran full.
    """
    files = file_names([BACKGROUND, *(one.name for one in made.edl.instances)])
    with atomic_path(folder) as partial:
        partial.mkdir()
        backdrop = background_frames(made.stack, made.edl, made.clip)
        _write(made, partial / files[BACKGROUND], counted(made, backdrop, BACKGROUND), with_sound=True)
        for one in made.edl.instances:
            pictures = instance_frames(made.stack, made.edl, made.clip, one.name, interpolator=made.network)
            _write(made, partial / files[one.name], counted(made, pictures, one.name))
        _finish(made, partial, layers=list(files.values()))


def write_exr_folder(made: Export, folder: Path) -> None:
    """All layers of each frame in an OpenEXR file.

    Raises:
        InputError: OpenEXR is not installed, or as ``write_layer_folder``.
        ResourceError: the disk ran full.
    """
    stack, edl, clip = made.stack, made.edl, made.clip
    files = file_names([BACKGROUND, *(one.name for one in edl.instances)])
    sources = [instance_frames(stack, edl, clip, one.name, interpolator=made.network) for one in edl.instances]
    with atomic_path(folder) as partial:
        partial.mkdir()
        plates = counted(made, background_frames(stack, edl, clip), "OpenEXR")
        for n, (plate, *pictures) in enumerate(zip(plates, *sources, strict=True)):
            opaque = np.dstack([plate, np.full(plate.shape[:2], 255, np.uint8)])
            layers = dict(zip(files.values(), [opaque, *pictures], strict=True))
            arrangement = "parts" if made.kind == "exr-parts" else "layers"
            write_exr(partial / f"{n:04d}.exr", layers, arrangement=arrangement)
        _finish(made, partial, layers=list(files.values()))


def counted(made: Export, frames: Iterator[Picture], what: str) -> Iterator[Picture]:
    """Frames, and after each a word of how far it is."""
    total = len(output_times(made.edl, made.clip))
    for number, frame in enumerate(frames, start=1):
        yield frame
        made.report(Progress(stage="export", done=number, total=total, message=f"Writing {what}"))


def _write(made: Export, place: Path, frames: Iterator[Picture], *, with_sound: bool = False) -> None:
    if made.config is None:
        write_png_sequence(place, frames, depth=16 if made.kind == "png16" else 8)
        return
    path = place.with_name(place.name + CODECS[made.config.codec].suffixes[0])
    source: AbstractContextManager[Clip | None] = nullcontext()
    if with_sound:
        source = sound_source(made.edl, made.clip, made.sound)
    with source as audio_from:
        write_video(
            path,
            frames,
            size=made.stack.size,
            frame_rate=output_rate(made.edl, made.clip),
            config=made.config,
            colour=made.clip.colour,
            audio_from=audio_from,
        )


def _finish(made: Export, folder: Path, *, layers: list[str]) -> None:
    """The sound of pictures, and the note."""
    if made.config is None and (samples := planned_sound(made.edl, made.clip, made.sound)) is not None:
        write_wav(folder / "sound.wav", samples)
    note: dict[str, Any] = {
        "schema": SCHEMA,
        "version": VERSION,
        "kind": made.kind,
        "frame_rate": str(output_rate(made.edl, made.clip)),
        "layers": layers,
    }
    write_json(folder / NOTE, note)
