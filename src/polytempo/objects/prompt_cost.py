"""What prompts make each label cost on the frames they are on."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32
from numpy.typing import NDArray

from polytempo.objects.prompts import Line, Prompt, Prompts

CERTAIN = 12.0
"""Cost in nats of going against a point, a scribble or "absent"."""
MASK_CERTAIN = 4.0
"""Cost of going against a mask: a hand-drawn outline is a little off."""
BOX_BOUND = 10.0
"""Largest cost of lying outside a box."""
BOX_SOFT = 0.02
"""Share of a box's longer side over which leaving it costs a nat."""
CLEAR = 1.5
"""A prompt is clear about who a pixel is where it prefers one by so many nats over another."""
BOX_MIDDLE = 0.7
"""Cost of the edge of a box over its middle: says who is meant where boxes overlap."""


def prompt_costs(prompts: Prompts, *, box_soft: float = BOX_SOFT) -> dict[int, Float32[np.ndarray, "H W L"]]:
    """Costs to add per prompted frame; label 0 is the background, ``k + 1`` the k-th subject.

    Args:
        prompts: In pixels of the frames to be labelled.
        box_soft: Share of a box's longer side over which leaving it costs a nat.
    """
    width, height = prompts.size
    n_labels = len(prompts.subjects) + 1
    out: dict[int, NDArray[np.float32]] = {}
    for index, subject in enumerate(prompts.subjects):
        label = index + 1
        for one in subject.prompts:
            cost = out.setdefault(one.frame, np.zeros((height, width, n_labels), np.float32))
            if one.absent:
                cost[..., label] += CERTAIN
            if one.box is not None:
                cost[..., label] += _box_cost(one.box, prompts.size, box_soft)
            if one.mask is not None:
                # A pixel or so of doubt on both sides of a drawn outline.
                inner = cv2.erode(one.mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
                outer = cv2.dilate(one.mask.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0
                cost[..., label] += MASK_CERTAIN * outer
                _prefer(cost, label, inner, MASK_CERTAIN)
            cost[..., label] += CERTAIN * drawn(one.not_lines, prompts.size)
            _prefer(cost, label, drawn(one.lines, prompts.size), CERTAIN)
    return out


def clear_pixels(told: dict[int, Float32[np.ndarray, "H W L"]]) -> dict[int, Bool[np.ndarray, "H W"]]:
    """Where prompts leave little doubt which subject it would be, by frame: one is preferred over all others."""
    out: dict[int, NDArray[np.bool_]] = {}
    for t, cost in told.items():
        subjects = np.sort(cost[..., 1:], axis=-1)
        out[t] = np.ones(cost.shape[:2], bool) if cost.shape[-1] == 2 else subjects[..., 1] - subjects[..., 0] > CLEAR
    return out


def prompt_region(prompt: Prompt, size: tuple[int, int]) -> Bool[np.ndarray, "H W"]:
    """Where a prompt says that the subject is, as far as it says so: box, mask, drawn lines."""
    width, height = size
    region = drawn(prompt.lines, size)
    if prompt.box is not None:
        x0, y0, x1, y1 = (round(value) for value in prompt.box)
        region[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)] = True
    if prompt.mask is not None:
        region |= prompt.mask
    return region.reshape(height, width)


def drawn(lines: tuple[Line, ...], size: tuple[int, int]) -> Bool[np.ndarray, "H W"]:
    """Pixels under points and scribbles, drawn with a brush of a hundredth of the picture's width."""
    width, height = size
    picture = np.zeros((height, width), np.uint8)
    brush = max(3, round(width / 100))
    for line in lines:
        path = np.round(np.asarray(line, np.float64)).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(picture, [path], False, 1, brush)
        cv2.circle(picture, (int(path[0, 0, 0]), int(path[0, 0, 1])), brush // 2, 1, -1)
    return picture > 0


def box_radius(box: tuple[float, float, float, float], size: tuple[int, int]) -> Float32[np.ndarray, "H W"]:
    """How far every pixel is from a box's middle: 0 there, 1 on the ellipse that touches the sides."""
    x0, y0, x1, y1 = box
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    across = (x - (x0 + x1 - 1) / 2) / max((x1 - x0) / 2, 0.5)
    down = (y - (y0 + y1 - 1) / 2) / max((y1 - y0) / 2, 0.5)
    return np.sqrt(across**2 + down**2)


def _box_cost(box: tuple[float, float, float, float], size: tuple[int, int], soft: float) -> NDArray[np.float32]:
    x0, y0, x1, y1 = box
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    outside = np.hypot(np.maximum(np.maximum(x0 - x, x - x1 + 1), 0), np.maximum(np.maximum(y0 - y, y - y1 + 1), 0))
    away = outside / max(soft * max(x1 - x0, y1 - y0), 1.0)
    middle = BOX_MIDDLE * np.minimum(box_radius(box, size), 1.5) ** 2
    return np.minimum(away + middle, BOX_BOUND).astype(np.float32)


def _prefer(cost: NDArray[np.float32], label: int, where: NDArray[np.bool_], amount: float) -> None:
    for other in range(cost.shape[-1]):
        if other != label:
            cost[..., other] += amount * where
