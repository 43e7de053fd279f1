"""OpenTimelineIO: one track an instance, pieces of even speed and freezes, the exact curve beside them.

OpenTimelineIO knows an even change of speed and a freeze. So a time map becomes a row of clips: every straight segment
one, a hold one, hidden time a gap, and a curve one clip a frame of output, each standing still. What a program that
knows no more shows is right to the frame; the exact edit is in the timeline's metadata and comes back as it was.
"""

from __future__ import annotations

import importlib
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from polytempo.core.errors import InputError
from polytempo.core.files import atomic_path
from polytempo.edit.algebra import merged
from polytempo.edit.edl import Edl, Instance, edl_from_text, text_from_edl
from polytempo.edit.segments import Hide, Hold, Linear
from polytempo.edit.timemap import Segment, TimeMap
from polytempo.video.clip import Clip

WHERE = "exchange.otio"
KEY = "polytempo"


def write_otio(path: Path, edl: Edl, clip: Clip, *, media: dict[str, Path] | None = None) -> None:
    """Write an edit as a timeline: the clip's background at the bottom, then one track an instance, back to front.

    Args:
        path: Ending in ``.otio``.
        edl: The edit.
        clip: Gives the rate and the background's media.
        media: Video of each layer by its name, at the clip's own times (``polytempo export --layers`` writes them);
            where none is named, the reference is missing and says which layer is meant.

    Raises:
        InputError: OpenTimelineIO is not installed, another ending, or the place cannot be written.
    """
    otio = _library()
    if path.suffix.lower() != ".otio":
        raise InputError(WHERE, "the timeline must end in .otio", got=repr(path.suffix), path=path)
    timeline = otio.schema.Timeline(name=path.stem)
    timeline.metadata[KEY] = {"edl": text_from_edl(edl), "frame_rate": str(clip.frame_rate)}
    names = [None, *edl.instances]
    for one in names:
        name = "background" if one is None else one.name
        track = otio.schema.Track(name=name, kind=otio.schema.TrackKind.Video)
        where = (media or {}).get("background" if one is None else one.layer)
        reference = _reference(otio, clip, where or (clip.path if one is None else None), name)
        for item in _items(otio, one, edl, clip, reference):
            track.append(item)
        if one is not None:
            track.metadata[KEY] = {"layer": one.layer, "visible": one.visible, "opacity": one.opacity}
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


def frame_segments(one: Instance, edl: Edl, clip: Clip) -> list[Segment]:
    """An instance's time map over the edit as straight pieces, holds and gaps; curves as one hold a frame."""
    step = 1 / (edl.timing if isinstance(edl.timing, Fraction) else clip.frame_rate)
    pieces: list[Segment] = []
    cuts = sorted(
        {Fraction(0), edl.duration, *(c for c in (*one.time_map.starts, one.time_map.stop) if 0 < c < edl.duration)}
    )
    for start, stop in pairwise(cuts):
        middle = (start + stop) / 2
        inside = one.time_map.start <= middle < one.time_map.stop
        segment = one.time_map.segment_at(middle) if inside else None
        if isinstance(segment, Linear):
            pieces.append(Linear(start=start, stop=stop, source_start=segment.at(start), source_stop=segment.at(stop)))
            continue
        ends = (
            [stop]
            if isinstance(segment, Hold | Hide)
            else [start + n * step for n in range(1, int((stop - start) / step) + 1)]
        )
        for end in [*(e for e in ends if e < stop), stop]:
            source = one.time_map.at(start)
            pieces.append(Hide(start=start, stop=end) if source is None else Hold(start=start, stop=end, source=source))
            start = end
    return list(merged(pieces))


def _items(otio: Any, one: Instance | None, edl: Edl, clip: Clip, reference: Any) -> list[Any]:
    rate = float(clip.frame_rate)

    def span(start: Fraction, length: Fraction) -> Any:
        return otio.opentime.TimeRange(_time(otio, start, rate), _time(otio, length, rate))

    if one is None:
        return [
            otio.schema.Clip(name="background", media_reference=reference, source_range=span(Fraction(0), edl.duration))
        ]
    items: list[Any] = []
    for segment in frame_segments(one, edl, clip) if one.visible else [Hide(start=Fraction(0), stop=edl.duration)]:
        length = segment.stop - segment.start
        match segment:
            case Hide():
                items.append(otio.schema.Gap(source_range=span(Fraction(0), length)))
            case Hold():
                item = otio.schema.Clip(
                    name=one.name, media_reference=reference, source_range=span(segment.source, length)
                )
                item.effects.append(otio.schema.FreezeFrame())
                items.append(item)
            case Linear():
                # A clip that runs backwards is cut where it ends and played from there.
                first = min(segment.source_start, segment.source_stop)
                item = otio.schema.Clip(name=one.name, media_reference=reference, source_range=span(first, length))
                if segment.speed != 1:
                    item.effects.append(otio.schema.LinearTimeWarp(time_scalar=float(segment.speed)))
                    item.metadata[KEY] = {"speed": str(segment.speed)}
                items.append(item)
            case _:
                raise AssertionError("curves were cut into frames")
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
            pieces.append(_segment(otio, item, now, length, start))
            now += length
        if pieces:
            name = track.name or f"track {number + 1}"
            after = pieces[-1].at(now)
            first = pieces[0].at(Fraction(0))
            instances.append(
                Instance(name=name, layer=name, time_map=TimeMap(segments=merged(pieces), before=first, after=after))
            )
            duration = max(duration, now)
    instances = [one for one in instances if one.name != "background"]
    if not instances:
        raise InputError(WHERE, "the timeline must show somebody", got="no video track with clips", path=path)
    return Edl(instances=tuple(instances), duration=duration)


def _segment(otio: Any, item: Any, now: Fraction, length: Fraction, start: Fraction) -> Segment:
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
    first = start if speed > 0 else start - speed * length
    return Linear(start=now, stop=now + length, source_start=first, source_stop=first + speed * length)


def _reference(otio: Any, clip: Clip, path: Path | None, name: str) -> Any:
    span = otio.opentime.TimeRange(
        _time(otio, Fraction(0), float(clip.frame_rate)),
        otio.opentime.RationalTime(clip.n_frames, float(clip.frame_rate)),
    )
    if path is None:
        return otio.schema.MissingReference(name=name, available_range=span)
    return otio.schema.ExternalReference(target_url=path.as_posix(), available_range=span)


def _time(otio: Any, seconds: Fraction, rate: float) -> Any:
    return otio.opentime.RationalTime(float(seconds * Fraction(rate).limit_denominator(100000)), rate)


def _exact(time: Any) -> Fraction:
    rate = Fraction(time.rate).limit_denominator(100000)
    return Fraction(time.value).limit_denominator(10**6) / rate


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
