"""Frames that tell by themselves who is who."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from polytempo.objects.clear_frames import clear_frames, mostly_clear_frames, share_of_forward


def meeting() -> np.ndarray:
    """One walks to another until a corner of them touches, on frame 5."""
    labels = np.zeros((6, 40, 64), np.uint8)
    for t in range(6):
        labels[t, 10:30, 5 + 5 * t : 17 + 5 * t] = 1
        labels[t, 29:37, 40:60] = 2
    return labels


def test_frames_are_clear_as_long_as_nobody_touches_and_where_a_prompt_says_so() -> None:
    labels = meeting()
    assert clear_frames(labels, 2, {}).tolist() == [True] * 4 + [False] * 2  # two pixels apart is touching
    assert clear_frames(labels, 2, {5: np.ones((40, 64), np.float32)})[5]
    assert not clear_frames(labels, 2, {5: (labels[5] == 1).astype(np.float32) * 0.2})[5]


def test_a_frame_that_prompts_leave_partly_open_is_clear_only_where_no_other_is() -> None:
    labels = meeting()
    open_hand = np.ones((40, 64), np.float32)
    open_hand[:, 40:43] = 0  # a tenth of the bodies' pixels
    body = labels[5] > 0
    assert 0.8 < open_hand[body].mean() < 0.95
    assert clear_frames(labels, 2, {5: open_hand}).tolist() == [True] * 4 + [False] * 2
    assert clear_frames(labels[4:], 2, {1: open_hand}).tolist() == [False, True]


def test_frames_are_mostly_clear_as_long_as_they_hardly_touch() -> None:
    labels = meeting()
    assert mostly_clear_frames(labels, 2, clear_frames(labels, 2, {})).all()
    assert not mostly_clear_frames(labels, 2, np.zeros(6, bool)).any()  # nobody was ever seen apart
    labels[3:, 10:30, 40:52] = np.where(labels[3:, 10:30, 40:52] == 0, 2, labels[3:, 10:30, 40:52])
    labels[4:, 12:30, 28:44] = 1
    clear = clear_frames(labels, 2, {})
    found = mostly_clear_frames(labels, 2, clear)
    assert (found >= clear).all()
    assert found.tolist()[:3] == [True] * 3
    assert not found[4:].any()


@given(st.lists(st.booleans(), min_size=2, max_size=40).filter(any), st.floats(1, 200))
def test_both_ways_share_what_is_said_and_change_places_on_a_clip_played_backwards(
    said: list[bool], fade: float
) -> None:
    clear = np.array(said)
    forward, backward = share_of_forward(clear, fade), share_of_forward(clear[::-1], fade)[::-1]
    assert np.allclose(forward + backward, 1)
    first = int(np.argmax(clear))
    assert np.allclose(forward[:first], 0)  # nothing was followed forwards before the first clear frame
    assert np.allclose(forward[clear], 0.5)
