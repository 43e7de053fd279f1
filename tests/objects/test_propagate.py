"""Labels carried through time."""

from __future__ import annotations

import numpy as np

from polytempo.objects.flow import FlowField
from polytempo.objects.propagate import PropagateConfig, carried, propagate, remembered

CONFIG = PropagateConfig()


def still_flow(n: int, height: int, width: int) -> FlowField:
    zero = np.zeros((n - 1, height, width, 2), np.float16)
    return FlowField(to_next=zero, to_previous=zero)


def test_a_prompt_reaches_frames_that_say_nothing() -> None:
    n, height, width = 5, 12, 16
    body = np.zeros((height, width), bool)
    body[3:9, 4:10] = True

    def cost_of(t: int) -> np.ndarray:
        cost = np.zeros((height, width, 3), np.float32)
        if t == 2:
            cost[..., 1] = np.where(body, 0, 9)
            cost[..., 0] = np.where(body, 9, 0)
            cost[..., 2] = 9
        return cost

    lab = np.zeros((n, height, width, 3), np.uint8)
    lab[:, body] = 120
    everywhere = {2: np.ones((height, width), np.float32)}
    labels, margin = propagate(cost_of, lab, still_flow(n, height, width), 3, prompted=everywhere, config=CONFIG)
    assert labels.shape == margin.shape == (n, height, width)
    for t in range(n):
        np.testing.assert_array_equal(labels[t], body)


def test_certainty_fades_and_who_with_it() -> None:
    belief = np.zeros((6, 6, 3), np.float32)
    belief[..., 1] = 1
    zero = np.zeros((6, 6, 2), np.float32)
    nobody = np.zeros((6, 6, 2), np.float32)
    sure, left = carried(belief, np.ones((6, 6), np.float32), nobody, zero, zero, config=CONFIG)
    unsure, least = carried(belief, np.zeros((6, 6), np.float32), nobody, zero, zero, config=CONFIG)
    np.testing.assert_allclose(left, CONFIG.memory, rtol=1e-5)
    np.testing.assert_allclose(least, CONFIG.least_memory, rtol=1e-5)
    # Both say that somebody is there; the first says much more clearly who.
    gap_sure, gap_unsure = sure[..., 2] - sure[..., 1], unsure[..., 2] - unsure[..., 1]
    assert gap_sure.min() > 2 * gap_unsure.max() > 0
    assert (unsure[..., 0] > unsure[..., 1]).all()


def test_a_hidden_subject_is_remembered_and_fades() -> None:
    belief = np.zeros((9, 9, 2), np.float32)
    belief[4, 4] = (0, 1)
    seen = remembered(np.zeros((9, 9, 1), np.float32), belief, config=CONFIG)
    assert seen[4, 4, 0] == 1
    gone = np.zeros_like(belief)
    later = remembered(seen, gone, config=CONFIG)
    assert 0 < later[4, 4, 0] < 1
    assert later.sum() <= seen.sum()
