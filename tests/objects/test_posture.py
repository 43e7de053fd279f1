from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from polytempo.camera.path import static_path
from polytempo.objects.amodal import LIKE, UNLIKE, BodyBand, belief, partly_seen, shown_body
from polytempo.objects.posture import Completion, PostureConfig, cheapest_chain, find_sources, occlusion_frames
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


def grower(n: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """A block that triples in area as it comes nearer, and is met by somebody in the middle of the clip."""
    mask, front = np.zeros((n, 60, 120), bool), np.zeros((n, 60, 120), bool)
    for t in range(n):
        side = 14 if t < n // 2 else 26
        mask[t, 20 : 20 + side, 30 : 30 + side] = True
    front[10:14, 15:50, 28:60] = True
    mask &= ~front
    return mask, front


def test_who_comes_nearer_was_whole_when_small() -> None:
    mask, front = grower()
    occluded, whole = occlusion_frames(mask, front, touch_px=3)
    assert occluded[10:14].all()
    assert whole[:10].all()
    assert whole[14:].all()


def test_a_scrap_among_occluded_frames_is_not_whole() -> None:
    mask, front = grower()
    mask[12] = False
    mask[12, 2:6, 100:106] = True
    _, whole = occlusion_frames(mask, front, touch_px=3)
    assert not whole[12]


def test_hair_at_the_edge_does_not_cost_the_frame_but_half_a_body_does() -> None:
    mask, front = grower()
    mask[2, 0:20, 34:37] = True
    mask[4] = False
    mask[4, 20:34, 0:14] = True
    _, whole = occlusion_frames(mask, front, touch_px=3)
    assert whole[2]
    assert not whole[4]


def test_a_path_over_a_long_hiding_follows_what_is_seen() -> None:
    n = 60
    mask = np.zeros((n, 60, 160), bool)
    for t in range(n):
        x = 20 + (t if t < 30 else 60 - t) * 3  # there and back
        mask[t, 20:40, x : x + 12] = True
        if 4 <= t < 56:
            mask[t, 20:32, x : x + 12] = False  # the upper part is hidden
    whole = np.ones(n, bool)
    whole[4:56] = False
    partly = partly_seen(mask, whole)
    assert not partly[:16].any()
    assert partly[20:40].all()
    camera = static_path(n, (160, 60))
    blind = body_path(mask, camera, whole=whole)
    seeing = body_path(mask, camera, whole=whole, partly=partly)
    truth = 20 + 30 * 3 + 5.5
    assert abs(seeing.centre[30, 0] - truth) < 8 < abs(blind.centre[30, 0] - truth)
    np.testing.assert_array_equal(seeing.scale, blind.scale)


def test_a_source_of_another_posture_is_not_shown() -> None:
    mask, _, pictures = walker(24)
    shown: list[float] = []
    for cost in (0.1, LIKE, (LIKE + UNLIKE) / 2, UNLIKE, 0.9):
        one = Completion(frame=12, source=11, frame_from_source=np.eye(3), cost=cost)
        band = BodyBand(weight=np.ones((24, 40), np.float32), sources={12: [one]})
        body = shown_body(pictures, mask, [band], frame=12)
        shown.append(float(body[..., 3].max()))
        assert np.all(body[..., :3] <= body[..., 3:] + 1e-5)  # premultiplied
    assert np.allclose(shown, [1, 1, 0.5, 0, 0], atol=0.02)
    assert belief([]) == 0
