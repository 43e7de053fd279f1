"""A hidden body put together from pieces: each as it was last seen, or is seen next, carried by the body's motion.

Who kneels and turns behind somebody who jumps is seen whole on no frame for a long time, and in no posture that was
seen before. But other pieces of him come into sight on every frame.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.core.discs import disc, grown, opened
from polytempo.core.nearest import nearest_known
from polytempo.core.pictures import Pictures
from polytempo.objects.body_flow import BodyFlowConfig, body_flow
from polytempo.objects.body_motion import BodyMotion, MotionConfig, body_motion
from polytempo.objects.posture import cheapest_chain

UNKNOWN = 1e3
"""Doubt, in frames, about what was never seen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CarryConfig:
    """How pieces are carried and joined. Lengths without a unit are in units of the body's scale."""

    flow: BodyFlowConfig = field(default_factory=BodyFlowConfig)
    """Which flow is believed."""
    motion: MotionConfig = field(default_factory=MotionConfig)
    """How the body moves."""
    edge_px: int = 2
    """So near to what is in front nothing counts as seen of the body."""
    bare_px: int = 6
    """So near to what is in front nothing counts as seen of what is beside the body: masks miss hair and hands, and
    what is once taken for bare stays so."""
    guess_frames: float = 3.0
    """A frame over which nothing tells how the body moves makes as doubtful as so many more."""
    thick: float = 0.09
    """What is thinner than twice this is no body, when two ways through time are compared."""
    doubt_weight: float = 0.004
    """A frame of mean doubt costs as much as this share of the body missing."""
    most: float = 1.15
    """A body is not larger than this share of the largest that was seen; what is beyond is held against a way."""
    beyond_weight: float = 6.0
    """A share of the body beyond that costs as much as so many such shares missing."""
    turn_cost: float = 0.2
    """Going over from one way to the other costs as much as this share of the body missing on one frame."""
    even: float = 0.028
    """Smoothness of the joined outline."""
    slender: float = 0.05
    """What is hidden and thinner than twice this is no limb, but what a limb left behind."""
    gap: float = 0.14
    """Gaps between pieces up to twice this wide are closed."""
    least_piece: float = 0.15
    """Pieces smaller than this share of the largest are dropped."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Memory:
    """What was last seen at every pixel, the body's motion undone."""

    frame: NDArray[np.int32]
    """``[H, W]``; -1 for nothing."""
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    """``[H, W]``: the place there."""
    doubt: NDArray[np.float32]
    """``[H, W]`` in frames."""

    def moved(self, field_: NDArray[np.float32], more: float) -> _Memory:
        """Give what each pixel finds at its displacement ``[H, W, 2]``."""
        height, width = self.frame.shape
        rows, columns = np.mgrid[:height, :width]
        x, y = columns + field_[..., 0], rows + field_[..., 1]
        # Whole pixels are moved and the rest is kept as an offset: nothing is blurred on the way.
        i, j = np.rint(y).astype(int), np.rint(x).astype(int)
        inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
        i, j = np.clip(i, 0, height - 1), np.clip(j, 0, width - 1)
        return _Memory(
            frame=np.where(inside, self.frame[i, j], -1),
            x=(self.x[i, j] + x - j).astype(np.float32),
            y=(self.y[i, j] + y - i).astype(np.float32),
            doubt=np.where(inside, self.doubt[i, j] + more, UNKNOWN).astype(np.float32),
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Carried:
    """What one way through time puts behind what is in front, on one frame."""

    rgba: UInt8[np.ndarray, "H W 4"]
    """Colour, and how much of it is body; not premultiplied."""
    score: float
    """How whole the body is, less what is doubtful."""


def carried_bodies(
    mask: Bool[np.ndarray, "T H W"],
    front: Bool[np.ndarray, "T H W"],
    pictures: Pictures,
    camera: CameraPath,
    *,
    config: CarryConfig,
) -> dict[int, Float32[np.ndarray, "H W 4"]]:
    """A body's hidden parts, from the nearest frames that show them.

    Two memories go through the frames, one each way. Each keeps, for every pixel, what was last seen there of the
    body or beside it; what is seen now takes its place, and all of it moves on with the body. On every frame the memory
    that makes the body more whole is believed, for as long as it does: pieces of both would be two bodies.

    Args:
        mask: Where the body is seen, on frames that follow each other; on some of them whole, best the outermost.
        front: Union of the masks of all subjects in front of it.
        pictures: These frames.
        camera: Theirs.
        config: See ``CarryConfig``.

    Returns:
        ``float32 [H, W, 4]`` by frame, 0…1, premultiplied; frames without anybody in front are not in it.

    Source: ours. Layers that remember what was seen are those of Wang and Adelson (IEEE TIP 1994).
    """
    usual = float(mask.sum((1, 2)).max())
    frames = np.flatnonzero(front.any((1, 2)))
    if usual == 0 or len(frames) == 0:
        return {}
    shots = np.stack([np.asarray(one) for one in pictures])
    flow = body_flow(mask, shots, config=config.flow)
    ways: list[list[_Carried]] = []
    for step in (1, -1):
        motion = body_motion(mask, flow, camera, step=step, scale=float(np.sqrt(usual)), config=config.motion)
        ways.append(_one_way(mask, front, shots, motion, config))
    score = np.array([[way[t].score for way in ways] for t in range(len(mask))])
    turns = config.turn_cost * (1 - np.eye(2))
    chosen = cheapest_chain(-score, turns)
    out: dict[int, NDArray[np.float32]] = {}
    for t in frames:
        hidden = grown(front[t], config.edge_px)
        rgba = ways[int(chosen[t])][int(t)].rgba
        out[int(t)] = _joined(rgba, mask[t] & ~hidden, hidden, shots[t], np.sqrt(usual), config)
    return out


def _one_way(
    mask: NDArray[np.bool_],
    front: NDArray[np.bool_],
    shots: NDArray[np.uint8],
    motion: BodyMotion,
    config: CarryConfig,
) -> list[_Carried]:
    n, height, width = mask.shape
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    memory = _Memory(
        frame=np.full((height, width), -1, np.int32),
        x=columns,
        y=rows,
        doubt=np.full((height, width), UNKNOWN, np.float32),
    )
    usual = float(mask.sum((1, 2)).max())
    out: list[_Carried] = []
    thick = disc(max(round(config.thick * np.sqrt(usual)), 1))
    times = range(n) if motion.step == 1 else range(n - 1, -1, -1)
    for t in times:
        if t != times[0]:
            memory = memory.moved(motion.field(t), 1 + config.guess_frames * (1 - float(motion.sureness[t])))
        hidden = grown(front[t], config.edge_px)
        seen = np.where(mask[t], ~hidden, ~grown(front[t], config.bare_px))
        memory = _Memory(
            frame=np.where(seen, t, memory.frame),
            x=np.where(seen, columns, memory.x),
            y=np.where(seen, rows, memory.y),
            doubt=np.where(seen, np.float32(0), memory.doubt),
        )
        rgba = _recalled(memory, hidden, shots, mask)
        body = rgba[..., 3] > 127
        whole = cv2.morphologyEx((body | mask[t]).astype(np.uint8), cv2.MORPH_OPEN, thick) > 0
        doubt = float(np.minimum(memory.doubt[body], 100).mean()) if body.any() else 0.0
        beyond = max(float((body | mask[t]).sum()) / usual - config.most, 0.0)
        score = (whole & hidden).sum() / usual - config.beyond_weight * beyond - config.doubt_weight * doubt
        out.append(_Carried(rgba=rgba, score=score))
    return out if motion.step == 1 else out[::-1]


def _recalled(
    memory: _Memory, where: NDArray[np.bool_], shots: NDArray[np.uint8], mask: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """What a memory shows at some pixels, between its samples: colour, and how much of it is body."""
    height, width = where.shape
    out = np.zeros((height, width, 4), np.uint8)
    at = where & (memory.frame >= 0)
    frame = memory.frame[at]
    x, y = np.clip(memory.x[at], 0, width - 1), np.clip(memory.y[at], 0, height - 1)
    left, top = np.minimum(x.astype(int), width - 2), np.minimum(y.astype(int), height - 2)
    right, down = (x - left)[:, None], (y - top)[:, None]
    found = np.zeros((len(frame), 4), np.float32)
    for dy, dx, share in (
        (0, 0, (1 - down) * (1 - right)),
        (0, 1, (1 - down) * right),
        (1, 0, down * (1 - right)),
        (1, 1, down * right),
    ):
        place = (frame, top + dy, left + dx)
        found += share * np.column_stack([shots[place], 255 * mask[place].astype(np.float32)])
    out[at] = np.rint(found)
    return out


def _joined(
    rgba: NDArray[np.uint8],
    visible: NDArray[np.bool_],
    hidden: NDArray[np.bool_],
    picture: NDArray[np.uint8],
    scale: float,
    config: CarryConfig,
) -> NDArray[np.float32]:
    """Pieces made one body: tufts cut, gaps between pieces closed and filled from the nearest, crumbs dropped."""
    body = np.maximum(rgba[..., 3].astype(np.float32) / 255 * hidden, visible)
    shape = visible | (hidden & (cv2.GaussianBlur(body, (0, 0), max(config.even * scale, 0.5)) > 0.42))
    shape = visible | opened(shape, max(round(config.slender * scale), 1))
    radius = max(round(config.gap * scale), 1)
    padded = np.pad(shape.astype(np.uint8), 2 * radius)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, disc(radius))[2 * radius : -2 * radius, 2 * radius : -2 * radius]
    shape |= hidden & (closed > 0)
    _, found, stats, _ = cv2.connectedComponentsWithStats(shape.astype(np.uint8), connectivity=8)
    label = np.asarray(found)
    large = stats[:, cv2.CC_STAT_AREA] >= config.least_piece * stats[1:, cv2.CC_STAT_AREA].max(initial=1)
    large[0] = False
    shape &= visible | large[label]
    known = (rgba[..., 3] > 230) | visible
    colour = np.where(visible[..., None], picture, rgba[..., :3]).astype(np.float32) / np.float32(255)
    colour = np.where(known[..., None], colour, cv2.GaussianBlur(nearest_known(colour, known)[1], (0, 0), 1.5))
    alpha = cv2.GaussianBlur(shape.astype(np.float32), (0, 0), 0.8)
    return np.dstack([colour * alpha[..., None], alpha]).astype(np.float32)
