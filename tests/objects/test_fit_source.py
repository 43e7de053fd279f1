from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from polytempo.objects.fit_source import FitConfig, fit_to_visible


def _limb(slant: float) -> NDArray[np.float32]:
    """A textured limb that leans by ``slant`` pixels from top to bottom: premultiplied RGBA."""
    rng = np.random.default_rng(3)
    texture = cv2.GaussianBlur(rng.uniform(0.2, 1.0, (96, 96, 3)).astype(np.float32), (0, 0), 1.2)
    upright = np.zeros((96, 96, 4), np.float32)
    upright[10:86, 38:58, 3] = 1
    upright[..., :3] = texture * upright[..., 3:]
    lean = np.array([[1, slant / 76, -10 * slant / 76], [0, 1, 0]])
    return cv2.warpAffine(upright, lean, (96, 96))


def _as_seen(rgba: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    picture = rgba[..., :3] + 0.3 * (1 - rgba[..., 3:])
    return (255 * picture).astype(np.uint8), rgba[..., 3] > 0.5


def test_a_limb_that_leans_otherwise_is_bent_onto_what_is_seen_and_beyond() -> None:
    source, target = _limb(0), _limb(5)
    picture, body = _as_seen(target)
    seen = body & (np.arange(96) < 66)[:, None]
    fitted = fit_to_visible(source, picture, seen, config=FitConfig())
    visible = body & (np.arange(96) < 60)[:, None]
    hidden = body & (np.arange(96) >= 66)[:, None] & (np.arange(96) < 74)[:, None]
    for region, better in ((visible, 2.0), (hidden, 1.5)):
        before = np.abs(source - target)[region].mean()
        after = np.abs(fitted - target)[region].mean()
        assert after * better < before


def test_far_from_what_is_seen_nothing_is_bent() -> None:
    source = _limb(0)
    picture, body = _as_seen(_limb(5))
    seen = body & (np.arange(96) < 24)[:, None]
    fitted = fit_to_visible(source, picture, seen, config=FitConfig(reach_px=3.0))
    assert np.array_equal(fitted[60:], source[60:])


def test_where_nothing_is_seen_the_source_stays() -> None:
    source = _limb(0)
    picture, _ = _as_seen(_limb(5))
    fitted = fit_to_visible(source, picture, np.zeros((96, 96), bool), config=FitConfig())
    assert np.array_equal(fitted, source)
