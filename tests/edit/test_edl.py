"""Edits as documents."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction as F
from pathlib import Path
from typing import Any

import pytest

from polytempo.core.errors import InputError, PolytempoError, VersionError
from polytempo.edit import edl as edl_module
from polytempo.edit.algebra import compose, shifted
from polytempo.edit.edl import (
    Edl,
    Framing,
    LevelRange,
    Locked,
    check_edl,
    edl_from_text,
    identity_edl,
    read_edl,
    text_from_edl,
    with_instance,
    write_edl,
)
from polytempo.edit.operations.delay import delay
from polytempo.edit.operations.duplicate import duplicate
from polytempo.edit.operations.freeze import freeze
from polytempo.edit.operations.speed import speed
from polytempo.edit.segments import Bezier
from polytempo.edit.timemap import Nested, TimeMap, identity_map, line_map, smooth_map

DURATION = F(200 * 1001, 30000)


def drawn_edl() -> Edl:
    edl = freeze(identity_edl(["girl", "boy"], DURATION), "girl", at=F(6, 5), until=F(3))
    edl = speed(delay(edl, "boy", by=F(1, 3), outside="hide"), "boy", factor=F(1, 2))
    return duplicate(edl, "boy", copies=2, delay=F(1, 7), offset=(12.5, -3.0))


def changed(change: Callable[[dict[str, Any]], object]) -> str:
    document = json.loads(text_from_edl(drawn_edl()))
    change(document)
    return json.dumps(document)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    edl = drawn_edl()
    assert edl_from_text(text_from_edl(edl)) == edl
    write_edl(tmp_path / "edit.json", edl)
    assert read_edl(tmp_path / "edit.json") == edl


def test_the_document_is_plain() -> None:
    document = json.loads(text_from_edl(identity_edl(["girl"], DURATION)))
    assert document == {
        "schema": "polytempo.edl",
        "version": 3,
        "instances": [
            {
                "name": "girl",
                "layer": "girl",
                "time_map": {
                    "segments": [
                        {
                            "kind": "linear",
                            "start": "0",
                            "stop": "1001/150",
                            "source_start": "0",
                            "source_stop": "1001/150",
                        }
                    ],
                    "before": "0",
                    "after": "1001/150",
                },
                "visible": True,
                "opacity": 1.0,
                "level": 0,
                "offset": [0.0, 0.0],
                "levels": [],
                "between": "nearest",
                "shutter": 0.0,
                "light": None,
            }
        ],
        "duration": "1001/150",
        "timing": "clip",
        "camera": "original",
        "camera_path": [],
        "clock": None,
        "grain": 0.0,
        "light": None,
    }


VERSION_1 = {
    "schema": "polytempo.edl",
    "version": 1,
    "instances": [
        {
            "name": "girl",
            "layer": "girl",
            "visible": True,
            "opacity": 1.0,
            "level": 0,
            "offset": [0, 0],
            "time_map": {
                "segments": [
                    {"kind": "linear", "start": "0", "stop": "2", "source_start": "0", "source_stop": "1"},
                    {"kind": "hold", "start": "2", "stop": "20/3", "source": "6/5"},
                ],
                "before": None,
                "after": "6/5",
            },
        }
    ],
    "duration": "20/3",
    "timing": "clip",
    "camera": "original",
}
"""As the first version wrote it; never to be changed."""


def test_edits_of_version_1_are_still_read() -> None:
    edl = edl_from_text(json.dumps(VERSION_1))
    assert [edl.instance("girl").time_map.at(F(t)) for t in (-1, 1, 3)] == [None, F(1, 2), F(6, 5)]
    assert json.loads(text_from_edl(edl))["version"] == 3


def everything() -> Edl:
    """An edit that uses whatever there is."""
    edl = identity_edl(["girl", "boy"], F(4))
    curve = Bezier(start=F(0), stop=F(4), source_start=F(0), source_stop=F(4), leave=(F(1), F(0)), arrive=(F(1), F(0)))
    late = compose(shifted(identity_map(F(3)), by=F(1)), TimeMap(segments=(curve,), before=F(0), after="ping-pong"))
    girl = replace(
        edl.instance("girl"),
        time_map=replace(late, before="loop"),
        levels=(LevelRange(start=F(1), stop=F(2), level=-3),),
        between="flow",
        shutter=0.5,
    )
    boy = replace(edl.instance("boy"), time_map=smooth_map([(F(0), F(0)), (F(1), F(2)), (F(4), F(3))]))
    return replace(
        edl,
        instances=(girl, boy),
        timing=F(30000, 1001),
        camera=Framing(instance="girl"),
        clock=line_map(F(4), source_start=F(0), speed=F(1, 2)),
        grain=0.5,
    )


def test_everything_there_is_is_written_and_read_back() -> None:
    edl = everything()
    assert any(isinstance(one, Nested) for one in edl.instance("girl").time_map.segments)
    again = edl_from_text(text_from_edl(edl))
    assert again == edl
    assert [again.instance("girl").time_map.at(F(n, 7)) for n in range(-9, 40)] == [
        edl.instance("girl").time_map.at(F(n, 7)) for n in range(-9, 40)
    ]
    locked = replace(edl, camera=Locked(at=F(1)))
    assert edl_from_text(text_from_edl(locked)) == locked
    check_edl(edl, layers=["girl", "boy"], source_duration=F(4))


def test_a_level_may_change_for_a_while() -> None:
    girl = everything().instance("girl")
    assert [girl.level_at(F(t)) for t in (0, 1, 2)] == [0, -3, 0]


def test_older_documents_are_brought_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def from_zero(document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "duration": document["length"]} | {"length": None}

    def without_length(document: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in from_zero(document).items() if key != "length"}

    monkeypatch.setitem(edl_module.UPGRADES, 0, without_length)
    old = changed(lambda d: d.update(version=0, length=d.pop("duration")))
    assert edl_from_text(old) == drawn_edl()


def test_an_edit_of_the_clip_itself_fits() -> None:
    check_edl(drawn_edl(), layers=["boy", "girl"], source_duration=DURATION)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(colour=1), "colour: Unexpected keyword argument; got 1"),
        (lambda d: d["instances"][1]["time_map"].update(ease=2), "instances.1.time_map.ease: "),
        (lambda d: d["instances"][0]["time_map"].update(starts=[]), "instances.0.time_map.starts: "),
        (lambda d: d["instances"][0]["time_map"]["segments"][0].update(knot="1"), "segments.0.linear.knot: "),
        (
            lambda d: d["instances"][0]["time_map"]["segments"][1].update(kind="bezier"),
            "segments.1.bezier.source_",
        ),
        (lambda d: d.pop("duration"), "duration: "),
        (lambda d: d.update(duration=6.67), 'duration: an exact number is written like "30000/1001"'),
        (lambda d: d.update(duration="1/0"), "duration: an exact number"),
        (lambda d: d.update(duration="1e999999999"), "duration: an exact number"),
        (lambda d: d.update(duration="-3"), "the duration must be above 0"),
        (lambda d: d["instances"][0].update(opacity=1.5), "instances.0.opacity: "),
        (lambda d: d["instances"][0].update(opacity=float("nan")), "instances.0.opacity: "),
        (lambda d: d["instances"][0].update(offset=[1e9, 0]), "instances.0.offset.0: "),
        (lambda d: d["instances"][0].update(name="boy"), "names of their own; got boy more than once"),
        (lambda d: d["instances"][0]["time_map"].update(segments=[]), "instances.0.time_map: "),
        (lambda d: d.update(camera={"kind": "framing", "instance": "dog"}), "the camera must frame an instance"),
        (lambda d: d.update(timing="0"), "the frame rate must be above 0"),
        (lambda d: d["instances"][0]["time_map"].update(after="spin"), "instances.0.time_map.after"),
        (lambda d: d["instances"][0].update(between="magic"), "instances.0.between: "),
        (lambda d: d.update(schema="other"), 'an edit must say "schema": "polytempo.edl"'),
    ],
)
def test_documents_that_are_no_edit_are_refused(change: Callable[[dict[str, Any]], object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        edl_from_text(changed(change))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.refusal
@pytest.mark.parametrize("version", [4, "1", None, True, 0, -1, 1.5])
def test_other_versions_are_refused(version: object) -> None:
    with pytest.raises(VersionError, match="an edit must be of version 3 or older; got version"):
        edl_from_text(changed(lambda d: d.update(version=version)))


@pytest.mark.refusal
def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must be a readable text file.*nothing\.json"):
        read_edl(tmp_path / "nothing.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"must be a readable text file.*bytes\.json"):
        read_edl(tmp_path / "bytes.json")
    (tmp_path / "half.json").write_text(text_from_edl(drawn_edl())[:200])
    with pytest.raises(InputError, match=r"must be a JSON document.*half\.json"):
        read_edl(tmp_path / "half.json")
    with pytest.raises(InputError, match="must be a JSON document"):
        edl_from_text("[" * 100_000)


@pytest.mark.refusal
def test_random_damage_never_gives_anything_but_our_errors() -> None:
    import random

    rng = random.Random(0)
    text = text_from_edl(drawn_edl())
    for _ in range(200):
        place = rng.randrange(len(text))
        damaged = text[:place] + rng.choice(['"', "{", "9", "-", "null", "", ",", "/", "x"]) + text[place + 1 :]
        try:
            edl = edl_from_text(damaged)
            check_edl(edl, layers=["girl", "boy"], source_duration=DURATION)
        except PolytempoError as error:
            caught: PolytempoError = error
            assert str(caught).startswith("edit.")


@pytest.mark.refusal
def test_edits_that_leave_the_clip_are_refused() -> None:
    edl = identity_edl(["girl"], F(4))
    with pytest.raises(InputError, match="within the clip, 0 to 3 s; got source time 4 s asked for at 4 s"):
        check_edl(edl, layers=["girl"], source_duration=F(3))
    with pytest.raises(InputError, match=r"got 'girl'. There is: boy\."):
        check_edl(edl, layers=["boy"], source_duration=F(4))


@pytest.mark.refusal
def test_unknown_instances_and_double_names_are_refused() -> None:
    edl = identity_edl(["girl", "boy"], F(4))
    with pytest.raises(InputError, match=r"got 'dog'. There is: girl, boy\."):
        edl.instance("dog")
    with pytest.raises(InputError, match="got 'dog'"):
        with_instance(edl, replace(edl.instances[0], name="dog"))
    with pytest.raises(InputError, match="the duration must be above 0"):
        identity_edl(["girl"], F(0))
