"""Who moves with whom."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytempo.camera.path import CameraPath, static_path
from polytempo.objects.common_motion import CommonMotionConfig, common_motions, motion_costs, subject_motion
from polytempo.objects.evidence import Footage
from polytempo.objects.flow import FlowField, led

N, H, W = 13, 60, 120
CONFIG = CommonMotionConfig(steps=(2, 4))


def costs_at_6(view: Footage, labels: np.ndarray, config: CommonMotionConfig = CONFIG) -> tuple[np.ndarray, np.ndarray]:
    motions = common_motions(view, labels, 6, 2, steps=config.steps, config=config)
    return motion_costs(view, motions, 6, 2, config=config)


def two_ways(
    first: tuple[float, float], second: tuple[float, float], *, pan: float = 0.0
) -> tuple[Footage, np.ndarray]:
    """Two bodies, each with a motion of its own, that stay where they are drawn: flow is all that is asked here.

    A piece of the second one lies in the middle of the first.
    """
    truth = np.zeros((H, W), np.uint8)
    truth[5:55, 10:60], truth[5:55, 70:110], truth[25:35, 30:40] = 1, 2, 2
    flow = np.zeros((N - 1, H, W, 2), np.float16)
    flow[:] = np.where((truth == 1)[..., None], first, np.where((truth == 2)[..., None], second, 0))
    flow[..., 0] += pan
    camera = static_path(N, (W, H))
    if pan:
        shift = np.tile(np.eye(3), (N, 1, 1))
        shift[:, 0, 2] = -pan * np.arange(N)
        camera = CameraPath(
            kind=camera.kind, canvas_size=camera.canvas_size, frame_size=camera.frame_size, canvas_from_frame=shift,
            residual_px=camera.residual_px, warnings=camera.warnings,
        )  # fmt: skip
    still = np.zeros((N, H, W, 3), np.uint8)
    view = Footage(
        pictures=still, camera=camera, flow=FlowField(to_next=flow, to_previous=-flow), lab=still,
        bins=np.zeros((N, H, W), np.uint16), lasting=np.zeros((N, H, W), np.uint8),
    )  # fmt: skip
    return view, truth


@pytest.mark.parametrize("pan", [0.0, 0.5])
def test_a_piece_that_goes_with_another_one_is_the_other_ones(pan: float) -> None:
    view, truth = two_ways((0.0, -2.0), (1.0, 0.0), pan=pan)
    believed = truth.copy()
    believed[25:35, 30:40] = 1  # taken for a part of what surrounds it
    costs, heard = costs_at_6(view, believed)
    assert costs.shape == (H, W, 2)
    assert (heard[27:33, 32:38] > 0.99).all()
    core = (slice(27, 33), slice(32, 38))  # chained flow is another one's near outlines
    assert (costs[core][..., 0] > 1).all()
    assert (costs[core][..., 1] < 0.1).all()
    for k in (1, 2):
        inside = np.zeros_like(truth, bool)
        inside[15:45, (15 if k == 1 else 80) : (28 if k == 1 else 100)] = True
        assert (costs[inside][:, k - 1] < 0.1).all()
        assert (costs[inside][:, 2 - k] > 1).all()


def test_who_stops_moves_with_their_body_on_one_side_of_the_moment() -> None:
    view, truth = two_ways((-2.0, 0.0), (0.0, 1.0))
    view.flow.to_next[6:, 45:55, 10:60] = 0  # feet that land at frame 6 while the rest goes on
    view.flow.to_previous[6:, 45:55, 10:60] = 0
    costs, _ = costs_at_6(view, np.where(truth == 1, 1, truth))
    assert (costs[50:54, 15:28, 0] < 0.1).all()


def test_nothing_is_said_where_too_little_is_seen_or_there_is_no_other_frame() -> None:
    view, truth = two_ways((0.0, -2.0), (1.0, 0.0))
    alone = np.where(truth == 1, truth, 0).astype(np.uint8)
    for labels, config in ((alone, CONFIG), (truth, CommonMotionConfig(steps=(N,)))):
        costs, heard = costs_at_6(view, labels, config)
        assert not costs.any()
        assert (heard == 1).all()


@pytest.mark.parametrize("lost_by", ["flow", "colour"])
def test_flow_that_finds_nothing_is_not_heard(lost_by: str) -> None:
    view, truth = two_ways((0.0, -2.0), (1.0, 0.0))
    piece = np.s_[27:33, 32:38]
    before, _ = costs_at_6(view, truth)
    if lost_by == "flow":  # led along by what surrounds it, and from there elsewhere
        view.flow.to_next[:, 20:40, 25:45] = view.flow.to_previous[:, 20:40, 25:45] = (0.0, -2.0)
    else:
        view.lab[6][piece] = (200, 90, 160)
    costs, heard = costs_at_6(view, truth)
    assert (before[piece][..., 0] > 1).all()
    assert (costs[piece] < 0.1).all()
    assert (heard[piece] < 0.1).all()
    assert (heard[15:45, 80:100] > 0.99).all()


def test_the_side_on_which_flow_is_believed_speaks() -> None:
    view, truth = two_ways((0.0, -2.0), (1.0, 0.0))
    both, _ = costs_at_6(view, truth)
    view.lab[:6, 20:40, 20:50] = (200, 90, 160)  # before, something else was there
    costs, heard = costs_at_6(view, truth)
    piece = np.s_[27:33, 32:38]
    assert np.abs(costs[piece] - both[piece]).max() < 0.1
    assert (heard[piece] > 0.99).all()


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(0, 0.4), st.integers(0, 2**16))
def test_the_motion_of_most_is_found_whatever_the_rest_does(x: float, y: float, share: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mine = np.zeros((30, 40), bool)
    mine[5:25, 5:35] = True
    moved = np.zeros((30, 40, 2), np.float32) + np.float32([x, y])
    other = mine & (rng.random(mine.shape) < share)
    moved[other] += np.float32([12, -9])
    found = subject_motion(moved, mine, agree_px=1.0)
    assert np.abs(found[mine & ~other] - np.float32([x, y])).max() < 0.2


def test_chained_flow_adds_up_and_leads_elsewhere_alone() -> None:
    view, _ = two_ways((0.0, -2.0), (1.0, 0.0))
    assert led(view.flow, 3, 7)[20, 100] == pytest.approx((4.0, 0.0), abs=1e-3)
    assert led(view.flow, 7, 3)[20, 100] == pytest.approx((-4.0, 0.0), abs=1e-3)
    with pytest.raises(ValueError, match="not to itself"):
        led(view.flow, 3, 3)
