from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from polytempo.bodies.complete_cast import bodies_of
from polytempo.core.discs import grown
from polytempo.core.progress import silent
from polytempo.decompose.lnr.meeting import MeetingConfig, meeting_bodies
from polytempo.synth import scenes
from polytempo.synth.draw import DrawnScene
from support.scenes import detections, draw_small, true_cast


def _jittered(scene: DrawnScene, asked: list[int]) -> Mapping[int, Mapping[int, np.ndarray]]:
    """True bodies, each frame's moved to another side by two pixels, as rough masks are off."""
    moves = [((2, 0), (0, -2), (-2, 0), (0, 2))[t % 4] for t in range(len(scene.pictures))]
    bodies = scene.bodies.astype(np.float32) / 255

    class Frames(dict[int, Mapping[int, np.ndarray]]):
        def __missing__(self, t: int) -> Mapping[int, np.ndarray]:
            asked.append(t)
            dy, dx = moves[t]
            return {k: np.roll(bodies[k - 1, t], (dy, dx), (0, 1)) for k in scene.layer_ids}

    return Frames()


def test_neighbours_know_an_outline_better_than_one_frame() -> None:
    scene = draw_small(scenes.crossing(size=(128, 96), n_frames=36))  # strides as short as filmed ones
    cast = true_cast(scene)
    asked: list[int] = []
    solved = _jittered(scene, asked)
    told = meeting_bodies(
        solved.__getitem__, cast, bodies_of(cast, detections(scene), scene.camera), config=MeetingConfig(),
        report=silent,
    )  # fmt: skip
    assert told
    away, alone = [], []
    for one, frames in told.items():
        for t, rgba in frames.items():
            place = scene.order[t].index(one)
            behind = np.any([scene.amodal[k - 1, t] for k in scene.order[t][:place]], axis=0)
            assert (grown(scene.masks[one - 1, t], MeetingConfig().reach_px) & behind).any()
            truth = scene.bodies[one - 1, t].astype(np.float32) / 255
            outline = (truth[..., 3] > 0.02) & (truth[..., 3] < 0.98)
            away.append(float(np.abs(rgba - truth)[outline].mean()))
            alone.append(float(np.abs(solved[t][one] - truth)[outline].mean()))
            assert (rgba[..., :3] <= rgba[..., 3:] + 1e-4).all()
    assert np.mean(away) < 0.8 * np.mean(alone)


def test_only_meetings_are_asked_about(crossing_scene: DrawnScene) -> None:
    scene, config = crossing_scene, MeetingConfig(around=1)
    cast = true_cast(scene)
    bodies = bodies_of(cast, detections(scene), scene.camera)
    asked: list[int] = []
    told = meeting_bodies(_jittered(scene, asked).__getitem__, cast, bodies, config=config, report=silent)
    frames = {t for found in told.values() for t in found}
    assert set(asked) <= {s for t in frames for s in (t - 1, t, t + 1)}
    assert all(asked.count(t) <= len(cast.layers) for t in asked)
    # Apart, or without keypoints of the one in front, or told not to ask: nothing.
    apart = replace(cast, subjects=tuple(replace(one, amodal=one.amodal & False) for one in cast.subjects))
    for other, who, how in ((apart, bodies, config), (cast, {}, config), (cast, bodies, replace(config, around=0))):
        assert meeting_bodies(_jittered(scene, []).__getitem__, other, who, config=how, report=silent) == {}


def test_groups_are_not_told_of(crossing_scene: DrawnScene) -> None:
    """Two bodies in one layer are solved as one: no limb of either can be carried over alone."""
    cast = true_cast(crossing_scene)
    bodies = bodies_of(cast, detections(crossing_scene), crossing_scene.camera)
    first, *others = cast.layers
    couple = replace(first, subject_ids=tuple(one.subject_id for one in cast.subjects))
    group = replace(cast, layers=(couple,), order=((couple.layer_id,),) * len(cast.order))
    assert others
    solved = _jittered(crossing_scene, [])
    assert meeting_bodies(solved.__getitem__, group, bodies, config=MeetingConfig(), report=silent) == {}
