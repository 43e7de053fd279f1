from __future__ import annotations

import numpy as np
import pytest

from polytempo.camera.agreed import agreed
from polytempo.camera.canvas import canvas_path
from polytempo.camera.fill import filled
from polytempo.camera.path import CameraPath, static_path
from polytempo.camera.plate import PlateConfig, agreed_plate, clean_plate, plate_in_frame
from polytempo.camera.samples import band_samples
from polytempo.core.errors import ShapeError
from support.filmed import filmed, shifted, texture

SIZE = (96, 64)


def _psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((np.asarray(a, float) - np.asarray(b, float)) ** 2)))


def _pan(n_frames: int = 14) -> tuple[np.ndarray, list[np.ndarray], CameraPath]:
    world = texture(220, 120, seed=4)
    truth = [shifted(20 + 3.3 * t, 20 + 0.37 * t) for t in range(n_frames)]
    camera = canvas_path(np.stack(truth), frame_size=SIZE, kind="panning", residual_px=np.zeros(n_frames))
    return world, truth, camera


def test_the_wall_behind_a_walker_and_its_shadow_comes_out_clean() -> None:
    world = texture(*SIZE, seed=3)
    frames = filmed(world, [np.eye(3)] * 24, SIZE, noise=1.5)
    ignore = np.zeros(frames.shape[:3], np.bool_)
    for t in range(24):
        x = 3 * t
        frames[t, 40:, x + 6 : x + 24] = frames[t, 40:, x + 6 : x + 24] * 0.6  # a shadow that no mask knows
        frames[t, 10:50, x : x + 14] = (200, 40, 30)
        ignore[t, 10:50, x : x + 14] = True
    plate = clean_plate(frames, static_path(24, SIZE), ignore=ignore)
    assert _psnr(plate.colour, world / 255) > 40
    assert (plate.exposure == 1).all()
    assert plate.coverage.min() >= 6
    assert 0.8 < np.median(plate.noise) * 255 / 1.5 < 1.2


def test_a_shadow_that_stays_for_more_than_half_the_clip_is_still_not_the_wall() -> None:
    world = texture(*SIZE, seed=3)
    frames = filmed(world, [np.eye(3)] * 30, SIZE, noise=1.0)
    frames[5:22, 30:50, 20:50] = frames[5:22, 30:50, 20:50] * 0.5
    plate = clean_plate(frames, static_path(30, SIZE), ignore=np.zeros(frames.shape[:3], np.bool_))
    assert _psnr(plate.colour[30:50, 20:50], world[30:50, 20:50] / 255) > 36


def test_a_pan_gives_back_each_frame() -> None:
    world, truth, camera = _pan()
    frames = filmed(world, truth, SIZE, noise=1.5)
    plate = clean_plate(frames, camera, ignore=np.zeros(frames.shape[:3], np.bool_))
    clean = filmed(world, truth, SIZE, noise=0.0)
    assert min(_psnr(plate_in_frame(plate, camera, t), clean[t] / 255) for t in range(14)) > 33
    assert plate.colour.shape == (camera.canvas_size[1], camera.canvas_size[0], 3)


def test_bands_do_not_change_the_plate() -> None:
    world, truth, camera = _pan(8)
    frames = filmed(world, truth, SIZE)
    ignore = np.zeros(frames.shape[:3], np.bool_)
    ignore[2:4, 10:30, 40:60] = True
    whole = clean_plate(frames, camera, ignore=ignore)
    banded = clean_plate(frames, camera, ignore=ignore, config=PlateConfig(band_bytes=1))
    assert np.abs(whole.colour - banded.colour).mean() < 0.002
    assert (whole.coverage == banded.coverage).mean() > 0.98


def _pushed(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A cushion that lies in one place, then in another, and what passes before it: frames, masks and both sets."""
    rng = np.random.default_rng(seed)
    cushion = (0.4 * texture(40, 30, seed=5)).astype(np.uint8)
    sets = np.stack([texture(*SIZE, seed=3) // 3 + 160] * 2)
    for one, left in zip(sets, (24, 33), strict=True):
        one[18:48, left : left + 40] = cushion
    frames = np.stack([sets[t // 12] for t in range(24)])
    frames = np.clip(frames + rng.normal(0, 1.5, frames.shape), 0, 255).astype(np.uint8)
    ignore = np.zeros(frames.shape[:3], np.bool_)
    for t in range(24):
        for _ in range(5):
            x, y = rng.integers(0, SIZE[0]), rng.integers(0, SIZE[1])
            ignore[t, y : y + 16, x : x + 20] = True
    return frames, ignore, *sets


def test_what_was_pushed_about_lies_in_one_place() -> None:
    frames, ignore, before, after = _pushed()
    apart = np.abs(before.astype(int) - after).max(-1) > 60

    rough = clean_plate(frames, static_path(24, SIZE), ignore=ignore)

    def seams(colour: np.ndarray) -> float:
        """Share of neighbours, where both sets differ, of which one shows the one set and one the other."""
        colour = 255 * colour
        first = np.abs(colour - before).max(-1) < np.abs(colour - after).max(-1)
        beside = apart[:, 1:] & apart[:, :-1]
        return float((first[:, 1:] != first[:, :-1])[beside].mean())

    plate = agreed_plate(rough, frames, static_path(24, SIZE), ignore=ignore)
    assert seams(rough.colour) > 0.1
    assert seams(plate.colour) < 0.25 * seams(rough.colour)
    assert rough.several is not None
    assert np.array_equal(plate.colour[~rough.several], rough.colour[~rough.several])
    assert agreed_plate(rough, frames, static_path(24, SIZE), ignore=ignore, but_for=rough.several) is rough


def test_tiles_do_not_change_what_neighbours_agree_on() -> None:
    frames, ignore, before, after = _pushed(1)
    camera, exposure = static_path(24, SIZE), np.ones((24, 3), np.float32)
    several = np.abs(before.astype(int) - after).max(-1) > 60
    rough = clean_plate(frames, camera, ignore=ignore)
    found = []
    for most_pixels in (1, 10**6):
        plate = [one.copy() for one in (rough.colour, rough.noise, rough.coverage)]
        agreed(
            *plate,
            several,
            lambda window: band_samples(frames, camera, ignore, exposure, window=window),
            most_pixels=most_pixels,
            outlier_sigmas=3.0,
        )
        found.append(plate)
    assert all(np.array_equal(one, other) for one, other in zip(*found, strict=True))
    assert (found[0][0] != rough.colour)[several].any()
    assert (found[0][0] == rough.colour)[~several].all()


def test_exposure_is_found_where_there_is_one() -> None:
    world = np.clip(texture(*SIZE, seed=8), 0, 200)
    gains = np.linspace(0.9, 1.1, 12)
    frames = filmed(world, [np.eye(3)] * 12, SIZE).astype(np.float32) * gains[:, None, None, None]
    frames = np.clip(frames + 0.5, 0, 255).astype(np.uint8)
    ignore = np.zeros(frames.shape[:3], np.bool_)
    plate = clean_plate(frames, static_path(12, SIZE), ignore=ignore)
    relative = plate.exposure / plate.exposure.mean(0) * gains.mean()
    assert relative == pytest.approx(np.repeat(gains[:, None], 3, 1), abs=0.012)
    shown = plate_in_frame(plate, static_path(12, SIZE), 11)
    assert _psnr(shown, frames[11] / 255) > 36


def test_what_nobody_sees_is_filled_and_marked() -> None:
    x, y = np.meshgrid(np.arange(96), np.arange(64))
    stripes = np.repeat((120 + 60 * np.sin(x / 2.0) + 0.2 * y)[..., None], 3, 2).astype(np.uint8)
    frames = np.repeat(stripes[None], 6, 0)
    ignore = np.zeros(frames.shape[:3], np.bool_)
    ignore[:, 20:40, 40:54] = True
    hidden = frames.copy()
    hidden[ignore] = 0
    plate = clean_plate(hidden, static_path(6, SIZE), ignore=ignore)
    assert (plate.coverage[ignore[0]] == 0).all()
    assert (plate.coverage[~ignore[0]] > 0).all()
    # Stripes go on through the hole: a piece was copied, not smeared.
    assert np.abs(plate.colour[20:40, 40:54] - stripes[20:40, 40:54] / 255).mean() < 0.04


def test_filling_leaves_the_seen_alone() -> None:
    picture = texture(60, 40).astype(np.float32) / 255
    unseen = np.zeros((40, 60), np.bool_)
    unseen[:10, :10] = True
    result = filled(picture, unseen)
    assert (result[~unseen] == picture[~unseen]).all()
    assert filled(picture, np.zeros_like(unseen)) is picture


@pytest.mark.refusal
def test_frames_that_do_not_belong_together_are_refused() -> None:
    frames = np.zeros((3, 64, 96, 3), np.uint8)
    with pytest.raises(ShapeError, match="must have one count and size; got 3 frames, 4 homographies"):
        clean_plate(frames, static_path(4, SIZE), ignore=np.zeros((3, 64, 96), np.bool_))
