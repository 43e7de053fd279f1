"""Points followed by atlas and by chained flow, against points whose way is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from polytempo.atlas.track import atlas_tracks
from polytempo.camera.warp import moved_points
from polytempo.core.errors import InputError
from polytempo.decompose.nvd.build import empty_model
from polytempo.decompose.nvd.config import nvd_draft_config
from polytempo.decompose.nvd.shading import layer_shadings_in_memory
from polytempo.layers.stack import LayerStack
from polytempo.layers.tap_vid import PointTracks, first_queries, tap_vid_scores
from polytempo.objects.chained_flow import chained_tracks
from polytempo.objects.flow import FlowField, neighbour_flow
from polytempo.synth.draw import DrawnScene
from support import true_cast


def known_atlases(scene: DrawnScene) -> LayerStack:
    """The drawn scene's layers, with what is known of the motion before anything is learned."""
    model = empty_model(scene.pictures, scene.camera, true_cast(scene), config=nvd_draft_config())
    *bodies, wall = layer_shadings_in_memory(model)
    stack = scene.stack()
    layers = tuple(replace(one, shading=shading) for one, shading in zip(stack.layers, bodies, strict=True))
    return replace(stack, layers=layers, background=replace(stack.background, shading=wall))


def wall_tracks(scene: DrawnScene) -> PointTracks:
    width, height = scene.spec.size
    x, y = np.meshgrid(np.arange(6, width, 15), np.arange(6, height, 15))
    grid = np.stack([x.ravel(), y.ravel()], -1).astype(float)
    points = np.stack([moved_points(grid, scene.camera.frame_from_frame(t, 0)) for t in range(len(scene.pictures))], 1)
    inside = ((points > -0.5) & (points < [width - 0.5, height - 0.5])).all(-1)
    pixel = np.clip(np.rint(points).astype(int), 0, [width - 1, height - 1])
    bodies = scene.masks.any(0)
    covered = bodies[np.arange(len(bodies))[None], pixel[..., 1], pixel[..., 0]]
    return PointTracks(points=points, occluded=~inside | covered, size=(width, height))


def test_points_of_a_wall_stay_on_it_under_a_turning_camera(panning_scene: DrawnScene) -> None:
    truth = wall_tracks(panning_scene)
    queries = first_queries(truth)
    asked = truth.points[queries[:, 0], queries[:, 1]], queries[:, 1]
    found = atlas_tracks(known_atlases(panning_scene), *asked)
    ours = tap_vid_scores(found, truth, queries)
    assert ours.average_jaccard > 0.9
    assert ours.occlusion_accuracy > 0.93
    assert np.allclose(found.points[np.arange(len(queries)), queries[:, 1]], asked[0])
    chained = tap_vid_scores(chained_tracks(neighbour_flow(panning_scene.pictures), *asked), truth, queries)
    assert ours.average_jaccard > chained.average_jaccard + 0.1


def test_a_point_on_somebody_goes_with_them_and_hides_with_them(crossing_scene: DrawnScene) -> None:
    scene = crossing_scene
    stack = known_atlases(scene)
    hips = scene.keypoints[:, :, 11:13, :2].mean(2)  # L T 2
    seen = [int(scene.masks[n].sum((1, 2)).argmax()) for n in range(2)]
    start = np.stack([hips[n, t] for n, t in enumerate(seen)]).astype(float)
    found = atlas_tracks(stack, start, np.array(seen))
    for n in range(2):
        off = np.linalg.norm(found.points[n] - hips[n], axis=1)
        assert np.median(off) < 4
    far = int(stack.order[len(stack.order) // 2][0]) - 1
    covered = (scene.amodal[far] & ~scene.masks[far]).sum((1, 2)) > 0.8 * scene.amodal[far].sum((1, 2))
    assert covered.any()
    assert found.occluded[far][covered].mean() > 0.6


def test_flow_is_added_up_both_ways() -> None:
    forward = np.tile(np.array([2.0, -1.0], np.float16), (3, 20, 30, 1))
    flow = FlowField(to_next=forward, to_previous=-forward)
    found = chained_tracks(flow, np.array([[12.0, 10.0]]), np.array([1]))
    assert np.allclose(found.points[0], [[10, 11], [12, 10], [14, 9], [16, 8]])
    assert not found.occluded.any()
    away = chained_tracks(flow, np.array([[27.0, 10.0]]), np.array([0]))
    assert away.occluded[0].tolist() == [False, False, True, True]
    torn = FlowField(to_next=forward, to_previous=0 * forward)
    assert chained_tracks(torn, np.array([[12.0, 10.0]]), np.array([0])).occluded[0, 1:].all()


@pytest.mark.refusal
def test_layers_without_atlases_cannot_be_followed(panning_scene: DrawnScene) -> None:
    with pytest.raises(InputError, match="all layers must have atlases"):
        atlas_tracks(panning_scene.stack(), np.zeros((1, 2)), np.zeros(1, int))
