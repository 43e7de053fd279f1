"""``polytempo probe``: what a clip is."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from polytempo.cli.options import Debug, Json
from polytempo.cli.output import Output, choose_mode
from polytempo.core.time import fraction_from_text
from polytempo.video.clip import Clip
from polytempo.video.probe import probe


def probe_command(
    clip: Annotated[Path, typer.Argument(help="A video file.")],
    frame_rate: Annotated[
        str | None, typer.Option(help="Frames a second, e.g. 30000/1001, for a file that states no times.")
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show a clip's size, times, colour and sound."""
    rate = None if frame_rate is None else fraction_from_text(frame_rate, where="cli.probe")
    found = probe(clip, frame_rate=rate)
    output = Output(mode=choose_mode(as_json=as_json))
    if as_json:
        output.say(str(found.path), **clip_facts(found))
        return
    for name, value in clip_facts(found).items():
        output.say(f"{name.replace('_', ' ') + ':':<14}{value}")


def clip_facts(clip: Clip) -> dict[str, object]:
    """Give what a person wants to know of a clip, in their words."""
    kind = "variable" if clip.is_variable_rate else "constant"
    duration = clip.time_of(clip.n_frames - 1) + Fraction(1) / clip.frame_rate
    return {
        "path": str(clip.path),
        "size": f"{clip.width}x{clip.height}",
        "frames": clip.n_frames,
        "frame_rate": f"{clip.frame_rate} ({kind})",
        "duration": f"{float(duration):.3f} s",
        "rotation": f"{clip.rotation} degrees baked in",
        "bit_depth": clip.bit_depth,
        "colour": f"{clip.colour.matrix}, {'full' if clip.colour.full_range else 'limited'} range"
        + (" (assumed)" if clip.colour.assumed else ""),
        "sound": ", ".join(clip.audio_codecs) or "none",
    }
