from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from polytempo.bodies.complete_cast import bodies_of
from polytempo.bodies.rasterise import BodyMap, body_map
from polytempo.core.errors import InputError
from polytempo.decompose.lnr.augment import JitterConfig, jittered
from polytempo.decompose.lnr.maps import Batch, LayerMaps, background_uv, layer_maps, make_batch
from polytempo.decompose.lnr.model import LayeredRenderer, composite_straight
from polytempo.decompose.lnr.upsample import Upsampler
from polytempo.layers.over import composite, premultiplied
from polytempo.objects.build import plan_layers
from polytempo.objects.cast import Cast
from polytempo.synth.draw import DrawnScene
from support import detections, true_cast


@pytest.fixture(scope="module")
def maps(crossing_scene: DrawnScene) -> LayerMaps:
    cast = true_cast(crossing_scene)
    body = bodies_of(cast, detections(crossing_scene), crossing_scene.camera)[1]
    drawn = body_map(body.poses, n_frames=12, size=crossing_scene.spec.size, build=body.build)
    return layer_maps(cast, crossing_scene.camera, {1: drawn})


def test_a_person_lies_over_the_background_and_a_sprite_fills_its_mask(
    maps: LayerMaps, crossing_scene: DrawnScene
) -> None:
    assert (maps.tile[:, 0] == 0).all()
    assert (maps.person[:, 0] == 0).all()
    person, sprite = maps.person[:, 1], maps.person[:, 2]
    assert set(np.unique(person)) == {0, 1}
    assert np.array_equal(sprite == 2, crossing_scene.amodal[1] | crossing_scene.masks[1])
    assert ((maps.tile[:, 1] >= 1) & (maps.tile[:, 1] <= 24) == (person == 1)).all()
    assert maps.tile[:, 2].max() <= 48
    elsewhere = person == 0
    assert np.array_equal(maps.uv[:, 1, 0][elsewhere], maps.uv[:, 0, 0][elsewhere])
    assert maps.order.tolist() == [[1, 2]] * 12 if crossing_scene.order[0] == (1, 2) else [[2, 1]] * 12


def test_trimaps_are_sure_on_the_body_and_far_from_it(maps: LayerMaps, crossing_scene: DrawnScene) -> None:
    assert set(np.unique(maps.trimap)) == {0, 1, 2}
    assert (maps.trimap[:, 0][crossing_scene.amodal[0]] == 2).all()
    assert (maps.trimap[:, 0, :4, :4] == 0).all()


def test_the_background_keeps_its_place_under_a_moving_camera(panning_scene: DrawnScene) -> None:
    uv = background_uv(panning_scene.camera)
    width, height = panning_scene.camera.canvas_size
    for t in (0, 7, 11):
        for x, y in ((5, 5), (100, 60)):
            seen = panning_scene.camera.canvas_from_frame[t] @ np.array([x, y, 1.0])
            place = seen[:2] / seen[2] / (width - 1, height - 1)
            assert uv[t, :, y, x].astype(float) == pytest.approx(place, abs=1e-3)


def test_a_layer_without_a_subject_has_tiles_that_change_in_time(crossing_scene: DrawnScene) -> None:
    cast = true_cast(crossing_scene)
    layers = plan_layers([one.name for one in cast.subjects], groups={}, dynamic_layers=["lights"])
    cast = Cast(subjects=cast.subjects, layers=layers, order=tuple((3, *one) for one in cast.order))
    maps = layer_maps(cast, crossing_scene.camera, {})
    assert maps.n_people == 3
    assert len(np.unique(maps.tile[:, 3])) == 12
    assert maps.tile[:, 3].min() > 48
    assert (maps.trimap[:, 2] == 1).all()


@pytest.mark.refusal
def test_a_map_of_another_size_is_refused(crossing_scene: DrawnScene) -> None:
    wrong = BodyMap(part=np.zeros((3, 4, 5), np.uint8), uv=np.zeros((3, 4, 5, 2), np.float16))
    with pytest.raises(InputError, match=r"12 of 128x96; got \(3, 4, 5\)"):
        layer_maps(true_cast(crossing_scene), crossing_scene.camera, {1: wrong})


def batch_of(maps: LayerMaps, scene: DrawnScene, *chosen: int) -> Batch:
    return make_batch(maps, scene.pictures[list(chosen)], np.array(chosen))


def test_jitter_moves_everything_alike_and_brightness_only_the_target(
    maps: LayerMaps, crossing_scene: DrawnScene
) -> None:
    batch = batch_of(maps, crossing_scene, 0, 5)
    only_crop = JitterConfig(brightness=0, crop_share=1)
    moved = jittered(batch, epoch=0, config=only_crop, seeds=[3, 4])
    assert moved.frames.shape == batch.frames.shape
    assert not torch.equal(moved.tile, batch.tile)
    # Where a pixel is surely the layer's in the moved trimap it is of its person, too: they moved together.
    sure = moved.trimap[:, 1] == 1
    assert (moved.person[:, 2][sure] == 2).float().mean() > 0.97
    only_light = JitterConfig(crop_share=0)
    lit = jittered(batch, epoch=0, config=only_light, seeds=[3, 4])
    assert torch.equal(lit.tile, batch.tile)
    shift = (lit.frames - batch.frames)[0, :, (batch.frames[0] > 0.35).all(0) & (batch.frames[0] < 0.65).all(0)]
    assert shift.std() < 1e-6
    off = jittered(batch, epoch=400, config=only_light, seeds=[3, 4])
    assert torch.equal(off.frames, batch.frames)


@given(seed=st.integers(0, 1000))
def test_the_same_seeds_give_the_same_jitter(seed: int) -> None:
    batch = Batch(
        frames=torch.rand(2, 3, 16, 24), tile=torch.randint(0, 25, (2, 2, 16, 24)), uv=torch.rand(2, 2, 2, 16, 24),
        person=torch.ones(2, 2, 16, 24), trimap=torch.rand(2, 1, 16, 24), plate=torch.rand(2, 3, 16, 24),
        order=torch.ones(2, 1, dtype=torch.long),
    )  # fmt: skip
    a, b = (jittered(batch, epoch=1, config=JitterConfig(), seeds=[seed, seed + 1]) for _ in "ab")
    assert torch.equal(a.frames, b.frames)
    assert torch.equal(a.uv, b.uv)
    last = Batch(**{name: getattr(batch, name)[1:] for name in Batch.__dataclass_fields__})
    alone = jittered(last, epoch=1, config=JitterConfig(), seeds=[seed + 1])
    assert torch.equal(alone.frames[0], a.frames[1])


def test_straight_layers_composite_as_premultiplied_ones_do() -> None:
    layers = torch.rand(2, 3, 4, 5, 6)
    order = torch.tensor([[1, 2], [2, 1]])
    found = composite_straight(layers, order)
    opaque = layers.clone()
    opaque[:, 0, 3] = 1
    for b in range(2):
        expected = composite(premultiplied(opaque[b]), order=[0, *order[b].tolist()])[:3]
        assert torch.allclose(found[b], expected, atol=1e-6)


def test_layers_come_out_in_their_range_alone_and_together(maps: LayerMaps, crossing_scene: DrawnScene) -> None:
    torch.manual_seed(0)
    model = LayeredRenderer(maps.n_people).eval()
    batch = batch_of(maps, crossing_scene, 0, 6)
    with torch.no_grad():
        alone, together = model(batch), model(batch, together=True)
    assert alone.shape == (2, 3, 4, 96, 128)
    assert alone.min() >= 0
    assert alone.max() <= 1
    assert torch.allclose(alone, together, atol=1e-5)  # with fixed statistics both are the same


def test_a_given_background_takes_the_place_of_the_first_pass(maps: LayerMaps, crossing_scene: DrawnScene) -> None:
    torch.manual_seed(0)
    model = LayeredRenderer(maps.n_people).eval()
    frames = crossing_scene.pictures[:2]
    batch = make_batch(maps, frames, np.arange(2), plates=frames[::-1].copy())
    with torch.no_grad():
        learned = model(batch)
        for together in (False, True):
            given = model(batch, together=together, given_background=True)
            assert torch.equal(given[:, 0, :3], batch.plate)
            assert (given[:, 0, 3] == 1).all()
            assert torch.allclose(given[:, 1:], learned[:, 1:], atol=1e-5)


def test_upsampled_layers_have_twice_the_size(maps: LayerMaps, crossing_scene: DrawnScene) -> None:
    model, upsampler = LayeredRenderer(maps.n_people), Upsampler()
    batch = batch_of(maps, crossing_scene, 4)
    with torch.no_grad():
        large = model.upsampled(upsampler, batch.tile[:, 1], batch.uv[:, 1], model.render_layer(batch, 1))
    assert large.shape == (1, 4, 192, 256)
