from __future__ import annotations

import numpy as np

from polytempo.camera.path import static_path
from polytempo.objects.refit import RefitConfig
from polytempo.objects.registration import local_fit, neighbour_flow, pull, signed_distance
from polytempo.objects.repair import RepairConfig, decide, missed_frames, not_lost, repair_masks, without_specks


def test_signed_distance_by_hand() -> None:
    mask = np.zeros((1, 7), bool)
    mask[0, 2:5] = True
    # The distance transform is good to a few hundredths a pixel.
    assert np.allclose(signed_distance(mask), [[-1.5, -0.5, 0.5, 1.5, 0.5, -0.5, -1.5]], atol=0.1)
    assert (signed_distance(np.zeros((2, 2), bool), limit_px=9) == -9).all()


def test_pull_reads_where_the_flow_points() -> None:
    field = np.arange(12, dtype=np.float32).reshape(3, 4)
    flow = np.zeros((3, 4, 2), np.float32)
    flow[..., 0] = 1
    assert pull(field, flow)[0].tolist() == [1, 2, 3, 3]


def test_local_fit_follows_a_line_across_a_gap() -> None:
    at = np.array([0.0, 1, 2, 3, 10, 11, 12, 13])
    wanted = np.arange(14.0)
    assert np.allclose(local_fit(at, 2 * at + 1, wanted, width=2.0, degree=2), 2 * wanted + 1, atol=0.05)


def test_missed_frames_leave_long_absence_alone() -> None:
    present = np.array([0, 1, 0, 0, 1, 0, 0, 0, 1, 0], bool)
    assert missed_frames(present, max_gap=2).nonzero()[0].tolist() == [2, 3]


def test_specks_go_and_holes_close() -> None:
    mask = np.zeros((20, 20), bool)
    mask[4:16, 4:16] = True
    mask[8:10, 8:10] = False
    mask[0, 0] = True
    out = without_specks(mask, speck_px=10)
    assert out.sum() == 144
    assert without_specks(np.eye(3, dtype=bool), speck_px=10).any()


def test_beyond_the_band_the_mask_decides() -> None:
    probabilities = np.zeros((2, 30, 30), np.float32)
    probabilities[1] = 1
    priors = np.full((1, 30, 30), -10, np.float32)
    priors[0, :, :15] = 2
    winner = decide(probabilities, priors, config=RepairConfig())
    assert (winner[:, :15] == 1).all()
    assert (winner[:, 15:] == 0).all()


def test_colours_tell_bodies_from_background_and_exchange_no_part_of_two_that_are_known() -> None:
    probabilities = np.full((3, 30, 60), 0.01, np.float32)
    probabilities[2] = 0.98  # all of it looks like the second one
    priors = np.full((2, 30, 60), -5, np.float32)
    x = np.arange(60)
    priors[0] = np.minimum(29.5 - x, 8)  # the first one's half
    priors[1] = -priors[0]
    assert (decide(probabilities, priors, config=RepairConfig())[:, 26] == 2).all()  # rough masks: colours decide
    winner = decide(probabilities, priors, keep_who=True, config=RepairConfig())
    assert (winner[:, :30] == 1).all()
    assert (winner[:, 30:] == 2).all()
    sliver = priors.copy()
    sliver[:, :, 10:13] = np.array([[-1.0], [1.0]])[..., None]  # a finger's breadth of the second one
    winner = decide(probabilities[[0, 2, 1]], sliver, keep_who=True, config=RepairConfig())
    assert (winner[:, 10:13] == 2).all()
    background = probabilities[[2, 0, 1]]
    assert (
        decide(background, priors, keep_who=True, config=RepairConfig())[:, 27] == 0
    ).all()  # bare is bare beside it


def test_trembling_outlines_settle_on_the_edge_in_the_picture() -> None:
    random = np.random.default_rng(1)
    n, height, width = 10, 64, 110
    ground = random.integers(60, 160, (height, width, 3)).astype(np.uint8)
    pictures = np.repeat(ground[None], n, 0)
    truth = np.zeros((n, height, width), bool)
    rough = np.zeros_like(truth)
    for t in range(n):
        x = 10 + 7 * t
        truth[t, 14:52, x : x + 18] = True
        pictures[t][truth[t]] = (230, 40, 20)
        off = (-4, 3, -2, 4)[t % 4]
        rough[t, 14 - off : 52 + off, x - off : x + 18 + off] = True
    rough[4] = False
    camera = static_path(n, (width, height))
    config = RepairConfig(refit=RefitConfig(n_steps=80, n_samples=4000, batch=512))
    steady = repair_masks({"one": rough}, pictures, camera, neighbour_flow(pictures), config=config)["one"]

    def iou(a: np.ndarray) -> np.ndarray:
        return (a & truth).sum((1, 2)) / (a | truth).sum((1, 2))

    assert iou(steady).mean() > 0.9
    assert iou(steady).mean() > iou(rough).mean() + 0.1
    assert iou(steady)[4] > 0.7


def test_what_mending_would_lose_stays_as_it_was_given() -> None:
    given = {"small": np.zeros((4, 20, 30), bool), "large": np.zeros((4, 20, 30), bool)}
    given["small"][:3, 5:15, 5:15] = True
    given["small"][3, 5:7, 5:7] = True  # a crumb
    given["large"][:, :, 15:] = True
    mended = {name: mask.copy() for name, mask in given.items()}
    mended["small"][1, 5:13, 5:15] = False  # a fifth is left
    mended["small"][2, 5:11, 5:15] = False  # two fifths are
    mended["small"][3] = False
    mended["large"][1, :13, 12:] = True  # what the large one gained it keeps
    kept, lost = not_lost(given, mended, lost_share=0.3)
    assert lost["small"].tolist() == [False, True, False, False]
    assert not lost["large"].any()
    expected = given["small"][1] & ~mended["large"][1]
    assert (kept["small"][1] == expected).all()
    for t in (0, 2, 3):
        assert (kept["small"][t] == mended["small"][t]).all()
    assert (kept["large"] == mended["large"]).all()
