from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from polytempo.bodies.complete_cast import BodiesConfig, bodies_of, completed_cast
from polytempo.bodies.keypoints import KeypointTrack
from polytempo.bodies.limbs import LIMBS, poses
from polytempo.bodies.posed import GROUPS, LEGS, MIRRORED, UPPER, PosedConfig, pose_sources, posed_appearance
from polytempo.core.discs import grown
from polytempo.objects.appearance import subjects_in_front
from polytempo.synth.draw import DrawnScene
from support import detections, true_cast


def known(points: np.ndarray) -> KeypointTrack:
    out = points.copy()
    out[..., 2] = 1
    return KeypointTrack(points=out)


def test_groups_hold_every_limb() -> None:
    """Once as a pair, or the trunk's two, and the paired ones once more, each side alone."""
    assert sorted(i for group in GROUPS[:3] for i in group) == list(range(len(LIMBS)))
    assert sorted(i for group in GROUPS[3:] for i in group) == sorted((*UPPER, *LEGS))
    assert all(len({LIMBS[i].side for i in group}) == 1 for group in GROUPS[3:])
    assert [MIRRORED[i] for i in MIRRORED] == list(range(len(LIMBS)))


def test_a_shifted_copy_of_a_pose_gives_the_shifted_picture() -> None:
    """With one source of the same pose elsewhere, what comes back is that picture moved, to the pixel."""
    rng = np.random.default_rng(0)
    xs = (60, 62, 58, 66, 54, 72, 48, 78, 42, 80, 40, 66, 54, 67, 53, 68, 52)
    ys = (22, 20, 20, 22, 22, 40, 40, 58, 58, 74, 74, 76, 76, 100, 100, 124, 124)
    shape = np.stack([xs, ys], 1).astype(np.float32)
    points = np.ones((2, 17, 3), np.float32)
    points[0, :, :2], points[1, :, :2] = shape, shape + np.float32([40, 3])
    body = poses(KeypointTrack(points=points))
    pictures = rng.integers(0, 255, (2, 150, 160, 3)).astype(np.uint8)
    mask = np.zeros((2, 150, 160), bool)
    mask[0, 10:130, 38:84] = True
    cut = np.dstack([pictures[0] / 255 * mask[0][..., None], mask[0]]).astype(np.float32)
    (found,) = posed_appearance({0: cut}.__getitem__, mask, np.zeros_like(mask), body, frames=np.array([1])).values()
    moved = np.zeros((150, 160, 4), np.float32)
    moved[3:, 40:] = cut[:-3, :-40]
    inside = np.zeros((150, 160), bool)
    inside[20:130, 85:118] = True
    assert np.abs(found - moved)[inside].max() < 1e-3


def test_a_head_that_leans_from_the_trunk_is_seen_where_it_is() -> None:
    """Moves of head and trunk, blended between both, would show the head once more beside the shoulder."""
    xs = (60, 62, 58, 66, 54, 72, 48, 78, 42, 80, 40, 66, 54, 67, 53, 68, 52)
    ys = (22, 20, 20, 22, 22, 40, 40, 58, 58, 74, 74, 76, 76, 100, 100, 124, 124)
    points = np.ones((2, 17, 3), np.float32)
    points[:, :, :2] = np.stack([xs, ys], 1)
    points[1, :5, 0] += 26  # the head leans far to the side
    points[1, :5, 1] += 6
    body = poses(KeypointTrack(points=points))
    red = np.zeros((150, 160, 4), np.float32)
    y, x = np.mgrid[:150, :160]
    mask = np.zeros((2, 150, 160), bool)
    head = np.hypot(x - 60, y - 21) < 9
    mask[0] = head | ((np.abs(x - 60) < 14) & (y > 34) & (y < 130))
    red[mask[0]] = (0, 0, 1, 1)
    red[head] = (1, 0, 0, 1)
    (found,) = posed_appearance({0: red}.__getitem__, mask, np.zeros_like(mask), body, frames=np.array([1])).values()
    redness = found[..., 0] * found[..., 3]
    there = np.hypot(x - 86, y - 27) < 13
    assert redness[there].sum() > 0.8 * head.sum()
    assert redness[~there].sum() < 0.35 * head.sum()  # a blend alone: 1.6


def test_the_same_pose_is_the_best_source_and_half_a_stride_away_sides_change(crossing_scene: DrawnScene) -> None:
    body = poses(known(crossing_scene.keypoints[0]))
    everything = {t: np.ones(len(LIMBS), np.float32) for t in [*body, 12]}
    config = PosedConfig(away=0)
    for group in GROUPS:
        sources = pose_sources(3, group, body | {12: body[3]}, everything, config=config)
        assert (sources[0].frame, sources[0].other_side) == (12, False)
        assert [one.cost for one in sources] == sorted(one.cost for one in sources)
    changed = replace(body[3], ends=body[3].ends[list(MIRRORED)])
    legs = pose_sources(3, LEGS, {3: body[3], 12: changed}, everything, config=config)
    assert (legs[0].frame, legs[0].other_side) == (12, True)
    hidden = {t: np.zeros(len(LIMBS), np.float32) for t in body}
    assert pose_sources(3, GROUPS[0], body, hidden) == []


def test_a_body_hidden_in_a_crossing_comes_back(crossing_scene: DrawnScene) -> None:
    scene = crossing_scene
    cast = true_cast(scene)
    # The cast knows modal masks only: what is hidden has to come from keypoints.
    cast = replace(cast, subjects=tuple(replace(one, amodal=one.mask) for one in cast.subjects))
    bodies = bodies_of(cast, detections(scene), scene.camera)
    done, hidden = completed_cast(scene.pictures, cast, bodies)
    lost = scene.amodal[0] & ~scene.masks[0]
    found = done.subjects[0].amodal & ~scene.masks[0]
    assert (found & lost).sum() / (found | lost).sum() > 0.5
    assert (found & lost).sum() / lost.sum() > 0.6
    assert done.subjects[0].visibility.min() < 0.5
    near = [grown(one, BodiesConfig().edge_px) for one in subjects_in_front(cast, 1)]
    errors, plain = [], []
    for t, rgba in hidden[1].items():
        # Soft, below the threshold, around what is filled in, and nothing away from who is in front.
        assert (rgba[..., 3][~found[t] & ~scene.masks[0, t]] < BodiesConfig().threshold).all()
        assert (rgba[~found[t] & ~near[t]] == 0).all()
        both = lost[t] & (rgba[..., 3] > 0.9)
        truth = scene.bodies[0, t, ..., :3].astype(float)
        errors.append(((rgba[..., :3] * 255 - truth) ** 2)[both].mean() if both.any() else 0.0)
        plain.append(((scene.pictures[t] - truth) ** 2)[both].mean() if both.any() else 0.0)
    assert np.mean(errors) < 0.35 * np.mean(plain)
    assert done.subjects[1].amodal is not None
    assert np.array_equal(done.subjects[1].mask, scene.masks[1])


def test_subjects_without_a_body_stay_as_they_are(crossing_scene: DrawnScene) -> None:
    cast = true_cast(crossing_scene)
    only = [one for one in detections(crossing_scene) if one.track == 11]
    bodies = bodies_of(cast, only, crossing_scene.camera)
    done, hidden = completed_cast(crossing_scene.pictures, cast, bodies)
    assert done.subjects[1] is cast.subjects[1]
    assert set(hidden) == {1}


@pytest.mark.parametrize("gap", [(5, 6)])
def test_frames_without_keypoints_are_bridged(crossing_scene: DrawnScene, gap: tuple[int, ...]) -> None:
    cast = true_cast(crossing_scene)
    found = [one for one in detections(crossing_scene) if one.frame not in gap]
    bodies = bodies_of(cast, found, crossing_scene.camera)
    truth = crossing_scene.keypoints[0]
    for t in gap:
        away = np.linalg.norm(bodies[1].track.points[t, :, :2] - truth[t, :, :2], axis=1)
        assert np.median(away) < 3.0


def test_sources_that_are_averaged_face_the_same_way(crossing_scene: DrawnScene) -> None:
    body = poses(known(crossing_scene.keypoints[0]))
    turned = {t: replace(pose, yaw=-pose.yaw) if t % 2 else pose for t, pose in body.items()}
    everything = {t: np.ones(len(LIMBS), np.float32) for t in body}
    assert abs(body[4].yaw) > 0.8  # seen from the side
    for t in (4, 5):
        frames = {one.frame for one in pose_sources(t, GROUPS[0], turned, everything, config=PosedConfig(n_sources=12))}
        assert len(frames) > 2
        assert {s % 2 for s in frames} == {t % 2}
