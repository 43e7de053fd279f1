"""Who is who by context: a small network that learns from scenes put together of the clip's own cut-outs.

A histogram of colours cannot tell one child's shin from another's, nor a cushion that fell over from a jumper. What
is around a pixel can. There is no truth to learn that from, but there are frames in which subjects stand apart: cut
out, moved, laid over each other before frames of the same clip, they give any number of scenes, meetings above all,
of which every label is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Float16, UInt8
from numpy.typing import NDArray
from torch import Tensor, nn

from polytempo.core.pictures import Pictures
from polytempo.core.progress import Progress, Report, silent
from polytempo.objects.one_thread import one_thread

FOLD = 2
"""Blocks of so many pixels squared are folded into channels at the door and unfolded at the exit."""
N_LEVELS = 4
UNKNOWN = 255
LEAST_APART = 5
"""Frames in which subjects stand apart, below which the others must do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RehearseConfig:
    """How scenes are put together and learned from. Pixels are of the pictures given (half the working size)."""

    channels: int = 24
    """Channels of the first level; doubled, then tripled below."""
    n_steps: int = 500
    """Steps of training at first."""
    n_more: int = 200
    """Further steps each time that labels have become better."""
    batch: int = 4
    """Scenes a step."""
    window: tuple[int, int] = (144, 104)
    """Width and height of the part of a scene that is learned from, around somebody."""
    learning_rate: float = 1e-2
    """Highest step size of the one-cycle schedule."""
    real_share: float = 0.4
    """Share of scenes that are frames as they are, with the labels that are sure."""
    meet_share: float = 0.6
    """Share of the others in which a subject is put beside or over another; else near its own place."""
    move: float = 0.12
    """Standard deviation of a move of a cut-out, as a share of the picture's width."""
    grow: float = 0.1
    """Standard deviation of the logarithm of its size."""
    turn_deg: float = 6.0
    """Standard deviation of its turn, in degrees."""
    light: float = 0.06
    """Standard deviation of the logarithm of its brightness, and of the picture's."""
    whole_share: float = 0.6
    """A subject is cut out where it has this share of its usual area and touches nobody."""
    most_cuts: int = 60
    """Cut-outs kept per subject, spread over the clip."""
    seed: int = 0
    """For scenes, start and order."""


class WhoNetwork(nn.Module):
    """A thin U-Net from a frame and the plate behind it to a label per pixel."""

    def __init__(self, n_labels: int, *, channels: int) -> None:
        """Make a network with random weights from torch's default generator."""
        super().__init__()
        widths = [channels * min(level + 1, 3) for level in range(N_LEVELS)]
        entry = 7 * FOLD**2
        self.down = nn.ModuleList([_block(a, b) for a, b in zip([entry, *widths], widths, strict=False)])
        self.up = nn.ModuleList([_block(widths[i + 1] + widths[i], widths[i]) for i in reversed(range(N_LEVELS - 1))])
        self.head = nn.Conv2d(widths[0], n_labels * FOLD**2, 3, padding=1)

    def forward(self, x: Float[Tensor, "B 7 H W"]) -> Float[Tensor, "B L H W"]:
        """Give logits of the labels."""
        height, width = x.shape[-2:]
        step = FOLD * 2 ** (N_LEVELS - 1)
        x = F.pad(x, (0, -width % step, 0, -height % step), mode="replicate")
        x = F.pixel_unshuffle(x, FOLD)
        kept: list[Tensor] = []
        for i, block in enumerate(self.down):
            x = block(x if i == 0 else F.max_pool2d(x, 2))
            kept.append(x)
        for block, across in zip(self.up, reversed(kept[:-1]), strict=True):
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = block(torch.cat([x, across], 1))
        return F.pixel_shuffle(self.head(x), FOLD)[..., :height, :width]


def _block(a: int, b: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.LeakyReLU(0.1),
        nn.Conv2d(b, b, 3, padding=1), nn.BatchNorm2d(b), nn.LeakyReLU(0.1),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Backdrop:
    """A clip with the clean plate behind each frame."""

    pictures: Pictures
    plates: UInt8[np.ndarray, "T H W 3"]
    """The clean plate as each frame shows it."""
    known: NDArray[np.bool_]
    """Where it is known ``[T, H, W]``."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CutOut:
    """A subject as one frame shows it."""

    picture: UInt8[np.ndarray, "h w 3"]
    mask: UInt8[np.ndarray, "h w"]
    """0 or 255."""
    left: int
    top: int


def cut_outs(
    pictures: Pictures, labels: UInt8[np.ndarray, "T H W"], n_subjects: int, *, config: RehearseConfig
) -> list[list[CutOut]]:
    """Every subject as the frames show it in which it is whole and touches nobody.

    Args:
        pictures: The clip.
        labels: 0 background, ``k + 1`` for the k-th subject.
        n_subjects: How many.
        config: What is whole.
    """
    out: list[list[CutOut]] = []
    areas, usual = _areas(labels, n_subjects)
    apart = frames_apart(labels, n_subjects)
    for k in range(n_subjects):
        big = areas[k] >= max(config.whole_share * usual[k], 1)
        good = big & apart
        found = [int(t) for t in np.flatnonzero(good if good.sum() >= LEAST_APART else big)]
        if len(found) > config.most_cuts:
            found = [found[i] for i in np.linspace(0, len(found) - 1, config.most_cuts).astype(int)]
        cuts: list[CutOut] = []
        for t in found:
            mask = labels[t] == k + 1
            ys, xs = np.nonzero(mask)
            top, left = max(ys.min() - 2, 0), max(xs.min() - 2, 0)
            box = (slice(top, ys.max() + 3), slice(left, xs.max() + 3))
            picture = np.ascontiguousarray(np.asarray(pictures[t])[box])
            cuts.append(CutOut(picture=picture, mask=mask[box].astype(np.uint8) * 255, left=int(left), top=int(top)))
        out.append(cuts)
    return out


def frames_apart(
    labels: UInt8[np.ndarray, "T H W"], n_subjects: int, *, least_share: float = 0.4, touch_px: int = 2
) -> Bool[np.ndarray, " T"]:
    """In which frames all subjects are in sight and none touches another.

    Args:
        labels: 0 background, ``k + 1`` for the k-th subject.
        n_subjects: How many.
        least_share: Share of its usual area from which a subject is in sight.
        touch_px: Nearer than this is touching, in pixels.
    """
    areas, usual = _areas(labels, n_subjects)
    out = np.asarray((areas >= np.maximum(least_share * usual, 1)[:, None]).all(0))
    kernel = np.ones((2 * touch_px + 1, 2 * touch_px + 1), np.uint8)
    for t in np.flatnonzero(out):
        times = np.zeros(labels.shape[1:], np.uint8)
        for k in range(n_subjects):
            times += cv2.dilate((labels[t] == k + 1).astype(np.uint8), kernel)
        out[t] = (times > 1).sum() <= 4
    return out


def known_labels(labels: UInt8[np.ndarray, "T H W"], n_subjects: int) -> UInt8[np.ndarray, "T H W"]:
    """Labels of frames as they are, as far as they can be learned from; ``UNKNOWN`` elsewhere.

    Where subjects meet, or one is out of sight, nobody near them is believed: there mistakes are made, and a network
    learns them by heart. If subjects are hardly ever apart, all is believed.
    """
    apart = frames_apart(labels, n_subjects)
    if apart.sum() < LEAST_APART:
        return labels
    out = labels.copy()
    grow = max(1, labels.shape[2] // 36)
    kernel = np.ones((2 * grow + 1, 2 * grow + 1), np.uint8)
    for t in np.flatnonzero(~apart):
        out[t][cv2.dilate((labels[t] > 0).astype(np.uint8), kernel) > 0] = UNKNOWN
    return out


def _areas(labels: NDArray[np.uint8], n_subjects: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    areas = np.stack([np.asarray((labels == k + 1).sum((1, 2))) for k in range(n_subjects)])
    return areas, np.array([float(np.median(one[one > 0])) if one.any() else 0.0 for one in areas])


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
    frames in which subjects stand apart, and putting them so that they meet, is ours.
    """
    cuts = cut_outs(backdrop.pictures, labels, n_subjects, config=config)
    if not all(cuts):
        return None
    known = known_labels(labels, n_subjects)
    rng = np.random.default_rng(config.seed)
    n_steps, rate = (config.n_steps, 1.0) if net is None else (config.n_more, 0.5)
    if net is None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            net = WhoNetwork(n_subjects + 1, channels=config.channels)
    net.train()
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate * config.learning_rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate * config.learning_rate, total_steps=max(n_steps, 2))
    weight = torch.tensor([1.0] + [2.0] * n_subjects)
    with one_thread():
        for step in range(n_steps):
            scenes = [
                _window(_scene(backdrop, labels, known, cuts, rng, config), rng, config.window)
                for _ in range(config.batch)
            ]
            given = torch.stack([_given(*scene[:3]) for scene in scenes])
            wanted = torch.from_numpy(np.stack([one[3] for one in scenes]).astype(np.int64))
            loss = F.cross_entropy(net(given), wanted, weight=weight, ignore_index=UNKNOWN)
            if not torch.isfinite(loss):  # nothing known in these windows
                continue
            optimiser.zero_grad()
            loss.backward()  # pyright: ignore[reportUnknownMemberType]
            optimiser.step()
            schedule.step()
            if step % 10 == 9:
                report(Progress(stage="objects.rehearse", done=step + 1, total=n_steps, message="Learning who is who"))
    net.eval()
    return net


def told_by_context(net: WhoNetwork, backdrop: Backdrop) -> Float16[np.ndarray, "T H W L"]:
    """Log probability of every label on every frame."""
    out: list[NDArray[np.float16]] = []
    with torch.no_grad(), one_thread():
        for t, (plate, known) in enumerate(zip(backdrop.plates, backdrop.known, strict=True)):
            given = _given(np.asarray(backdrop.pictures[t]), plate, known)[None]
            out.append(torch.log_softmax(net(given)[0], 0).permute(1, 2, 0).numpy().astype(np.float16))
    return np.stack(out)


Scene = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.bool_], NDArray[np.uint8]]
"""Picture, plate, where the plate is known, labels."""


def _given(picture: NDArray[np.uint8], plate: NDArray[np.uint8], known: NDArray[np.bool_]) -> Tensor:
    colour = picture.astype(np.float32) / 127.5 - 1
    change = (picture.astype(np.float32) - plate) / 64 * known[..., None]
    return torch.from_numpy(np.concatenate([colour, change, known[..., None].astype(np.float32)], -1)).permute(2, 0, 1)


def _window(scene: Scene, rng: np.random.Generator, window: tuple[int, int]) -> Scene:
    """A part of a scene that shows somebody, if anybody is there."""
    picture, plate, known, wanted = scene
    height, width = wanted.shape
    w, h = min(window[0], width), min(window[1], height)
    somebody = np.argwhere((wanted > 0) & (wanted != UNKNOWN))
    y, x = somebody[rng.integers(len(somebody))] if len(somebody) else (rng.integers(height), rng.integers(width))
    top = int(np.clip(y - rng.integers(h // 4, h - h // 4), 0, height - h))
    left = int(np.clip(x - rng.integers(w // 4, w - w // 4), 0, width - w))
    at = (slice(top, top + h), slice(left, left + w))
    return picture[at], plate[at], known[at], wanted[at]


def _scene(
    backdrop: Backdrop,
    labels: NDArray[np.uint8],
    known_wanted: NDArray[np.uint8],
    cuts: list[list[CutOut]],
    rng: np.random.Generator,
    config: RehearseConfig,
) -> Scene:
    t = int(rng.integers(len(labels)))
    picture, plate, known = np.asarray(backdrop.pictures[t]), backdrop.plates[t], backdrop.known[t]
    n = len(cuts)
    if rng.random() < config.real_share:
        wanted = known_wanted[t]
        scene = picture
    else:
        taken = cv2.dilate((labels[t] > 0).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        scene = np.where(taken[..., None], plate, picture)
        wanted = np.where((taken & ~known), UNKNOWN, 0).astype(np.uint8)
        middles: list[tuple[float, float]] = []
        for k in rng.permutation(n):
            if n > 1 and rng.random() < 0.1:
                continue
            cut = cuts[k][int(rng.integers(len(cuts[k])))]
            scene = _paste(scene, wanted, int(k) + 1, cut, middles, rng, config)
    gain = float(np.exp(rng.normal(0, config.light)))
    if rng.random() < 0.5:
        scene, plate, known, wanted = scene[:, ::-1], plate[:, ::-1], known[:, ::-1], wanted[:, ::-1]
    lit = np.clip(scene * gain, 0, 255).astype(np.uint8)
    return lit, np.clip(plate * gain, 0, 255).astype(np.uint8), known, wanted


def _paste(
    scene: NDArray[np.uint8],
    wanted: NDArray[np.uint8],
    label: int,
    cut: CutOut,
    middles: list[tuple[float, float]],
    rng: np.random.Generator,
    config: RehearseConfig,
) -> NDArray[np.uint8]:
    """Lay a cut-out over a scene somewhere; ``wanted`` and ``middles`` are buffers of the caller."""
    height, width = wanted.shape
    h, w = cut.mask.shape
    x, y = cut.left + w / 2, cut.top + h / 2
    if middles and rng.random() < config.meet_share:
        other = middles[int(rng.integers(len(middles)))]
        x, y = other[0] + rng.normal(0, 0.7 * w), other[1] + rng.normal(0, 0.4 * h)
    else:
        x, y = x + rng.normal(0, config.move * width), y + rng.normal(0, 0.5 * config.move * height)
    middles.append((x, y))
    size = float(np.exp(rng.normal(0, config.grow)))
    scene_from_cut = cv2.getRotationMatrix2D((w / 2, h / 2), float(rng.normal(0, config.turn_deg)), size)
    scene_from_cut[:, 2] += (x - w / 2, y - h / 2)
    gain = float(np.exp(rng.normal(0, config.light)))
    laid = cv2.warpAffine(cut.picture, scene_from_cut, (width, height), borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpAffine(cut.mask, scene_from_cut, (width, height)).astype(np.float32) / 255
    alpha = cv2.GaussianBlur(mask, (0, 0), 0.7)[..., None]
    wanted[mask > 0.5] = label
    return np.clip(alpha * laid * gain + (1 - alpha) * scene, 0, 255).astype(np.uint8)
