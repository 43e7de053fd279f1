from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from small import small_config

from polytempo.decompose.bare import background_plate
from polytempo.decompose.nvd.build import decompose_nvd, empty_model
from polytempo.decompose.nvd.export import frame_of_model, render_frames
from polytempo.decompose.nvd.footage import Footage
from polytempo.decompose.nvd.starts import layer_starts
from polytempo.decompose.nvd.train import new_model
from polytempo.synth.draw import DrawnScene
from support import psnr, true_cast


def test_a_frame_is_the_model_at_its_pixels(lone_footage: Footage, lone_scene: DrawnScene) -> None:
    config = small_config()
    model = new_model(lone_footage, layer_starts(lone_footage, lone_scene.camera, config), config=config, seed=2)
    said = frame_of_model(model, 3)
    points = torch.tensor([[10.0, 20.0, 3.0], [95.0, 63.0, 3.0]])
    sample = model(points)
    for n, (x, y) in enumerate(((10, 20), (95, 63))):
        assert torch.allclose(said.composite[y, x], sample.composite[n], atol=1e-5)
        assert torch.allclose(said.uv[:, y, x], sample.uv[:, n], atol=1e-5)
    large = frame_of_model(model, 3, size=(192, 128))
    assert large.composite.shape == (128, 192, 3)
    halved = large.composite.reshape(64, 2, 96, 2, 3).mean((1, 3))
    assert (halved - said.composite).abs().mean() < 0.01


def test_the_stack_joined_by_over_is_the_model_s_picture(crossing_footage: Footage, crossing_scene: DrawnScene) -> None:
    """Mattes of a stack are whole, and *over* hides what is behind, as the model's hierarchy does."""
    scene, cast, config = crossing_scene, true_cast(crossing_scene), small_config()
    model = new_model(crossing_footage, layer_starts(crossing_footage, scene.camera, config), config=config, seed=2)
    plate = background_plate(scene.pictures, scene.camera, cast)
    ids = crossing_footage.layer_ids
    frames = list(render_frames(model, ids, scene.camera, scene.pictures, plate, with_detail=False))
    assert len(frames) == 12
    for t in (0, 6):
        picture = frames[t].live[..., :3].astype(float)
        for one in cast.order[t]:
            rgba = frames[t].pictures[one].astype(float)
            picture = rgba[..., :3] + (1 - rgba[..., 3:] / 255) * picture
        known = frames[t].live[..., 3] == 255
        expected = frame_of_model(model, t).composite.clamp(0, 1).numpy() * 255
        assert known.mean() > 0.8
        assert np.abs(picture - expected)[known].max() < 3.5
        assert (frames[t].live[~known] == 0).all()


def test_detail_gives_the_frame_back_where_somebody_is(lone_footage: Footage, lone_scene: DrawnScene) -> None:
    scene, config = lone_scene, small_config()
    model = new_model(lone_footage, layer_starts(lone_footage, scene.camera, config), config=config, seed=2)
    plate = background_plate(scene.pictures, scene.camera, true_cast(scene))
    (ids,) = (lone_footage.layer_ids,)
    frame = next(iter(render_frames(model, ids, scene.camera, scene.pictures, plate)))
    rgba = frame.pictures[ids[0]].astype(float)
    sure = rgba[..., 3] > 240
    assert sure.any()
    assert np.abs(rgba[..., :3] - scene.pictures[0])[sure].max() < 20


def test_a_background_is_the_frame_where_nobody_is_near(lone_footage: Footage, lone_scene: DrawnScene) -> None:
    scene, config = lone_scene, small_config()
    model = new_model(lone_footage, layer_starts(lone_footage, scene.camera, config), config=config, seed=2)
    plate = background_plate(scene.pictures, scene.camera, true_cast(scene))
    frame = next(iter(render_frames(model, lone_footage.layer_ids, scene.camera, scene.pictures, plate)))
    away = cv2.distanceTransform((~lone_footage.near[0].numpy()).astype(np.uint8), cv2.DIST_L2, 5) > 10
    known = frame.live[..., 3] == 255
    difference = np.abs(frame.live[..., :3].astype(float) - scene.pictures[0])
    assert (away & known).sum() > 500
    assert difference[away & known].max() <= 1
    own = lone_footage.masks[0, 0].numpy() > 0
    said = frame_of_model(model, 0).shaded[-1].clamp(0, 1).numpy() * 255
    assert np.abs(frame.live[..., :3] - said)[own & known].max() <= 1  # the model's own, with nothing of the frame


def test_weights_find_their_model_again(lone_scene: DrawnScene, lone_footage: Footage) -> None:
    config = small_config()
    model = new_model(lone_footage, layer_starts(lone_footage, lone_scene.camera, config), config=config, seed=5)
    empty = empty_model(lone_scene.pictures, lone_scene.camera, true_cast(lone_scene), config=config)
    empty.load_state_dict(model.state_dict())
    assert torch.equal(frame_of_model(empty, 1).composite, frame_of_model(model, 1).composite)


@pytest.mark.slow
def test_a_drawn_clip_becomes_atlases_that_show_it(crossing_scene: DrawnScene) -> None:
    scene = crossing_scene
    config = replace(small_config(150), batch_points=3000, residual_background=None)  # eight pixels are much of 128
    stack = decompose_nvd(scene.pictures, scene.camera, true_cast(scene), config=config, seed=1)
    assert [one.name for one in stack.layers] == [one.name for one in scene.spec.people]
    assert stack.background.live is not None
    shown, bare = [], []
    for t, order in enumerate(stack.order):
        picture = stack.background.live[t][..., :3].astype(float)
        bare.append(picture.copy())
        for one in order:
            rgba = np.asarray(stack.layer(one).pictures[t]).astype(float)
            picture = rgba[..., :3] + (1 - rgba[..., 3:] / 255) * picture
        shown.append(picture)
    assert psnr(np.stack(shown), scene.pictures) > 22
    outside = ~(scene.amodal.any(0))
    error = np.abs(np.stack(bare) - scene.clean)[outside].mean()
    assert error < 15
    alpha = np.stack([stack.layer(1).pictures[t][..., 3] for t in range(12)]) / 255
    assert alpha[scene.masks[0]].mean() > 0.6
    assert alpha[~(scene.amodal[0] | scene.masks[0])].mean() < 0.05
