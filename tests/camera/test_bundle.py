from __future__ import annotations

import numpy as np

from polytempo.camera.bundle import increments, refine_together, transfer_errors, unit_from_pixels
from polytempo.camera.features import Pairing
from polytempo.camera.warp import moved_points
from support.filmed import shifted

SIZE = (200, 120)


def _pairing(truth: list[np.ndarray], source: int, target: int, random: np.random.Generator, noise: float) -> Pairing:
    points = random.uniform((0, 0), SIZE, (80, 2))
    between = np.linalg.inv(truth[target]) @ truth[source]
    there = moved_points(points, between) + random.normal(0, noise, (80, 2))
    there[:6] += 5  # outliers that slipped in
    return Pairing(
        source=source, target=target, source_points=points, target_points=there,
        inlier=np.ones(80, np.bool_), target_from_source=between,
    )  # fmt: skip


def test_a_drifted_chain_is_pulled_straight() -> None:
    random = np.random.default_rng(3)
    truth = [shifted(3.0 * t, 0.5 * t, turn=0.004 * t, tilt=1e-5 * t) for t in range(12)]
    pairs = [(t, t - 1) for t in range(1, 12)] + [(t, 0) for t in range(2, 12)]
    pairings = [_pairing(truth, s, t, random, 0.1) for s, t in pairs]
    start = np.stack([h @ shifted(*random.normal(0, 2, 2)) if t else h for t, h in enumerate(truth)])
    refined = refine_together(start, pairings, reference=0, size=SIZE)
    assert np.array_equal(refined[0], truth[0])
    assert max(np.median(transfer_errors(p, refined)) for p in pairings) < 0.2
    corners = np.array([[0, 0], [199, 0], [199, 119], [0, 119.0]])
    error = [
        np.abs(moved_points(corners, r) - moved_points(corners, h)).max() for r, h in zip(refined, truth, strict=True)
    ]
    assert max(error) < 0.35


def test_nothing_to_go_on_leaves_the_start() -> None:
    start = np.stack([shifted(0, 0), shifted(1, 2)])
    assert refine_together(start, [], reference=0, size=SIZE) is start


def test_units() -> None:
    assert np.allclose(unit_from_pixels((200, 100)) @ [99.5, 49.5, 1], [0, 0, 1])
    assert np.array_equal(increments(np.zeros((2, 8))), np.tile(np.eye(3), (2, 1, 1)))
