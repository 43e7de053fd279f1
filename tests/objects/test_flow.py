"""Flow between frames: a shift is found, trusted, and pulled back."""

from __future__ import annotations

import cv2
import numpy as np

from polytempo.objects.flow import neighbour_flow, pull, scaled_flow, trust


def textured(shift: int, *, height: int = 64, width: int = 96) -> np.ndarray:
    rng = np.random.default_rng(3)
    noise = cv2.GaussianBlur(rng.random((height, width + 40, 3)).astype(np.float32), (0, 0), 2)
    noise = (noise - noise.min()) / (noise.max() - noise.min())
    return (255 * noise[:, 20 - shift : 20 - shift + width]).astype(np.uint8)


def test_a_shift_is_found_both_ways() -> None:
    flow = neighbour_flow(np.stack([textured(0), textured(3)]))
    inside = (slice(12, -12), slice(12, -12))
    np.testing.assert_allclose(
        flow.to_next[0][inside], np.broadcast_to((3, 0), flow.to_next[0][inside].shape), atol=0.5
    )
    there, back = flow.step(0, 1)
    np.testing.assert_allclose(there[inside], np.broadcast_to((-3, 0), there[inside].shape), atol=0.5)
    assert trust(there, back)[inside].min() > 0.8


def test_pull_brings_values_along() -> None:
    field = np.arange(12, dtype=np.float32).reshape(1, 12).repeat(3, 0)
    flow = np.zeros((3, 12, 2), np.float32)
    flow[..., 0] = 2
    np.testing.assert_allclose(pull(field, flow)[:, :10], field[:, 2:])


def test_flows_that_disagree_or_leave_are_not_trusted() -> None:
    there = np.zeros((8, 8, 2), np.float32)
    there[..., 0] = 4
    assert trust(there, np.zeros_like(there)).max() < 0.01
    there[..., 0] = 20
    assert not trust(there, -there).any()


def test_scaled_flow_scales_lengths() -> None:
    flow = scaled_flow(neighbour_flow(np.stack([textured(0), textured(4)])), (48, 32))
    assert flow.to_next.shape == (1, 32, 48, 2)
    np.testing.assert_allclose(flow.to_next[0, 10:-10, 10:-10, 0], 2, atol=0.4)


def test_one_frame_has_no_flow() -> None:
    assert neighbour_flow(textured(0)[None]).to_next.shape == (0, 64, 96, 2)
