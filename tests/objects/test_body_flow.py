"""Flow of one body's own pixels."""

from __future__ import annotations

import cv2
import numpy as np

from polytempo.objects.body_flow import BodyFlowConfig, body_flow
from polytempo.objects.registration import neighbour_flow

N, H, W = 5, 120, 160
STEP = 14


def head_beside_hair() -> tuple[np.ndarray, np.ndarray]:
    """A sliver of a head drops fast before a wall; beside it is hair of its colours that stands still."""
    rng = np.random.default_rng(4)
    wall = np.full((H, W, 3), 193.0)

    def hair(height: int, width: int, contrast: float, soft: float) -> np.ndarray:
        strands = cv2.GaussianBlur(rng.normal(0, contrast, (height, width)).astype(np.float32), (0, 0), soft)
        return np.clip(np.array([130, 100, 70]) + strands[..., None], 0, 255)

    head, other = hair(16, 5, 15, 2.5), hair(100, 40, 60, 1.5)
    pictures, mask = np.zeros((N, H, W, 3), np.uint8), np.zeros((N, H, W), bool)
    for t in range(N):
        picture = wall.copy()
        y = 20 + STEP * t
        picture[y : y + 16, 69:74] = head
        picture[10:110, 74:114] = other
        mask[t, y : y + 16, 69:74] = True
        pictures[t] = np.clip(picture + rng.normal(0, 2, picture.shape), 0, 255)
    return pictures, mask


def test_a_head_that_drops_beside_hair_is_followed() -> None:
    pictures, mask = head_beside_hair()
    flow, plain = body_flow(mask, pictures, config=BodyFlowConfig()), neighbour_flow(pictures)
    wrong, wrong_plain = [], []
    for t, step in [(t, 1) for t in range(N - 1)] + [(t, -1) for t in range(1, N)]:
        there, trust = flow.to_neighbour(t, step)
        told = mask[t] & (trust > 0.4)
        assert told.sum() > 0.5 * mask[t].sum()
        wrong.append(np.abs(np.median(there[told][:, 1]) - STEP * step))
        wrong_plain.append(np.abs(np.median(plain.to_neighbour(t, step)[mask[t]][:, 1]) - STEP * step))
    assert max(wrong) < 4
    assert max(wrong_plain) > 6


def test_flow_that_leads_to_something_else_is_not_believed() -> None:
    pictures, mask = head_beside_hair()
    wide = np.repeat((np.arange(W) >= 40)[None], H, 0) & (np.arange(W) < 74)
    mask = np.stack([wide] * N)
    pictures[2][wide] = (0, 60, 200)
    _, trust = body_flow(mask, pictures, config=BodyFlowConfig()).to_neighbour(1, 1)
    assert np.median(trust[mask[1]]) < 0.05


def test_around_nobody_nothing_is_known() -> None:
    pictures, mask = head_beside_hair()
    flow = body_flow(np.zeros_like(mask), pictures, config=BodyFlowConfig())
    assert not flow.forward.any()
    assert not flow.backward_trust.any()
    one = body_flow(mask[:1], pictures[:1], config=BodyFlowConfig())
    assert one.forward.shape == (0, H, W, 2)
