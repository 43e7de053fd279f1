"""Guided upsampling: edges of the guide, exact on linear maps."""

from __future__ import annotations

import pytest
import torch

from polytempo.core.errors import InputError, ShapeError
from polytempo.layers.guided import guided_filter, guided_upsample


def disc(size: tuple[int, int], *, soft: float = 0.0) -> torch.Tensor:
    """A disc in the middle of a picture ``[H, W]`` given as (width, height)."""
    width, height = size
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    distance = torch.hypot(x / width - 0.5, y / height - 0.5) - 0.3
    return (0.5 - distance / soft).clamp(0, 1) if soft else (distance < 0).float()


def colours(matte: torch.Tensor) -> torch.Tensor:
    front, back = torch.tensor([0.8, 0.3, 0.2]), torch.tensor([0.2, 0.5, 0.6])
    return back[:, None, None] + matte * (front - back)[:, None, None]


def test_shape_and_type() -> None:
    out = guided_upsample(torch.rand(5, 16, 24), torch.rand(3, 16, 24), torch.rand(3, 37, 51), radius=2, eps=1e-3)
    assert out.shape == (5, 37, 51)
    assert out.dtype == torch.float32


def test_a_constant_stays_and_a_linear_map_of_the_guide_is_met() -> None:
    guide = torch.rand(3, 32, 40, generator=torch.Generator().manual_seed(1))
    values = torch.stack([torch.full((32, 40), 0.7), 0.2 + 0.5 * guide[0] - 0.3 * guide[2]])
    out = guided_filter(values, guide, radius=3, eps=1e-8)
    torch.testing.assert_close(out, values, atol=1e-4, rtol=0)


def test_it_is_the_guided_filter_written_plainly() -> None:
    generator = torch.Generator().manual_seed(2)
    guide, values = torch.rand(3, 14, 17, generator=generator), torch.rand(2, 14, 17, generator=generator)
    radius, eps = 2, 1e-2

    def mean(picture: torch.Tensor) -> torch.Tensor:
        wide = torch.cat([picture[..., :radius].flip(-1), picture, picture[..., -radius:].flip(-1)], -1)
        tall = torch.cat([wide[..., :radius, :].flip(-2), wide, wide[..., -radius:, :].flip(-2)], -2)
        return torch.nn.functional.avg_pool2d(tall[None], 2 * radius + 1, stride=1)[0]

    g, v = guide.double(), values.double()
    second = torch.stack([mean(g * g[i : i + 1]) for i in range(3)], 1) - mean(g)[:, None] * mean(g)[None]
    inverse = torch.linalg.inv((second + eps * torch.eye(3)[..., None, None]).permute(2, 3, 0, 1))
    for k in range(2):
        cross = (mean(g * v[k]) - mean(g) * mean(v[k : k + 1])).permute(1, 2, 0)
        slope = (inverse @ cross[..., None])[..., 0].permute(2, 0, 1)
        offset = mean(v[k : k + 1]) - (slope * mean(g)).sum(0, keepdim=True)
        plain = (mean(slope) * g).sum(0) + mean(offset)[0]
        ours = guided_filter(values, guide, radius=radius, eps=eps)[k]
        torch.testing.assert_close(ours, plain.float(), atol=1e-5, rtol=0)


def test_edges_come_out_sharper_than_by_enlarging() -> None:
    truth = disc((192, 128), soft=0.01)
    low = disc((48, 32), soft=0.05)
    high = colours(truth)
    guide_low = torch.nn.functional.interpolate(high[None], size=(32, 48), mode="area")[0]
    out = guided_upsample(low[None], guide_low, high, radius=2, eps=1e-4)[0]
    enlarged = torch.nn.functional.interpolate(low[None, None], size=(128, 192), mode="bilinear")[0, 0]
    assert (out - truth).abs().mean() < 0.4 * (enlarged - truth).abs().mean()


def test_pictures_do_not_shift() -> None:
    matte = disc((96, 64), soft=0.05)
    low = torch.nn.functional.interpolate(matte[None, None], size=(32, 48), mode="area")[0]
    out = guided_upsample(low, low.expand(3, -1, -1), matte.expand(3, -1, -1), radius=2, eps=1e-3)[0]
    torch.testing.assert_close(out, out.flip(0), atol=1e-4, rtol=0)
    torch.testing.assert_close(out, out.flip(1), atol=1e-4, rtol=0)


@pytest.mark.refusal
def test_wrong_sizes_and_settings_are_refused() -> None:
    values, guide = torch.zeros(1, 8, 8), torch.zeros(3, 8, 8)
    with pytest.raises(ShapeError, match="must have one size"):
        guided_upsample(values, guide[:, :4], guide)
    with pytest.raises(ShapeError, match="full-size guide must be"):
        guided_upsample(values, guide, guide[:2])
    with pytest.raises(InputError, match="radius and eps must be above 0; got radius 0"):
        guided_upsample(values, guide, guide, radius=0)
