"""Prompts from files and from the command line: what is read, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytempo.core.errors import InputError
from polytempo.objects.prompts import Prompts, merge_prompts, prompts_from_text, read_prompts

SIZE = (96, 54)


def written(folder: Path, document: Any) -> Path:
    path = folder / "prompts.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def read(folder: Path, document: Any) -> Prompts:
    return read_prompts(written(folder, document), clip_size=SIZE, n_frames=20)


def test_boxes_are_read_by_frame(tmp_path: Path) -> None:
    prompts = read(
        tmp_path, {"clip": "a.mp4", "note": "", "subjects": {"girl": {"10": [3, 0, 9, 9], "0": [1, 2, 30, 40]}}}
    )
    assert prompts.names == ("girl",)
    assert [one.frame for one in prompts.subjects[0].prompts] == [0, 10]
    assert prompts.subjects[0].prompts[0].box == (1, 2, 30, 40)


def test_all_kinds_together(tmp_path: Path) -> None:
    mask = np.zeros((54, 96), np.uint8)
    mask[10:20, 10:30] = 255
    cv2.imwrite(str(tmp_path / "m.png"), mask)
    frames = {
        "0": {"points": [[4, 5]], "not_points": [[50, 5]], "scribble": [[[1, 1], [9, 9]]], "not_scribble": [[[60, 1]]]},
        "3": {"mask": "m.png", "box": [0, 0, 40, 40]},
        "5": {"absent": True},
    }
    points, with_mask, absent = read(tmp_path, {"subjects": {"boy": frames}}).subjects[0].prompts
    assert points.lines == (((4.0, 5.0),), ((1.0, 1.0), (9.0, 9.0)))
    assert points.not_lines == (((50.0, 5.0),), ((60.0, 1.0),))
    assert with_mask.mask is not None
    assert with_mask.mask.sum() == 200
    assert absent.absent
    assert not absent.says_where


def test_a_file_drawn_at_another_size_is_scaled(tmp_path: Path) -> None:
    prompts = read(
        tmp_path, {"size": [192, 108], "subjects": {"a": {"0": [20, 10, 40, 30]}, "b": {"0": {"points": [[0.5, 0.5]]}}}}
    )
    assert prompts.size == SIZE
    assert prompts.subjects[0].prompts[0].box == (10, 5, 20, 15)
    # The middle of the first four pixels is the middle of the first pixel at half size.
    assert prompts.subjects[1].prompts[0].lines == (((0.0, 0.0),),)


@given(
    x0=st.integers(0, 40), y0=st.integers(0, 20), w=st.integers(2, 50), h=st.integers(2, 30), frame=st.integers(0, 19)
)
def test_text_says_the_same_as_the_file(x0: int, y0: int, w: int, h: int, frame: int) -> None:
    text = f"girl=box:{x0},{y0},{x0 + w},{y0 + h}@{frame}"
    one = prompts_from_text([text], clip_size=SIZE, n_frames=20).subjects[0].prompts[0]
    assert one.frame == frame
    assert one.box == (x0, y0, x0 + w, y0 + h)


def test_texts_of_one_subject_come_together() -> None:
    texts = ["a=point:1,2@0", "a=not:8,8@0", "a=scribble:1,1;5,5@4", "a=absent@7", "b=box:1,1,9,9@0"]
    prompts = prompts_from_text(texts, clip_size=SIZE, n_frames=20)
    assert prompts.names == ("a", "b")
    assert [one.frame for one in prompts.subjects[0].prompts] == [0, 4, 7]
    assert prompts.subjects[0].prompts[0].not_lines == (((8.0, 8.0),),)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{", "valid JSON"),
        ("[1]", "JSON object"),
        ("[" * 100_000, "nest so deeply"),
        ({"subjects": {}}, "at least one subject"),
        ({"people": {}}, "keys must be among"),
        ({"subjects": {"a": {}}}, "at least one prompt"),
        ('{"subjects": {"a": {"0": [1,1,5,5]}, "a": {"0": [1,1,5,5]}}}', "'a' twice"),
        ({"subjects": {"a": {"0": [1, 1, 5, 5]}, "A": {"0": [1, 1, 5, 5]}}}, "named once"),
        ({"subjects": {"a": {"0": [1, 1, 5, 5], "00": [1, 1, 5, 5]}}}, "frame 0 twice"),
        ({"subjects": {"a/b": {"0": [1, 1, 5, 5]}}}, "name must be"),
        ({"subjects": {"background": {"0": [1, 1, 5, 5]}}}, "not be background"),
        ({"subjects": {"a": {"-1": [1, 1, 5, 5]}}}, "whole and not negative"),
        ({"subjects": {"a": {"20": [1, 1, 5, 5]}}}, "frames 0 to 19"),
        ({"subjects": {"a": {"0": [5, 5, 5, 9]}}}, "a pixel wide"),
        ({"subjects": {"a": {"0": [9, 9, 5, 5]}}}, "a pixel wide"),
        ({"subjects": {"a": {"0": [100, 0, 120, 9]}}}, "in the picture of 96x54"),
        ({"subjects": {"a": {"0": [1, 1, 5]}}}, "four numbers"),
        ({"subjects": {"a": {"0": [1, 1, 5, "x"]}}}, "numbers in pixels"),
        ('{"subjects": {"a": {"0": [1, 1, 5, NaN]}}}', "numbers in pixels"),
        ({"subjects": {"a": {"0": {"points": [[200, 5]]}}}}, "points must lie"),
        ({"subjects": {"a": {"0": {"points": [5]}}}}, "a point must be"),
        ({"subjects": {"a": {"0": {"dots": [[2, 5]]}}}}, "keys must be among"),
        ({"subjects": {"a": {"0": {"points": []}}}}, "say something"),
        ({"subjects": {"a": {"0": {"absent": True}}}}, "on some frame"),
        ({"subjects": {"a": {"0": {"absent": True, "box": [1, 1, 5, 5]}}}}, "absent and shown"),
        ({"subjects": {"a": {"0": {"mask": "none.png"}}}}, "must be readable"),
        ({"size": [50, 50], "subjects": {"a": {"0": [1, 1, 5, 5]}}}, "aspect of the clip"),
        ({"size": [96.5, 54], "subjects": {"a": {"0": [1, 1, 5, 5]}}}, "two whole numbers"),
    ],
)
def test_refusals(tmp_path: Path, document: Any, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read(tmp_path, document)
    assert "File: " in str(caught.value)


@pytest.mark.refusal
def test_refuses_files_that_are_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be readable"):
        read_prompts(tmp_path / "no.json", clip_size=SIZE, n_frames=20)
    (tmp_path / "b.json").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError, match="UTF-8"):
        read_prompts(tmp_path / "b.json", clip_size=SIZE, n_frames=20)


@pytest.mark.refusal
@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n\x00\x00"])
def test_refuses_mask_files_that_are_no_picture(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.png").write_bytes(content)
    with pytest.raises(InputError, match="must be a picture"):
        read(tmp_path, {"subjects": {"a": {"0": {"mask": "m.png"}}}})


@pytest.mark.refusal
def test_refuses_masks_of_another_size_or_empty(tmp_path: Path) -> None:
    document = {"subjects": {"a": {"0": {"mask": "m.png"}}}}
    cv2.imwrite(str(tmp_path / "m.png"), np.zeros((54, 96), np.uint8))
    with pytest.raises(InputError, match="mark some pixels"):
        read(tmp_path, document)
    cv2.imwrite(str(tmp_path / "m.png"), np.zeros((50, 96), np.uint8))
    with pytest.raises(InputError, match="size of the prompts, 96x54"):
        read(tmp_path, document)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ([], "at least one subject"),
        (["girl"], "NAME=KIND"),
        (["girl=box:1,2,3,4"], "NAME=KIND"),
        (["girl=circle:1,2,3@0"], "kind of a prompt"),
        (["girl=box:1,2,x,4@0"], "must be numbers"),
        (["girl=box:1,2,9@0"], "four numbers"),
        (["girl=box:1,2,9,9@0", "girl=box:1,2,9,9@0"], "one box a frame"),
        (["girl=point:1,2,3@0"], "a point must be"),
        (["girl=absent:1@0", "girl=box:1,2,9,9@1"], "stand alone"),
        (["girl=box:1,2,9,9@99"], "frames 0 to 19"),
    ],
)
def test_text_refusals(texts: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        prompts_from_text(texts, clip_size=SIZE, n_frames=20)


@pytest.mark.refusal
def test_merging_refuses_one_name_in_two_places() -> None:
    one = prompts_from_text(["a=box:1,1,9,9@0"], clip_size=SIZE, n_frames=20)
    two = prompts_from_text(["b=box:1,1,9,9@0"], clip_size=SIZE, n_frames=20)
    assert merge_prompts([one, two]).names == ("a", "b")
    with pytest.raises(InputError, match="named once"):
        merge_prompts([one, one])
