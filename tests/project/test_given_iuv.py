from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from polytempo.core.errors import InputError
from polytempo.objects.cast import Cast, LayerPlan, Subject
from polytempo.project.folder import DamagedProjectError, Project, open_project
from polytempo.project.given_iuv import FOLDER, forget_iuv, given_iuv, iuv_key, keep_iuv, over_bodies
from polytempo.video.clip import Clip
from polytempo.video.probe import probe
from polytempo.video.writer import write_clip

N, SIZE = 3, (64, 48)


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    write_clip(tmp_path / "clip.mp4", np.zeros((N, SIZE[1], SIZE[0], 3), np.uint8), size=SIZE, frame_rate=Fraction(24))
    return probe(tmp_path / "clip.mp4")


@pytest.fixture
def project(tmp_path: Path, clip: Clip) -> Iterator[Project]:
    with open_project(tmp_path / "p.polytempo", clip=clip.path) as project:
        yield project


def cast_of(*names: str) -> Cast:
    mask = np.zeros((N, 24, 32), bool)
    subjects = tuple(
        Subject(subject_id=i, name=name, mask=mask, amodal=mask, visibility=np.ones(N, np.float32))
        for i, name in enumerate(names, start=1)
    )
    layers = tuple(LayerPlan(layer_id=one.subject_id, name=one.name, subject_ids=(one.subject_id,)) for one in subjects)
    return Cast(subjects=subjects, layers=layers, order=(tuple(one.layer_id for one in layers),) * N)


def put(folder: Path, part: int, *, frames: tuple[int, ...]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for t in frames:
        picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        picture[10:30, 20:40] = part, 255, 51
        (folder / f"{t:04d}.png").write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    return folder


def test_what_was_given_is_kept_and_read_at_working_size(project: Project, clip: Clip, tmp_path: Path) -> None:
    assert iuv_key(project) is None
    keep_iuv(project, clip, f"girl={put(tmp_path / 'a', 7, frames=(0, 1, 2))}")
    first = iuv_key(project)
    found = given_iuv(project, clip, cast_of("boy", "girl"), size=(32, 24))
    assert list(found) == [2]
    assert found[2].part.shape == (N, 24, 32)
    assert np.array_equal(np.unique(found[2].part), [0, 7])
    assert found[2].part[1, 5:15, 10:20].all()
    assert found[2].uv[1, 8, 12].tolist() == pytest.approx([1, 0.2], abs=1e-3)
    keep_iuv(project, clip, f"girl={put(tmp_path / 'b', 8, frames=(0,))}")  # replaces, frame by frame not mixed
    assert given_iuv(project, clip, cast_of("boy", "girl"), size=(32, 24))[2].part[1:].max() == 0
    assert iuv_key(project) != first
    forget_iuv(project)
    assert iuv_key(project) is None
    assert given_iuv(project, clip, cast_of("boy"), size=(32, 24)) == {}


def test_frames_without_iuv_keep_the_body_from_keypoints(project: Project, clip: Clip, tmp_path: Path) -> None:
    keep_iuv(project, clip, f"girl={put(tmp_path / 'a', 7, frames=(1,))}")
    keep_iuv(project, clip, f"boy={put(tmp_path / 'b', 9, frames=(0, 1, 2))}")
    found = given_iuv(project, clip, cast_of("girl", "boy"), size=(32, 24))
    laid = over_bodies({1: found[2]}, {1: found[1]})
    assert [int(one.max()) for one in laid[1].part] == [9, 7, 9]
    assert set(over_bodies({3: found[2]}, found)) == {1, 2, 3}


@pytest.mark.refusal
def test_what_does_not_belong_is_refused(project: Project, clip: Clip, tmp_path: Path) -> None:
    good = put(tmp_path / "a", 7, frames=(0, 1))
    for text, named in (
        ("girl", "NAME=FOLDER"),
        (f"girl:x={good}", "NAME=FOLDER"),
        (f"../girl={good}", "letters, digits"),
        (f"girl={tmp_path / 'none'}", "folder of PNG files"),
        (f"girl={put(tmp_path / 'late', 7, frames=(0, 5))}", "must lie in the clip, 0 to 2; got frame 5"),
        (f"girl={put(tmp_path / 'odd', 30, frames=(0,))}", "parts must be 0 to 24"),
    ):
        with pytest.raises(InputError, match=named):
            keep_iuv(project, clip, text)
    assert iuv_key(project) is None
    keep_iuv(project, clip, f"girl={good}")
    with pytest.raises(InputError, match="subjects of the clip; got 'girl'"):
        given_iuv(project, clip, cast_of("boy"), size=(32, 24))
    (project.root / FOLDER / "girl" / "subject.json").write_text("[")
    with pytest.raises(DamagedProjectError):
        given_iuv(project, clip, cast_of("girl"), size=(32, 24))
