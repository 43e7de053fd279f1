from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import pytest
from tests.project.small_scene import small_clip, small_stack

from polytempo.core.errors import InputError
from polytempo.project.records import Record
from polytempo.project.report import ReportInput, write_report

VOID = {"meta", "img", "line", "link", "br"}


class Balanced(HTMLParser):
    """Checks that tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def given(*, hole: bool = False) -> ReportInput:
    stack, pictures, cast = small_stack(hole=hole)
    record = Record(
        stage="camera_first",
        key="0123456789",
        inputs={},
        config=None,
        seed=None,
        versions={"polytempo": "0.1.0"},
        started="2026-01-01T00:00:00",
        seconds=1.25,
        peak_mb=321.0,
        warnings=(),
    )
    return ReportInput(
        title="a <clip> & more",
        clip=small_clip(),
        pictures=pictures,
        stack=stack,
        camera=stack.camera,
        cast=replace(cast, warnings=("Subject boy hardly moves.",)),
        records=(record,),
    )


def test_the_page_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "out" / "report.html"
    warnings = write_report(path, given(hole=True))
    page = path.read_text()
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    assert "$" not in re.sub(r"base64,[^\"]*", "", page)
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert "a &lt;clip&gt; &amp; more" in page
    assert "Subject boy hardly moves." in page
    assert "never seen and is filled" in page
    assert len(warnings) == 2
    assert "321 MB" in page
    assert "camera first" in page
    sheet = cv2.imread(str(path.with_suffix(".png")))
    assert sheet is not None
    assert sheet.shape[1] > 6 * 320


def test_the_edit_is_told_with_what_the_clip_never_had(tmp_path: Path) -> None:
    told = replace(
        given(), edit=("boy: 0-2 s stands still at 1 s", "<girl>: not shown"), edit_warnings=("They overlap.",)
    )
    assert "They overlap." in write_report(tmp_path / "a.html", told)
    page = (tmp_path / "a.html").read_text()
    assert "<h2>Edit</h2><ul><li>boy: 0-2 s stands still at 1 s</li><li>&lt;girl&gt;: not shown</li></ul>" in page
    write_report(tmp_path / "a.html", given())
    assert "<h2>Edit</h2>" not in (tmp_path / "a.html").read_text()


def test_a_camera_that_was_given_claims_no_fit(tmp_path: Path) -> None:
    mine = given()
    write_report(tmp_path / "a.html", mine)
    assert "Median residual 0.00 px" in (tmp_path / "a.html").read_text()
    record = replace(mine.records[0], stage="camera", inputs={"frames": "0", "homographies": "1"})
    write_report(tmp_path / "b.html", replace(mine, records=(record,)))
    page = (tmp_path / "b.html").read_text()
    assert "how well it fits was not measured" in page
    assert "residual 0.00" not in page


@pytest.mark.refusal
def test_another_clip_is_refused(tmp_path: Path) -> None:
    mixed = given()
    with pytest.raises(InputError, match="same number of frames; got 6 and 5"):
        write_report(tmp_path / "r.html", replace(mixed, pictures=mixed.pictures[:5]))  # type: ignore[index]
    assert list(tmp_path.iterdir()) == []


def test_atlases_and_paint_on_them_are_said(tmp_path: Path) -> None:
    plain = given()
    write_report(tmp_path / "plain.html", plain)
    told = "boy: its masks go another way than what they show"
    layers = replace(plain.records[0], stage="layers", inputs={"paint": "1"}, warnings=(told,))
    atlases = replace(plain.records[0], stage="atlases", warnings=(told,))
    warnings = write_report(tmp_path / "painted.html", replace(plain, records=(atlases, layers)))
    assert warnings.count(told) == 1
    page = (tmp_path / "painted.html").read_text()
    for words in ("an atlas that can be painted on", "the paint counts as a difference", told):
        assert words in page
        assert words not in (tmp_path / "plain.html").read_text()
