from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from polytempo.core.errors import VersionError
from polytempo.objects.prompts import Prompt, Prompts, SubjectPrompts
from polytempo.project.folder import DamagedProjectError
from polytempo.project.request import SubjectsRequest, files_key, prompts_key, read_request, write_request


def some_prompts(x: float = 1.0) -> Prompts:
    mask = np.zeros((6, 9), np.bool_)
    mask[2:4, 3:8] = True
    girl = SubjectPrompts(
        name="girl",
        prompts=(
            Prompt(frame=0, box=(x, 2, 7, 5.5)),
            Prompt(frame=3, lines=(((1, 2),), ((3, 4), (5, 4.25))), not_lines=(((8, 1),),)),
            Prompt(frame=4, mask=mask),
            Prompt(frame=5, absent=True),
        ),
    )
    return Prompts(subjects=(girl,), size=(9, 6))


def test_a_request_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "subjects.json"
    assert read_request(path) is None
    request = SubjectsRequest(prompts=some_prompts(), groups={"pair": ["girl"]}, order=("pair",))
    write_request(path, request)
    again = read_request(path)
    assert again is not None
    assert again.prompts is not None
    assert prompts_key(again.prompts) == prompts_key(some_prompts())
    assert np.array_equal(again.prompts.subjects[0].prompts[2].mask, some_prompts().subjects[0].prompts[2].mask)
    assert (again.groups, again.order, again.masks, again.picked) == ({"pair": ["girl"]}, ("pair",), None, ())
    write_request(path, SubjectsRequest(masks=tmp_path / "masks"))
    again = read_request(path)
    assert again is not None
    assert (again.prompts, again.masks) == (None, tmp_path / "masks")


def test_keys_follow_content(tmp_path: Path) -> None:
    assert prompts_key(some_prompts(1.0)) != prompts_key(some_prompts(1.5))
    folder = tmp_path / "masks"
    folder.mkdir()
    (folder / "0000.png").write_bytes(b"a")
    before = files_key(folder)
    assert before == files_key(folder)
    (folder / "0001.png").write_bytes(b"a")
    with_more = files_key(folder)
    (folder / "0001.png").write_bytes(b"b")
    assert len({before, with_more, files_key(folder)}) == 3
    assert files_key(folder / "0000.png") != files_key(folder / "0001.png")


def test_an_order_may_be_one_a_frame(tmp_path: Path) -> None:
    path = tmp_path / "subjects.json"
    for order, version in (((), 1), (("a", "b"), 1), ((("a", "b"), ("b", "a")), 2)):
        write_request(path, SubjectsRequest(prompts=some_prompts(), order=order))
        assert json.loads(path.read_text())["version"] == version
        back = read_request(path)
        assert back is not None
        assert back.order == order


@pytest.mark.refusal
def test_damage_and_versions_are_named(tmp_path: Path) -> None:
    path = tmp_path / "subjects.json"
    write_request(path, SubjectsRequest(prompts=some_prompts()))
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | {"version": 3}))
    with pytest.raises(VersionError, match=r"version of subjects\.json must be 1 or 2; got 3"):
        read_request(path)
    for damaged in ("", "[]", "{}", json.dumps(document | {"subjects": 3}), json.dumps(document | {"schema": "x"})):
        path.write_text(damaged)
        with pytest.raises(DamagedProjectError, match="Say the subjects again"):
            read_request(path)
    mask = document["subjects"][0][1][2]["mask"]
    mask[2] = "AA"
    path.write_text(json.dumps(document))
    with pytest.raises(DamagedProjectError):
        read_request(path)
