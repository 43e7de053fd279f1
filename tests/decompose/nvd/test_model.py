from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small import small_config, small_field

from polytempo.camera.path import static_path
from polytempo.decompose.nvd.config import NvdConfig, nvd_paper_config
from polytempo.decompose.nvd.extent import Extent
from polytempo.decompose.nvd.fields import Field
from polytempo.decompose.nvd.footage import Footage
from polytempo.decompose.nvd.mapping import MappingNetwork, WarpMapping
from polytempo.decompose.nvd.model import AtlasModel, layer_shares, sampled
from polytempo.decompose.nvd.starts import layer_starts
from polytempo.decompose.nvd.train import n_values, new_model
from polytempo.synth.draw import DrawnScene


def model_of(footage: Footage, scene: DrawnScene, config: NvdConfig) -> AtlasModel:
    return new_model(footage, layer_starts(footage, scene.camera, config), config=config, seed=1)


def some_points(footage: Footage, n: int = 50, seed: int = 0) -> torch.Tensor:
    extent = footage.extent
    size = torch.tensor([extent.width, extent.height, extent.n_frames]).float()
    return (torch.rand(n, 3, generator=torch.Generator().manual_seed(seed)) * size).floor()


@given(seed=st.integers(0, 2**31), k=st.integers(1, 4))
@settings(max_examples=30)
def test_shares_sum_to_one_and_front_hides_back(seed: int, k: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    raw = torch.rand(k, 20, generator=generator)
    order = torch.stack([torch.randperm(k, generator=generator) for _ in range(20)], 1)
    shares = layer_shares(raw, order)
    assert shares.shape == (k + 1, 20)
    assert torch.allclose(shares.sum(0), torch.ones(20), atol=1e-6)
    front = raw.gather(0, order[:1])
    assert torch.allclose(shares[:-1].gather(0, order[:1]), front)
    raw.scatter_(0, order[:1], 1.0)
    hidden = layer_shares(raw, order)
    assert torch.allclose(hidden.gather(0, order[:1]), torch.ones(1, 20))
    assert hidden.sum() == pytest.approx(20)


def test_three_layers_by_hand() -> None:
    raw = torch.tensor([[0.5], [0.4]])
    assert layer_shares(raw, torch.tensor([[0], [1]])).flatten().tolist() == pytest.approx([0.5, 0.2, 0.3])
    assert layer_shares(raw, torch.tensor([[1], [0]])).flatten().tolist() == pytest.approx([0.3, 0.4, 0.3])


def test_the_paper_s_networks_have_the_published_sizes() -> None:
    config = nvd_paper_config()
    extent = Extent(width=768, height=432, n_frames=100)
    assert n_values(MappingNetwork(extent)) == 133_122
    assert n_values(Field(config.texture, 2, 3).decoder) == 6_400 + 4_227  # 32→64, 64→64 twice, 64→3: 10,627
    assert n_values(Field(config.residual, 3, 3)) == 907_424 + 10_627
    assert n_values(Field(config.alpha, 3, 1).decoder) == 10_497


def test_coordinates_of_the_paper() -> None:
    extent = Extent(width=768, height=432, n_frames=100)
    corners = torch.tensor([[0.0, 0.0, 0.0], [767.0, 431.0, 99.0]])
    expected = torch.tensor([[-1.0, -1.0, -1.0], [767 / 384 - 1, 431 / 384 - 1, 99 / 50 - 1]])
    assert torch.allclose(extent.normalised(corners), expected)
    assert extent.frame_points(3)[768].tolist() == [0.0, 1.0, 3.0]


@pytest.mark.parametrize("kind", ["multiplicative", "additive", "none"])
def test_the_picture_is_made_of_its_layers(lone_footage: Footage, lone_scene: DrawnScene, kind: str) -> None:
    model = model_of(lone_footage, lone_scene, small_config(residual_kind=kind))
    sample = model(some_points(lone_footage))
    assert sample.colour.min() >= 0
    assert sample.colour.max() <= 1
    assert sample.residual.min() > (-1 if kind == "additive" else 0)
    shaded = sample.colour + sample.residual if kind == "additive" else sample.colour * sample.residual
    assert torch.allclose(sample.shaded, shaded)
    expected = (shaded * sample.alpha[..., None]).sum(0)
    assert torch.allclose(sample.composite, expected)
    assert torch.allclose(sample.alpha.sum(0), torch.ones(50), atol=1e-4)


def test_light_starts_at_one_and_moves_no_mapping(lone_footage: Footage, lone_scene: DrawnScene) -> None:
    model = model_of(lone_footage, lone_scene, small_config())
    points = some_points(lone_footage)
    uv = model.uv(points, 0)
    light = model.light(uv, points[:, 2], 0)
    assert torch.allclose(light, torch.ones_like(light), atol=1e-2)
    light.sum().backward()
    assert all(one.grad is None for one in model.mappings[0].parameters())
    model.colour(uv, 0).sum().backward()
    assert all(one.grad is not None for one in model.mappings[0].parameters())
    paper = model_of(lone_footage, lone_scene, small_config(positive="softplus", residual=small_field(n_hidden=0)))
    assert (paper.light(uv.detach(), points[:, 2], 0) > 0).all()


def test_light_s_rate_is_a_power_of_it(lone_footage: Footage, lone_scene: DrawnScene) -> None:
    points = some_points(lone_footage)
    uv, frame = points[:, :2] / 100, points[:, 2]
    lights = []
    for rate in (1.0, 3.0):
        model = model_of(lone_footage, lone_scene, small_config(light_rate=rate))
        with torch.no_grad():
            model.residuals[0].encoding.table.normal_(std=0.2, generator=torch.Generator().manual_seed(0))
            lights.append(model.light(uv, frame, 0))
    assert lights[0].std() > 0.01
    assert torch.allclose(lights[0] ** 3, lights[1], rtol=1e-4)


def test_known_motion_is_where_the_warp_starts(crossing_footage: Footage, crossing_scene: DrawnScene) -> None:
    config = small_config()
    starts = layer_starts(crossing_footage, crossing_scene.camera, config)
    model = model_of(crossing_footage, crossing_scene, config)
    points = some_points(crossing_footage)
    for layer, start in enumerate(starts):
        homogeneous = torch.cat([points[:, :2], torch.ones(len(points), 1)], 1).double()
        wanted = (start.uv_from_pixel[points[:, 2].long()] @ homogeneous[:, :, None])[..., 0]
        wanted = (wanted[:, :2] / wanted[:, 2:]).float()
        assert torch.allclose(model.uv(points, layer), wanted, atol=1e-4)
    middle = crossing_scene.masks[0, 4].nonzero()
    centre = torch.tensor([[middle[1].mean(), middle[0].mean(), 4.0]]).float()
    assert torch.allclose(model.uv(centre, 0), torch.zeros(1, 2), atol=1e-3)


def test_a_known_camera_is_left_or_mended_or_warped(lone_footage: Footage, lone_scene: DrawnScene) -> None:
    left = model_of(lone_footage, lone_scene, small_config(mends_camera=False))
    assert not list(left.mappings[-1].parameters())
    assert list(left.mappings[0].parameters())
    coarse = left.residuals[-1].encoding.layout.scales[-1][0]
    assert coarse == pytest.approx(96 / 0.9 / 6 - 1)  # cells of six pixels
    mended = model_of(lone_footage, lone_scene, small_config())
    assert [name for name, _ in mended.mappings[-1].named_parameters()] == ["affine"]
    points = some_points(lone_footage)
    assert torch.equal(mended.uv(points, 1), left.uv(points, 1))  # at first
    assert not mended.follows_flow(1)  # flow follows the lights
    warped = model_of(lone_footage, lone_scene, small_config(background_warps=True))
    assert warped.follows_flow(0)
    assert warped.follows_flow(1)


def test_an_affine_change_belongs_to_its_frame(lone_footage: Footage) -> None:
    extent = lone_footage.extent
    mapping = WarpMapping(extent, torch.eye(3).expand(extent.n_frames, 3, 3) * 1.0, grid=small_config().warp, rate=0.1)
    with torch.no_grad():
        mapping.warp.table.zero_()
        mapping.affine[2] = torch.tensor([1.0, 0, 0, 2.0, 5.0, 7.0])
    points = torch.tensor([[10.0, 20.0, 1.0], [10.0, 20.0, 2.0]])
    normal = extent.normalised(points)[1]
    moved = mapping(points)
    assert moved[0].tolist() == [10.0, 20.0]
    expected = torch.tensor([10 + 0.1 * (normal[0] + 5), 20 + 0.1 * (2 * normal[1] + 7)])
    assert torch.allclose(moved[1], expected)


def test_mattes_start_at_the_masks(lone_footage: Footage, lone_scene: DrawnScene) -> None:
    model = model_of(lone_footage, lone_scene, small_config())
    points = lone_footage.extent.frame_points(2)
    raw = model.raw_alpha(points)[0].view(lone_footage.extent.height, -1).detach().numpy()
    mask = lone_scene.masks[0, 2]
    assert ((raw > 0.5) == mask).mean() > 0.99
    assert np.abs(raw - mask).mean() < 0.05


def test_a_volume_is_sampled_between_pixels() -> None:
    volume = torch.arange(2 * 3 * 4).reshape(1, 2, 3, 4).float()
    points = torch.tensor([[0.0, 0.0, 0.0], [1.5, 0.5, 1.0], [9.0, 9.0, 1.0], [-5.0, 2.0, 0.0]])
    assert sampled(volume, points).flatten().tolist() == [0.0, 15.5, 23.0, 8.0]


def test_who_is_in_front_may_change(crossing_footage: Footage, crossing_scene: DrawnScene) -> None:
    """Rows of the order are back to front in a cast and front to back in a model."""
    first = crossing_scene.order[0]
    assert [crossing_footage.layer_ids[k] for k in crossing_footage.order[0].tolist()] == list(reversed(first))


def test_a_still_camera_keeps_its_background_in_the_atlas(lone_footage: Footage) -> None:
    size = (lone_footage.extent.width, lone_footage.extent.height)
    camera = static_path(lone_footage.extent.n_frames, size)
    start = layer_starts(lone_footage, camera, small_config())[-1]
    corner = start.uv_from_pixel[0] @ torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    assert abs(float(corner[0])) == pytest.approx(start.uv_scale * (size[0] - 1) / size[0])
    paper = layer_starts(lone_footage, camera, nvd_paper_config())
    assert [one.uv_scale for one in paper] == [0.9, 0.6]
