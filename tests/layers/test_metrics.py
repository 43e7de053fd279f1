"""Measures against hand values and scikit-image."""

from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from polytempo.core.errors import ShapeError
from polytempo.layers.metrics import alpha_error, mask_iou, psnr, ssim


def test_psnr_pools_over_frames() -> None:
    truth = np.full((2, 8, 8, 3), 0.5)
    predicted = truth + np.array([0.1, 0.01])[:, None, None, None]
    assert psnr(predicted, truth) == pytest.approx(22.967, abs=1e-3)
    assert np.mean([psnr(a, b) for a, b in zip(predicted, truth, strict=True)]) == pytest.approx(30)


def test_psnr_of_bytes_counts_only_where_told() -> None:
    truth = np.zeros((4, 4, 3), np.uint8)
    predicted = truth.copy()
    predicted[0] = 255
    where = np.zeros((4, 4), bool)
    where[:2] = True
    assert psnr(predicted, truth, where=where) == pytest.approx(-10 * math.log10(0.5))
    assert psnr(predicted, truth, where=~where) == math.inf
    assert math.isnan(psnr(predicted, truth, where=np.zeros((4, 4), bool)))


def test_ssim_agrees_with_scikit_image() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((40, 50, 3))
    predicted = np.clip(truth + 0.05 * rng.standard_normal(truth.shape), 0, 1)
    theirs = structural_similarity(
        truth,
        predicted,
        channel_axis=2,
        data_range=1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )[1]
    ours = ssim(predicted, truth)
    assert ours == pytest.approx(float(np.mean(theirs)), abs=2e-3)  # they treat the border in another way
    assert ssim(truth, truth) == pytest.approx(1)


def test_matte_measures_by_hand() -> None:
    a = np.array([[True, True, False, False]])
    b = np.array([[True, False, True, False]])
    assert mask_iou(a, b) == pytest.approx(1 / 3)
    assert mask_iou(a & False, b & False) == 1
    assert alpha_error(np.array([[0, 255]], np.uint8), np.array([[0.5, 1.0]])) == pytest.approx(0.25)


@pytest.mark.refusal
def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(ShapeError, match="shapes must be equal"):
        psnr(np.zeros((2, 2, 3)), np.zeros((2, 3, 3)))
    with pytest.raises(ShapeError, match="without channels"):
        psnr(np.zeros((2, 2, 3)), np.zeros((2, 2, 3)), where=np.zeros((3, 2), bool))
