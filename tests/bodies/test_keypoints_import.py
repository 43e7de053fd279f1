from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polytempo.bodies.keypoints import COCO_NAMES, INDEX
from polytempo.bodies.keypoints_import import read_keypoints
from polytempo.core.errors import InputError, PolytempoError, ShapeError
from polytempo.synth.draw import DrawnScene


def numbers(shift: float = 0.0, score: float = 0.9) -> list[float]:
    return [value for k in range(17) for value in (10.0 + k + shift, 20.0 + k, score)]


def read(tmp_path: Path, document: Any, *, n_frames: int = 4, size: tuple[int, int] = (64, 64)):
    path = tmp_path / "keypoints.json"
    path.write_text(json.dumps(document))
    return read_keypoints(path, n_frames=n_frames, clip_size=(64, 64), size=size)


def test_names_are_cocos_seventeen_in_their_order() -> None:
    assert len(COCO_NAMES) == 17
    assert (COCO_NAMES[0], COCO_NAMES[9], COCO_NAMES[16]) == ("nose", "left_wrist", "right_ankle")
    assert all(COCO_NAMES[k] == name for name, k in INDEX.items())


def test_poseflow_is_read_with_its_tracks(tmp_path: Path) -> None:
    people = {
        "1.jpg": [{"keypoints": numbers(), "scores": 2.9, "idx": 3}],
        "4.jpg": [{"keypoints": numbers(1), "idx": 3}],
    }
    found = read(tmp_path, people)
    assert [(one.frame, one.track) for one in found] == [(0, 3), (3, 3)]  # 1…4 of four frames count from 1
    assert found[1].points[2].tolist() == pytest.approx([13.0, 22.0, 0.9])


def test_alphapose_without_tracks_counts_from_the_number_in_the_name(tmp_path: Path) -> None:
    found = read(tmp_path, [{"image_id": "frame_0000.png", "category_id": 1, "keypoints": numbers(), "score": 3.0}])
    assert [(one.frame, one.track) for one in found] == [(0, None)]


def test_scores_of_older_alphapose_count_as_one(tmp_path: Path) -> None:
    found = read(tmp_path, [{"image_id": "0.jpg", "keypoints": numbers(score=4.2)}])
    assert (found[0].points[:, 2] == 1).all()


def test_coco_labels_become_scores(tmp_path: Path) -> None:
    points = numbers(score=2)
    points[0:3] = [0, 0, 0]
    points[5] = 1
    document = {
        "images": [{"id": 70, "file_name": "000002.jpg"}],
        "categories": [{"id": 1, "keypoints": list(COCO_NAMES)}],
        "annotations": [{"image_id": 70, "keypoints": points, "track_id": 5}],
    }
    (found,) = read(tmp_path, document)
    assert (found.frame, found.track) == (2, 5)
    assert found.points[:3, 2].tolist() == [0.0, 0.5, 1.0]


def test_other_sizes_keep_pixel_centres(tmp_path: Path) -> None:
    (found,) = read(tmp_path, [{"image_id": "0", "keypoints": numbers()}], size=(32, 128))
    assert found.points[0, :2].tolist() == pytest.approx([10.5 / 2 - 0.5, 20.5 * 2 - 0.5])


def test_a_drawn_scene_comes_back(crossing_scene: DrawnScene, crossing_folder: Path) -> None:
    width, height = crossing_scene.spec.size
    found = read_keypoints(
        crossing_folder / "keypoints.json", n_frames=len(crossing_scene.pictures), clip_size=(width, height),
        size=(width, height),
    )  # fmt: skip
    assert len(found) == 2 * len(crossing_scene.pictures)
    for one in found:
        assert one.track is not None
        assert np.abs(one.points[:, :2] - crossing_scene.keypoints[one.track - 1, one.frame, :, :2]).max() < 0.011


def bad_order() -> dict[str, Any]:
    swapped = [*COCO_NAMES]
    swapped[1], swapped[2] = swapped[2], swapped[1]
    return {"order": swapped, "frames": [[]]}


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("document", "kind", "says"),
    [
        ([{"image_id": "0", "keypoints": numbers()[:48]}], ShapeError, "got 16 keypoints (48 numbers) in frame 0"),
        ([{"image_id": "0", "keypoints": [float("nan"), *numbers()[1:]]}], InputError, "must be finite"),
        ([{"image_id": "0", "keypoints": ["x", *numbers()[1:]]}], InputError, "must be numbers"),
        ([{"image_id": "0", "keypoints": numbers(score=-1)}], InputError, "0 or above"),
        ([{"image_id": "9.jpg", "keypoints": numbers()}], InputError, "0 to 3; got frame 9"),
        ([{"image_id": "nobody", "keypoints": numbers()}], InputError, "by a number"),
        ([{"keypoints": numbers()}], InputError, "by a number"),
        ({"0.jpg": [{"keypoints": numbers(), "idx": 1}] * 2}, InputError, "track 1 twice in frame 0"),
        ({"0.jpg": [{"keypoints": numbers(), "idx": "a"}]}, InputError, "whole number"),
        ({"0.jpg": []}, InputError, "at least one person"),
        (bad_order(), InputError, "COCO's order"),
        ({"annotations": [{"image_id": 3, "keypoints": numbers()}], "images": [{"id": 1, "file_name": "0.jpg"}]},
         InputError, "an image of the file; got 3"),
        ("keypoints", InputError, "AlphaPose, PoseFlow or COCO"),
        ([7], InputError, "JSON objects"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, document: Any, kind: type[PolytempoError], says: str) -> None:
    with pytest.raises(kind) as caught:
        read(tmp_path, document)
    assert says in str(caught.value)
    assert str(caught.value).endswith("keypoints.json")


@pytest.mark.refusal
def test_no_file_and_no_json_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be readable"):
        read_keypoints(tmp_path / "none.json", n_frames=1, clip_size=(8, 8), size=(8, 8))
    (tmp_path / "torn.json").write_text('{"0.jpg": [')
    with pytest.raises(InputError, match="must be a JSON file"):
        read_keypoints(tmp_path / "torn.json", n_frames=1, clip_size=(8, 8), size=(8, 8))
