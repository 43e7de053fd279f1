"""Colour models: densities that add up and prefer what they have seen."""

from __future__ import annotations

import numpy as np
import pytest

from polytempo.objects.colour_model import ANY_COLOUR, BIN_VOLUME, N_BINS, colour_bins, lab_picture, learn_colours


def bins_of(rgb: tuple[int, int, int]) -> np.ndarray:
    return colour_bins(lab_picture(np.full((4, 4, 3), rgb, np.uint8)))


def test_bins_are_in_range() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (9, 9, 3)).astype(np.uint8)
    bins = colour_bins(lab_picture(picture))
    assert bins.shape == (9, 9)
    assert bins.min() >= 0
    assert bins.max() < N_BINS


def test_density_without_open_mind_sums_to_one() -> None:
    counts = np.bincount(bins_of((200, 40, 40)).ravel(), minlength=N_BINS)
    model = learn_colours(counts, open_mind=0.0)
    assert float(model.density.sum()) * BIN_VOLUME == pytest.approx(1, abs=0.02)
    assert model.weight == 16


def test_seen_colours_cost_less() -> None:
    model = learn_colours(np.bincount(bins_of((200, 40, 40)).ravel(), minlength=N_BINS))
    assert model.cost(bins_of((200, 40, 40))).max() < model.cost(bins_of((40, 40, 200))).min() - 3


def test_nothing_learned_means_any_colour() -> None:
    model = learn_colours(np.zeros(N_BINS))
    np.testing.assert_allclose(model.density, ANY_COLOUR, rtol=1e-5)
