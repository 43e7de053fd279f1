"""The label field against a slow search, and its wishes."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from polytempo.objects.label_field import edge_weights, solve_labels


def energy(labels: np.ndarray, cost: np.ndarray, right: np.ndarray, down: np.ndarray) -> float:
    total = float(np.take_along_axis(cost, labels[..., None], -1).sum())
    total += float((right[:, :-1] * (labels[:, 1:] != labels[:, :-1])).sum())
    return total + float((down[:-1] * (labels[1:] != labels[:-1])).sum())


def test_shapes_and_least_label_at_nought() -> None:
    cost = np.random.default_rng(0).random((5, 7, 3)).astype(np.float32)
    weight = np.ones((5, 7), np.float32)
    out = solve_labels(cost, weight, weight)
    assert out.shape == (5, 7, 3)
    np.testing.assert_array_equal(out.min(-1), 0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_row_is_solved_exactly(seed: int) -> None:
    # Message passing is exact without loops once it has settled (8 rounds are too few for one row in 150); compare with
    # all 2^6 labellings.
    rng = np.random.default_rng(seed)
    cost = rng.random((1, 6, 2)).astype(np.float32)
    right = rng.random((1, 6)).astype(np.float32)
    down = np.zeros((1, 6), np.float32)
    found = solve_labels(cost, right, down, n_rounds=60).argmin(-1)
    best = min(energy(np.array([one]), cost, right, down) for one in product((0, 1), repeat=6))
    assert energy(found, cost, right, down) <= best + 1e-4


def test_a_lonely_pixel_gives_in_to_its_neighbours() -> None:
    cost = np.zeros((7, 7, 2), np.float32)
    cost[..., 1] = 1
    cost[3, 3] = (1, 0)
    even = np.full((7, 7), 0.5, np.float32)
    assert not solve_labels(cost, even, even).argmin(-1).any()
    loose = np.full((7, 7), 0.1, np.float32)
    assert solve_labels(cost, loose, loose).argmin(-1)[3, 3] == 1


def test_an_edge_does_not_part_one_body_in_two() -> None:
    # Left half leans to subject 1, right half a little to subject 2, and there is a strong edge between them.
    cost = np.full((6, 8, 3), 5, np.float32)
    cost[:, :4, 1] = 0
    cost[:, :4, 2] = 1
    cost[:, 4:, 1] = 0.2
    cost[:, 4:, 2] = 0
    weight = np.full((6, 8), 3, np.float32)
    right = weight.copy()
    right[:, 3] = 0.1
    assert set(np.unique(solve_labels(cost, right, weight).argmin(-1))) == {1, 2}
    assert set(np.unique(solve_labels(cost, right, weight, who_least=1.5).argmin(-1))) == {1}


def test_edges_are_cheap_where_colours_change() -> None:
    lab = np.zeros((4, 6, 3), np.float32)
    lab[:, 3:] = 80
    right, down = edge_weights(lab, strength=2.0, contrast=10.0)
    np.testing.assert_allclose(right[:, 0], 2.0)
    np.testing.assert_allclose(right[:, 2], 0.25, atol=1e-3)
    assert not right[:, -1].any()
    assert not down[-1].any()
