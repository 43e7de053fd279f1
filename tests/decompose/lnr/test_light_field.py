"""The field of light levels against an exhaustive search, and what it counts as a shadow's edge."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from polytempo.decompose.lnr.light_field import shadow_edges, solve_levels, unlikeness

GREY = np.ones(3, np.float32)
STEP = 0.25


def _energy(
    levels: NDArray[np.int64],
    cost: NDArray[np.float32],
    colour: NDArray[np.float32],
    like: NDArray[np.float32],
    even: NDArray[np.float32],
    greatest: float,
) -> float:
    """What ``solve_levels`` makes small, written out."""
    height, width = levels.shape
    total = 0.0
    for y, x in product(range(height), range(width)):
        total += float(cost[y, x, levels[y, x]])
        for axis, (v, u) in enumerate(((y, x + 1), (y + 1, x))):
            if v < height and u < width:
                rise = float(levels[v, u] - levels[y, x]) * STEP
                miss = float(np.abs(colour[v, u] - colour[y, x] + rise * GREY).mean())
                total += float(even[y, x, axis]) * abs(rise) + float(like[y, x, axis]) * min(miss, greatest)
    return total


def test_on_chains_hardly_any_levels_are_better() -> None:
    better = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        cost = rng.uniform(0, 0.4, (1, 5, 3)).astype(np.float32)
        colour = rng.uniform(-1, 0, (1, 5, 1)).astype(np.float32).repeat(3, 2)
        like, even = (rng.uniform(0, 1, (1, 5, 2)).astype(np.float32) for _ in range(2))
        found = solve_levels(cost, colour, GREY, step=STEP, like=like, even=even, greatest=0.6, n_rounds=6)
        reached = _energy(np.round(found / STEP).astype(int), cost, colour, like, even, 0.6)
        every = [_energy(np.array([one]), cost, colour, like, even, 0.6) for one in product(range(3), repeat=5)]
        better.append(sum(one < reached - 1e-4 for one in every) / len(every))
    # Messages are halved for a grid, so a chain is not always solved exactly, as it would be by one made for chains.
    assert np.mean(np.array(better) == 0) > 0.8
    assert np.mean(better) < 0.01


def test_on_a_grid_the_levels_are_near_the_best() -> None:
    rng = np.random.default_rng(5)
    for _ in range(5):
        cost = rng.uniform(0, 0.4, (3, 3, 2)).astype(np.float32)
        colour = rng.uniform(-1, 0, (3, 3, 1)).astype(np.float32).repeat(3, 2)
        like, even = (rng.uniform(0, 0.5, (3, 3, 2)).astype(np.float32) for _ in range(2))
        found = solve_levels(cost, colour, GREY, step=STEP, like=like, even=even, greatest=0.6)
        levels = np.round(found / STEP).astype(int)
        every = [
            _energy(np.array(one).reshape(3, 3), cost, colour, like, even, 0.6) for one in product(range(2), repeat=9)
        ]
        assert _energy(levels, cost, colour, like, even, 0.6) <= min(every) + 0.02 * (max(every) - min(every))


def test_a_dark_square_beside_a_known_shadow_is_lit_by_its_edges() -> None:
    colour = np.zeros((12, 20, 3), np.float32)
    colour[3:9, 5:15] = -0.5
    cost = (0.01 * np.arange(4) * STEP * np.ones((12, 20, 1))).astype(np.float32)
    cost[5, 13] = (1, 1, 0, 1)
    like, even = shadow_edges(colour, GREY, tolerance=0.35, material=0.5)
    light = solve_levels(cost, colour, GREY, step=STEP, like=like, even=0.3 * even)
    assert np.allclose(light[3:9, 5:15], 0.5)
    light[3:9, 5:15] = 0
    assert not light.any()


def test_a_shadow_step_keeps_its_colour_and_a_material_step_does_not() -> None:
    direction = np.array([1.1, 1.0, 0.9], np.float32)
    colour = np.zeros((1, 3, 3), np.float32)
    colour[0, 1] = -0.6 * direction
    colour[0, 2] = colour[0, 1] + (0.6, -0.4, 0.1)
    like, even = shadow_edges(colour, direction, tolerance=0.35, material=0.5)
    assert like[0, 0, 0] > 0.99
    assert like[0, 1, 0] < 0.01
    assert even[0, 0, 0] > 0.99
    assert even[0, 1, 0] < 0.4


def test_the_distance_is_that_to_the_nearest_known_colour() -> None:
    colour = np.full((9, 9, 3), -0.5, np.float32)
    known_colour = np.zeros((9, 9, 3), np.float32)
    wanted, known = np.zeros((9, 9), bool), np.zeros((9, 9), bool)
    wanted[4, 4] = True
    known[:, 6:] = True
    away = unlikeness(
        colour,
        GREY,
        n_levels=4,
        step=STEP,
        wanted=wanted,
        known=known,
        known_log_colour=known_colour,
        reach_px=4,
    )
    assert np.allclose(away[4, 4], [0.5, 0.25, 0.0, 0.25], atol=1e-6)
    assert not away[~wanted].any()
    alone = unlikeness(
        colour,
        GREY,
        n_levels=2,
        step=STEP,
        wanted=wanted,
        known=np.zeros_like(known),
        known_log_colour=known_colour,
        reach_px=4,
    )
    assert np.array_equal(alone[4, 4], [1.0, 1.0])
