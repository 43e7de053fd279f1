from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from polytempo.bodies.found_pairs import FoundPair, held_out, one_after_another, one_of, read_found_pairs
from polytempo.bodies.train_uv import UvTraining, train_uv_network, uv_scores
from polytempo.bodies.uv_network import UvNetworkConfig
from polytempo.bodies.uv_pairs import Pair, draw_pair
from polytempo.core.errors import InputError

SIDE = 120


def somebody(seed: int) -> Pair:
    return draw_pair(np.random.default_rng(seed), side=SIDE)


def iuv_of(pair: Pair) -> np.ndarray:
    """DensePose's three channels."""
    u, v = (np.rint(255 * pair.uv[..., i]).astype(np.uint8) for i in (0, 1))
    return np.stack([pair.part, u, v], -1)


def released_iuv(people: list[Pair]) -> np.ndarray:
    """The released system's four channels, people side by side."""
    out = []
    for number, one in enumerate(people, 1):
        part, u, v = (iuv_of(one)[..., i] for i in range(3))
        out.append(np.stack([v, u, 10 * part, np.where(part > 0, 255 - number, 0)], -1).astype(np.uint8))
    return np.hstack(out)


def put(file: Path, picture: np.ndarray) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(cv2.imencode(".png", picture)[1].tobytes())


def write_own(folder: Path, n_pairs: int) -> tuple[Path, Path]:
    """People one a picture, from frame 7 on; keypoints also of frames without a picture, and of somebody elsewhere."""
    rows = []
    for t in range(7, 7 + n_pairs):
        pair = somebody(t)
        put(folder / "iuv" / f"{t:04d}_IUV.png", iuv_of(pair))
        away = pair.points + np.array([1000, 0, 0], np.float32)
        rows += [{"image_id": f"{t:04d}.jpg", "keypoints": one.ravel().tolist()} for one in (away, pair.points)]
    rows.append({"image_id": "0000.jpg", "keypoints": somebody(0).points.ravel().tolist()})
    (folder / "keypoints.json").write_text(json.dumps(rows))
    return folder / "keypoints.json", folder / "iuv"


def test_keypoints_find_the_body_that_they_lie_on(tmp_path: Path) -> None:
    pairs = read_found_pairs(*write_own(tmp_path, 3))
    assert [one.file.name for one in pairs] == ["0007_IUV.png", "0008_IUV.png", "0009_IUV.png"]
    for t, one in zip((7, 8, 9), pairs, strict=True):
        assert np.allclose(one.points, somebody(t).points, atol=1e-3)


def test_several_people_in_a_picture_are_told_apart_by_their_numbers(tmp_path: Path) -> None:
    people = [somebody(3), somebody(4)]
    put(tmp_path / "iuv" / "0002.png", released_iuv(people))
    shifted = [one.points + np.array([SIDE * i, 0, 0], np.float32) for i, one in enumerate(people)]
    rows = [{"image_id": "0002.jpg", "keypoints": one.ravel().tolist()} for one in reversed(shifted)]
    (tmp_path / "k.json").write_text(json.dumps(rows))
    pairs = read_found_pairs(tmp_path / "k.json", tmp_path / "iuv")
    assert [one.person for one in pairs] == [1, 2]
    for one, points, drawn in zip(pairs, shifted, people, strict=True):
        assert np.allclose(one.points, points, atol=1e-3)
        share = (one.picture(SIDE).part > 0).mean() / (drawn.part > 0).mean()
        assert 0.5 < share < 2  # one of them, not both


def test_the_picture_keeps_parts_under_their_keypoints(tmp_path: Path) -> None:
    for one, t in zip(read_found_pairs(*write_own(tmp_path, 5)), range(7, 12), strict=True):
        true, found = somebody(t), one.picture(200)
        for k in (5, 6, 11, 12):
            if min(true.points[k, 2], found.points[k, 2]) > 0:
                x, y = np.rint(true.points[k, :2]).astype(int)
                at_x, at_y = np.rint(found.points[k, :2]).astype(int)
                around = found.part[at_y - 3 : at_y + 4, at_x - 3 : at_x + 4]
                assert true.part[y, x] in around
        known = found.points[found.points[:, 2] > 0, :2]
        assert np.ptp(known, axis=0).max() == pytest.approx(0.7 * 200 * 192 / 256, rel=0.02)
        assert known.min() > 0
        assert known.max() < 200


def test_one_of_ten_is_held_out_and_all_others_are_learned_from(tmp_path: Path) -> None:
    pairs = [FoundPair(points=np.zeros((17, 3), np.float32), file=Path(str(i)), person=None) for i in range(25)]
    mine, kept = held_out(pairs)
    assert [one.file.name for one in kept] == ["9", "19"]
    assert len(mine) == 23
    mine, kept = held_out(pairs[:2])
    assert (len(mine), len(kept)) == (1, 1)
    with pytest.raises(InputError, match="two pairs"):
        held_out(pairs[:1])


def test_the_network_learns_its_pairs(tmp_path: Path) -> None:
    pairs = read_found_pairs(*write_own(tmp_path, 4))
    config = UvTraining(network=UvNetworkConfig(width=8, side=64), n_steps=25, batch_size=2)
    _, losses = train_uv_network(config, source=one_of(pairs), seed=1)
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])
    nobody = np.zeros((96, 96), np.uint8), np.zeros((96, 96, 2), np.float32)
    scores = uv_scores(lambda _: nobody, n_people=len(pairs), side=96, source=one_after_another(pairs))
    assert scores.part_accuracy == scores.silhouette_iou == 0


@pytest.mark.refusal
def test_what_holds_no_pair_is_refused(tmp_path: Path) -> None:
    keypoints, folder = write_own(tmp_path, 2)
    with pytest.raises(InputError, match="a folder of IUV pictures"):
        read_found_pairs(keypoints, tmp_path / "no")
    with pytest.raises(InputError, match="must be readable"):
        read_found_pairs(tmp_path / "no.json", folder)
    rows = json.loads(keypoints.read_text())
    keypoints.write_text(json.dumps([{**one, "image_id": "0999.jpg"} for one in rows]))
    with pytest.raises(InputError, match="must lie on a body"):
        read_found_pairs(keypoints, folder)
    keypoints.write_text(json.dumps(rows))
    put(folder / "0008_IUV.png", np.full((SIDE, SIDE, 3), 99, np.uint8))
    with pytest.raises(InputError, match="parts must be 0 to 24"):
        read_found_pairs(keypoints, folder)
