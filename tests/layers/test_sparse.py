"""Crops of layer pictures."""

from __future__ import annotations

import numpy as np

from polytempo.layers.sparse import crop_of, crop_of_picture


def test_the_crop_holds_everything_and_no_more() -> None:
    picture = np.zeros((9, 11, 4), np.uint8)
    picture[2, 3, 3] = 1
    picture[6, 8, 0] = 1  # light without alpha, as an added reflection has it
    crop = crop_of_picture(picture)
    assert (crop.x, crop.y) == (3, 2)
    assert crop.picture.shape == (5, 6, 4)
    assert np.array_equal(crop.picture, picture[2:7, 3:9])


def test_an_empty_picture_has_an_empty_crop() -> None:
    assert crop_of_picture(np.zeros((5, 5, 4), np.uint8)).picture.size == 0


def test_plain_arrays_are_cropped_when_asked() -> None:
    pictures = np.zeros((2, 4, 4, 4), np.uint8)
    pictures[1, 1, 2] = 9
    assert crop_of(pictures, 1).picture.shape == (1, 1, 4)
