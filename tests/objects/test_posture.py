from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from polytempo.camera.path import static_path
from polytempo.objects.posture import PostureConfig, cheapest_chain, find_sources, occlusion_frames
from polytempo.objects.registration import body_path


@given(st.integers(0, 10_000))
def test_the_chain_is_the_cheapest_of_all(seed: int) -> None:
    random = np.random.default_rng(seed)
    unary, step = random.random((4, 3)), random.random((3, 3))
    chain = cheapest_chain(unary, step)

    def cost(states: tuple[int, ...]) -> float:
        return sum(unary[i, s] for i, s in enumerate(states)) + sum(step[a, b] for a, b in itertools.pairwise(states))

    best = min(cost(states) for states in itertools.product(range(3), repeat=4))
    assert abs(cost(tuple(int(s) for s in chain)) - best) < 1e-12


def walker(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A body with a leg that swings with period 6, hidden wholly in frames 11 to 13."""
    mask = np.zeros((n, 40, 120), bool)
    pictures = np.full((n, 40, 120, 3), 128, np.uint8)
    for t in range(n):
        x = 8 + 4 * t
        mask[t, 5:25, x : x + 8] = True
        leg = x + (0, 3, 6, 9, 6, 3)[t % 6] - 2
        mask[t, 25:37, leg : leg + 4] = True
        pictures[t][mask[t]] = (200, 60, 30)
    front = np.zeros_like(mask)
    front[10:15, :, 44:70] = True
    pictures[front] = (10, 10, 200)
    return mask, front, pictures


def test_a_hidden_body_is_taken_from_frames_in_step() -> None:
    mask, front, pictures = walker(24)
    camera = static_path(24, (120, 40))
    seen = mask & ~front
    occluded, whole = occlusion_frames(seen, front, touch_px=3)
    assert occluded[12]
    assert not (occluded & whole).any()
    path = body_path(seen, camera, whole=whole)
    found = find_sources(
        seen, front, pictures, camera, path, occluded=occluded, whole=whole, config=PostureConfig(n_chains=2)
    )
    best = found[12][0]
    # The leg swings there and back, so frames mirrored in the swing look alike too.
    swing = (0, 3, 6, 9, 6, 3)
    assert abs(swing[best.source % 6] - swing[12 % 6]) <= 3
    assert abs(best.frame_from_source[0, 2] - 4 * (12 - best.source)) < 3
