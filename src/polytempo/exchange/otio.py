"""OpenTimelineIO: one track an instance, pieces of even speed and freezes, the exact curve beside them.

OpenTimelineIO knows an even change of speed and a freeze. So what an instance shows at the output's frames becomes a
row of clips, each a whole number of frames long: even stretches one each, a hold one, hidden time a gap, a curve one
clip a frame, standing still. What a program that knows no more shows is right at every frame; the exact edit is in the
timeline's metadata and comes back as it was.

A warp is read as editing programs do: ``k`` frames after its start a clip shows what lies ``k * time_scalar`` frames
after the start of its source range; with a negative scalar the same frames in the opposite order, the last one first.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from polytempo.core.errors import InputError
from polytempo.core.files import atomic_path
from polytempo.edit.algebra import merged
from polytempo.edit.edl import Edl, Instance, clip_duration, edl_from_text, text_from_edl
from polytempo.edit.segments import Hide, Hold, Linear
from polytempo.edit.timemap import Segment, TimeMap, identity_map
from polytempo.render.view import shown_at
from polytempo.video.clip import Clip

WHERE = "exchange.otio"
KEY = "polytempo"
BACKGROUND = "background"
LEAST_EVEN = 3
"""Frames in a row of one step, under a curve, from which they are one clip."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """Output frames in a row that are one clip or gap of a timeline."""

    n_frames: int
    source: Fraction | None
    """Source time of its first frame in seconds; None for a gap."""
    step: Fraction
    """Source seconds from a frame to the next; 0 stands still."""


def write_otio(path: Path, edl: Edl, clip: Clip, *, media: dict[str, Path] | None = None, sound: bool = True) -> None:
    """Write an edit as a timeline: the background at the bottom, then one track an instance, back to front, and sound.

    Args:
        path: Ending in ``.otio``.
        edl: The edit.
        clip: Gives the rate, the sound, and the background's media where none is named.
        media: Video of each layer (and ``"background"``) by its name, at the clip's own times; where none is named, the
            reference is missing and says which layer is meant. Media beneath the timeline's folder are named from
            there, others wholly.
        sound: Whether the clip's sound becomes a track, where it has any; it runs with the background.

    Raises:
        InputError: OpenTimelineIO is not installed, another ending, or the place cannot be written.
    """
    otio = _library()
    if path.suffix.lower() != ".otio":
        raise InputError(WHERE, "the timeline must end in .otio", got=repr(path.suffix), path=path)
    rate = output_rate(edl, clip)
    timeline = otio.schema.Timeline(name=path.stem, global_start_time=otio.opentime.RationalTime(0, float(rate)))
    timeline.metadata[KEY] = {"edl": text_from_edl(edl), "frame_rate": str(rate)}
    files = {BACKGROUND: clip.path} | (media or {})
    backdrop = Instance(name=BACKGROUND, layer=BACKGROUND, time_map=edl.clock or identity_map(clip_duration(clip)))
    for one in (backdrop, *edl.instances):
        track = otio.schema.Track(name=one.name, kind=otio.schema.TrackKind.Video)
        reference = _reference(otio, clip, files.get(one.layer), one.layer, beside=path)
        track.extend(_items(otio, one, edl, clip, reference))
        if one is not backdrop:
            track.metadata[KEY] = {"layer": one.layer, "visible": one.visible, "opacity": one.opacity}
        timeline.tracks.append(track)
    if sound and clip.audio_codecs:
        track = otio.schema.Track(name="sound", kind=otio.schema.TrackKind.Audio)
        reference = _reference(otio, clip, clip.path, "sound", beside=path)
        named = Instance(name="sound", layer=BACKGROUND, time_map=backdrop.time_map)
        track.extend(_items(otio, named, edl, clip, reference, silent_stills=True))
        timeline.tracks.append(track)
    text = otio.adapters.write_to_string(timeline, "otio_json")
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8")


def read_otio(path: Path) -> Edl:
    """The edit in a timeline: the exact one where it was written here, else what its clips and warps say.

    A timeline of another program has one instance a track; its clips must be even in speed. The track's name is the
    layer's; times are those of the clips' source ranges.

    Raises:
        InputError: OpenTimelineIO is not installed, or the file is no timeline or shows nothing.
        VersionError: the edit in it is of a newer version.
    """
    otio = _library()
    try:
        timeline = otio.adapters.read_from_string(path.read_text(encoding="utf-8"), "otio_json")
    except Exception as error:  # the library raises its own and the JSON reader's
        raise InputError(
            WHERE, "the file must be an OpenTimelineIO timeline", got=str(error)[:120], path=path
        ) from error
    if not isinstance(timeline, otio.schema.Timeline):
        raise InputError(WHERE, "the file must hold a timeline", got=type(timeline).__name__, path=path)
    own = cast("dict[str, Any]", timeline.metadata.get(KEY, {}))
    if "edl" in own:
        return edl_from_text(str(own["edl"]), path=path)
    return _edl_of_tracks(otio, timeline, path)


def output_rate(edl: Edl, clip: Clip) -> Fraction:
    """Frames a second of an edit's timeline: the edit's own, else the clip's nominal rate."""
    return edl.timing if isinstance(edl.timing, Fraction) else clip.frame_rate


def frame_runs(one: Instance, edl: Edl, clip: Clip) -> list[Run]:
    """What an instance shows at the frames of a timeline, as clips and gaps; exact at every frame.

    Source times are those of the edit, held at the clip's last frame; cuts lie where the time map has them.
    """
    rate, last = output_rate(edl, clip), clip_duration(clip) - 1 / clip.frame_rate
    n_frames = max(-(-(edl.duration * rate).numerator // (edl.duration * rate).denominator), 1)
    shown: list[tuple[Segment | None, Fraction | None]] = []
    for n in range(n_frames):
        time = n / rate
        inside = one.time_map.start <= time < one.time_map.stop
        source = shown_at(one.time_map, clip, time) if one.visible and one.opacity > 0 else None
        shown.append((one.time_map.segment_at(time) if inside else None, None if source is None else min(source, last)))
    runs: list[Run] = []
    for _, group in groupby(shown, key=lambda pair: (id(pair[0]), pair[1] is None)):
        runs += _even_runs([source for _, source in group])
    return runs


def _even_runs(sources: Sequence[Fraction | None]) -> list[Run]:
    """Runs of one stretch of a time map: whole where it is even, else the even parts of it and single frames."""
    out: list[Run] = []
    start, n = 0, len(sources)
    while start < n:
        first = sources[start]
        if first is None:
            return [Run(n_frames=n, source=None, step=Fraction(0))]
        known = cast("Sequence[Fraction]", sources)  # a stretch is hidden as a whole or not at all
        stop = start + 1
        step = known[stop] - first if stop < n else Fraction(0)
        while stop < n and known[stop] - known[stop - 1] == step:
            stop += 1
        if stop < n and stop - start < LEAST_EVEN and step != 0:
            stop, step = start + 1, Fraction(0)
        out.append(Run(n_frames=stop - start, source=first, step=step))
        start = stop
    return out


def _items(otio: Any, one: Instance, edl: Edl, clip: Clip, reference: Any, *, silent_stills: bool = False) -> list[Any]:
    rate = output_rate(edl, clip)
    items: list[Any] = []
    for run in frame_runs(one, edl, clip):
        length = otio.opentime.RationalTime(run.n_frames, float(rate))
        speed = run.step * rate
        if run.source is None or (silent_stills and speed == 0 and run.n_frames > 1):
            gap = otio.opentime.TimeRange(otio.opentime.RationalTime(0, float(rate)), length)
            items.append(otio.schema.Gap(source_range=gap))
            continue
        lowest = min(run.source, run.source + (run.n_frames - 1) * run.step)
        span = otio.opentime.TimeRange(_time(otio, lowest, clip.frame_rate), length)
        item = otio.schema.Clip(name=one.name, media_reference=reference.clone(), source_range=span)
        if speed == 0 and run.n_frames > 1:
            item.effects.append(otio.schema.FreezeFrame())
        elif speed not in (0, 1):
            item.effects.append(otio.schema.LinearTimeWarp(time_scalar=float(speed)))
            item.metadata[KEY] = {"speed": str(speed)}
        items.append(item)
    return items


def _edl_of_tracks(otio: Any, timeline: Any, path: Path) -> Edl:
    instances: list[Instance] = []
    duration = Fraction(0)
    for number, track in enumerate(timeline.video_tracks()):
        now, pieces = Fraction(0), cast("list[Segment]", [])
        for item in track:
            if not isinstance(item, otio.core.Item):
                continue  # transitions have no place in an edit of layers
            span = item.trimmed_range()
            start, length = _exact(span.start_time), _exact(span.duration)
            if length <= 0:
                continue
            pieces.append(_segment(otio, item, now, length, start, 1 / _rate(span.duration)))
            now += length
        if pieces:
            name = track.name or f"track {number + 1}"
            after = pieces[-1].at(now)
            first = pieces[0].at(Fraction(0))
            instances.append(
                Instance(name=name, layer=name, time_map=TimeMap(segments=merged(pieces), before=first, after=after))
            )
            duration = max(duration, now)
    instances = [one for one in instances if one.name != BACKGROUND]
    if not instances:
        raise InputError(WHERE, "the timeline must show somebody", got="no video track with clips", path=path)
    return Edl(instances=tuple(instances), duration=duration)


def _segment(otio: Any, item: Any, now: Fraction, length: Fraction, start: Fraction, frame: Fraction) -> Segment:
    if isinstance(item, otio.schema.Gap):
        return Hide(start=now, stop=now + length)
    speed = Fraction(1)
    for effect in item.effects:
        if isinstance(effect, otio.schema.FreezeFrame):
            return Hold(start=now, stop=now + length, source=start)
        if isinstance(effect, otio.schema.LinearTimeWarp):
            told = cast("dict[str, Any]", item.metadata.get(KEY, {})).get("speed")
            speed *= Fraction(str(told)) if told else Fraction(effect.time_scalar).limit_denominator(10**6)
    if speed == 0:
        return Hold(start=now, stop=now + length, source=start)
    first = start if speed > 0 else start - speed * (length - frame)
    return Linear(start=now, stop=now + length, source_start=first, source_stop=first + speed * length)


def _reference(otio: Any, clip: Clip, path: Path | None, name: str, *, beside: Path) -> Any:
    rate = float(clip.frame_rate)
    n_frames = -(
        -(clip_duration(clip) * clip.frame_rate).numerator // (clip_duration(clip) * clip.frame_rate).denominator
    )
    span = otio.opentime.TimeRange(otio.opentime.RationalTime(0, rate), otio.opentime.RationalTime(n_frames, rate))
    if path is None:
        return otio.schema.MissingReference(name=name, available_range=span)
    whole, folder = path.resolve(), beside.resolve().parent
    near = whole.is_relative_to(folder)
    url = quote(whole.relative_to(folder).as_posix()) if near else whole.as_uri()
    reference = otio.schema.ExternalReference(target_url=url, available_range=span)
    reference.name = name
    return reference


def _time(otio: Any, seconds: Fraction, rate: Fraction) -> Any:
    return otio.opentime.RationalTime(float(seconds * rate), float(rate))


def _exact(time: Any) -> Fraction:
    return Fraction(time.value).limit_denominator(10**6) / _rate(time)


def _rate(time: Any) -> Fraction:
    return Fraction(time.rate).limit_denominator(100000)


def _library() -> Any:
    try:
        return importlib.import_module("opentimelineio")
    except ImportError as error:
        raise InputError(
            WHERE,
            "OpenTimelineIO must be installed",
            got="no such package",
            todo="Run pip install 'polytempo[exchange]'",
        ) from error
