from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytempo.bodies.keypoints import COCO_NAMES, INDEX, KeypointTrack
from polytempo.bodies.limbs import LIMBS, N_PARTS, poses
from polytempo.bodies.rasterise import body_map, draw_body, fitted_build
from polytempo.bodies.sprite import sprite_map
from polytempo.core.errors import InputError
from polytempo.synth.draw import DrawnScene

SIZE = (120, 240)


def standing(turn: float = 0.0) -> np.ndarray:
    """Keypoints of somebody who stands upright, arms a little away, turned by so much to the right of the picture."""
    side = {"shoulder": 22, "elbow": 30, "wrist": 32, "hip": 11, "knee": 12, "ankle": 12, "eye": 4, "ear": 10}
    height = {"shoulder": 60, "elbow": 88, "wrist": 112, "hip": 120, "knee": 170, "ankle": 215, "eye": 36, "ear": 38}
    ahead = {"eye": 14, "ear": 0}
    points = np.ones((17, 3), np.float32)
    for name, k in INDEX.items():
        if name == "nose":
            points[k, :2] = 60 + 16 * np.sin(turn), 40
            continue
        who, joint = name.split("_")
        sign = 1 if who == "left" else -1
        points[k, :2] = 60 + sign * side[joint] * np.cos(turn) + ahead.get(joint, 0) * np.sin(turn), height[joint]
    return points


def one(points: np.ndarray) -> KeypointTrack:
    return KeypointTrack(points=points[None].astype(np.float32))


def drawn(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return draw_body(poses(one(points))[0], size=SIZE)


def test_limbs_hold_every_part_of_densepose_once() -> None:
    numbers = sorted({n for limb in LIMBS for n in (limb.front, limb.back)})
    assert numbers == list(range(1, N_PARTS + 1))
    by_name = {limb.name: {limb.front, limb.back} for limb in LIMBS}
    assert by_name["torso"] == {1, 2}
    assert by_name["head"] == {23, 24}
    assert by_name["right_hand"] == {3}
    assert by_name["left_hand"] == {4}
    assert by_name["left_foot"] == {5}
    assert by_name["right_foot"] == {6}
    assert by_name["right_thigh"] == {7, 9}
    assert by_name["left_shank"] == {12, 14}
    assert by_name["left_upper_arm"] == {15, 17}
    assert by_name["right_forearm"] == {20, 22}


def test_who_faces_us_shows_the_front_and_who_turns_away_the_back() -> None:
    part, uv = drawn(standing(0.0))
    assert part[90, 60] == 2
    assert uv[90, 60, 0] == pytest.approx(0.5, abs=0.02)
    back, _ = drawn(standing(np.pi))
    assert back[90, 60] == 1
    assert {9, 10} <= set(np.unique(part))
    assert {7, 8} <= set(np.unique(back))


@pytest.mark.parametrize(("turn", "near", "far"), [(np.pi / 2, "right", "left"), (-np.pi / 2, "left", "right")])
def test_the_side_that_is_shown_hides_the_other(turn: float, near: str, far: str) -> None:
    (pose,) = poses(one(standing(turn))).values()
    assert pose.yaw == pytest.approx(turn, abs=0.15)
    place = {limb.name: i for i, limb in enumerate(LIMBS)}
    order = list(np.argsort(pose.depth))
    assert (
        order.index(place[f"{near}_upper_arm"]) > order.index(place["torso"]) > order.index(place[f"{far}_upper_arm"])
    )


@given(st.floats(-3.1, 3.1))
def test_coordinates_stay_in_their_range_and_go_along_the_limb(turn: float) -> None:
    part, uv = drawn(standing(turn))
    assert uv.min() >= 0
    assert uv.max() <= 1
    assert (uv[part == 0] == 0).all()
    shank = np.isin(part, (12, 14))
    rows = np.nonzero(shank)[0]
    assert np.corrcoef(rows, uv[shank][:, 1])[0, 1] > 0.99


def test_a_mirrored_body_is_the_mirror_picture_with_the_sides_exchanged() -> None:
    points = standing(0.4)
    sides = {"left": "right", "right": "left"}
    other_side = [INDEX[re.sub("left|right", lambda m: sides[m[0]], name)] for name in COCO_NAMES]
    mirrored = points[other_side].copy()
    mirrored[:, 0] = SIZE[0] - 1 - mirrored[:, 0]
    part, _ = drawn(points)
    other, _ = drawn(mirrored)
    swap = {2: 2, 1: 1, 3: 4, 5: 6, 7: 8, 9: 10, 11: 12, 13: 14, 15: 16, 17: 18, 19: 20, 21: 22, 23: 24}
    swap |= {b: a for a, b in swap.items()} | {0: 0}
    expected = np.vectorize(swap.get)(part[:, ::-1])
    assert (other == expected).mean() > 0.995


def test_unknown_limbs_are_left_out_and_the_rest_is_drawn() -> None:
    points = standing()
    points[INDEX["left_wrist"]] = 0
    part, _ = drawn(points)
    assert not np.isin(part, (4, 19, 21)).any()
    assert np.isin(part, (20, 22)).any()


def test_the_drawn_body_covers_the_true_silhouette_also_where_it_is_hidden(crossing_scene: DrawnScene) -> None:
    scene = crossing_scene
    truth, hidden = scene.amodal[0], scene.amodal[0] & ~scene.masks[0]
    points = scene.keypoints[0].copy()
    points[..., 2] = 1
    body = poses(KeypointTrack(points=points))
    whole = np.flatnonzero(~hidden.any((1, 2)))
    build = fitted_build(body, scene.masks[0], frames=whole)
    found = body_map(body, n_frames=len(truth), size=scene.spec.size, build=build).silhouette
    assert (found & truth).sum() / (found | truth).sum() > 0.7
    assert (found & hidden).sum() / hidden.sum() > 0.75


def test_build_follows_the_mask(crossing_scene: DrawnScene) -> None:
    points = crossing_scene.keypoints[0].copy()
    points[..., 2] = 1
    body = poses(KeypointTrack(points=points))
    size, n = crossing_scene.spec.size, len(points)
    for build in (0.9, 1.3):
        mask = body_map(body, n_frames=n, size=size, build=build).silhouette
        assert fitted_build(body, mask, frames=np.arange(n)) == pytest.approx(build)


def test_a_sprite_keeps_its_coordinates_as_it_moves_and_grows() -> None:
    y, x = np.mgrid[0:100, 0:160]
    mask = np.stack([(np.hypot(x - (40 + 20 * t), y - 50) < 15 * (1 + t / 2)) for t in range(3)])
    sprite = sprite_map(mask)
    assert np.array_equal(sprite.silhouette, mask)
    assert len(np.unique(sprite.part[0])) > 12
    for t in range(3):  # the same point of the ball: half a radius right of the middle
        at = (50, 40 + 20 * t + round(7.5 * (1 + t / 2)))
        column = (int(sprite.part[(t, *at)]) - 1) % 4 + float(sprite.uv[(t, *at)][0])
        assert column == pytest.approx(3.0, abs=0.12)


@pytest.mark.refusal
def test_a_sprite_that_is_nowhere_is_refused() -> None:
    with pytest.raises(InputError, match="must be somewhere"):
        sprite_map(np.zeros((2, 8, 8), bool))
