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
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from polytempo.core.errors import InputError, VersionError
from polytempo.core.files import write_bytes
from polytempo.edit.exact import Exact
from polytempo.edit.timemap import Hide, Hold, TimeMap, identity_map
from polytempo.video.clip import Clip

WHERE = "edit.edl"
SCHEMA = "polytempo.edl"
VERSION = 1
UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""From a version to the next: the function that changes a document so."""
LONGEST = Fraction(24 * 3600)
"""Seconds an edit may last at most."""
_STRICT = ConfigDict(extra="forbid")


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Edl:
    """A whole edit of one clip. The background is always there and keeps the clip's own time."""

    __pydantic_config__ = _STRICT
    instances: tuple[Instance, ...]
    """Where the clip's order does not decide (two instances of one layer), later ones are in front."""
    duration: Exact
    """Length of the output in seconds."""
    timing: Literal["clip"] = "clip"
    """``"clip"``: output frames stand at the times of the clip's own frames."""
    camera: Literal["original"] = "original"
    """``"original"``: output frame n is seen by the camera as frame n of the clip was."""

    def __post_init__(self) -> None:
        names = [one.name for one in self.instances]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InputError(WHERE, "instances must have names of their own", got=f"{', '.join(twice)} more than once")
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
        for start, time in _extremes(one.time_map):
            if not 0 <= time <= source_duration:
                raise InputError(
                    WHERE,
                    f"{one.name} must stay within the clip, 0 to {float(source_duration):g} s",
                    got=f"source time {float(time):g} s asked for at {float(start):g} s",
                    todo="Shorten the segment or hold its end",
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


def _extremes(time_map: TimeMap) -> list[tuple[Fraction, Fraction]]:
    """Output time and source time at every end of every segment that shows something."""
    found: list[tuple[Fraction, Fraction]] = []
    for one in time_map.segments:
        if isinstance(one, Hold):
            found.append((one.start, one.source))
        elif not isinstance(one, Hide):
            found += [(one.start, one.source_start), (one.stop, one.source_stop)]
    outside = ((time_map.start, time_map.before), (time_map.stop, time_map.after))
    return found + [(time, source) for time, source in outside if source is not None]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


_ADAPTER = TypeAdapter(Edl)
