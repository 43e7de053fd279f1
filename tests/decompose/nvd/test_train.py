from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from small import GRID, small_config, small_field

from polytempo.core.errors import CancelledError, InputError, ResourceError, ShapeError
from polytempo.core.progress import Progress
from polytempo.decompose.nvd import train as train_module
from polytempo.decompose.nvd.config import (
    LossWeights,
    NvdConfig,
    nvd_draft_config,
    nvd_paper_config,
    nvd_shortened,
    nvd_standard_config,
)
from polytempo.decompose.nvd.extent import Extent
from polytempo.decompose.nvd.footage import Footage, Points, clip_footage, random_points
from polytempo.decompose.nvd.model import AtlasModel
from polytempo.decompose.nvd.objective import border_patches, pixels_a_unit, pretrain_loss, step_loss
from polytempo.decompose.nvd.starts import layer_starts
from polytempo.decompose.nvd.train import new_model, train, training_key
from polytempo.objects.flow import FlowField, neighbour_flow
from polytempo.synth.draw import DrawnScene
from support import true_cast


def weights(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def network_config(n_steps: int = 4) -> NvdConfig:
    """The paper's course with small grids."""
    return replace(
        nvd_shortened(nvd_paper_config(), n_steps),
        batch_points=400, pretrain_rounds=1, texture=small_field(), residual=small_field(), alpha=small_field(),
        save_secs=0.0,
    )  # fmt: skip


@pytest.mark.parametrize("config", [small_config(8), network_config(4)], ids=["draft", "paper"])
def test_training_lowers_the_loss_and_a_killed_run_goes_on_to_the_same_bits(
    config: NvdConfig, lone_footage: Footage, lone_scene: DrawnScene, tmp_path: Path
) -> None:
    starts = layer_starts(lone_footage, lone_scene.camera, config)
    losses: list[float] = []
    straight = train(lone_footage, starts, config=config, seed=3, report=lambda p: losses.append(p.loss or 0.0))
    assert losses[5] < losses[0]  # of the paper's course, the last step of pre-training

    def stop(progress: Progress) -> None:
        if progress.done > 5:
            raise CancelledError("test", "stopped")

    with pytest.raises(CancelledError):
        train(lone_footage, starts, config=config, seed=3, checkpoint=tmp_path, report=stop)
    rest: list[float] = []
    resumed = train(
        lone_footage, starts, config=config, seed=3, checkpoint=tmp_path, report=lambda p: rest.append(p.loss or 0.0)
    )
    assert rest == losses[6:]
    for name, value in weights(straight.model).items():
        assert torch.equal(value, weights(resumed.model)[name]), name
    keys = {
        training_key(lone_footage, starts, *one) for one in ((config, 3), (config, 4), (replace(config, n_steps=99), 3))
    }
    assert len(keys) == 3
    assert training_key(lone_footage, starts, replace(config, save_secs=9.0), 3) in keys


def test_points_are_what_the_clip_shows(lone_footage: Footage, lone_scene: DrawnScene) -> None:
    points = random_points(lone_footage, 300, generator=torch.Generator().manual_seed(0))
    x, y, t = points.place.long().unbind(1)
    shown = lone_scene.pictures[t, y, x] / 255.0
    assert np.allclose(points.colour.numpy(), shown)
    inside = (x < lone_footage.extent.width - 1).numpy()
    right = lone_scene.pictures[t, y, (x + 1).clamp(max=lone_footage.extent.width - 1)] / 255.0
    assert np.allclose(points.to_right.numpy()[inside], (right - shown)[inside], atol=1e-6)
    assert (points.to_right[~torch.from_numpy(inside)] == 0).all()
    assert np.array_equal(points.masks[0].numpy() > 0, lone_scene.masks[0][t, y, x])
    for chosen, there, step in zip(points.followed, points.there, (1, -1), strict=True):
        assert len(chosen) > 100
        assert (there[:, 2] == points.place[chosen, 2] + step).all()
        assert ((there[:, 2] >= 0) & (there[:, 2] < lone_footage.extent.n_frames)).all()
        assert ((there[:, 0] >= 0) & (there[:, 0] <= lone_footage.extent.width - 1)).all()


def test_places_around_are_found_in_more_pixels_than_single_precision_counts() -> None:
    n_frames, height, width = 70, 500, 500  # 17.5 million
    still = torch.zeros(n_frames, height, width, 2, dtype=torch.float16)
    nowhere = torch.zeros(n_frames, height, width, dtype=torch.bool)
    near = torch.zeros(n_frames, height, width, dtype=torch.bool)
    near[:, :, 1::2] = True
    footage = Footage(
        extent=Extent(n_frames=n_frames, height=height, width=width),
        frames=torch.zeros(n_frames, height, width, 3, dtype=torch.uint8),
        masks=torch.zeros(1, n_frames, height, width, dtype=torch.uint8),
        flow=(still, still),
        trusted=(nowhere, nowhere),
        order=torch.zeros(n_frames, 1, dtype=torch.long),
        layer_ids=(1,),
        near=near,
        near_objects=torch.zeros(0, dtype=torch.long),
    )
    points = random_points(footage, 20_000, generator=torch.Generator().manual_seed(0))
    x, y, t = points.around.unbind(-1)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    assert (t.max(), inside.float().mean() > 0.5) == (n_frames - 1, True)
    assert (points.around_bare == (inside & (x % 2 == 0))).all()


def test_a_share_of_points_is_drawn_near_the_objects(lone_footage: Footage, lone_scene: DrawnScene) -> None:
    def near(share: float) -> float:
        generator = torch.Generator().manual_seed(1)
        x, y, t = random_points(lone_footage, 4000, generator=generator, object_share=share).place.long().unbind(1)
        grown = cv2.dilate(lone_scene.masks[0].astype(np.uint8).transpose(1, 2, 0), np.ones((15, 15))) > 0
        return float(grown[y, x, t].mean())

    area = near(0.0)
    assert near(0.5) == pytest.approx(0.5 + 0.5 * area, abs=0.05)


def test_the_first_points_are_a_batch_of_their_own(lone_footage: Footage) -> None:
    points = random_points(lone_footage, 300, generator=torch.Generator().manual_seed(2))
    some = points.first(100)
    assert torch.equal(some.place, points.place[:100])
    assert torch.equal(some.masks, points.masks[:, :100])
    for part, whole, there, all_there in zip(some.followed, points.followed, some.there, points.there, strict=True):
        assert part.max() < 100
        assert len(part) == int((whole < 100).sum())
        assert torch.equal(there, all_there[: len(part)])
    assert points.first(300) is points


def test_flow_that_leads_nowhere_is_not_followed(lone_footage: Footage, lone_scene: DrawnScene) -> None:
    shape = (lone_footage.extent.n_frames - 1, lone_footage.extent.height, lone_footage.extent.width, 2)
    there, back = np.zeros(shape, np.float16), np.zeros(shape, np.float16)
    there[..., 0], back[..., 0] = 3, -3
    back[:, :10] = 3  # does not lead back
    footage = clip_footage(lone_scene.pictures, true_cast(lone_scene), FlowField(to_next=there, to_previous=back))
    forward, backward = (one.numpy() for one in footage.trusted)
    assert not forward[:, :10].any()
    assert forward[0, 12:, :-3].all()
    assert not forward[0, :, -3:].any()  # leaves the frame
    assert not forward[-1].any()  # no next frame
    assert not backward[0].any()
    assert backward[1, 12:, 3:].all()


def test_terms_that_weigh_nothing_are_not_asked_for(lone_footage: Footage, lone_scene: DrawnScene) -> None:
    none = LossWeights(**dict.fromkeys(LossWeights.__dataclass_fields__, 0.0))
    config = small_config(weights=replace(none, colour=2.0))
    model = new_model(lone_footage, layer_starts(lone_footage, lone_scene.camera, config), config=config, seed=0)
    points = random_points(lone_footage, 100, generator=torch.Generator().manual_seed(0))
    terms = step_loss(model, points, step=0, generator=torch.Generator().manual_seed(0))
    assert terms.total.item() == pytest.approx(2 * terms.colour.item())
    for name in ("gradient", "flow_mapping", "rigidity", "global_rigidity", "consistency"):
        assert getattr(terms, name).item() == 0
    full = small_config(4)
    model = new_model(lone_footage, layer_starts(lone_footage, lone_scene.camera, full), config=full, seed=0)
    early = step_loss(model, points, step=0, generator=torch.Generator().manual_seed(0))
    late = step_loss(model, points, step=4, generator=torch.Generator().manual_seed(0))
    assert early.bootstrap > 0
    assert late.bootstrap == 0
    total = sum(
        getattr(full.weights, name) * value
        for name, value in late.values().items()
        if name not in ("total", "global_rigidity")
    )
    assert late.total.item() == pytest.approx(total, rel=1e-5)


def test_the_background_learns_from_bare_points_alone(lone_footage: Footage, lone_scene: DrawnScene) -> None:
    none = LossWeights(**dict.fromkeys(LossWeights.__dataclass_fields__, 0.0))
    config = small_config(weights=replace(none, colour=1.0, residual=1.0), background_from_bare=True)
    starts = layer_starts(lone_footage, lone_scene.camera, config)
    points = random_points(lone_footage, 200, generator=torch.Generator().manual_seed(0), object_share=0.5)
    near = lone_footage.near[points.place[:, 2].long(), points.place[:, 1].long(), points.place[:, 0].long()]
    assert torch.equal(points.bare, ~near)
    assert 20 < int(points.bare.sum()) < 180

    def taught_by(bare: torch.Tensor) -> torch.Tensor:
        model = new_model(lone_footage, starts, config=config, seed=0)
        step_loss(
            model, replace(points, bare=bare), step=0, generator=torch.Generator().manual_seed(0)
        ).total.backward()
        fields = (model.textures[-1], model.residuals[-1])
        return torch.cat([one.grad.flatten() for field in fields for one in field.parameters() if one.grad is not None])

    assert taught_by(torch.zeros(200, dtype=torch.bool)).abs().sum() == 0
    assert taught_by(points.bare).abs().sum() > 0


def test_places_around_a_point(lone_footage: Footage) -> None:
    points = random_points(lone_footage, 500, generator=torch.Generator().manual_seed(0), object_share=0.5)
    extent = lone_footage.extent
    offset = (points.around - points.place[:, None])[..., :2]
    away = offset.norm(dim=-1)
    assert away.min() >= 2
    assert away.max() <= 0.2 * extent.width + 1
    assert (points.around[..., 2] == points.place[:, None, 2]).all()
    x, y, t = points.around.long().unbind(-1)
    inside = (x >= 0) & (x < extent.width) & (y >= 0) & (y < extent.height)
    near = lone_footage.near[t, y.clamp(0, extent.height - 1), x.clamp(0, extent.width - 1)]
    assert torch.equal(points.around_bare, inside & ~near)
    assert torch.allclose(offset.sum(1), torch.zeros(500, 2), atol=2.1)  # a quarter turn apart, in whole pixels


def test_light_that_somebody_hides_becomes_that_of_its_surroundings(
    lone_footage: Footage, lone_scene: DrawnScene
) -> None:
    none = LossWeights(**dict.fromkeys(LossWeights.__dataclass_fields__, 0.0))
    config = small_config(weights=replace(none, hidden=1.0), motion_share=1.0, light_rate=1.0)
    starts = layer_starts(lone_footage, lone_scene.camera, config)
    model = new_model(lone_footage, starts, config=config, seed=0)
    generator = torch.Generator().manual_seed(0)
    light = model.residuals[-1]
    with torch.no_grad():
        light.encoding.table.normal_(std=0.5, generator=generator)  # rough light everywhere

    def roughness(points: Points) -> torch.Tensor:
        return step_loss(model, points, step=9, generator=generator).hidden

    def drawn() -> Points:
        return random_points(lone_footage, 600, generator=generator, object_share=0.5)

    points = drawn()
    before = roughness(points).item()
    optimiser = torch.optim.Adam([light.encoding.table], lr=1e-2)
    for _ in range(60):
        optimiser.zero_grad()
        step_loss(model, drawn(), step=9, generator=generator).total.backward()
        optimiser.step()
    assert roughness(points).item() < 0.75 * before  # bare light stays as rough as it is
    everywhere = replace(points, bare=torch.ones_like(points.bare))
    nowhere = replace(points, around_bare=torch.zeros_like(points.around_bare))
    assert roughness(everywhere).item() == roughness(nowhere).item() == 0


def test_what_lasts_goes_to_the_texture(lone_footage: Footage, lone_scene: DrawnScene) -> None:
    """A lamp that never changes is paint: the light's mean over time comes to 1, its changes stay."""
    none = LossWeights(**dict.fromkeys(LossWeights.__dataclass_fields__, 0.0))
    config = small_config(weights=replace(none, lasting=1.0))
    model = new_model(lone_footage, layer_starts(lone_footage, lone_scene.camera, config), config=config, seed=0)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        model.residuals[-1].encoding.table.normal_(mean=0.2, std=0.5, generator=generator)
    uv = torch.rand(300, 2, generator=generator) * 1.2 - 0.6

    def over_time() -> torch.Tensor:
        with torch.no_grad():
            return torch.stack([model.light(uv, torch.full((300,), float(t)), 1) for t in range(6)])

    before = over_time()
    optimiser = torch.optim.Adam([model.residuals[-1].encoding.table], lr=5e-3)
    for _ in range(120):
        points = random_points(lone_footage, 600, generator=generator)
        optimiser.zero_grad()
        step_loss(model, points, step=9, generator=generator).total.backward()
        optimiser.step()
    after = over_time()
    assert (after.mean(0) - 1).abs().mean() < 0.5 * (before.mean(0) - 1).abs().mean()
    assert after.std(0).mean() > 0.5 * before.std(0).mean()


def test_a_camera_path_that_is_off_by_a_pixel_is_mended(lone_footage: Footage, lone_scene: DrawnScene) -> None:
    config = small_config(250, mends_camera=True, background_from_bare=True, batch_points=1500, mend_rate=0.03)
    starts = layer_starts(lone_footage, lone_scene.camera, config)
    shake = torch.eye(3).repeat(6, 1, 1)
    shake[:, 0, 2] = torch.tensor([0.0, 1.0, -1.0, 1.0, -1.0, 0.5])
    shaken = replace(starts[-1], uv_from_pixel=starts[-1].uv_from_pixel.float() @ shake)
    trained = train(lone_footage, [*starts[:-1], shaken], config=config, seed=0)

    def spread(model: AtlasModel) -> float:
        """How far the same corner of the wall wanders through the atlas, in pixels."""
        corner = torch.tensor([[x, y, t] for t in range(6) for x, y in ((12.0, 8.0), (80.0, 8.0))])
        with torch.no_grad():
            uv = model.uv(corner, 1).view(6, 2, 2)
        return float(uv.std(0).mean() * pixels_a_unit(model)[-1])

    assert lone_scene.camera.kind == "static"
    unmended = spread(new_model(lone_footage, [*starts[:-1], shaken], config=config, seed=0))
    assert spread(trained.model) < 0.5 * unmended


def test_border_patches_lie_beside_the_border() -> None:
    extent = Extent(width=40, height=20, n_frames=5)
    patches = border_patches(extent, 400, generator=torch.Generator().manual_seed(1))
    centre = patches.place[:, 0]
    x, y, t = centre.unbind(1)
    assert set(t.tolist()) == {0.0, 1.0, 2.0, 3.0, 4.0}
    left, right = (patches.axis == 0) & (patches.outward < 0), (patches.axis == 0) & (patches.outward > 0)
    upper, lower = (patches.axis == 1) & (patches.outward < 0), (patches.axis == 1) & (patches.outward > 0)
    assert sum(int(one.sum()) for one in (left, right, upper, lower)) == 400
    assert (x[left] == 1).all()
    assert (x[right] == 38).all()
    assert (y[upper] == 1).all()
    assert (y[lower] == 18).all()
    assert patches.place[..., 0].min() >= 0  # nine points, all of them in the frame
    assert patches.place[..., 0].max() <= 39
    assert patches.place[..., 1].min() >= 0
    assert patches.place[..., 1].max() <= 19
    assert (patches.place.mean(1) == centre).all()


def test_pretraining_teaches_the_mapping_where_things_are(lone_footage: Footage, lone_scene: DrawnScene) -> None:
    config = replace(network_config(), pretrain_rounds=8, n_steps=1, pretrain_on_motion=True, network_rate=3e-3)
    starts = layer_starts(lone_footage, lone_scene.camera, config)
    trained = train(lone_footage, starts, config=config)
    place = lone_footage.extent.frame_points(2)
    before = pretrain_loss(new_model(lone_footage, starts, config=config, seed=0), starts, place)
    assert pretrain_loss(trained.model, starts, place) < 0.3 * before


@pytest.mark.refusal
def test_a_loss_that_is_not_finite_stops_by_name(lone_footage: Footage, lone_scene: DrawnScene) -> None:
    config = small_config(3)
    starts = layer_starts(lone_footage, lone_scene.camera, config)
    broken = [replace(one, uv_from_pixel=one.uv_from_pixel * torch.nan) for one in starts]
    with pytest.raises(ResourceError, match="the loss must stay finite; got nan at step 0"):
        train(lone_footage, broken, config=config)


@pytest.mark.refusal
def test_what_does_not_belong_together_is_refused(lone_scene: DrawnScene) -> None:
    cast = true_cast(lone_scene)
    flow = neighbour_flow(lone_scene.pictures)
    with pytest.raises(ShapeError, match="one size and number; got 5 frames of 96x64"):
        clip_footage(lone_scene.pictures[:5], cast, flow)
    with pytest.raises(InputError, match="at least one layer; got none"):
        clip_footage(lone_scene.pictures, replace(cast, layers=()), flow)
    with pytest.raises(InputError, match=r"nvd\.n_steps must be 1 or more; got 0"):
        replace(nvd_draft_config(), n_steps=0)
    with pytest.raises(InputError, match=r"nvd\.grid_rate must be above 0"):
        replace(nvd_draft_config(), grid_rate=0.0)


def test_presets() -> None:
    paper, standard, draft = nvd_paper_config(), nvd_standard_config(), nvd_draft_config()
    assert (paper.n_steps, paper.batch_points, paper.pretrain_rounds) == (50_000, 10_000, 100)
    assert (paper.bootstrap_steps, paper.global_rigidity_steps) == (10_000, 5_000)
    assert paper.weights == standard.weights == LossWeights()
    assert (standard.mapping, draft.mapping) == ("network", "warp")
    assert standard.texture == paper.texture
    assert small_field().grid == GRID
    assert train_module.LOG_EVERY > 0
