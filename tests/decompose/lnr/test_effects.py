from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from polytempo.decompose.lnr.effects import (
    EffectConfig,
    effect_layers,
    layer_claims,
    share_alpha,
    smallest_alpha,
)

unit = nps.arrays(np.float32, (4, 5, 3), elements=st.floats(0, 1, width=32))
HARD = EffectConfig(smooth_px=0.0)


@given(unit, unit)
def test_smallest_alpha_paints_what_is_asked(under: np.ndarray, wanted: np.ndarray) -> None:
    alpha, colour = smallest_alpha(under, wanted - under)
    assert alpha.min() >= 0
    assert alpha.max() <= 1
    assert colour.min() >= 0
    assert colour.max() <= 1
    painted = alpha[..., None] * colour + (1 - alpha[..., None]) * under
    assert np.abs(painted - wanted).max() < 2e-3


@given(st.floats(0.05, 0.95), st.floats(0.01, 0.9))
def test_no_smaller_alpha_would_do(under: float, drop: float) -> None:
    base = np.full((1, 3), under, np.float32)
    alpha, _ = smallest_alpha(base, -drop * base)
    assert abs(float(alpha[0]) - drop) < 1e-3  # black paint of this opacity, and nothing thinner, darkens so far


@given(st.floats(0, 0.99), st.lists(st.floats(0.01, 1), min_size=1, max_size=4))
def test_shares_composite_to_the_whole(whole: float, weights: list[float]) -> None:
    shares = np.array(weights, np.float32) / sum(weights)
    through = np.prod([1 - share_alpha(np.array([whole], np.float32), np.array([s])) for s in shares])
    assert abs((1 - through) - whole) < 1e-4


def test_near_a_body_claims_are_its_own() -> None:
    silhouettes = np.zeros((2, 20, 30), bool)
    silhouettes[0, 5:15, 5:10] = True
    claims = layer_claims(np.zeros((2, 20, 30), np.float32), silhouettes, ring_px=4)
    assert claims[0, 10, 11] == 1
    assert claims[0, 10, 16] == 0
    assert claims[1].max() == 0


def _one_owner(owner: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    plate = np.full((12, 16, 3), 0.5, np.float32)
    picture = plate.copy()
    picture[4:8, 4:12] *= 0.6
    claims = np.zeros((2, 12, 16), np.float32)
    claims[owner, 3:9, 3:13] = 0.95
    return picture, plate, claims


def test_the_owner_gets_the_effect_and_the_composite_is_the_frame() -> None:
    picture, plate, claims = _one_owner(1)
    layers = effect_layers(
        picture,
        plate,
        claims=claims,
        predicts=claims,
        change=np.zeros((2, 12, 16, 3), np.float32),
        significance=np.full((12, 16), 10, np.float32),
        covered=[np.zeros((12, 16), np.float32)] * 2,
        scale=1.0,
        config=HARD,
    )
    assert layers[0, ..., 3].max() < 1e-3
    assert abs(layers[1, 6, 8, 3] - 0.4) < 0.02
    composite = layers[1, ..., :3] + (1 - layers[1, ..., 3:]) * plate
    assert np.abs(composite - picture)[5:7, 6:10].max() < 0.01


def test_what_is_no_more_than_noise_makes_no_effect() -> None:
    picture, plate, claims = _one_owner(0)
    layers = effect_layers(
        picture,
        plate,
        claims=claims,
        predicts=claims,
        change=np.zeros((2, 12, 16, 3), np.float32),
        significance=np.full((12, 16), 0.5, np.float32),
        covered=[np.zeros((12, 16), np.float32)] * 2,
        scale=1.0,
        config=HARD,
    )
    assert layers.max() == 0


def test_beneath_a_body_the_prediction_fills_the_effect() -> None:
    _, plate, claims = _one_owner(0)
    change = np.zeros((2, 12, 16, 3), np.float32)
    change[0] = -0.3  # relative to plate + 0.1: a darkening by 0.18
    layers = effect_layers(
        np.ones_like(plate),
        plate,
        claims=claims,
        predicts=claims,
        change=change,
        significance=np.full((12, 16), 50, np.float32),
        covered=[np.ones((12, 16), np.float32)] * 2,
        scale=1.0,
        config=HARD,
    )
    shown = layers[0, ..., :3] + (1 - layers[0, ..., 3:]) * plate
    assert np.abs(shown[6, 8] - 0.32).max() < 0.01


def test_a_contested_pixel_goes_to_whoever_predicts_it() -> None:
    picture, plate, claims = _one_owner(0)
    claims[1] = claims[0]
    change = np.zeros((2, 12, 16, 3), np.float32)
    change[0] = 0.3  # brightens
    change[1] = -0.333  # darkens by 0.2: what is seen
    layers = effect_layers(
        picture,
        plate,
        claims=claims,
        predicts=claims,
        change=change,
        significance=np.full((12, 16), 50, np.float32),
        covered=[np.zeros((12, 16), np.float32)] * 2,
        scale=1.0,
        config=HARD,
    )
    assert layers[1, 6, 8, 3] > 0.35
    assert layers[0, 6, 8, 3] < 0.02


def test_beneath_a_body_nothing_fills_the_ring_that_nobody_predicted() -> None:
    """The ring around a body belongs to it where it is seen; covered by somebody else it stays the plate."""
    _, plate, claims = _one_owner(0)
    layers = effect_layers(
        np.ones_like(plate),
        plate,
        claims=claims,
        predicts=np.zeros_like(claims),
        change=np.full((2, 12, 16, 3), -0.3, np.float32),
        significance=np.full((12, 16), 50, np.float32),
        covered=[np.ones((12, 16), np.float32)] * 2,
        scale=1.0,
        config=HARD,
    )
    assert layers[..., 3].max() == 0
