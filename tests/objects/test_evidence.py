"""What pixels say by themselves: background that is not the plate under another light."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from polytempo.camera.path import static_path
from polytempo.objects.evidence import EvidenceConfig, background_costs, footage, sampled_plate
from polytempo.objects.flow import FlowField
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
