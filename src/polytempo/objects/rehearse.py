"""Who is who by context: a small network that learns from scenes put together of the clip's own cut-outs.

A histogram of colours cannot tell one child's shin from another's, nor a cushion that fell over from a jumper. What
is around a pixel can, and how it moves beside the pixels around it. There is no truth to learn that from, but there are
frames in which subjects stand apart: what was cut out of those makes any number of scenes, meetings above all.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float16, UInt8
from numpy.typing import NDArray
from torch import Tensor, nn

from polytempo.core.progress import Progress, Report, silent
from polytempo.core.two_at_a_time import side_by_side
from polytempo.objects.persistence import STEPS
from polytempo.objects.scenes import (
    UNKNOWN,
    Backdrop,
    Scene,
    SceneConfig,
    cut_outs,
    known_labels,
    played,
    rehearsed_scene,
    seen_scene,
    window_of,
)

FOLD = 2
"""Blocks of so many pixels squared are folded into channels at the door and unfolded at the exit."""
N_LEVELS = 4
N_GIVEN = 12
"""Channels given: colour (3), change from the plate (3), where that is known, persistence, motion both ways (4)."""
MOTION_PX = 4.0
"""Motion at which its channel has risen to about three quarters, in pixels a frame."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RehearseConfig:
    """How scenes are put together and learned from. Pixels are of the pictures given (half the working size)."""

    channels: int = 16
    """Channels of the first level; doubled, then tripled below. Processors take 16 at a time: 24 cost as much as 32."""
    n_steps: int = 800
    """Steps of training at first."""
    n_more: int = 200
    """Further steps each time that labels have become better."""
    batch: int = 4
    """Scenes a step."""
    window: tuple[int, int] = (144, 96)
    """Width and height of the part of a scene that is learned from, around somebody; multiples of 16 are not padded."""
    learning_rate: float = 1e-2
    """Highest step size of the one-cycle schedule."""
    scenes: SceneConfig = field(default_factory=SceneConfig)
    """How scenes are put together."""
    seed: int = 0
    """For scenes, start and order."""


class WhoNetwork(nn.Module):
    """A thin U-Net from a frame, the plate behind it and its motion to a label per pixel."""

    def __init__(self, n_labels: int, *, channels: int) -> None:
        """Make a network with random weights from torch's default generator."""
        super().__init__()
        widths = [channels * min(level + 1, 3) for level in range(N_LEVELS)]
        entry = N_GIVEN * FOLD**2
        self.down = nn.ModuleList([_block(a, b) for a, b in zip([entry, *widths], widths, strict=False)])
        self.up = nn.ModuleList([_block(widths[i + 1] + widths[i], widths[i]) for i in reversed(range(N_LEVELS - 1))])
        self.head = nn.Conv2d(widths[0], n_labels * FOLD**2, 3, padding=1)

    def forward(self, x: Float[Tensor, "B 12 H W"]) -> Float[Tensor, "B L H W"]:
        """Give logits of the labels."""
        height, width = x.shape[-2:]
        step = FOLD * 2 ** (N_LEVELS - 1)
        x = F.pad(x, (0, -width % step, 0, -height % step), mode="replicate")
        x = F.pixel_unshuffle(x, FOLD).contiguous(memory_format=torch.channels_last)
        kept: list[Tensor] = []
        for i, block in enumerate(self.down):
            x = block(x if i == 0 else F.max_pool2d(x, 2))
            kept.append(x)
        for block, across in zip(self.up, reversed(kept[:-1]), strict=True):
            x = F.interpolate(x, scale_factor=2, mode="nearest")  # learned from three times as fast as bilinear
            x = block(torch.cat([x, across], 1))
        return F.pixel_shuffle(self.head(x), FOLD)[..., :height, :width]


def _block(a: int, b: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.LeakyReLU(0.1),
        nn.Conv2d(b, b, 3, padding=1), nn.BatchNorm2d(b), nn.LeakyReLU(0.1),
    )  # fmt: skip


def rehearse(
    backdrop: Backdrop,
    labels: UInt8[np.ndarray, "T H W"],
    n_subjects: int,
    *,
    config: RehearseConfig,
    net: WhoNetwork | None = None,
    report: Report = silent,
) -> WhoNetwork | None:
    """Learn who is who from rehearsed scenes.

    Args:
        backdrop: The clip.
        labels: As far as known: 0 background, ``k + 1`` for the k-th subject.
        n_subjects: How many.
        config: Scenes and training.
        net: What was learned from labels before; learns on, in place.
        report: Told of every tenth step; may raise to stop.

    Returns:
        The network, or nothing where a subject is nowhere to be cut out.

    Source: the way of rehearsing is that of Lucid Data Dreaming, here without pre-training; taking cut-outs only from
    frames in which subjects stand apart, putting them so that they meet, and their motion are ours.
    """
    cuts = cut_outs(backdrop, labels, n_subjects, config=config.scenes)
    if not all(cuts):
        return None
    known = known_labels(labels, n_subjects, lasting=backdrop.lasting)
    n_steps, rate = (config.n_steps, 1.0) if net is None else (config.n_more, 0.5)
    if net is None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            net = WhoNetwork(n_subjects + 1, channels=config.channels)
        # torch's own stubs leave this documented form out.
        net.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    parameters = list(net.parameters())
    optimiser = torch.optim.AdamW(parameters, lr=rate * config.learning_rate, weight_decay=1e-3, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate * config.learning_rate, total_steps=max(n_steps, 2))
    weight = torch.tensor([1.0] + [2.0] * n_subjects)

    def scene(rng: np.random.Generator) -> Scene:
        if rng.random() >= config.scenes.real_share:
            made = rehearsed_scene(backdrop, labels, cuts, rng, config=config.scenes)
        else:
            t = int(rng.integers(len(labels)))
            made = seen_scene(backdrop, t, known[t])
        return window_of(played(made, rng, config=config.scenes), rng, config.window)

    def learned(half: _Half) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Weight of the known pixels of half a batch, and the gradients of their summed loss."""
        scenes = [scene(half.rng) for _ in range(half.n_scenes)]
        given = torch.stack([_given(one) for one in scenes])
        wanted = torch.from_numpy(np.stack([one.wanted for one in scenes]).astype(np.int64))
        loss = F.cross_entropy(half.net(given), wanted, weight=weight, ignore_index=UNKNOWN, reduction="sum")
        return weight[wanted[wanted != UNKNOWN]].sum(), torch.autograd.grad(loss, parameters)

    halves = _halves(net, config)
    with side_by_side() as both:
        for step in range(n_steps):
            (known_a, gradients_a), (known_b, gradients_b) = both(learned, halves)
            total = known_a + known_b
            if total == 0:  # nothing known in these windows
                continue
            for one, a, b in zip(parameters, gradients_a, gradients_b, strict=True):
                one.grad = (a + b) / total
            optimiser.step()
            schedule.step()
            if step % 10 == 9:
                report(Progress(stage="objects.rehearse", done=step + 1, total=n_steps, message="Learning who is who"))
    _share_running_means(halves)
    net.eval()
    return net


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Half:
    """Half of every batch: scenes of its own dice, through a net of its own running means and the shared weights."""

    net: WhoNetwork
    rng: np.random.Generator
    n_scenes: int


def _halves(net: WhoNetwork, config: RehearseConfig) -> tuple[_Half, _Half]:
    """Two halves, whatever the number of cores: what is learned must not depend on it."""
    net.train()
    twin = copy.deepcopy(net)
    for module, other in zip(net.modules(), twin.modules(), strict=True):
        for name, parameter in module.named_parameters(recurse=False):
            setattr(other, name, parameter)
    first, second = (np.random.default_rng((config.seed, k)) for k in range(2))
    few = config.batch // 2
    return _Half(net=net, rng=first, n_scenes=config.batch - few), _Half(net=twin, rng=second, n_scenes=max(few, 1))


def _share_running_means(halves: tuple[_Half, _Half]) -> None:
    for mine, other in zip(halves[0].net.buffers(), halves[1].net.buffers(), strict=True):
        if mine.is_floating_point():
            mine.copy_((mine + other) / 2)


def told_by_context(net: WhoNetwork, backdrop: Backdrop) -> Float16[np.ndarray, "T H W L"]:
    """Log probability of every label on every frame."""
    nothing = np.zeros(backdrop.lasting.shape[1:], np.uint8)

    def told(t: int) -> NDArray[np.float16]:
        with torch.no_grad():
            given = _given(seen_scene(backdrop, t, nothing))[None]
            return torch.log_softmax(net(given)[0], 0).permute(1, 2, 0).numpy().astype(np.float16)

    with side_by_side() as both:
        return np.stack(both(told, range(len(backdrop.lasting))))


def _given(scene: Scene) -> Tensor:
    colour = scene.picture.astype(np.float32) / 127.5 - 1
    change = (scene.picture.astype(np.float32) - scene.plate) / 64 * scene.known[..., None]
    flags = np.stack([scene.known, scene.lasting / (STEPS - 1)], -1).astype(np.float32)
    motion = np.tanh(scene.motion / MOTION_PX)
    return torch.from_numpy(np.concatenate([colour, change, flags, motion], -1)).permute(2, 0, 1)
