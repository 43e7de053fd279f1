from __future__ import annotations

import numpy as np

from polytempo.core.nearest import nearest_known


def test_every_pixel_has_the_values_of_the_nearest_known_one() -> None:
    values = np.zeros((9, 12, 2), np.float32)
    known = np.zeros((9, 12), bool)
    for y, x, value in ((1, 2, 5.0), (7, 10, 8.0)):
        known[y, x] = True
        values[y, x] = (value, -value)
    away, found = nearest_known(values, known)
    rows, columns = np.mgrid[:9, :12]
    first, second = np.hypot(rows - 1, columns - 2), np.hypot(rows - 7, columns - 10)
    clear = np.abs(first - second) > 1
    assert (found[..., 0] == np.where(first < second, 5, 8))[clear].all()
    assert (found[..., 1] == -found[..., 0]).all()
    assert np.abs(away - np.minimum(first, second)).max() < 0.3


def test_where_nothing_is_known_values_stay_and_everything_is_far() -> None:
    values = np.random.default_rng(0).random((4, 5, 3)).astype(np.float32)
    away, found = nearest_known(values, np.zeros((4, 5), bool))
    assert (found == values).all()
    assert np.isinf(away).all()
