"""Who is found again where their motion leads."""

from __future__ import annotations

import numpy as np
import pytest

from polytempo.camera.path import static_path
from polytempo.objects.common_motion import CommonMotionConfig, common_motions
from polytempo.objects.evidence import Footage
from polytempo.objects.flow import FlowField
from polytempo.objects.found_again import FoundAgainConfig, found_again_costs
from polytempo.objects.walk import WalkConfig, who_by_walking

N, H, W, T = 9, 80, 120, 4
WALL, SKIN = (220, 128, 128), (150, 145, 145)
GIRL, BOY = 1, 2
CONFIG = FoundAgainConfig(shift_share=0.0125)


def falls_and_rises(*, top: int = 24, feet_land: bool = False, head_is: int = BOY) -> tuple[Footage, np.ndarray]:
    """A girl falls by 3 px a frame, a boy of her colour rises by 3; his head comes up beside her, apart from his body.

    Flow does what she does around her, so that it leads his head along with her.
    """
    lab, labels = np.empty((N, H, W, 3), np.uint8), np.zeros((N, H, W), np.uint8)
    lab[:] = WALL
    forward, backward = (np.zeros((N - 1, H, W, 2), np.float16) for _ in range(2))
    for t in range(N):
        down = 3 * (t - T)
        for who, (x, width), (y, height) in (
            (BOY, (10, 30), (40 - down, 30)),
            (head_is, (50, 8), (36 - down, 8)),
            (GIRL, (60, 14), (top + down, 26)),
        ):
            rows = slice(max(y, 0), y + height)
            labels[t, rows, x : x + width] = who
            lab[t, rows, x : x + width] = SKIN
        if t < N - 1:
            forward[t, :, 45:80], forward[t, :, :42] = (0, 3), (0, -3)
        if t > 0:
            backward[t - 1, :, 45:80], backward[t - 1, :, :42] = (0, -3), (0, 3)
        if feet_land and t > T:
            feet, left = slice(top + 20, top + 26), slice(top + 26, top + 26 + down)
            lab[t, left, 60:74], labels[t, left, 60:74] = WALL, 0
            lab[t, feet, 60:74], labels[t, feet, 60:74] = SKIN, GIRL
            lab[t, feet.stop : feet.stop + 4, 60:74] = WALL
    view = Footage(
        pictures=lab, camera=static_path(N, (W, H)), flow=FlowField(to_next=forward, to_previous=backward), lab=lab,
        bins=np.zeros((N, H, W), np.uint16), lasting=np.zeros((N, H, W), np.uint8),
    )  # fmt: skip
    return view, labels


def costs(view: Footage, labels: np.ndarray, config: FoundAgainConfig = CONFIG) -> np.ndarray:
    motions = common_motions(view, labels[T], T, 2, steps=config.steps, config=CommonMotionConfig())
    return found_again_costs(view, motions, labels, labels[T] > 0, T, 2, config=config)


HEAD, HERS, HIS = np.s_[38:42, 52:56], np.s_[28:46, 63:71], np.s_[44:66, 14:36]


@pytest.mark.parametrize("head_is", [GIRL, BOY])
def test_a_head_beside_her_is_not_hers_though_flow_leads_it_along_with_her(head_is: int) -> None:
    found = costs(*falls_and_rises(head_is=head_is))
    assert (found[HEAD][..., 0] > 1).all()  # also where it was taken for hers on every frame
    assert not found[HEAD][..., 1].any()
    for mine, k in ((HERS, 0), (HIS, 1)):
        assert (found[mine][..., k] < 0.01).all()
        assert (found[mine][..., 1 - k] > 0.2).all()


def test_nothing_is_said_off_bodies_without_motion_and_of_nobody() -> None:
    view, labels = falls_and_rises()
    assert not costs(view, labels)[labels[T] == 0].any()
    assert not found_again_costs(view, [], labels, labels[T] > 0, T, 2, config=CONFIG).any()
    motions = common_motions(view, labels[T], T, 2, steps=(2,), config=CommonMotionConfig())
    assert not found_again_costs(view, motions, labels, np.zeros((H, W), bool), T, 2, config=CONFIG).any()
    assert (
        common_motions(view, np.where(labels[T] == BOY, 0, labels[T]), T, 2, steps=(2,), config=CommonMotionConfig())
        == []
    )


def test_feet_that_land_are_hers_by_what_was_before() -> None:
    view, labels = falls_and_rises(feet_land=True)
    feet = np.s_[46:49, 63:71]
    assert (costs(view, labels)[feet][..., 0] < 0.01).all()
    behind = common_motions(view, labels[T], T, 2, steps=(2, 4), config=CommonMotionConfig())[2:]
    assert all(one.step > 0 for one in behind)
    after = found_again_costs(view, behind, labels, labels[T] > 0, T, 2, config=CONFIG)
    assert (after[feet][..., 0] > 0.5).all()


def test_who_leaves_the_picture_is_excused() -> None:
    view, labels = falls_and_rises(top=-6)  # before, all of what is seen of her now was above the edge
    found = costs(view, labels)
    assert (found[2:18, 63:71, 0] < 0.01).all()
    hers = common_motions(view, labels[T], T, 2, steps=(2, 4), config=CommonMotionConfig())[:2]
    before = found_again_costs(view, hers, labels, labels[T] > 0, T, 2, config=CONFIG)
    assert (before[0:3, 63:71, 0] < 0.01).all()


def test_what_has_another_colour_there_is_not_found() -> None:
    view, labels = falls_and_rises()
    view.lab[[t for t in range(N) if t != T], :, 60:67] = (90, 160, 90)
    found = costs(view, labels)
    assert (found[30:44, 62:65, 0] > 0.5).all()  # he is excused on one of two frames
    assert (found[30:44, 70:73, 0] < 0.01).all()


@pytest.mark.parametrize(("weight", "is_his"), [(0.0, False), (WalkConfig().found_again_weight, True)])
def test_a_head_that_comes_up_out_of_nothing_beside_her_is_followed_as_his(weight: float, is_his: bool) -> None:
    view, labels = falls_and_rises()
    clear = np.zeros(N, bool)
    clear[[0, N - 1]] = True
    head = (labels == BOY) & (np.arange(W) > 45)
    known = np.where(clear[:, None, None] & ~head, labels, 0).astype(np.uint8)  # on clear frames it is not there
    context = np.full((N, H, W, 3), np.log(0.2), np.float16)
    context[..., 1:][labels == GIRL, 0] = context[..., 1:][(labels == BOY) & ~head, 1] = np.log(0.6)
    config = WalkConfig(steps=(1,), found_again_weight=weight, found_again=CONFIG)
    walked = who_by_walking(view, known, labels > 0, context, clear, 2, shown=clear, told={}, config=config)
    between = walked.labels[1:-1]
    assert (between[head[1:-1]] == (BOY if is_his else GIRL)).mean() > 0.97
    assert (between[labels[1:-1] == GIRL] == GIRL).mean() > 0.97
    assert (between[(labels == BOY)[1:-1] & ~head[1:-1]] == BOY).mean() > 0.97
