import numpy as np

from polytempo.core.pictures import picture_size


def test_size_is_width_then_height() -> None:
    assert picture_size(np.zeros((2, 9, 16, 3), np.uint8)) == (16, 9)
