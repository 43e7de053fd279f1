"""A two-layer baseline in the manner of Double-DIP: three small networks make two pictures and a mask from noise."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

CHANNELS, NOISE = 16, 8
HINT_SHARE = 0.25
"""First steps, in which the mask is led by the hint; then it is left alone."""
EXCLUSION, BINARY = 0.02, 0.01
"""Weights of "no edge in both pictures" and of "the mask is 0 or 1"."""


class Generator(nn.Module):
    """An encoder and decoder with skips, which turns noise of its own into pictures."""

    def __init__(self, n_outputs: int) -> None:
        """Make it from torch's default generator."""
        super().__init__()
        self.down = nn.ModuleList(
            nn.Conv2d(before, CHANNELS, 3, stride=2, padding=1) for before in (NOISE, CHANNELS, CHANNELS)
        )
        self.up = nn.ModuleList(
            nn.Conv2d(before, CHANNELS, 3, padding=1) for before in (2 * CHANNELS, 2 * CHANNELS, CHANNELS + NOISE)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(CHANNELS) for _ in range(6))
        self.head = nn.Conv2d(CHANNELS, n_outputs, 1)

    def forward(self, noise: Tensor) -> Tensor:
        """Pictures 0…1."""
        x, skips = noise, [noise]
        for conv, norm in zip(self.down, self.norms[:3], strict=True):
            x = F.leaky_relu(norm(conv(x)), 0.2)
            skips.append(x)
        for conv, norm, skip in zip(self.up, self.norms[3:], skips[2::-1], strict=True):
            x = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
            x = F.leaky_relu(norm(conv(torch.cat([x, skip], 1))), 0.2)
        return torch.sigmoid(self.head(x))


def double_dip(
    pictures: NDArray[np.uint8], hint: NDArray[np.float32], *, n_steps: int, seed: int
) -> NDArray[np.float32]:
    """Mask ``[T, H, W]``, 0…1, of the layer that the hint points at.

    Args:
        pictures: ``[T, H, W, 3]``; sides are multiples of 8.
        hint: Trimap ``[T, H, W]``: 0 surely not, 1 surely, else unknown. Believed in the first quarter of the steps.
        n_steps: Of Adam, each over all frames.
        seed: Of weights and noise.

    Source: Double-DIP, as LNR describes it in Sections 2 and 6.3; networks, weights and hint are ours.
    """
    frames = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    trimap = torch.from_numpy(hint)[:, None]
    known = ((trimap <= 0) | (trimap >= 1)).float()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        front, back, mask = Generator(3), Generator(3), Generator(1)
        # Noise that changes a little from frame to frame, so that what the networks make does, too.
        steady = torch.rand(1, NOISE, *frames.shape[-2:])
        noise = steady + 0.1 * torch.randn(len(frames), NOISE, *frames.shape[-2:]).cumsum(0)
    parameters = [one for net in (front, back, mask) for one in net.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=5e-3)
    for step in range(n_steps):
        optimiser.zero_grad()
        ahead, behind, share = front(noise), back(noise), mask(noise)
        loss = (share * ahead + (1 - share) * behind - frames).abs().mean()
        loss = loss + EXCLUSION * exclusion(ahead, behind)
        if step < HINT_SHARE * n_steps:
            loss = loss + (known * (share - trimap).abs()).sum() / known.sum()
        else:
            loss = loss + BINARY / ((share - 0.5).abs().mean() + 0.1)
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        return mask(noise)[:, 0].numpy()


def exclusion(a: Tensor, b: Tensor) -> Tensor:
    """How much two pictures have edges at the same places."""
    total = torch.zeros(())
    for axis in (-1, -2):
        steps = [torch.tanh(one.diff(dim=axis).abs().sum(1) * 4) for one in (a, b)]
        total = total + (steps[0] * steps[1]).mean()
    return total
