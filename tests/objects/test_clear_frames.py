"""Frames that tell by themselves who is who."""

from __future__ import annotations

import numpy as np

from polytempo.objects.clear_frames import clear_frames


def test_frames_are_clear_as_long_as_hardly_anybody_touches_and_where_a_prompt_says_so() -> None:
    labels = np.zeros((6, 40, 64), np.uint8)
    for t in range(6):
        labels[t, 10:30, 5 + 5 * t : 17 + 5 * t] = 1
        labels[t, 29:37, 40:60] = 2  # a corner of the first one touches it from frame 5 on
    assert clear_frames(labels, 2, {}).all()
    labels[3:, 10:30, 40:52] = np.where(labels[3:, 10:30, 40:52] == 0, 2, labels[3:, 10:30, 40:52])
    labels[4:, 12:30, 28:44] = 1
    assert clear_frames(labels, 2, {}).tolist()[:3] == [True] * 3
    assert not clear_frames(labels, 2, {})[4:].any()
    told = {5: np.ones((40, 64), np.float32)}
    assert clear_frames(labels, 2, told)[5]
    told = {5: (labels[5] == 1).astype(np.float32) * 0.2}
    assert not clear_frames(labels, 2, told)[5]
