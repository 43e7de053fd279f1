"""``polytempo edit``: when each layer is shown."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from polytempo.cli.align_edits import SIGNALS
from polytempo.cli.align_plot import write_plots
from polytempo.cli.edits import EditWord, edit_words, edited
from polytempo.cli.options import ClipOrProject, Edits, Place, takes_groups
from polytempo.cli.scene import Scene, project_scene
from polytempo.cli.session import session
from polytempo.core.errors import InputError
from polytempo.edit.camera import CameraKey, Whole
from polytempo.edit.edl import (
    Edl,
    Framing,
    Instance,
    Locked,
    check_edl,
    clip_duration,
    identity_edl,
    read_edl,
    write_edl,
)
from polytempo.edit.light import Light
from polytempo.edit.segments import Bezier, Hide, Hold, Linear, Smooth
from polytempo.edit.timemap import Nested, Segment, TimeMap, identity_map
from polytempo.exchange.otio import read_otio
from polytempo.layers.store import read_stack
from polytempo.project.folder import Project
from polytempo.project.stages import run_probe
from polytempo.video.clip import Clip


@takes_groups
def edit_command(
    context: typer.Context,
    given: ClipOrProject,
    edits: Edits,
    place: Place,
    reset: Annotated[bool, typer.Option("--reset", help="Forget the edit so far first.")] = False,
) -> None:
    """Change the project's edit. Edits are done in the order in which they are typed; they add to those before."""
    with session(given, place) as now:
        clip = run_probe(now.project, now.report).value
        names = [one.name for one in read_stack(now.project.current_result("layers") / "stack").layers]
        path = now.project.root / "edit.json"
        start = read_edit(edits.edl) if edits.edl else read_edl(path) if path.exists() and not reset else None
        scene = scene_of(now.project, clip, edits)
        result = next_edit(start, edit_words(context.obj), names=names, clip=clip, scene=scene)
        write_edl(path, result)
        for note in [*scene.notes, *map(str, write_plots(scene, now.project.root))]:
            now.output.say(note)
        now.output.say("\n".join(described(result)), edl=str(path), instances=[one.name for one in result.instances])


def read_edit(path: Path) -> Edl:
    """Read an edit decision list, or the edit in an OpenTimelineIO timeline.

    Raises:
        InputError: it cannot be read.
        VersionError: it was written in a newer version.
    """
    return read_otio(path) if path.suffix.lower() == ".otio" else read_edl(path)


def scene_of(project: Project, clip: Clip, edits: Edits) -> Scene:
    """Give what edits may ask of a project.

    Raises:
        InputError: the signal is none there is.
    """
    if edits.signal not in SIGNALS:
        raise InputError("cli", f"the signal must be one of {', '.join(SIGNALS)}", got=repr(edits.signal))
    return project_scene(project, clip, signal=edits.signal, sound=edits.sound)


def next_edit(
    start: Edl | None, edits: list[EditWord], *, names: list[str], clip: Clip, scene: Scene | None = None
) -> Edl:
    """Give the edit that follows from the one so far, or from none.

    Raises:
        InputError: an edit cannot be done, or the start does not belong to these layers.
    """
    edl = identity_edl(names, clip_duration(clip)) if start is None else start
    edl = edited(edl, edits, scene=scene or Scene(clip=clip))
    check_edl(edl, layers=names, source_duration=clip_duration(clip))
    return edl


def described(edl: Edl) -> list[str]:
    """Say in a line each what becomes of every instance, and in a last one what is special of the whole."""
    lines: list[str] = []
    for one in edl.instances:
        if not one.visible or one.opacity == 0:
            lines.append(f"{one.name}: not shown")
        else:
            words = [*map(_stretch, one.time_map.segments), *_rounds(one.time_map), *_looks(one)]
            lines.append(f"{one.name}: {'; '.join(words)}")
    whole = _whole(edl)
    return [*lines, f"output: {'; '.join(whole)}"] if whole else lines


def _looks(one: Instance) -> list[str]:
    level = [f"level {one.level}"] if one.level else []
    for part in one.levels:
        level.append(f"level {part.level} over {float(part.start):.4g}-{float(part.stop):.4g} s")
    between = [] if one.between == "nearest" else [f"slow motion by {one.between}"]
    return [*level, *between, *(["motion blur"] if one.shutter else []), *_light(one.light)]


def _light(light: Light | None) -> list[str]:
    if light is None or not light.changes:
        return []
    of = light.of
    words = [] if of == "own" else ["of the output's moment" if of == "output" else f"of {float(of):.4g} s"]
    words += ["from the background around"] if light.by == "background" else []
    words += [] if light.gain == 1 else ["off" if light.gain == 0 else f"times {light.gain:g}"]
    return [f"light {' '.join(words)}"]


def _whole(edl: Edl) -> list[str]:
    words: list[str] = []
    if edl.clock is not None or any(one.time_map.stop != edl.duration for one in edl.instances):
        words.append(f"{float(edl.duration):.4g} s")
    if edl.clock is not None and edl.clock.segments != identity_map(edl.clock.stop).segments:
        words.append(f"the background {', '.join(map(_stretch, edl.clock.segments))}")
    match edl.camera:
        case Locked(at=at):
            words.append(f"camera locked as at {float(at):.4g} s")
        case Framing(instance=name):
            words.append(f"camera on {name}")
        case Whole():
            words.append("camera on the whole scene")
        case _:
            pass
    if edl.camera_path:
        words.append(f"camera moved by {'; '.join(map(_moved, edl.camera_path))}")
    words += [f"the background's {one}" for one in _light(edl.light)]
    if isinstance(edl.timing, Fraction):
        words.append(f"{float(edl.timing):.5g} frames a second")
    return [*words, *([f"grain {edl.grain:.0%}"] if edl.grain else [])]


def _moved(key: CameraKey) -> str:
    parts = [f"{key.x:g}, {key.y:g} px"] if key.x or key.y else []
    parts += [f"scale {key.scale:g}"] if key.scale != 1 else []
    parts += [f"{key.rotate:g} degrees"] if key.rotate else []
    return f"{' and '.join(parts) or 'nothing'} at {float(key.at):.4g} s"


def _rounds(time_map: TimeMap) -> list[str]:
    words = {"loop": "round and round", "ping-pong": "back and forth"}
    return [
        f"{words[rule]} {where}"
        for where, rule in (("before", time_map.before), ("after", time_map.after))
        if isinstance(rule, str)
    ]


def _stretch(segment: Segment) -> str:
    when = f"{float(segment.start):.4g}-{float(segment.stop):.4g} s"
    match segment:
        case Hold():
            return f"{when} stands still at {float(segment.source):.4g} s"
        case Linear():
            return f"{when} shows {float(segment.source_start):.4g}-{float(segment.source_stop):.4g} s"
        case Smooth() | Bezier():
            return f"{when} shows {float(segment.source_start):.4g}-{float(segment.source_stop):.4g} s along a curve"
        case Nested() if (turns := _turns(segment)) is not None:
            return f"{when} runs {turns}"
        case Nested():
            ends = [segment.at(time) for time in (segment.start, segment.stop)]
            told = "-".join("nothing" if end is None else f"{float(end):.4g}" for end in ends)
            return f"{when} shows {told} s along a piece of a curve"
        case Hide():
            return f"{when} not shown"


def _turns(segment: Nested) -> str | None:
    """What runs again and again, and how, where a segment does nothing else."""
    later: list[TimeMap] = []
    one: Segment = segment
    while isinstance(one, Nested) and not isinstance(one.inner.after, str):
        later.append(one.inner)
        one = one.outer
    if not isinstance(one, Nested) or not isinstance(one.outer, Linear):
        return None
    ends = [one.inner.segments[0].at(one.inner.start), one.inner.segments[-1].at(one.inner.stop)]
    for inner in reversed(later):
        ends = [None if end is None else inner.at(end) for end in ends]
    told = "-".join("nothing" if end is None else f"{float(end):.4g}" for end in ends)
    return f"{told} s {'round and round' if one.inner.after == 'loop' else 'back and forth'}"
