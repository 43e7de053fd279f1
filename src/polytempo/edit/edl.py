"""The edit decision list: what of the clip is shown when, as data.

An edit is an ordered list of **instances** of layers, each with a clock of its own. Every operation (freeze, remove,
delay, …) is a function from an EDL to an EDL. The file is JSON with a schema name and a version; an older version is
brought up by upgrade functions, a newer one is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from polytempo.core.errors import InputError, VersionError
from polytempo.core.files import write_bytes
from polytempo.edit.camera import CameraKey, Whole
from polytempo.edit.exact import Exact
from polytempo.edit.light import Light
from polytempo.edit.segments import Hide, Hold, Linear
from polytempo.edit.timemap import TimeMap, identity_map
from polytempo.video.clip import Clip

WHERE = "edit.edl"
SCHEMA = "polytempo.edl"
VERSION = 3
UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: dict, 2: dict}
"""From a version to the next: the function that changes a document so. Each only knows more than the one before."""
CURVE_LOOKS = 32
"""Places at which a curve is asked whether it leaves the clip; what it does between them, the renderer holds."""
FASTEST_RATE = 1000
"""Frames a second that an output may have."""
LONGEST = Fraction(24 * 3600)
"""Seconds an edit may last at most."""
_STRICT = ConfigDict(extra="forbid")


Between = Literal["nearest", "blend", "flow"]
"""At a source time between two frames: the frame on screen, both mixed, or both moved along their flow to that time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LevelRange:
    """Another level for a while."""

    __pydantic_config__ = _STRICT
    start: Exact
    """Seconds of the output."""
    stop: Exact
    level: Annotated[int, Field(ge=-1000, le=1000)]

    def __post_init__(self) -> None:
        if self.stop <= self.start:
            raise InputError(WHERE, "a range must stop after it starts", got=f"{self.start} to {self.stop} s")


@dataclass(frozen=True, kw_only=True, slots=True)
class Locked:
    """The camera stands still as it stood at a moment of the clip."""

    __pydantic_config__ = _STRICT
    kind: Literal["locked"] = "locked"
    at: Exact
    """Source time in seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Framing:
    """The camera keeps the framing of an instance: it moves as it did at the source times that the instance shows."""

    __pydantic_config__ = _STRICT
    kind: Literal["framing"] = "framing"
    instance: Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Instance:
    """A layer as it is shown: once for each time it is in the edit."""

    __pydantic_config__ = _STRICT
    name: Annotated[str, Field(min_length=1)]
    """Unique in the edit; the first instance of a layer bears the layer's name."""
    layer: Annotated[str, Field(min_length=1)]
    """Name of the layer."""
    time_map: TimeMap
    visible: bool = True
    opacity: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 1.0
    """1 shows the layer as it is, 0 not at all."""
    level: Annotated[int, Field(ge=-1000, le=1000)] = 0
    """A higher level is always in front of a lower one; within a level the clip's own order holds."""
    offset: tuple[
        Annotated[float, Field(ge=-1e5, le=1e5, allow_inf_nan=False)],
        Annotated[float, Field(ge=-1e5, le=1e5, allow_inf_nan=False)],
    ] = (0.0, 0.0)
    """Pixels to the right and down in the output frame, at the layers' own size."""
    levels: tuple[LevelRange, ...] = ()
    """Where it is in front or behind for a while; the last range that holds a moment counts, else ``level``."""
    between: Between = "nearest"
    """What is shown between two frames of the source: slow motion."""
    shutter: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    """Share of an output frame over which what passes by is mixed when it runs fast: motion blur. 0 is none."""
    light: Light | None = None
    """Light on its body other than as filmed."""

    def level_at(self, time: Fraction) -> int:
        """Level at a moment of the output."""
        for one in reversed(self.levels):
            if one.start <= time < one.stop:
                return one.level
        return self.level


@dataclass(frozen=True, kw_only=True, slots=True)
class Edl:
    """A whole edit of one clip. The background is always there and keeps the clip's own time unless told."""

    __pydantic_config__ = _STRICT
    instances: tuple[Instance, ...]
    """Where the clip's order does not decide (two instances of one layer), later ones are in front."""
    duration: Exact
    """Length of the output in seconds."""
    timing: Literal["clip"] | Exact = "clip"
    """``"clip"``: output frames stand at the times of the clip's own frames; else so many frames a second."""
    camera: Literal["original"] | Annotated[Locked | Framing | Whole, Field(discriminator="kind")] = "original"
    """``"original"``: the camera moves as it did at the source times that ``clock`` names."""
    camera_path: tuple[CameraKey, ...] = ()
    """How that camera is moved, key by key in order of time; one key moves it throughout."""
    clock: TimeMap | None = None
    """Source time of the background and the original camera; None is the output's own time, held at the clip's end."""
    grain: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    """Share of the clip's own grain laid on subjects that stand still, so that a freeze does not look like a still."""
    light: Light | None = None
    """Light on the background other than as filmed."""

    def __post_init__(self) -> None:
        names = [one.name for one in self.instances]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InputError(WHERE, "instances must have names of their own", got=f"{', '.join(twice)} more than once")
        if isinstance(self.camera, Framing) and self.camera.instance not in names:
            raise InputError(WHERE, "the camera must frame an instance of the edit", got=repr(self.camera.instance))
        moments = [one.at for one in self.camera_path]
        if any(b <= a for a, b in pairwise(moments)):
            raise InputError(
                WHERE, "keys of the camera must follow each other in time", got=", ".join(map(str, moments))
            )
        if isinstance(self.timing, Fraction) and not 0 < self.timing <= FASTEST_RATE:
            raise InputError(
                WHERE, f"the frame rate must be above 0 and at most {FASTEST_RATE}", got=f"{float(self.timing):g}"
            )
        if not 0 < self.duration <= LONGEST:
            raise InputError(WHERE, f"the duration must be above 0 and at most {LONGEST} s", got=f"{self.duration} s")

    def instance(self, name: str) -> Instance:
        """Give an instance by name.

        Raises:
            InputError: there is none of that name; the message lists those there are.
        """
        for one in self.instances:
            if one.name == name:
                return one
        raise InputError(
            WHERE,
            "the edit must have what is named",
            got=repr(name),
            todo=f"There is: {', '.join(one.name for one in self.instances) or 'nothing'}",
        )


def identity_edl(layers: Sequence[str], duration: Fraction) -> Edl:
    """The edit that changes nothing: every layer once, at its own time.

    Args:
        layers: Names of the layers, back to front.
        duration: Length of the clip in seconds; ``clip_duration`` gives it.

    Raises:
        InputError: a name comes twice, or the duration is not above 0.
    """
    if duration <= 0:
        raise InputError(WHERE, "the duration must be above 0", got=f"{duration} s")
    time_map = identity_map(duration)
    return Edl(
        instances=tuple(Instance(name=name, layer=name, time_map=time_map) for name in layers), duration=duration
    )


def clip_duration(clip: Clip) -> Fraction:
    """Length of a clip in seconds: time of the last frame and one frame more."""
    return clip.time_of(clip.n_frames - 1) + 1 / clip.frame_rate


def with_instance(edl: Edl, changed: Instance) -> Edl:
    """The edit with one instance, found by name, in its new form."""
    edl.instance(changed.name)
    return replace(edl, instances=tuple(changed if one.name == changed.name else one for one in edl.instances))


def check_edl(edl: Edl, *, layers: Sequence[str], source_duration: Fraction) -> None:
    """Refuse an edit that does not belong to a clip.

    Args:
        edl: The edit.
        layers: Names of the layers there are.
        source_duration: Length of the clip in seconds.

    Raises:
        InputError: it names a layer that is not there, or shows a moment outside the clip.
    """
    for one in edl.instances:
        if one.layer not in layers:
            raise InputError(
                WHERE,
                "the clip must have the layers that the edit names",
                got=repr(one.layer),
                todo=f"There is: {', '.join(layers) or 'no layer'}",
            )
        _require_within(one.name, one.time_map, source_duration)
        _require_light(one.name, one.light, source_duration)
    _require_light("the background", edl.light, source_duration)
    if edl.clock is not None:
        _require_within("the background", edl.clock, source_duration)
    if isinstance(edl.camera, Locked) and not 0 <= edl.camera.at <= source_duration:
        raise InputError(
            WHERE,
            f"the camera must be locked within the clip, 0 to {float(source_duration):g} s",
            got=f"{float(edl.camera.at):g} s",
        )


def text_from_edl(edl: Edl) -> str:
    """Write an edit as a JSON text."""
    body: dict[str, Any] = _ADAPTER.dump_python(edl, mode="json")
    return json.dumps({"schema": SCHEMA, "version": VERSION, **body}, indent=1, ensure_ascii=False, allow_nan=False)


def edl_from_text(text: str, *, path: Path | None = None) -> Edl:
    """Read an edit from a JSON text.

    Args:
        text: The document.
        path: The file it came from, for messages.

    Raises:
        InputError: it is not JSON, not an edit, has an unknown or missing key (named by dotted path), or a bad value.
        VersionError: it was written in a newer version.
    """
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(WHERE, "an edit must be a JSON document", got=str(error), path=path) from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise InputError(WHERE, f'an edit must say "schema": "{SCHEMA}"', got=_short(document), path=path)
    version: Any = document.get("version")
    version = None if isinstance(version, bool) else version
    while isinstance(version, int) and version < VERSION and version in UPGRADES:
        document = UPGRADES[version](document)
        version += 1
    if version != VERSION:
        raise VersionError(
            WHERE,
            f"an edit must be of version {VERSION} or older",
            got=f"version {_short(version)}",
            todo="Open it with the program that wrote it",
            path=path,
        )
    try:
        return _ADAPTER.validate_python({k: v for k, v in document.items() if k not in ("schema", "version")})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the edit"
        ours = first.get("ctx", {}).get("error")
        if isinstance(ours, InputError):  # it says itself what came
            raise InputError(WHERE, f"{place}: {ours.must}", got=ours.got, todo=ours.todo, path=path) from error
        raise InputError(
            WHERE, f"{place}: {first['msg'].removeprefix('Value error, ')}", got=_short(first["input"]), path=path
        ) from error


def write_edl(path: Path, edl: Edl) -> None:
    """Write an edit to a file, whole or not at all."""
    write_bytes(path, (text_from_edl(edl) + "\n").encode())


def read_edl(path: Path) -> Edl:
    """Read an edit from a file.

    Raises:
        InputError: it cannot be read, or as ``edl_from_text``.
        VersionError: it was written in a newer version.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(WHERE, "the edit must be a readable text file", got=str(error), path=path) from error
    return edl_from_text(text, path=path)


def _require_light(name: str, light: Light | None, source_duration: Fraction) -> None:
    if light is not None and isinstance(light.of, Fraction) and not 0 <= light.of <= source_duration:
        raise InputError(
            WHERE,
            f"the light on {name} must be of the clip, 0 to {float(source_duration):g} s",
            got=f"{float(light.of):g} s",
        )


def _require_within(name: str, time_map: TimeMap, source_duration: Fraction) -> None:
    for start, time in _extremes(time_map):
        if not 0 <= time <= source_duration:
            raise InputError(
                WHERE,
                f"{name} must stay within the clip, 0 to {float(source_duration):g} s",
                got=f"source time {float(time):g} s asked for at {float(start):g} s",
                todo="Shorten the segment or hold its end",
            )


def _extremes(time_map: TimeMap) -> list[tuple[Fraction, Fraction]]:
    """Output time and source time where a map may reach farthest: ends of segments, and curves looked at densely."""
    found: list[tuple[Fraction, Fraction | None]] = []
    for one in time_map.segments:
        match one:
            case Hide():
                continue
            case Hold():
                asked = [one.start]
            case Linear():
                asked = [one.start, one.stop]
            case _:
                step = (one.stop - one.start) / CURVE_LOOKS
                asked = [one.start + n * step for n in range(CURVE_LOOKS + 1)]
        found += [(time, one.at(time)) for time in asked]
    for time, rule in ((time_map.start, time_map.before), (time_map.stop, time_map.after)):
        if isinstance(rule, Fraction):
            found.append((time, rule))
    return [(time, source) for time, source in found if source is not None]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


_ADAPTER = TypeAdapter(Edl)
