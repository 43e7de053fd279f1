"""Timelines: what OpenTimelineIO itself reads in them, and the exact edit that comes back."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction as F
from pathlib import Path
from urllib.parse import unquote

import opentimelineio as otio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytempo.core.errors import InputError
from polytempo.edit.edl import Edl, Instance, identity_edl
from polytempo.edit.operations.delay import delay
from polytempo.edit.operations.freeze import freeze
from polytempo.edit.operations.loop import loop
from polytempo.edit.operations.picture import at_frame_rate
from polytempo.edit.operations.ramp import ramp
from polytempo.edit.operations.remove import remove
from polytempo.edit.operations.reverse import reverse
from polytempo.edit.operations.speed import speed
from polytempo.edit.operations.trim import extend, trim
from polytempo.edit.timemap import identity_map
from polytempo.exchange.otio import read_otio, write_otio
from support.squares import N_FRAMES, drawn_clip

FRAME = F(1, 30)
LENGTH = N_FRAMES * FRAME


def plain() -> Edl:
    return identity_edl(["red", "green"], LENGTH)


EDITS = {
    "identity": plain(),
    "freeze": freeze(plain(), "red", at=2 * FRAME, until=4 * FRAME),
    "late": delay(plain(), "green", by=2 * FRAME, outside="hide"),
    "half": speed(plain(), "red", factor=F(1, 2)),
    "back": reverse(plain(), "red", frame=FRAME),
    "ramp": ramp(plain(), "red", first=F(1), last=F(0)),
    "gone": remove(plain(), "red"),
}


@pytest.mark.parametrize("name", EDITS)
def test_the_exact_edit_comes_back(name: str, tmp_path: Path) -> None:
    write_otio(tmp_path / "a.otio", EDITS[name], drawn_clip())
    assert read_otio(tmp_path / "a.otio") == EDITS[name]


@pytest.mark.parametrize("name", [one for one in EDITS if one != "gone"])
def test_another_program_sees_the_same_frames(name: str, tmp_path: Path) -> None:
    """Without our metadata, from clips, warps and freezes alone."""
    edl = EDITS[name]
    write_otio(tmp_path / "a.otio", edl, drawn_clip())
    timeline = otio.adapters.read_from_file(str(tmp_path / "a.otio"))
    assert [track.name for track in timeline.tracks] == ["background", "red", "green"]
    assert all(track.duration().to_seconds() == pytest.approx(float(LENGTH)) for track in timeline.tracks)
    del timeline.metadata["polytempo"]
    for item in timeline.find_clips():
        item.metadata.clear()
    otio.adapters.write_to_file(timeline, str(tmp_path / "b.otio"))
    back = read_otio(tmp_path / "b.otio")
    for one in edl.instances:
        for n in range(N_FRAMES):
            wanted, came = one.time_map.at(n * FRAME), back.instance(one.name).time_map.at(n * FRAME)
            assert (wanted is None) == (came is None)
            if wanted is not None and came is not None:
                assert abs(wanted - came) < F(1, 1000)


def sources_by_opentimelineio(timeline: otio.schema.Timeline, track: otio.schema.Track) -> list[F | None]:
    """Source time at every frame, found by OpenTimelineIO's own walk and the meaning of its effects alone."""
    rate = timeline.global_start_time.rate
    out: list[F | None] = []
    for n in range(round(timeline.duration().rescaled_to(rate).value)):
        time = otio.opentime.RationalTime(n, rate)
        item = track.child_at_time(time)
        if not isinstance(item, otio.schema.Clip):
            out.append(None)
            continue
        start, length = item.source_range.start_time, item.source_range.duration
        gone = track.transformed_time(time, item) - start
        scalar = math.prod(one.time_scalar for one in item.effects if isinstance(one, otio.schema.LinearTimeWarp))
        if scalar < 0:
            gone = length - otio.opentime.RationalTime(1, rate) - gone
        shown = start + otio.opentime.RationalTime(gone.value * abs(scalar), gone.rate)
        assert item.available_range().contains(shown)
        out.append(F(shown.to_seconds()).limit_denominator(10**6))
    return out


OPERATIONS = ["freeze", "speed", "ramp", "reverse", "loop", "late", "trim", "remove"]
STEPS = st.tuples(
    st.sampled_from(OPERATIONS),
    st.sampled_from(["red", "green"]),
    st.integers(0, 8),  # tenths of the edit at which a range starts
    st.sampled_from([F(1, 10), F(1, 5)]),
    st.sampled_from([1, 3]),  # off the frames or on them
    st.sampled_from([F(1, 3), F(2), F(7, 5)]),
)


def edit_after(first: str, steps: list[tuple[str, str, int, F, int, F]]) -> Edl:
    """A few operations, one after the other, at times on and off the frames."""
    edl = {
        "plain": plain(), "longer": extend(plain(), duration=F(1, 2)), "other rate": at_frame_rate(plain(), F(25))
    }[first]  # fmt: skip
    for operation, name, tenths, share, part, factor in steps:
        end = edl.duration
        start = tenths * end / 10
        stop = min(start + share * end + FRAME / part, end)
        match operation:
            case "freeze" if edl.instance(name).time_map.at(start) is not None:
                edl = freeze(edl, name, at=start, until=stop)
            case "speed":
                edl = speed(edl, name, factor=factor, start=start, stop=stop)
            case "ramp":
                edl = ramp(edl, name, first=F(1), last=factor - F(1, 3), start=start, stop=stop)
            case "reverse" if stop - start >= FRAME:
                edl = reverse(edl, name, frame=FRAME, start=start, stop=stop)
            case "loop" if stop - start >= FRAME:
                edl = loop(edl, name, start=start, stop=stop, frame=FRAME, mode="ping-pong")
            case "late":
                edl = delay(edl, name, by=FRAME * factor, outside="hide")
            case "trim" if end > 4 * FRAME:
                edl = trim(edl, start=FRAME / part)
            case "remove":
                edl = remove(edl, name)
    return edl


@given(first=st.sampled_from(["plain", "longer", "other rate"]), steps=st.lists(STEPS, min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
def test_an_independent_reader_finds_the_edit_at_every_frame(
    first: str, steps: list[tuple[str, str, int, F, int, F]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    edl = edit_after(first, steps)
    clip, path = drawn_clip(), tmp_path_factory.mktemp("t") / "a.otio"
    write_otio(path, edl, clip)
    assert read_otio(path) == edl
    timeline = otio.adapters.read_from_file(str(path))
    again = otio.adapters.read_from_string(otio.adapters.write_to_string(timeline, "otio_json"), "otio_json")
    assert again.is_equivalent_to(timeline)
    rate = edl.timing if isinstance(edl.timing, F) else F(30)
    times, last = [n / rate for n in range(math.ceil(edl.duration * rate))], LENGTH - FRAME
    backdrop = Instance(name="background", layer="background", time_map=edl.clock or identity_map(LENGTH))
    for track, one in zip(timeline.video_tracks(), (backdrop, *edl.instances), strict=True):
        assert track.name == one.name
        assert all(float(item.duration().value).is_integer() for item in track)
        came = sources_by_opentimelineio(timeline, track)
        assert len(came) == len(times)
        for time, source in zip(times, came, strict=True):
            wanted = one.time_map.at(time) if one.visible else None
            assert (wanted is None) == (source is None)
            if wanted is not None and source is not None:
                assert abs(min(wanted, last) - source) < F(1, 10**5)


def test_media_are_named_from_where_the_timeline_lies(tmp_path: Path) -> None:
    layers = tmp_path / "my edit layers"
    layers.mkdir()
    (layers / "red.mov").write_bytes(b"red")
    elsewhere = replace(drawn_clip(), path=Path("/elsewhere/a clip.mp4"), audio_codecs=("aac",))
    write_otio(tmp_path / "a.otio", plain(), elsewhere, media={"red": layers / "red.mov"})
    timeline = otio.adapters.read_from_file(str(tmp_path / "a.otio"))
    clips = {one.name: one.media_reference for one in timeline.find_clips()}
    assert clips["red"].target_url == "my%20edit%20layers/red.mov"
    assert (tmp_path / unquote(clips["red"].target_url)).read_bytes() == b"red"
    assert isinstance(clips["green"], otio.schema.MissingReference)
    assert clips["background"].target_url == clips["sound"].target_url == "file:///elsewhere/a%20clip.mp4"
    assert [track.name for track in timeline.audio_tracks()] == ["sound"]
    write_otio(tmp_path / "a.otio", extend(plain(), duration=2 * LENGTH), elsewhere)
    (sound,) = otio.adapters.read_from_file(str(tmp_path / "a.otio")).audio_tracks()
    assert [type(one).__name__ for one in sound] == ["Clip", "Gap"]
    write_otio(tmp_path / "a.otio", plain(), elsewhere, sound=False)
    assert not otio.adapters.read_from_file(str(tmp_path / "a.otio")).audio_tracks()


@pytest.mark.refusal
def test_what_is_no_timeline_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must end in \.otio"):
        write_otio(tmp_path / "a.json", plain(), drawn_clip())
    (tmp_path / "a.otio").write_text("{")
    with pytest.raises(InputError, match="must be an OpenTimelineIO timeline"):
        read_otio(tmp_path / "a.otio")
    otio.adapters.write_to_file(otio.schema.Timeline(), str(tmp_path / "b.otio"))
    with pytest.raises(InputError, match="the timeline must show somebody"):
        read_otio(tmp_path / "b.otio")
