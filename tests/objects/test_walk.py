"""Following subjects into frames in which they meet."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from polytempo.camera.path import static_path
from polytempo.objects.clear_frames import who_left_open
from polytempo.objects.colour_model import colour_bins
from polytempo.objects.evidence import Footage
from polytempo.objects.flow import FlowField
from polytempo.objects.folds import Folds
from polytempo.objects.limb_reach import LimbReachConfig, Limbs, NearestLimb
from polytempo.objects.somebody import no_background, plainly_somebody, somebody, unmistakably
from polytempo.objects.walk import WalkConfig, who_by_walking

N, H, W = 10, 40, 64
GREY, RED, GREEN = (140, 128, 128), (120, 190, 150), (120, 90, 150)


def crossing(*, plain: bool = True) -> tuple[Footage, np.ndarray, np.ndarray]:
    """A red block passes before a green one; flow is right on both, labels are true. Plain: no bin tells them apart."""
    lab = np.empty((N, H, W, 3), np.uint8)
    lab[:] = GREY
    labels = np.zeros((N, H, W), np.uint8)
    forward = np.zeros((N - 1, H, W, 2), np.float16)
    backward = np.zeros((N - 1, H, W, 2), np.float16)
    for t in range(N):
        for label, colour, x, v in ((2, GREEN, 30, 0), (1, RED, 4 + 5 * t, 5)):
            lab[t, 10:34, x : x + 10] = colour
            labels[t, 10:34, x : x + 10] = label
            for field, at, sign in ((forward, t, 1), (backward, t - 1, -1)):
                if 0 <= at < N - 1:
                    field[at, 10:34, x : x + 10] = (sign * v, 0)
    bins = np.stack([colour_bins(one.astype(np.float32)) for one in lab]).astype(np.uint16)
    view = Footage(
        pictures=lab,
        camera=static_path(N, (W, H)),
        flow=FlowField(to_next=forward, to_previous=backward),
        lab=lab,
        bins=np.zeros_like(bins) if plain else bins,
        lasting=np.where(labels > 0, 0, 4).astype(np.uint8),
    )
    # What is around a pixel tells a little, and less than a match does.
    context = np.full((N, H, W, 3), np.log(0.2), np.float16)
    np.put_along_axis(context, labels[..., None].astype(int), np.log(0.6), -1)
    return view, labels, context


def follow(clear: list[int], **weights: float) -> tuple[np.ndarray, np.ndarray]:
    view, labels, context = crossing(plain=False)
    marked = np.zeros(N, bool)
    marked[clear] = True
    known = np.where(marked[:, None, None], labels, 0).astype(np.uint8)
    bodies = labels > 0
    config = WalkConfig(steps=(1,), least_piece_share=0.0, **weights)
    walked = who_by_walking(view, known, bodies, context, marked, 2, shown=marked, told={}, config=config)
    assert (walked.labels[marked] == labels[marked]).all()
    assert not walked.undisputed[marked].any()
    return walked.costs, labels


def test_who_crosses_is_followed_through_and_who_is_hidden_comes_back() -> None:
    costs, labels = follow([0, 1])
    assert not costs[:2].any()
    for t in range(2, N):
        for label in (1, 2):
            mine = labels[t] == label
            right = costs[t][mine][:, 1:].argmin(-1) + 1 == label
            assert not mine.any() or right.mean() > 0.97


def test_both_ways_agree_on_a_clip_played_backwards() -> None:
    there, labels = follow([0, N - 1])
    for t in range(1, N - 1):
        seen = labels[t] > 0
        best = there[t][seen][:, 1:].argmin(-1) + 1
        told = there[t][seen][:, 1:].max(-1) > 0
        assert (best == labels[t][seen])[told].mean() > 0.97
        assert told.mean() > 0.9  # one of both ways has seen what the other finds new


def test_whose_mute_pixels_were_tells_nothing_of_anybody() -> None:
    view, labels, context = crossing()
    marked = np.zeros(N, bool)
    marked[:2] = True
    mute = np.zeros(labels.shape, bool)
    mute[:, 24:] = True  # more than a third of each
    known = np.where(marked[:, None, None], labels, 0).astype(np.uint8)
    exchanged = np.where(mute & (known > 0), 3 - known, known).astype(np.uint8)
    alone = WalkConfig(
        steps=(1,), least_piece_share=0.0, motion_weight=0.0, found_again_weight=0.0, silhouette_weight=0.0
    )

    def found(given: np.ndarray, silent: np.ndarray | None) -> np.ndarray:
        walked = who_by_walking(
            view, given, labels > 0, context, marked, 2, shown=marked, told={}, mute=silent, config=alone
        )
        return walked.labels[~marked]

    right = labels[~marked]
    np.testing.assert_array_equal(found(known, mute), found(exchanged, mute))
    assert (found(exchanged, mute) == right).mean() > 0.99  # their neighbours tell whose they are
    assert (found(exchanged, None) == right).mean() < 0.97


def test_nothing_clear_says_nothing() -> None:
    costs, _ = follow([])
    assert not costs.any()


def test_the_nearer_clear_frame_has_the_louder_word() -> None:
    view, labels, context = crossing()
    marked = np.zeros(N, bool)
    marked[[0, N - 1]] = True
    known = np.where(marked[:, None, None], labels, 0).astype(np.uint8)
    known[-1] = np.where(known[-1] > 0, 3 - known[-1], 0)  # names exchanged at the end
    config = WalkConfig(steps=(1,), fade_frames=1.0)
    costs = who_by_walking(view, known, labels > 0, context, marked, 2, shown=marked, told={}, config=config).costs
    for t, right in ((1, True), (N - 2, False)):
        seen = labels[t] > 0
        assert ((costs[t][seen][:, 1:].argmin(-1) + 1 == labels[t][seen]).mean() > 0.9) == right


def test_who_was_there_is_nobody_else_and_no_background() -> None:
    costs, labels = follow([0, N - 1])
    somewhere = labels[4] > 0
    assert (costs[4][somewhere][:, 0] > 1).mean() > 0.9
    around = cv2.dilate(somewhere.astype(np.uint8), np.ones((11, 11), np.uint8)) > 0  # outlines are in doubt
    assert not costs[4][~around].any()


def test_colours_of_clear_frames_name_who_comes_into_sight() -> None:
    for plain, least in ((True, 0.0), (False, 0.97)):
        view, labels, context = crossing(plain=plain)
        marked = np.arange(N) == 0
        known = np.where(marked[:, None, None], labels, 0).astype(np.uint8)
        config = WalkConfig(steps=(1,), least_piece_share=0.0)
        nothing = np.full_like(context, np.log(1 / 3))
        walked = who_by_walking(view, known, labels > 0, nothing, marked, 2, shown=marked, told={}, config=config)
        costs, found = walked.costs, walked.labels
        back = (labels == 2) & ~np.isin(np.arange(N), (0,))[:, None, None]
        assert (found[back] == 2).mean() > least
        new = back[7] & (labels[6] == 1)  # hidden a frame ago
        told = (costs[7][new][:, 1] > 1).mean()
        assert new.any()
        assert (told > 0.97) == (not plain)


def test_what_was_told_on_a_frame_is_not_outvoted_by_frames_behind_it() -> None:
    view, labels, context = crossing()
    marked = np.arange(N) == 0
    known = np.where(marked[:, None, None], 3 - labels, 0).astype(np.uint8)
    known[labels == 0] = 0  # names exchanged on the clear frame
    say = np.zeros((H, W, 3), np.float32)
    for k in (1, 2):
        say[..., 3 - k] += 10.0 * (labels[4] == k)
    config = WalkConfig(steps=(1, 3), least_piece_share=0.0, context_weight=0.0)
    found = who_by_walking(
        view, known, labels > 0, context, marked, 2, shown=marked, told={4: say}, config=config
    ).labels
    for t, right in ((2, False), (4, True), (5, True), (6, True)):
        red = labels[t] == 1
        assert ((found[t][red] == 1).mean() > 0.9) == right


def test_what_both_ways_agree_on_is_undisputed_and_what_one_denies_is_not() -> None:
    view, labels, context = crossing()
    for exchanged in (False, True):
        marked = np.zeros(N, bool)
        marked[[0, N - 1]] = True
        known = np.where(marked[:, None, None], labels, 0).astype(np.uint8)
        if exchanged:
            known[-1] = np.where(known[-1] > 0, 3 - known[-1], 0)
        walked = who_by_walking(
            view,
            known,
            labels > 0,
            context,
            marked,
            2,
            shown=marked,
            told={},
            config=WalkConfig(
                steps=(1,), colours_weight=0.0, motion_weight=0.0, silhouette_weight=0.0, found_again_weight=0.0
            ),
        )
        assert (walked.undisputed[1:-1][labels[1:-1] == 1].mean() < 0.2) == exchanged
        assert (walked.undisputed[1:-1][labels[1:-1] == 1].mean() > 0.95) != exchanged
        assert not walked.undisputed[labels == 0].any()


def test_context_says_no_more_who_it_is_where_that_was_followed() -> None:
    _, labels, context = crossing()
    marked = np.arange(N) < 2
    open_now = who_left_open(context, marked)
    assert (open_now[:2] == context[:2]).all()
    assert np.allclose(open_now[2:, ..., 1], open_now[2:, ..., 2])
    assert np.allclose(
        np.exp(open_now.astype(np.float32)).sum(-1), np.exp(context.astype(np.float32)).sum(-1), atol=2e-3
    )
    assert (open_now[..., 0] == context[..., 0]).all()
    assert labels.any()


def test_somebody_is_who_was_found_and_who_never_stays_but_not_what_lasts() -> None:
    view, labels, _ = crossing()
    background = np.where(labels > 0, 20.0, 7.0).astype(np.float16)
    nobody_yet = np.zeros_like(labels)
    no_cloth = Folds(lit=labels < 0, coloured=labels < 0, either=labels < 0)
    for told in (nobody_yet, np.ones_like(labels)):
        found = somebody(view, background, told, no_cloth, config=WalkConfig())
        assert found[labels > 0].all()
        assert found[labels == 0].mean() < 0.003  # a gap of a pixel between two is closed


def test_where_the_plate_plainly_shows_something_else_the_background_is_ruled_out() -> None:
    view, labels, context = crossing()
    marked = np.arange(N) == 0
    known = np.where(marked[:, None, None], labels, 0).astype(np.uint8)
    walked = who_by_walking(
        view, known, labels > 0, context, marked, 2, shown=marked, told={}, config=WalkConfig(steps=(1,))
    )
    background = np.where(labels > 0, 20.0, 7.0).astype(np.float16)
    quiet = np.zeros(labels.shape, bool)
    quiet[:, :20] = True
    plainly = plainly_somebody(walked, view, background, quiet, marked)
    assert (plainly == (quiet & (labels > 0) & ~marked[:, None, None])).all()
    config = WalkConfig()
    ruled = no_background(walked, plainly, config=config)
    assert (ruled.costs[..., 0][plainly] == config.plain).all()
    assert (ruled.costs[~plainly] == walked.costs[~plainly]).all()
    assert not plainly_somebody(walked, view, np.full_like(background, 7.0), quiet, marked).any()
    sure = unmistakably(walked, view, background)
    assert sure.any()
    assert (sure <= walked.undisputed).all()  # beyond quiet places, too, where neither way disputes it
    assert not unmistakably(walked, view, np.full_like(background, 12.0)).any()


def test_limbs_name_whom_neither_flow_nor_colours_can_tell() -> None:
    view, labels, context = crossing()
    one_colour = np.where(labels[..., None] > 0, np.uint8(RED), np.uint8(GREY))
    still = np.zeros_like(view.flow.to_next)
    view = replace(view, lab=one_colour, flow=FlowField(to_next=still, to_previous=still))
    marked = np.isin(np.arange(N), (0, N - 1))
    known = np.where(marked[:, None, None], labels, 0).astype(np.uint8)
    nothing = np.full_like(context, np.log(1 / 3))

    def limbs_of(label: int) -> Limbs:
        def nearest(t: int, size: tuple[int, int]) -> NearestLimb:
            assert size == (W, H)
            x = np.nonzero(labels[t] == label)[1].mean()
            far = np.tile(np.abs(np.arange(W) - x) / 20 - 0.05, (H, 1))
            return NearestLimb(kind=np.zeros((H, W), np.uint8), distance=far.astype(np.float32))

        return nearest

    right: dict[bool, float] = {}
    for told in (False, True):
        limbs = {0: limbs_of(1), 1: limbs_of(2)} if told else {}
        config = WalkConfig(steps=(1,), least_piece_share=0.0, limbs=LimbReachConfig(slack=0.0), undenied=8.0)
        found = who_by_walking(
            view, known, labels > 0, nothing, marked, 2, shown=marked, told={}, limbs=limbs, config=config
        ).labels
        apart = [7, 8]  # where they touch, a block is half the other's; before they do, its own hangs together
        right[told] = float(np.mean([(found[t] == labels[t])[labels[t] > 0].mean() for t in apart]))
    assert right[True] > 0.97
    assert right[False] < 0.9
