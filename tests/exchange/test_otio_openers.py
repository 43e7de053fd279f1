"""Timelines through other programs' formats, by the adapters that OpenTimelineIO has for them.

What each of them can say is held: CMX 3600 warps and freezes of one track, MLT warps and freezes of all, Final Cut's
two kinds of XML (whose adapters leave out time effects) tracks, places, source ranges and media.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from fractions import Fraction as F
from pathlib import Path

import opentimelineio as otio
import pytest

from polytempo.edit.edl import identity_edl
from polytempo.edit.operations.delay import delay
from polytempo.edit.operations.freeze import freeze
from polytempo.edit.operations.speed import speed
from polytempo.exchange.otio import write_otio
from support.squares import N_FRAMES, drawn_clip

FRAME = F(1, 30)
Row = list[tuple[str, str, float, float, list[tuple[str, float]], str]]


@pytest.fixture
def timeline(tmp_path: Path) -> otio.schema.Timeline:
    """Red freezes and goes on, green comes a frame late at half speed."""
    edl = freeze(identity_edl(["red", "green"], N_FRAMES * FRAME), "red", at=2 * FRAME, until=4 * FRAME)
    edl = delay(speed(edl, "green", factor=F(1, 2)), "green", by=FRAME, outside="hide")
    media = {name: tmp_path / f"{name}.mov" for name in ("background", "red", "green")}
    write_otio(tmp_path / "a.otio", edl, drawn_clip(), media=media)
    return otio.adapters.read_from_file(str(tmp_path / "a.otio"))


def rows(timeline: otio.schema.Timeline, *, effects: bool) -> list[Row]:
    out: list[Row] = []
    for track in timeline.video_tracks():
        row: Row = []
        for item in track:
            gap = isinstance(item, otio.schema.Gap)
            start, length = (0.0 if gap else item.source_range.start_time.value), item.duration().value
            found = [(type(one).__name__, one.time_scalar) for one in item.effects] if effects else []
            url = "" if gap else Path(item.media_reference.target_url).name
            row.append(("" if gap else item.name, type(item).__name__, start, length, found, url))
        out.append(row)
    return out


def test_what_others_are_given(timeline: otio.schema.Timeline) -> None:
    assert rows(timeline, effects=True) == [
        [("background", "Clip", 0, 6, [], "background.mov")],
        [
            ("red", "Clip", 0, 2, [], "red.mov"),
            ("red", "Clip", 2, 2, [("FreezeFrame", 0)], "red.mov"),
            ("red", "Clip", 2, 2, [], "red.mov"),
        ],
        [("", "Gap", 0, 1, [], ""), ("green", "Clip", 0, 5, [("LinearTimeWarp", 0.5)], "green.mov")],
    ]


@pytest.mark.parametrize(
    ("module", "adapter", "suffix"),
    [("otio_fcp_adapter", "fcp_xml", "xml"), ("otio_fcpx_xml_adapter", "fcpx_xml", "fcpxml")],
)
def test_final_cut(timeline: otio.schema.Timeline, tmp_path: Path, module: str, adapter: str, suffix: str) -> None:
    pytest.importorskip(module)
    path = str(tmp_path / f"a.{suffix}")
    otio.adapters.write_to_file(timeline, path, adapter_name=adapter)
    back = otio.adapters.read_from_file(path, adapter_name=adapter)
    assert rows(back, effects=False) == rows(timeline, effects=False)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_cmx_3600(timeline: otio.schema.Timeline, number: int) -> None:
    pytest.importorskip("otio_cmx3600_adapter")
    alone = otio.schema.Timeline("alone", global_start_time=timeline.global_start_time)
    alone.tracks.append(timeline.tracks[number].clone())
    text = otio.adapters.write_to_string(alone, "cmx_3600", rate=30)
    (back,) = rows(otio.adapters.read_from_string(text, "cmx_3600", rate=30), effects=True)
    assert back == [one for one in rows(alone, effects=True)[0] if one[1] == "Clip"]


def test_mlt(timeline: otio.schema.Timeline) -> None:
    """The format of Kdenlive and Shotcut: its producers say themselves what is warped and what stands still."""
    pytest.importorskip("otio_mlt_adapter")
    root = ET.fromstring(otio.adapters.write_to_string(timeline, "mlt_xml"))
    said = {
        producer.attrib["id"]: {one.attrib["name"]: one.text for one in producer.iter("property")}
        for producer in root.iter("producer")
    }
    track = {one.attrib["id"]: list(one) for one in root.iter("playlist")}
    assert [said[one.attrib["producer"]].get("mlt_service") for one in track["red"]] == [None, "hold", None]
    assert said[track["red"][1].attrib["producer"]]["frame"] == "2.0"
    assert [float(one.attrib["out"]) - float(one.attrib["in"]) + 1 for one in track["red"]] == [2, 2, 2]
    blank, slow = track["green"]
    assert float(blank.attrib["length"]) == 1
    assert said[slow.attrib["producer"]]["mlt_service"] == "timewarp"
    assert said[slow.attrib["producer"]]["resource"] == "0.5:green.mov"
