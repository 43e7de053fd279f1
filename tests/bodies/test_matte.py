from __future__ import annotations

import cv2
import numpy as np

from polytempo.bodies.matte import MatteConfig, body_matte, contact_matte


def _disc(radius: float, softness: float) -> np.ndarray:
    ys, xs = np.mgrid[:64, :64]
    return np.clip((radius - np.hypot(xs - 32, ys - 32)) / softness + 0.5, 0, 1).astype(np.float32)


def test_alpha_of_a_soft_disc_on_a_known_plate_is_found_from_a_wrong_outline() -> None:
    truth = _disc(18, 3)
    plate = np.broadcast_to(np.float32([0.2, 0.3, 0.6]), (64, 64, 3))
    picture = truth[..., None] * np.float32([0.8, 0.7, 0.1]) + (1 - truth[..., None]) * plate
    wrong = (_disc(16.5, 0.1) > 0.5).astype(np.float32)
    found, _ = body_matte(picture, plate, wrong, scale=1.0, config=MatteConfig(band_px=4.0))
    assert np.abs(found - truth).mean() < np.abs(wrong - truth).mean() / 3
    assert found[32, 32] == 1
    assert found[2, 2] == 0


def test_without_contrast_the_outline_decides() -> None:
    plate = np.full((64, 64, 3), 0.5, np.float32)
    outline = (_disc(16, 0.1) > 0.5).astype(np.float32)
    found, _ = body_matte(plate, plate, outline, scale=1.0, config=MatteConfig())
    assert np.abs(found - cv2.GaussianBlur(outline, (0, 0), 0.7)).max() < 0.35
    assert ((found > 0.5) == (outline > 0.5)).mean() > 0.99


def test_nobody_there_gives_nothing() -> None:
    plate = np.full((8, 8, 3), 0.5, np.float32)
    assert body_matte(plate, plate, np.zeros((8, 8), np.float32), scale=1.0, config=MatteConfig())[0].max() == 0


def test_a_thin_body_still_has_a_matte() -> None:
    plate = np.zeros((32, 32, 3), np.float32)
    line = np.zeros((32, 32), np.float32)
    line[:, 15:17] = 1
    picture = plate + line[..., None]
    assert body_matte(picture, plate, line, scale=1.0, config=MatteConfig())[0][4:28, 15:17].min() > 0.5


def test_between_two_bodies_the_colours_beside_the_outline_tell_alpha_and_paint() -> None:
    """A wrong guess of what lies beneath and a wrong outline do no harm: the frame shows both bodies."""
    truth = _disc(18, 2)
    mine, theirs = np.float32([0.8, 0.1, 0.1]), np.float32([0.2, 0.3, 0.7])
    picture = truth[..., None] * mine + (1 - truth[..., None]) * theirs
    wrong = (_disc(17, 0.1) > 0.5).astype(np.float32)
    everywhere = np.ones((64, 64), np.float32)
    first, _ = body_matte(picture, np.full_like(picture, 0.5), wrong, scale=1.0, config=MatteConfig())
    alpha, colour, holds = contact_matte(picture, first, wrong, everywhere, scale=1.0, config=MatteConfig())
    edge = (truth > 0.2) & (truth < 0.8)
    assert holds[edge].min() > 0.99
    assert np.abs(alpha - truth)[edge].mean() < 0.5 * np.abs(first - truth)[edge].mean()
    assert np.abs(colour - mine)[edge].max() < 0.02


def test_away_from_other_bodies_contact_says_nothing() -> None:
    wrong = (_disc(17, 0.1) > 0.5).astype(np.float32)
    plate = np.full((64, 64, 3), 0.5, np.float32)
    beneath = np.zeros((64, 64), np.float32)
    beneath[:5] = 1
    alpha, _, holds = contact_matte(plate, wrong, wrong, beneath, scale=1.0, config=MatteConfig())
    assert holds.max() == 0
    assert alpha.shape == wrong.shape
