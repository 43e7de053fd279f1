"""Cloth that gives way has the plate's colours nearby; who stands on it has not."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from polytempo.camera.path import static_path
from polytempo.camera.plate import CleanPlate, clean_plate
from polytempo.objects.evidence import Footage, footage
from polytempo.objects.flow import FlowField
from polytempo.objects.folds import FoldConfig, Folds, folds
from polytempo.objects.persistence import persistence
from polytempo.objects.somebody import DIFFERS, STARTLING, somebody
from polytempo.objects.walk import WalkConfig

N, H, W = 10, 72, 224


def trodden_cloth() -> tuple[Footage, CleanPlate, np.ndarray, np.ndarray]:
    """A foot that comes down on a striped cloth; the hollow around it is dimmed and shifted by four pixels."""
    rng = np.random.default_rng(3)
    cloth = np.tile(np.array([228, 222, 214], np.float32), (H, W, 1))
    cloth[np.arange(H) % 12 < 4] = (120, 112, 108)
    clip, foot, hollow = np.empty((N, H, W, 3), np.uint8), np.zeros((N, H, W), bool), np.zeros((N, H, W), bool)
    rows, columns = np.indices((H, W))
    for t in range(N):
        x = 30 + 16 * t
        hollow[t] = np.hypot((columns - x) / 1.4, rows - 40) < 16
        foot[t] = (np.abs(columns - x) < 4) & (np.abs(rows - 32) < 12)
        picture = np.where(hollow[t][..., None], 0.85 * np.roll(cloth, 4, 0), cloth)
        picture[foot[t]] = (196, 140, 118)
        clip[t] = np.clip(cv2.GaussianBlur(picture, (0, 0), 0.6) + rng.normal(0, 1.5, picture.shape), 0, 255)
    camera = static_path(N, (W, H))
    still = FlowField(
        to_next=np.zeros((N - 1, H, W, 2), np.float16), to_previous=np.zeros((N - 1, H, W, 2), np.float16)
    )
    view = footage(clip, camera, still, lasting=persistence(clip, camera))
    return view, clean_plate(clip, camera, ignore=hollow), foot, hollow & ~foot


def as_cloth(where: np.ndarray) -> Folds:
    return Folds(lit=where, coloured=where, either=where)


def test_a_hollow_is_cloth_and_a_foot_is_not() -> None:
    view, plate, foot, hollow = trodden_cloth()
    found = folds(view, plate, config=FoldConfig())
    inside = np.stack([cv2.erode(one.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0 for one in foot])
    for one in (found.lit, found.coloured):
        assert one[hollow].mean() > 0.95
        assert one[inside].mean() < 0.02
    # Without any reach a moved stripe is like nothing at its place.
    near = folds(view, plate, config=FoldConfig(reach_share=0.0))
    assert near.lit[hollow].mean() < found.lit[hollow].mean() - 0.05
    assert not folds(view, plate, stiff=np.ones_like(hollow), config=FoldConfig()).coloured.any()


def test_a_stripe_between_stiff_places_is_as_stiff() -> None:
    view, plate, _, hollow = trodden_cloth()
    columns = np.arange(W)[None, None, :]
    for wide, cloth in ((3, False), (40, True)):
        stiff = np.broadcast_to((columns < 60) | (columns >= 60 + wide), hollow.shape)
        found = folds(view, plate, stiff=stiff, config=FoldConfig(narrow_share=0.02))
        assert (found.lit & ~stiff)[hollow & ~stiff].mean() > 0.9 if cloth else not found.lit.any()


def test_small_places_of_little_spread_on_a_bed_are_no_walls_in_a_warm_hollow() -> None:
    view, plate, _, hollow = trodden_cloth()
    rows, columns = np.indices((H, W))
    specks = np.broadcast_to((rows % 24 < 12) & (columns % 24 < 12), hollow.shape)
    # The hollow here is dimmed alone, and its stripes are broad for the picture.
    config = FoldConfig(warmer=-1.0, narrow_share=0.0067, mean_share=0.03)
    found = folds(view, plate, stiff=specks, config=config)
    deep = np.stack([cv2.erode(one.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0 for one in hollow])
    assert found.lit[deep].mean() > 0.9
    assert (found.either >= found.lit).all()
    cold = folds(view, plate, stiff=specks, config=FoldConfig())  # as a white shirt in the shade
    assert cold.lit[hollow & specks].mean() < 0.1
    assert cold.either[hollow].mean() > 0.95
    walls = folds(view, plate, stiff=specks, config=replace(config, wall_share=0.0))
    assert walls.either[hollow & specks].mean() < 0.1


def test_a_fold_is_nobody_unless_it_is_startling() -> None:
    view, _, foot, hollow = trodden_cloth()
    nobody = np.zeros(foot.shape, np.uint8)
    strange = np.where(foot | hollow, DIFFERS + 1, 5).astype(np.float16)
    for labels in (nobody, (hollow * 2).astype(np.uint8)):  # taken for somebody before, it is nobody, too
        found = somebody(view, strange, labels, as_cloth(hollow), config=WalkConfig())
        assert found[foot].mean() > 0.95
        assert found[hollow].mean() < 0.1  # what is closed around the foot
    startling = np.where(foot | hollow, STARTLING + 1, 5).astype(np.float16)
    assert somebody(view, startling, nobody, as_cloth(hollow), config=WalkConfig())[hollow].mean() > 0.9


def test_what_may_be_cloth_in_the_midst_of_somebody_or_a_strip_on_them_is_theirs() -> None:
    view, _, foot, hollow = trodden_cloth()
    view = replace(view, lasting=np.zeros_like(view.lasting))
    strange = np.where(foot | hollow, DIFFERS + 1, 5).astype(np.float16)
    around = cv2.dilate(hollow[0].astype(np.uint8), np.ones((9, 9), np.uint8))
    body = np.stack([around] * len(foot)).astype(np.uint8)
    assert somebody(view, strange, body, as_cloth(hollow), config=WalkConfig())[0][hollow[0]].mean() > 0.9
    strip = np.zeros(foot.shape, bool)
    strip[0, 40:42] = around[40:42] > 0  # from side to side
    assert somebody(view, strange, body, as_cloth(strip), config=WalkConfig())[0][strip[0]].mean() > 0.9
    broad = np.zeros(foot.shape, bool)
    broad[0, 30:50] = around[30:50] > 0
    assert somebody(view, strange, body, as_cloth(broad), config=WalkConfig())[0][broad[0]].mean() < 0.3


def test_a_thin_dark_line_on_a_fold_is_its_own_and_a_broad_one_is_not() -> None:
    view, _, foot, hollow = trodden_cloth()
    rows = np.arange(H)[None, :, None]
    labels = (hollow | foot).astype(np.uint8)
    for wide, somebodys in ((3, False), (11, True)):
        line = hollow & (rows >= 46) & (rows < 46 + wide)
        unlike = np.where(foot | line, STARTLING + 2, np.where(hollow, DIFFERS + 1, 5)).astype(np.float16)
        cloth = Folds(lit=hollow & ~line, coloured=hollow, either=hollow)
        found = somebody(view, unlike, labels, cloth, config=WalkConfig())
        middle = np.stack([cv2.erode(one.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0 for one in line])
        share = found[middle].mean()  # a broad one loses its pointed ends
        assert share > 0.75 if somebodys else share < 0.1
        assert found[foot].mean() > 0.95


def test_a_leg_as_thin_as_a_stripe_is_no_cloth() -> None:
    view, _, foot, hollow = trodden_cloth()
    leg = hollow & (np.arange(H)[None, :, None] >= 46) & (np.arange(H)[None, :, None] < 49)
    unlike = np.where(foot | leg, STARTLING + 2, np.where(hollow, DIFFERS + 1, 5)).astype(np.float16)
    cloth = Folds(lit=hollow & ~leg, coloured=hollow & ~leg, either=hollow)  # not in the colours of cloth
    found = somebody(view, unlike, (hollow | foot).astype(np.uint8), cloth, config=WalkConfig())
    assert found[leg].mean() > 0.9
