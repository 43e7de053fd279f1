"""What is lighter than the clean plate is somebody; what is darker may be a shadow."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from polytempo.camera.path import static_path
from polytempo.camera.plate import CleanPlate, clean_plate
from polytempo.objects.evidence import EvidenceConfig, Footage, background_costs, footage
from polytempo.objects.flow import FlowField
from polytempo.objects.lighter import LighterConfig, lighter_than_plate
from polytempo.objects.persistence import persistence

N, H, W = 12, 64, 160


def white_on_white(*, by: int, glow: float = 0.0) -> tuple[Footage, CleanPlate, np.ndarray, np.ndarray]:
    """A dark trunk with a sleeve ``by`` lighter than a wall with soft stripes; a light may wander over the wall."""
    rng = np.random.default_rng(1)
    stripes = 8 * np.sin(np.arange(W) * 2 * np.pi / 16)
    wall = np.repeat(np.tile(200 + stripes, (H, 1))[..., None], 3, -1).astype(np.float32)
    clip, trunk, sleeve = np.empty((N, H, W, 3), np.uint8), np.zeros((N, H, W), bool), np.zeros((N, H, W), bool)
    for t in range(N):
        x = 10 + 10 * t
        trunk[t, 20:50, x : x + 10], sleeve[t, 24:40, x + 10 : x + 22] = True, True
        picture = wall + (glow * (np.hypot(*(np.indices((H, W)).T - (30, 140 - 11 * t)).T) < 14))[..., None]
        picture[trunk[t]] = 60
        picture[sleeve[t]] = wall[sleeve[t]] + by
        clip[t] = np.clip(picture + rng.normal(0, 2, picture.shape), 0, 255)
    camera = static_path(N, (W, H))
    still = FlowField(
        to_next=np.zeros((N - 1, H, W, 2), np.float16), to_previous=np.zeros((N - 1, H, W, 2), np.float16)
    )
    view = footage(clip, camera, still, lasting=persistence(clip, camera))
    grown = np.stack([cv2.dilate(one.astype(np.uint8), np.ones((5, 5))) > 0 for one in trunk | sleeve])
    return view, clean_plate(clip, camera, ignore=grown), trunk, sleeve


def test_a_sleeve_a_little_lighter_than_the_wall_is_seen_whole_though_each_pixel_passes_for_wall() -> None:
    view, plate, trunk, sleeve = white_on_white(by=12)
    costs = background_costs(view, plate, ignore=trunk | sleeve, config=EvidenceConfig())
    inside = sleeve & (np.arange(N) > 1)[:, None, None]
    assert np.median(costs[inside].astype(float)) < 9.5  # each by itself is background
    found = lighter_than_plate(view, plate, trunk, config=LighterConfig())
    assert found[sleeve].mean() > 0.8
    around = cv2.dilate((trunk | sleeve).any(0).astype(np.uint8), np.ones((3, 3))) > 0
    assert found[:, ~around].mean() < 0.001


def test_a_shadow_is_not_lighter() -> None:
    view, plate, trunk, _ = white_on_white(by=-12)
    assert lighter_than_plate(view, plate, trunk, config=LighterConfig()).mean() < 0.001


def test_what_is_far_from_everybody_is_nobodys() -> None:
    view, plate, _, sleeve = white_on_white(by=12)
    elsewhere = np.zeros_like(sleeve)
    elsewhere[:, :4, :4] = True
    limits = LighterConfig(wandering=1.0)
    assert not lighter_than_plate(view, plate, elsewhere, config=limits)[sleeve].any()


def test_what_is_lighter_most_of_the_time_is_furniture() -> None:
    view, plate, trunk, sleeve = white_on_white(by=12)
    limits = LighterConfig(lasting_share=0.0)
    assert not lighter_than_plate(view, plate, trunk, config=limits)[sleeve].any()


@pytest.mark.parametrize(("glow", "told"), [(0.0, True), (25.0, False)])
def test_where_light_wanders_nothing_is_told(glow: float, told: bool) -> None:
    view, plate, trunk, sleeve = white_on_white(by=12, glow=glow)
    assert lighter_than_plate(view, plate, trunk, config=LighterConfig())[sleeve].any() == told
