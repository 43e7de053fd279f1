"""The picture between two in one pass against the same in plain floating point, pixel by pixel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytempo.render.between import _traced, between
from polytempo.render.compose import enlarged


def soft_layer(rng: np.random.Generator, height: int, width: int, *, margin: int) -> np.ndarray:
    """Premultiplied blotches that reach the edges where there is no margin."""
    rgba = cv2.GaussianBlur(rng.uniform(-200, 455, (height, width, 4)).astype(np.float32), (0, 0), 1.5)
    rgba = np.clip(rgba, 0, 255)
    inside = np.zeros((height, width, 1), np.float32)
    inside[margin : height - margin, margin : width - margin] = 1
    rgba *= inside
    return np.rint(np.dstack([rgba[..., :3] * rgba[..., 3:] / 255, rgba[..., 3]])).astype(np.uint8)


def smooth_motion(rng: np.random.Generator, rows: int, columns: int, strength: float) -> np.ndarray:
    rough = rng.normal(0, 1, (rows, columns, 2)).astype(np.float32)
    smooth = np.asarray(cv2.GaussianBlur(rough, (0, 0), 3))
    return strength * smooth / max(float(np.abs(smooth).max()), 1e-6)


def slow_sample(picture: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Linear, 0 outside."""
    padded = np.pad(picture.astype(np.float64), ((1, 2), (1, 2), (0, 0)))
    x, y = np.clip(x, -1, picture.shape[1]) + 1, np.clip(y, -1, picture.shape[0]) + 1
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, below = (x - left)[..., None], (y - top)[..., None]
    upper = padded[top, left] * (1 - right) + padded[top, left + 1] * right
    lower = padded[top + 1, left] * (1 - right) + padded[top + 1, left + 1] * right
    return upper * (1 - below) + lower * below


def slow_between(
    a: np.ndarray, b: np.ndarray, forward: np.ndarray, backward: np.ndarray, share: float, factor: int
) -> np.ndarray:
    (height, width), (rows, columns) = a.shape[:2], forward.shape[:2]
    scale = np.array([width / columns, height / rows], np.float32)
    y, x = np.mgrid[:height, :width].astype(np.float64)
    samples, trusts = [], []
    for picture, there, back, part in ((a, forward, backward, share), (b, backward, forward, 1 - share)):
        motion, trust = (
            cv2.resize(one, (width, height), interpolation=cv2.INTER_LINEAR) for one in _traced(there, back, part)
        )
        motion = motion * scale
        large = picture if factor == 1 else enlarged(picture, factor)
        samples.append(
            slow_sample(large, (x + motion[..., 0] + 0.5) * factor - 0.5, (y + motion[..., 1] + 0.5) * factor - 0.5)
        )
        trusts.append(trust[..., None].astype(np.float64))
    weight_a, weight_b, belief = (1 - share) * trusts[0], share * trusts[1], np.maximum(*trusts)
    moved = (weight_a * samples[0] + weight_b * samples[1]) * belief / np.maximum(weight_a + weight_b, 1e-6)
    return moved + (1 - belief) * ((1 - share) * a + share * b)


@given(
    seed=st.integers(0, 2**31),
    share=st.sampled_from([0.1, 0.5, 0.75]),
    shrunk=st.sampled_from([1, 2, 4]),
    factor=st.sampled_from([1, 2]),
    margin=st.sampled_from([0, 5, 14]),
    strength=st.sampled_from([0.0, 2.0, 9.0]),
)
@settings(max_examples=40, deadline=None)
def test_fast_equals_slow(seed: int, share: float, shrunk: int, factor: int, margin: int, strength: float) -> None:
    rng = np.random.default_rng(seed)
    height, width = 4 * int(rng.integers(9, 16)), 4 * int(rng.integers(9, 24))
    a, b = (soft_layer(rng, height, width, margin=margin) for _ in range(2))
    forward = smooth_motion(rng, height // shrunk, width // shrunk, strength / shrunk)
    backward = -forward + smooth_motion(rng, height // shrunk, width // shrunk, 0.3)
    expected = slow_between(a, b, forward, backward, share, factor)
    large = (a, b) if factor == 1 else (enlarged(a, 2), enlarged(b, 2))
    came = between(a, b, forward, backward, share, ((large[0], 0, 0, factor), (large[1], 0, 0, factor)))
    difference = np.abs(came - expected)
    assert difference.max() <= 2.5  # eight binary places of weights and of places between pixels
    assert difference.mean() < 0.7


def test_a_picture_may_lie_anywhere_in_the_box() -> None:
    rng = np.random.default_rng(0)
    a, b = (soft_layer(rng, 48, 64, margin=12) for _ in range(2))
    forward = smooth_motion(rng, 24, 32, 2.0)
    whole = between(a, b, forward, -forward, 0.4, ((a, 0, 0, 1), (b, 0, 0, 1)))
    parts = tuple((np.ascontiguousarray(one[8:40, 10:58]), 10, 8, 1) for one in (a, b))
    assert np.array_equal(between(a, b, forward, -forward, 0.4, parts), whole)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_at_either_end_it_is_the_picture_there(share: float) -> None:
    rng = np.random.default_rng(0)
    a, b = (soft_layer(rng, 40, 60, margin=8) for _ in range(2))
    still = np.zeros((20, 30, 2), np.float32)
    made = between(a, b, still, still, share, ((a, 0, 0, 1), (b, 0, 0, 1)))
    assert np.array_equal(made, b if share else a)
