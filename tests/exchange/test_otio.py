"""Timelines: what OpenTimelineIO itself reads in them, and the exact edit that comes back."""

from __future__ import annotations

from fractions import Fraction as F
from pathlib import Path

import opentimelineio as otio
import pytest

from polytempo.core.errors import InputError
from polytempo.edit.edl import Edl, identity_edl
from polytempo.edit.operations.delay import delay
from polytempo.edit.operations.freeze import freeze
from polytempo.edit.operations.ramp import ramp
from polytempo.edit.operations.remove import remove
from polytempo.edit.operations.reverse import reverse
from polytempo.edit.operations.speed import speed
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


def test_media_of_layers_are_named(tmp_path: Path) -> None:
    media = {"red": tmp_path / "red.mov"}
    write_otio(tmp_path / "a.otio", plain(), drawn_clip(), media=media)
    clips = {one.name: one for one in otio.adapters.read_from_file(str(tmp_path / "a.otio")).find_clips()}
    assert clips["red"].media_reference.target_url.endswith("red.mov")
    assert isinstance(clips["green"].media_reference, otio.schema.MissingReference)
    assert clips["background"].media_reference.target_url == "drawn.mp4"


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
