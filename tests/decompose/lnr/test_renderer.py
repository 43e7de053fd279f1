from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from polytempo.core.errors import InputError, ShapeError
from polytempo.decompose.lnr.renderer import DECODER, ENCODER, Renderer
from polytempo.decompose.lnr.texture import NeuralTexture, n_tiles, tile_of
from polytempo.decompose.lnr.upsample import RESIDUAL_SCALE, Upsampler, doubled


def n_weights(module: nn.Module) -> int:
    return sum(one.numel() for one in module.parameters())


def test_the_networks_have_the_weights_of_the_paper() -> None:
    # Rows of A.2.1: 4×4 kernels with bias; batch norms have two a channel.
    before, total = 17, 0
    for row, (channels, _, _) in enumerate(ENCODER):
        total += 16 * before * channels + channels + (2 * channels if row else 0)
        before = channels
    for channels, skip in zip(DECODER, (256, 256, 256, 128, 64), strict=True):
        total += 16 * (before + skip) * channels + 3 * channels
        before = channels
    total += 16 * 64 * 4 + 4
    assert n_weights(Renderer()) == total
    assert round(total / 1e6, 2) == 10.51
    assert n_weights(Upsampler()) == 272_900
    assert n_weights(NeuralTexture(1)) == 102_400
    assert n_weights(NeuralTexture(2)) - n_weights(NeuralTexture(1)) == 98_304


@pytest.mark.parametrize("size", [(64, 96), (48, 80), (33, 40)])
def test_any_size_comes_out_as_it_went_in(size: tuple[int, int]) -> None:
    rgba, features = Renderer()(torch.randn(2, 17, *size))
    assert rgba.shape == (2, 4, *size)
    assert features.shape == (2, 64, *size)
    assert rgba.abs().max() <= 1


def test_rows_six_and_seven_are_dilated_and_keep_their_shape() -> None:
    renderer = Renderer()
    assert [conv.dilation[0] for conv in renderer.down] == [1, 1, 1, 1, 1, 2, 2]
    x = torch.randn(1, 256, 8, 14)
    assert renderer.down[5](x).shape == x.shape
    assert renderer.down[4](x).shape == (1, 256, 4, 7)


def by_hand(renderer: Renderer, x: torch.Tensor) -> torch.Tensor:
    """The table row by row, every zero put there and every pixel cropped by itself."""

    def bare(conv: nn.Module, x: torch.Tensor, around: int | tuple[int, int], dilation: int = 1) -> torch.Tensor:
        before, after = (around, around) if isinstance(around, int) else around
        x = F.pad(x, (before, after, before, after))
        return F.conv2d(x, conv.weight, conv.bias, stride=2 if around == 1 else 1, dilation=dilation)

    skips: list[torch.Tensor] = []
    for row, conv in enumerate(renderer.down):
        x = bare(conv, x, 1) if row < 5 else bare(conv, x, 3, dilation=2)
        x = F.relu(x) if row == 0 else F.leaky_relu(renderer.down_norms[row - 1](x), 0.2)
        skips.append(x)
    for conv, norm, skip in zip(renderer.up, renderer.up_norms, skips[4::-1], strict=True):
        x = F.conv_transpose2d(torch.cat([x, skip], 1), conv.weight, conv.bias, stride=2)[..., 1:-1, 1:-1]
        x = F.relu(norm(x))
    return torch.tanh(bare(renderer.head, x, (1, 2)))


def test_padding_and_cropping_within_the_rows_are_those_by_hand() -> None:
    renderer, x = Renderer(base_channels=8), torch.randn(2, 17, 64, 96)
    assert torch.allclose(renderer(x)[0], by_hand(renderer, x), atol=1e-5)


def test_a_narrower_network_has_every_row_in_proportion() -> None:
    renderer = Renderer(base_channels=16)
    assert [conv.out_channels for conv in renderer.down] == [channels // 4 for channels, _, _ in ENCODER]
    assert [conv.out_channels for conv in renderer.up] == [channels // 4 for channels in DECODER]
    assert renderer(torch.randn(2, 17, 32, 64))[1].shape == (2, 16, 32, 64)


def test_the_first_row_has_no_norm_and_a_plain_relu() -> None:
    renderer = Renderer().eval()
    seen: list[torch.Tensor] = []
    renderer.down[1].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    renderer(torch.randn(1, 17, 32, 32))
    assert seen[0].min() == 0


def test_gradients_reach_every_weight() -> None:
    renderer = Renderer()
    rgba, _ = renderer(torch.randn(2, 17, 64, 64))
    rgba.square().mean().backward()
    assert all(one.grad is not None and one.grad.abs().sum() > 0 for one in renderer.parameters() if one.ndim == 4)


@pytest.mark.refusal
def test_another_number_of_channels_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"\[B, 17, H, W\]; got \(1, 16, 32, 32\)"):
        Renderer()(torch.zeros(1, 16, 32, 32))


def test_tiles_are_numbered_without_gaps() -> None:
    numbers = [tile_of(person, part) for person in (1, 2, 3) for part in range(1, 25)]
    assert numbers == list(range(1, n_tiles(3)))


def test_sampling_meets_texels_and_never_the_next_tile() -> None:
    texture = NeuralTexture(1)
    ramp = torch.linspace(0, 1, 16)
    v, u = torch.meshgrid(ramp, ramp, indexing="ij")
    for tile in (0, 5, 24):
        sampled = texture(torch.full((1, 16, 16), tile), torch.stack([u, v])[None])
        assert torch.allclose(sampled, texture.texels[..., 16 * tile : 16 * tile + 16], atol=2e-4)


def test_a_pixel_trains_only_its_own_tile() -> None:
    texture = NeuralTexture(1)
    uv = torch.rand(1, 2, 8, 8)
    texture(torch.full((1, 8, 8), 7), uv).sum().backward()
    grad = texture.texels.grad
    assert grad is not None
    touched = grad.abs().sum((0, 1, 2)).reshape(25, 16).sum(1) > 0
    assert touched.nonzero().flatten().tolist() == [7]


@pytest.mark.refusal
def test_a_texture_for_nobody_is_refused() -> None:
    with pytest.raises(InputError, match="at least one person"):
        NeuralTexture(0)


def test_the_upsampler_moves_a_layer_by_a_hundredth_of_what_it_says() -> None:
    upsampler = Upsampler()
    rgba = doubled(torch.rand(1, 4, 8, 12) * 0.5)
    others = torch.randn(1, 16, 16, 24), torch.ones(1, 1, 16, 24), torch.randn(1, 64, 16, 24)
    nn.init.zeros_(upsampler.head.weight)
    nn.init.constant_(upsampler.head.bias, 3.0)
    assert torch.allclose(upsampler(rgba, *others), rgba + 3 * RESIDUAL_SCALE, atol=1e-6)
    nn.init.constant_(upsampler.head.bias, 1000.0)
    assert upsampler(rgba, *others).max() == 1
