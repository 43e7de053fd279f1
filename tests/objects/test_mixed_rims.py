"""Outlines of mixed colour."""

from __future__ import annotations

import numpy as np
import pytest

from polytempo.objects.mixed_rims import MixedRimConfig, without_mixed_rims

H, W = 40, 60
WALL, SLEEVE, DRESS = (235, 128, 130), (30, 128, 126), (130, 128, 128)
BLUE = (130, 130, 100)


def sleeve_before_a_wall(rim: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A black sleeve (2) with a rim of 4 pixels before a white wall, under a dress (1) that the rim was given to."""
    lab = np.empty((1, H, W, 3), np.uint8)
    lab[:] = WALL
    true = np.zeros((1, H, W), np.uint8)
    lab[:, 5:20, 10:50], true[:, 5:20, 10:50] = DRESS, 1
    lab[:, 20:36, 24:36], true[:, 20:36, 24:36] = SLEEVE, 2
    lab[:, 20:36, 20:24], true[:, 20:36, 20:24] = rim, 2
    given = true.copy()
    given[:, 20:36, 20:24] = 1
    return lab, true, given


def test_a_grey_rim_of_a_black_sleeve_is_the_sleeves() -> None:
    lab, true, given = sleeve_before_a_wall(DRESS)
    lab[0, 5:20, 10:50] = BLUE
    found = without_mixed_rims(given, lab)
    assert (found[:, 22:35] == true[:, 22:35]).all()  # below the dress, and at its end, corners are as thick as it
    assert (found[:, :20] == true[:, :20]).all()
    assert (given[:, 20:36, 20:24] == 1).all()  # what was given is not touched


@pytest.mark.parametrize(
    ("rim", "config"),
    [
        (BLUE, MixedRimConfig()),  # no mixture of black and white
        (DRESS, MixedRimConfig(thick_px=1)),  # too thick for a rim
        (DRESS, MixedRimConfig(least_px=100)),
    ],
)
def test_what_is_no_rim_stays(rim: tuple[int, int, int], config: MixedRimConfig) -> None:
    lab, _, given = sleeve_before_a_wall(rim)
    lab[0, 5:20, 10:50] = BLUE
    assert (without_mixed_rims(given, lab, config=config) == given).all()


def test_a_ribbon_of_the_dress_is_the_dress() -> None:
    lab, _, given = sleeve_before_a_wall(DRESS)
    assert (without_mixed_rims(given, lab) == given).all()


def test_nobody_beside_nobody_changes() -> None:
    lab, _, given = sleeve_before_a_wall(DRESS)
    alone = np.where(given == 2, 0, given).astype(np.uint8)
    assert (without_mixed_rims(alone, lab) == alone).all()
    full = np.ones_like(given)
    assert (without_mixed_rims(full, lab) == full).all()
