from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.test_edits import CLIP

from polytempo.cli.asking import holds_prompts, picks, request_from
from polytempo.cli.options import Said
from polytempo.core.errors import InputError
from polytempo.project.request import SubjectsRequest


def test_nothing_said_is_nothing_asked() -> None:
    assert request_from(Said(), CLIP, before=None) is None
    assert not Said().names_somebody


def test_typed_prompts_and_a_file_go_together(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    file.write_text(json.dumps({"subjects": {"boy": {"0": [1, 2, 30, 40]}}}))
    said = Said(subjects=file, box=["girl=3,4,20,30@5"], point=["girl=9,9@7"], group=["pair=girl,boy"], order="pair")
    request = request_from(said, CLIP, before=None)
    assert request is not None
    assert request.prompts is not None
    assert request.prompts.names == ("girl", "boy")
    assert [one.frame for one in request.prompts.subjects[0].prompts] == [5, 7]
    assert (request.groups, request.order) == ({"pair": ["girl", "boy"]}, ("pair",))


def test_what_was_said_earlier_stays() -> None:
    before = SubjectsRequest(picked=(("girl", 1),))
    request = request_from(Said(order="girl"), CLIP, before=before)
    assert request is not None
    assert (request.picked, request.order) == ((("girl", 1),), ("girl",))


def test_folders_and_run_length_files_are_masks(tmp_path: Path) -> None:
    prompts, masks = tmp_path / "p.json", tmp_path / "m.json"
    prompts.write_text('{"subjects": {}}')
    masks.write_text('{"annotations": []}')
    assert holds_prompts(prompts)
    assert not holds_prompts(masks)
    assert not holds_prompts(tmp_path)
    request = request_from(Said(subjects=tmp_path), CLIP, before=None)
    assert request is not None
    assert request.masks == tmp_path.resolve()


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("said", "message"),
    [
        (Said(pick="1", box=["a=1,2,30,40@0"]), "either picked or prompted"),
        (Said(pick="a"), "must read 1,3 or girl=1,boy=3"),
        (Said(pick="=1"), "must read 1,3"),
        (Said(pick="a=1+"), "must read 1,3"),
        (Said(pick="a=1,a=2"), "a name of its own"),
        (Said(box=["girl"]), "must be written NAME=KIND"),
        (Said(box=["girl=1,2,30@0"]), "four numbers"),
        (Said(box=["girl=1,2,30,40@0"], group=["pair"]), "a group must read"),
        (Said(subjects=Path("none.json")), "must be readable"),
    ],
)
def test_what_cannot_be_meant_is_refused(said: Said, message: str) -> None:
    with pytest.raises(InputError, match=message):
        request_from(said, CLIP, before=None)


def test_picks_by_hand() -> None:
    assert picks("2, girl = 1") == (("subject-2", 2), ("girl", 1))
    assert picks("girl=1+4, 2 + 3") == (("girl", 1), ("girl", 4), ("subject-2", 2), ("subject-2", 3))
