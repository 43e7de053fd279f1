"""What pixels say by themselves: background that is not the plate under another light."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from polytempo.camera.path import static_path
from polytempo.camera.plate import CleanPlate
from polytempo.objects.evidence import (
    EvidenceConfig,
    background_costs,
    footage,
    learn,
    pixel_costs,
    plate_matcher,
    sampled_plate,
)
from polytempo.objects.flow import FlowField
from polytempo.objects.limb_reach import NearestLimb, limb_reach
from polytempo.objects.persistence import STEPS

H, W, N = 40, 60, 12


def test_what_moves_before_boards_costs_more_as_background_than_what_stays() -> None:
    floor = np.zeros((H, W, 3), np.uint8)
    floor[:] = (150, 110, 70)
    floor[:, ::4] = (90, 60, 35)
    pictures = np.stack([floor] * N)
    there = np.zeros((N, H, W), bool)
    for t in range(N):
        there[t, 10:30, 4 + 4 * t : 12 + 4 * t] = True
        pictures[t][there[t]] = (112, 100, 60)
    still = np.zeros((N - 1, H, W, 2), np.float16)
    lasting = np.full((N, H, W), STEPS - 1, np.uint8)
    lasting[there] = 0
    lasting[N // 2] = STEPS - 1  # on this frame it has been there all the time, like furniture
    view = footage(pictures, static_path(N, (W, H)), FlowField(to_next=still, to_previous=still), lasting=lasting)
    taken = np.stack([cv2.dilate(one.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0 for one in there])
    plate = sampled_plate(view, taken, most=N)
    config = EvidenceConfig()
    with_it = background_costs(view, plate, ignore=taken, config=config).astype(np.float32)
    without = background_costs(view, plate, ignore=taken, config=replace(config, foreign=0.0)).astype(np.float32)
    gained = with_it - without
    inner = np.stack([cv2.erode(one.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0 for one in there])
    inner[N // 2] = False
    assert (gained[inner] > 0.9 * config.foreign).mean() > 0.6
    assert not gained[N // 2].any()
    assert not gained[~taken].any()


def test_shadows_are_assumed_only_where_the_picture_is_large_enough_to_show_grain() -> None:
    plate_lab = np.broadcast_to(np.float32((160, 132, 140)), (H, W, 3)).copy()
    seen = plate_lab.copy()
    seen[10:20, 10:20, 0] *= 0.6
    seen[10:20, 10:20, 1:] = 128 + 0.6 * (plate_lab[10:20, 10:20, 1:] - 128)
    rgb = np.asarray(cv2.cvtColor(plate_lab.astype(np.uint8), cv2.COLOR_LAB2RGB), np.float32) / 255
    plate = CleanPlate(
        colour=rgb,
        noise=np.full((H, W), 0.01, np.float32),
        coverage=np.full((H, W), N, np.uint16),
        exposure=np.ones((1, 3), np.float32),
    )
    costs = [
        plate_matcher(plate, static_path(1, (W, H)), config=EvidenceConfig(grain_from_px=px))(seen, 0)[0][12:18, 12:18]
        for px in (W, W + 1)
    ]
    assert (costs[0] < costs[1] - 1).all()


def test_what_nobody_reaches_is_rather_nobody_and_what_limbs_reach_somebody() -> None:
    rng = np.random.default_rng(2)
    pictures = rng.integers(90, 130, (N, H, W, 3)).astype(np.uint8)
    still = np.zeros((N - 1, H, W, 2), np.float16)
    lasting = np.zeros((N, H, W), np.uint8)
    view = footage(pictures, static_path(N, (W, H)), FlowField(to_next=still, to_previous=still), lasting=lasting)
    labels = np.zeros((N, H, W), np.uint8)
    labels[:, :, 20:30] = 1
    background = np.full((N, H, W), 5.0, np.float16)
    config = EvidenceConfig()
    models = learn(view, labels, 1, config=config)

    def nearest(t: int, size: tuple[int, int]) -> NearestLimb:
        away = np.tile(np.abs(np.arange(size[0]) - 24.5) / 20 - 0.25, (size[1], 1))
        return NearestLimb(kind=np.zeros(away.shape, np.uint8), distance=away.astype(np.float32))

    reach = limb_reach({0: nearest}, labels, np.ones(N, bool), 1)
    bare, told = (
        pixel_costs(view, background, one, 3, config=config) for one in (models, replace(models, reach=reach))
    )
    gained = (told - bare)[..., 1] - (told - bare)[..., 0]
    assert (gained[:, 22:28] < 0).all()
    assert (gained[:, 45:] > 2).all()
    np.testing.assert_allclose(told - bare, reach.costs(3, (W, H)), rtol=1e-5, atol=1e-5)
