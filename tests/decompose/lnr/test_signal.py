from __future__ import annotations

import numpy as np
from two_squares import N_FRAMES, TwoSquares

from polytempo.camera.plate import clean_plate
from polytempo.decompose.bare import grown_bodies
from polytempo.decompose.lnr.network import DELTA
from polytempo.decompose.lnr.signal import Signal, SignalConfig, unexplained_signal


def _signal(squares: TwoSquares) -> Signal:
    bodies = grown_bodies(squares.cast, grow_px=2)
    plate = clean_plate(squares.pictures, squares.camera, ignore=bodies)
    return unexplained_signal(
        squares.pictures, plate, squares.camera, bodies=bodies, delta=DELTA, config=SignalConfig()
    )


def test_effects_stand_out_and_bare_ground_does_not(squares: TwoSquares) -> None:
    signal = _signal(squares)
    assert signal.significance.shape == (N_FRAMES, 64, 96)
    for where in squares.effects.values():
        assert np.median(signal.significance[where]) > 8
    bare = ~(squares.effects[1] | squares.effects[2] | grown_bodies(squares.cast, grow_px=6))
    assert np.percentile(signal.significance[bare], 90) < 3


def test_the_ratio_has_the_sign_and_size_of_the_change(squares: TwoSquares) -> None:
    signal = _signal(squares)
    shadow = signal.ratio[squares.effects[1]].astype(np.float32)
    # Darkened to 0.6 of a plate about 0.47: -0.188 / 0.57.
    assert abs(np.median(shadow) + 0.33) < 0.05
    assert np.median(signal.ratio[squares.effects[2]]) > 0.15
