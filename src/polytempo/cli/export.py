"""``polytempo export``: the edit, or each of its layers, as files that other programs read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from fractions import Fraction
from pathlib import Path
from typing import Annotated, get_args

import numpy as np
import typer

from polytempo.cli.edit import next_edit, read_edit
from polytempo.cli.options import ClipOrProject, EdlFile, Rendering, takes_groups
from polytempo.cli.render import current_stack, say_between
from polytempo.cli.session import Session, session
from polytempo.core.errors import InputError
from polytempo.core.files import atomic_path
from polytempo.core.pictures import Picture
from polytempo.core.progress import Progress
from polytempo.edit.edl import Edl
from polytempo.edit.operations.picture import at_frame_rate
from polytempo.exchange.codecs import CODECS, VideoCodec
from polytempo.exchange.exr import write_exr
from polytempo.exchange.images import write_png_sequence, write_preview
from polytempo.exchange.layers import BACKGROUND, background_frames, instance_frames
from polytempo.exchange.otio import write_otio
from polytempo.exchange.video import VideoConfig, write_video
from polytempo.layers.stack import LayerStack
from polytempo.project.stages import run_probe
from polytempo.render.interpolate import Interpolator
from polytempo.render.sequence import configured_interpolator, output_times, render_frames
from polytempo.render.sound import sound_plan, sound_source
from polytempo.video.clip import Clip

HALF = Fraction(1, 2)
KINDS = (*get_args(VideoCodec), "png", "png16", "exr", "exr-parts", "preview", "otio")
BY_SUFFIX = {".otio": "otio", ".gif": "preview", ".apng": "preview", ".mov": "prores4444", ".webm": "vp9-alpha"}

Kind = Annotated[
    str | None,
    typer.Option("--as", metavar="KIND", help=f"One of {', '.join(KINDS)}; left out, by the output's ending."),
]
Crf = Annotated[int | None, typer.Option("--crf", help="Quality of h264, hevc, av1 and vp9-alpha, 0 is best.")]
Bitrate = Annotated[int | None, typer.Option("--bitrate", help="Bits a second, instead of a quality.")]
Depth = Annotated[int | None, typer.Option("--depth", help="Bits a channel: 8, 10 or 16, as the codec has them.")]


@takes_groups
def export_command(
    given: ClipOrProject,
    place: Rendering,
    output: Annotated[Path, typer.Option("--output", "-o", help="File, or folder for pictures and layers.")],
    kind: Kind = None,
    layers: Annotated[bool, typer.Option("--layers", help="Each layer by itself, with alpha, into a folder.")] = False,
    crf: Crf = None,
    bitrate: Bitrate = None,
    depth: Depth = None,
    edl: EdlFile = None,
) -> None:
    """Export the project's edit: video with alpha, PNG, OpenEXR, a preview, an OpenTimelineIO timeline."""
    chosen = chosen_kind(output, kind, layers=layers)
    config = VideoConfig(codec=chosen, crf=crf, bitrate=bitrate, depth=depth) if chosen in CODECS else None  # type: ignore[arg-type]
    with session(given, place) as now:
        clip = run_probe(now.project, now.report).value
        stack = current_stack(now.project).value
        path = edl or now.project.root / "edit.json"
        start = read_edit(path) if edl or path.exists() else None
        final = next_edit(start, [], names=[one.name for one in stack.layers], clip=clip)
        if chosen == "otio":
            write_otio(output, final, clip)
            now.output.say(str(output), path=str(output), kind=chosen)
            return
        say_between(now, final)
        network = configured_interpolator(now.settings.render, final)
        if chosen.startswith("exr"):
            _exr_sequence(now, stack, final, clip, output, parts=chosen == "exr-parts", network=network)
        elif layers:
            _layers(now, stack, final, clip, output, chosen, config, network=network)
        else:
            final = at_even_times(final, clip)
            pictures = render_frames(stack, final, clip, interpolator=network)
            frames = _counted(now, pictures, len(output_times(final, clip)), "composite")
            plan = sound_plan(final, clip, now.settings.render.sound, suffix=output.suffix)
            with sound_source(final, clip, plan) if config is not None else nullcontext() as audio_from:
                _written(output, frames, chosen, config, stack, rate_of(final, clip), audio_from=audio_from)
            if plan.what != "none":
                now.output.say(plan.said if config is not None else "Pictures carry no sound: it was left out")
        now.output.say(str(output), path=str(output), kind=chosen)


def chosen_kind(output: Path, kind: str | None, *, layers: bool) -> str:
    """Give the kind of export that is meant.

    Raises:
        InputError: there is no such kind, or it cannot be told from the ending.
    """
    found = kind or BY_SUFFIX.get(output.suffix.lower()) or ("prores4444" if layers else None)
    if found is None and output.suffix.lower() in (".mp4", ".mkv"):
        found = "h264" if output.suffix.lower() == ".mp4" else "ffv1"
    if found is None or found not in KINDS:
        raise InputError(
            "cli", f"the kind must be one of {', '.join(KINDS)}", got=repr(kind or output.suffix), todo="Say --as KIND"
        )
    if layers and found in ("otio", "preview"):
        raise InputError("cli", "layers must go into video or pictures", got=found)
    if layers and found in CODECS and not CODECS[found].alpha:
        with_alpha = ", ".join(name for name, facts in CODECS.items() if facts.alpha)
        raise InputError("cli", f"layers must go into a codec with alpha: {with_alpha}", got=found)
    return found


def rate_of(edl: Edl, clip: Clip) -> Fraction:
    """Frames a second of an export: the edit's own, else the clip's nominal rate."""
    return edl.timing if isinstance(edl.timing, Fraction) else clip.frame_rate


def at_even_times(edl: Edl, clip: Clip) -> Edl:
    """The edit for files that know one frame rate only: where the clip's frames come unevenly, at its nominal rate."""
    if isinstance(edl.timing, Fraction):
        return edl
    uneven = any(abs(clip.time_of(n) - n / clip.frame_rate) * clip.frame_rate > HALF for n in range(clip.n_frames))
    return at_frame_rate(edl, clip.frame_rate) if uneven else edl


def _layers(
    now: Session,
    stack: LayerStack,
    edl: Edl,
    clip: Clip,
    folder: Path,
    kind: str,
    config: VideoConfig | None,
    *,
    network: Interpolator | None,
) -> None:
    total, rate = len(output_times(edl, clip)), rate_of(edl, clip)
    suffix = CODECS[config.codec].suffixes[0] if config is not None else ""
    with atomic_path(folder) as partial:
        partial.mkdir()
        backdrop = _counted(now, background_frames(stack, edl, clip), total, BACKGROUND)
        _written(partial / f"{BACKGROUND}{suffix}", backdrop, kind, config, stack, rate)
        for one in edl.instances:
            pictures = instance_frames(stack, edl, clip, one.name, interpolator=network)
            frames = _counted(now, pictures, total, one.name)
            _written(partial / f"{_file_name(one.name)}{suffix}", frames, kind, config, stack, rate)


def _exr_sequence(
    now: Session,
    stack: LayerStack,
    edl: Edl,
    clip: Clip,
    folder: Path,
    *,
    parts: bool,
    network: Interpolator | None,
) -> None:
    names = [_file_name(one.name) for one in edl.instances]
    sources = [instance_frames(stack, edl, clip, one.name, interpolator=network) for one in edl.instances]
    total = len(output_times(edl, clip))
    with atomic_path(folder) as partial:
        partial.mkdir()
        plates = _counted(now, background_frames(stack, edl, clip), total, "OpenEXR")
        for n, (plate, *pictures) in enumerate(zip(plates, *sources, strict=True)):
            opaque = np.dstack([plate, np.full(plate.shape[:2], 255, np.uint8)])
            layers = {BACKGROUND: opaque, **dict(zip(names, pictures, strict=True))}
            write_exr(partial / f"{n:04d}.exr", layers, arrangement="parts" if parts else "layers")


def _written(
    path: Path,
    frames: Iterator[Picture],
    kind: str,
    config: VideoConfig | None,
    stack: LayerStack,
    rate: Fraction,
    *,
    audio_from: Clip | None = None,
) -> None:
    if config is not None:
        write_video(path, frames, size=stack.size, frame_rate=rate, config=config, audio_from=audio_from)
    elif kind == "preview":
        write_preview(path, frames, size=stack.size, frame_rate=rate)
    else:
        write_png_sequence(path, frames, depth=16 if kind == "png16" else 8)


def _counted(now: Session, frames: Iterator[Picture], total: int, what: str) -> Iterator[Picture]:
    for number, frame in enumerate(frames, start=1):
        yield frame
        now.report(Progress(stage="export", done=number, total=total, message=f"Writing {what}"))


def _file_name(name: str) -> str:
    """A name that is a file's, and that OpenEXR can tell channels from."""
    return "".join(letter if letter.isalnum() or letter in "-_ " else "_" for letter in name)
