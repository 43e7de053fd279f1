from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from polytempo.camera.path import static_path
from polytempo.core.discs import grown
from polytempo.core.errors import InputError, ShapeError
from polytempo.objects.amodal import AmodalConfig
from polytempo.objects.appearance import SEAM_PX, hidden_appearance
from polytempo.objects.build import CastConfig, build_cast, plan_layers, still_share
from polytempo.objects.cast import Cast
from polytempo.objects.posture import PostureConfig
from polytempo.objects.refit import RefitConfig
from polytempo.objects.repair import RepairConfig

SIZE = (96, 48)
FRAMES = 16
CONFIG = CastConfig(
    repair=RepairConfig(refit=RefitConfig(n_steps=60, n_samples=6000, batch=1024)),
    amodal=AmodalConfig(posture=PostureConfig(n_chains=2, max_sources=12)),
)


def scene() -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """A red box walks right behind a blue one that walks left: pictures, modal masks and whole bodies."""
    random = np.random.default_rng(0)
    ground = random.integers(90, 150, (SIZE[1], SIZE[0], 3)).astype(np.uint8)
    pictures = np.repeat(ground[None], FRAMES, 0)
    back = np.zeros((FRAMES, SIZE[1], SIZE[0]), bool)
    front = np.zeros_like(back)
    for t in range(FRAMES):
        back[t, 12:36, 10 + 4 * t : 18 + 4 * t] = True
        front[t, 8:44, 70 - 4 * t : 84 - 4 * t] = True
        pictures[t][back[t]] = (220, 20, 20)
        pictures[t][front[t]] = (20, 20, 220)
    return pictures, {"back": back & ~front, "front": front}, {"back": back, "front": front}


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / max((a | b).sum(), 1))


@pytest.fixture(scope="module")
def cast() -> Cast:
    pictures, masks, _ = scene()
    masks["front"][5] = False
    return build_cast(masks, pictures, static_path(FRAMES, SIZE), config=CONFIG)


def test_a_missing_mask_is_carried_and_said(cast: Cast) -> None:
    _, masks, _ = scene()
    assert iou(cast.subjects[1].mask[5], masks["front"][5]) > 0.85
    assert any("front" in text and "(5)" in text for text in cast.warnings)


def test_the_hidden_body_is_completed_within_what_hides_it(cast: Cast) -> None:
    _, masks, whole = scene()
    hidden = (whole["back"] & ~masks["back"]).any((1, 2))
    assert hidden.sum() >= 3
    subject = cast.subjects[0]
    assert np.mean([iou(subject.amodal[t], whole["back"][t]) for t in np.flatnonzero(hidden)]) > 0.75
    assert (subject.amodal >= subject.mask).all()
    assert subject.visibility.min() < 0.5
    assert subject.visibility[0] == 1


def test_who_is_cut_is_behind(cast: Cast) -> None:
    assert set(cast.order) == {(1, 2)}


def test_masks_do_not_overlap(cast: Cast) -> None:
    assert not (cast.subjects[0].mask & cast.subjects[1].mask).any()


def test_the_hidden_body_looks_as_it_did(cast: Cast) -> None:
    pictures, _, _ = scene()
    shown = hidden_appearance(pictures, cast, 1, config=CONFIG.amodal)
    assert shown
    hidden = cast.subjects[0].amodal & ~cast.subjects[0].mask
    for t, picture in shown.items():
        assert picture.shape == (SIZE[1], SIZE[0], 4)
        assert not picture[~hidden[t] & ~grown(cast.subjects[1].mask[t], SEAM_PX)].any()
        assert (picture[..., :3] <= picture[..., 3:] + 1e-5).all()
        sure = picture[..., 3] > 0.9
        if sure.any():
            assert picture[sure][:, 0].mean() > 0.6
        # No line is left beside who is in front: there the completion goes on under the body that is seen.
        beside = grown(cast.subjects[1].mask[t], SEAM_PX) & ~cast.subjects[1].mask[t]
        inside = cv2.erode(cast.subjects[0].amodal[t].astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        if (beside & inside).any() and sure.any():
            assert np.median(picture[beside & inside, 3]) > 0.9
    assert hidden_appearance(pictures, cast, 2) == {}


def test_an_edited_mask_stands_as_drawn() -> None:
    pictures, masks, _ = scene()
    drawn = np.zeros((SIZE[1], SIZE[0]), bool)
    drawn[10:38, 10:18] = True
    cast = build_cast(masks, pictures, static_path(FRAMES, SIZE), edits={"back": {0: drawn}}, config=CONFIG)
    assert np.array_equal(cast.subjects[0].mask[0], drawn)


def test_order_is_taken_as_given_and_groups_share_a_layer() -> None:
    pictures, masks, _ = scene()
    plain = replace(CONFIG, repair_masks=False)
    camera = static_path(FRAMES, SIZE)
    given = build_cast(masks, pictures, camera, order=["front", "back"], config=plain)
    assert set(given.order) == {(2, 1)}
    grouped = build_cast(
        masks, pictures, camera, groups={"both": ["front", "back"]}, dynamic_layers=["water"], config=plain
    )
    assert [(p.layer_id, p.name, p.subject_ids) for p in grouped.layers] == [(1, "both", (1, 2)), (2, "water", ())]
    assert set(grouped.order) == {(2, 1)}


def test_still_share_of_a_body_that_stands_and_one_that_goes() -> None:
    stands = np.zeros((5, 48, 96), bool)
    stands[:, 8:40, 8:40] = True
    goes = np.zeros_like(stands)
    for t in range(5):
        goes[t, 8:40, 16 * t : 16 * t + 16] = True
    camera = static_path(5, SIZE)
    assert still_share(stands, camera) == pytest.approx(1.0)
    assert still_share(goes, camera) == 0


@pytest.mark.refusal
def test_refusals() -> None:
    pictures, masks, _ = scene()
    camera = static_path(FRAMES, SIZE)
    with pytest.raises(InputError, match="at least one subject"):
        build_cast({}, pictures, camera)
    with pytest.raises(InputError, match="no pixel of 'front'"):
        build_cast({"front": np.zeros_like(masks["front"])}, pictures, camera)
    with pytest.raises(ShapeError, match="15 masks of 96x48 for 'front' and 16 frames"):
        build_cast({"front": masks["front"][1:]}, pictures, camera)
    with pytest.raises(InputError, match="order must name every layer once"):
        build_cast(masks, pictures, camera, order=["front"], config=replace(CONFIG, repair_masks=False))
    with pytest.raises(InputError, match="one entry for every frame"):
        build_cast(masks, pictures, camera, order=[["front", "back"]], config=replace(CONFIG, repair_masks=False))
    with pytest.raises(InputError, match="'dog' in group"):
        plan_layers(["girl"], groups={"all": ["dog"]})
    with pytest.raises(InputError, match="one group only"):
        plan_layers(["girl"], groups={"a": ["girl"], "b": ["girl"]})
    with pytest.raises(InputError, match="at least one subject"):
        plan_layers(["girl"], groups={"a": []})
    with pytest.raises(InputError, match="names must differ"):
        plan_layers(["girl"], groups={}, dynamic_layers=["girl"])
    with pytest.raises(InputError, match="edited masks must belong"):
        build_cast(masks, pictures, camera, edits={"dog": {}})
    with pytest.raises(ShapeError, match="frame 99 of 16"):
        build_cast(masks, pictures, camera, edits={"back": {99: masks["back"][0]}})


def test_somebody_small_who_looks_like_the_wall_is_not_lost_and_it_is_said() -> None:
    rng = np.random.default_rng(0)
    n, height, width = 12, 96, 160
    wall = rng.integers(90, 150, (height, width, 3)).astype(np.uint8)
    pictures = np.repeat(wall[None], n, 0)
    masks = {"tall": np.zeros((n, height, width), bool), "small": np.zeros((n, height, width), bool)}
    for t in range(n):
        pictures[t, 20:80, 10 + 4 * t : 30 + 4 * t] = (200, 30, 40)
        masks["tall"][t, 20:80, 10 + 4 * t : 30 + 4 * t] = True
        masks["small"][t, 60:72, 120 + t : 132 + t] = True  # a piece of the wall, as far as colours go
    cast = build_cast(masks, pictures, static_path(n, (width, height)))
    small = next(one for one in cast.subjects if one.name == "small")
    assert all(small.mask[t].sum() > 0.5 * masks["small"][t].sum() for t in range(n))
    assert any("small" in one and "looks like what is behind it" in one for one in cast.warnings)
    assert not any("tall" in one and "looks like" in one for one in cast.warnings)
