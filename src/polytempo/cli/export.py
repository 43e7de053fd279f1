"""``polytempo export``: the edit, or each of its layers, as files that other programs read."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated, get_args

import typer

from polytempo.cli.edit import next_edit, read_edit
from polytempo.cli.export_folders import (
    Export,
    check_folder,
    counted,
    file_names,
    write_exr_folder,
    write_layer_folder,
    write_picture_folder,
)
from polytempo.cli.options import ClipOrProject, EdlFile, Rendering, takes_groups
from polytempo.cli.render import current_stack, say_between
from polytempo.cli.session import Session, session
from polytempo.core.errors import InputError
from polytempo.edit.camera import Whole
from polytempo.edit.edl import Edl, clip_duration, identity_edl
from polytempo.edit.operations.picture import at_frame_rate
from polytempo.exchange.codecs import CODECS, VideoCodec
from polytempo.exchange.images import write_preview
from polytempo.exchange.layers import BACKGROUND
from polytempo.exchange.otio import write_otio
from polytempo.exchange.video import VideoConfig, write_video
from polytempo.layers.stack import LayerStack
from polytempo.project.stages import run_probe
from polytempo.render.sequence import configured_interpolator, render_frames
from polytempo.render.sound import sound_plan, sound_source
from polytempo.video.clip import Clip

HALF = Fraction(1, 2)
KINDS = (*get_args(VideoCodec), "png", "png16", "exr", "exr-parts", "preview", "otio")
FOLDERS = ("png", "png16", "exr", "exr-parts")
"""Kinds that fill a folder."""
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
    layers: Annotated[
        bool,
        typer.Option("--layers", help="Each layer by itself, with alpha, into a folder; of a timeline, beside it."),
    ] = False,
    crf: Crf = None,
    bitrate: Bitrate = None,
    depth: Depth = None,
    edl: EdlFile = None,
) -> None:
    """Export the project's edit: video with alpha, PNG, OpenEXR, a preview, an OpenTimelineIO timeline."""
    chosen = chosen_kind(output, kind, layers=layers)
    config = VideoConfig(codec=chosen, crf=crf, bitrate=bitrate, depth=depth) if chosen in CODECS else None  # type: ignore[arg-type]
    into_folder = layers or chosen in FOLDERS
    if into_folder:
        check_folder(layers_beside(output) if chosen == "otio" else output)
    with session(given, place) as now:
        clip = run_probe(now.project, now.report).value
        stack = current_stack(now.project).value
        path = edl or now.project.root / "edit.json"
        start = read_edit(path) if edl or path.exists() else None
        final = next_edit(start, [], names=[one.name for one in stack.layers], clip=clip)
        if chosen == "otio":
            _timeline(now, stack, final, clip, output, layers=layers)
            now.output.say(str(output), path=str(output), kind=chosen)
            return
        say_between(now, final)
        final = _told_even(now, final, clip)
        made = Export(
            stack=stack,
            edl=final,
            clip=clip,
            kind=chosen,
            config=config,
            sound=sound_plan(final, clip, now.settings.render.sound, suffix=_suffix(output, chosen, layers=layers)),
            network=configured_interpolator(now.settings.render, final),
            report=now.report,
        )
        if chosen.startswith("exr"):
            write_exr_folder(made, output)
        elif layers:
            write_layer_folder(made, output)
        elif into_folder:
            write_picture_folder(made, output)
        else:
            _composite(made, output)
        if made.sound.what != "none":
            now.output.say(_sound_said(made, layers=layers))
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
    if layers and found == "preview":
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


def layers_beside(timeline: Path) -> Path:
    """Folder of the layers that a timeline shows."""
    return timeline.with_name(f"{timeline.stem}-layers")


def _told_even(now: Session, edl: Edl, clip: Clip) -> Edl:
    even = at_even_times(edl, clip)
    if even is not edl:
        now.output.say(
            f"The clip's frames come unevenly; written at {float(clip.frame_rate):.5g} a second, each moment in its "
            "place. `polytempo render` keeps the clip's own frame times; --frame-rate sets another rate"
        )
    return even


def _suffix(output: Path, kind: str, *, layers: bool) -> str:
    return CODECS[kind].suffixes[0] if layers and kind in CODECS else output.suffix


def _sound_said(made: Export, *, layers: bool) -> str:
    if made.kind == "preview":
        return "Previews carry no sound: it was left out"
    if made.sound.what == "silence":
        return made.sound.said
    if made.config is None:
        return f"{made.sound.said}, to sound.wav beside the pictures"
    return f"{made.sound.said}, with the background" if layers else made.sound.said


def _composite(made: Export, output: Path) -> None:
    stack, edl, clip = made.stack, made.edl, made.clip
    pictures = render_frames(stack, edl, clip, interpolator=made.network)
    frames = counted(made, pictures, "composite")
    if made.config is None:
        write_preview(output, frames, size=stack.size, frame_rate=rate_of(edl, clip))
        return
    with sound_source(edl, clip, made.sound) as audio_from:
        write_video(
            output,
            frames,
            size=stack.size,
            frame_rate=rate_of(edl, clip),
            config=made.config,
            colour=clip.colour,
            audio_from=audio_from,
        )


def _timeline(now: Session, stack: LayerStack, edl: Edl, clip: Clip, output: Path, *, layers: bool) -> None:
    """A timeline, and with ``layers`` what it shows: every layer at the clip's own times, beside it."""
    media: dict[str, Path] | None = None
    if layers:
        folder = layers_beside(output)
        names = [one.name for one in stack.layers]
        plain = at_even_times(identity_edl(names, clip_duration(clip)), clip)
        made = Export(
            stack=stack,
            edl=plain,
            clip=clip,
            kind="prores4444",
            config=VideoConfig(codec="prores4444"),
            sound=sound_plan(plain, clip, "silence"),
            network=None,
            report=now.report,
        )
        write_layer_folder(made, folder)
        media = {name: folder / f"{file}.mov" for name, file in file_names([BACKGROUND, *names]).items()}
        if edl != plain and stack.camera.kind != "static":
            now.output.warn(
                "The camera moves, and a timeline cannot carry layers to another moment's camera: who is retimed "
                "may drift against the ground. Lock the camera off in the other program, or export the edited layers"
            )
    else:
        now.output.say("The layers are named, but not there; --layers writes them beside the timeline")
    lit = any(one is not None and one.changes for one in (edl.light, *(one.light for one in edl.instances)))
    if lit or edl.camera_path or isinstance(edl.camera, Whole):
        now.output.warn(
            "A timeline carries neither --light nor --camera: they stay in its metadata, for polytempo alone. Export "
            "the edited layers to have them in pictures"
        )
    write_otio(output, edl, clip, media=media, sound=now.settings.render.sound != "silence")
