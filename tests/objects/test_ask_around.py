"""What two ways disagree on, asked of the frames around."""

from __future__ import annotations

import numpy as np

from polytempo.camera.path import static_path
from polytempo.objects.ask_around import LEAST_PIXELS, asked_around
from polytempo.objects.evidence import Footage
from polytempo.objects.flow import FlowField

N, H, W = 7, 24, 40
OTHERWISE = 2.5


def blinking() -> tuple[Footage, np.ndarray]:
    """Two bodies that stand still; the head of the right one was found to be the left one's on the middle frame."""
    lab = np.full((N, H, W, 3), 128, np.uint8)
    labels = np.zeros((N, H, W), np.uint8)
    for label, x, a in ((1, 8, 160), (2, 20, 100)):
        lab[:, 6:20, x : x + 10] = (120, a, 128)
        labels[:, 6:20, x : x + 10] = label
    labels[3, 6:12, 20:30] = 1
    still = np.zeros((N - 1, H, W, 2), np.float16)
    view = Footage(
        pictures=lab,
        camera=static_path(N, (W, H)),
        flow=FlowField(to_next=still, to_previous=still),
        lab=lab,
        bins=np.zeros((N, H, W), np.uint16),
        lasting=np.zeros((N, H, W), np.uint8),
    )
    return view, labels


def ask(view: Footage, labels: np.ndarray, disputed: np.ndarray, reach: int = 2) -> np.ndarray | None:
    return asked_around(
        view, labels, disputed, 3, 2, reach_frames=reach, otherwise=OTHERWISE, colour=8.0, shift_px=1.0, unlike=1.5
    )


def test_the_frames_around_say_whose_it_is() -> None:
    view, labels = blinking()
    disputed = np.zeros((H, W), bool)
    disputed[6:12, 20:30] = True
    cost = ask(view, labels, disputed)
    assert cost is not None
    assert (cost[disputed].argmin(-1) == 1).all()
    doubt = np.log1p(np.exp(-OTHERWISE))  # what is left to others of pixels that were found to be one's
    assert np.isclose(cost[disputed].max(-1), 1.5 - doubt).all()  # nobody else looks like it: the bound
    assert not cost[~disputed].any()


def test_what_nobody_disputes_is_not_asked() -> None:
    view, labels = blinking()
    disputed = np.zeros((H, W), bool)
    disputed.flat[: LEAST_PIXELS - 1] = True
    assert ask(view, labels, disputed) is None


def test_frames_beyond_the_clip_are_not_asked() -> None:
    view, labels = blinking()
    disputed = labels[3] > 0
    assert np.allclose(ask(view, labels, disputed, reach=3), ask(view, labels, disputed, reach=30))
