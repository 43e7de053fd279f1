from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytempo.core.errors import InputError
from polytempo.objects.trimap import mask_from_trimap, trimap_from_mask


def test_the_papers_box_leaves_nine_left_and_ten_right() -> None:
    mask = np.zeros((1, 41, 41), bool)
    mask[0, 20, 20] = True
    row = trimap_from_mask(mask)[0, 20]
    assert row[20] == 1
    assert sorted({int((row[:20] == 0.5).sum()), int((row[21:] == 0.5).sum())}) == [9, 10]


@given(st.integers(0, 1000), st.sampled_from([0.0, 1.0, 3.0, 9.5]))
def test_body_is_kept_and_the_band_holds_it(seed: int, band: float) -> None:
    mask = np.random.default_rng(seed).random((12, 15)) > 0.9
    trimap = trimap_from_mask(mask, band_px=band)
    assert np.array_equal(mask_from_trimap(trimap), mask)
    assert set(np.unique(trimap)) <= {0.0, 0.5, 1.0}


@pytest.mark.refusal
def test_a_negative_band_is_refused() -> None:
    with pytest.raises(InputError, match="band_px must be 0 or more; got -1"):
        trimap_from_mask(np.zeros((2, 2), bool), band_px=-1)
