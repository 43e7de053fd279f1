from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from polytempo.objects.order import back_to_front, known_behind, meetings, runs, touching


def boxes(n: int, *, top: int, bottom: int, start: int, step: int) -> np.ndarray:
    out = np.zeros((n, 40, 100), bool)
    for t in range(n):
        x = start + step * t
        out[t, top:bottom, max(x, 0) : max(x + 10, 0)] = True
    return out


def test_runs_worked_by_hand() -> None:
    flags = np.array([True, True, False, True, False, False, False, True])
    assert runs(flags) == [(0, 2), (3, 4), (7, 8)]
    assert runs(flags, join=1) == [(0, 4), (7, 8)]


@given(st.lists(st.booleans(), max_size=30))
def test_runs_cover_exactly_the_flags(flags: list[bool]) -> None:
    covered = np.zeros(len(flags), bool)
    for start, stop in runs(np.array(flags, bool)):
        covered[start:stop] = True
    assert covered.tolist() == flags


def test_touching_is_near_and_both_there() -> None:
    a = boxes(3, top=5, bottom=30, start=10, step=0)
    b = boxes(3, top=5, bottom=30, start=60, step=-19)
    b[2] = False
    assert touching(a, b).tolist() == [False, False, False]
    b[2, 5:30, 21:31] = True
    assert touching(a, b).tolist() == [False, False, True]


def test_the_one_who_is_cut_is_behind_whatever_the_feet() -> None:
    # The one behind has the lower feet here; who cuts whom comes first.
    front = boxes(20, top=5, bottom=30, start=85, step=-4)
    behind = boxes(20, top=8, bottom=38, start=5, step=4) & ~front
    met = meetings({"behind": behind, "front": front})
    assert [(m.front, m.back) for m in met] == [("front", "behind")]
    assert set(back_to_front({"behind": behind, "front": front}, met)) == {("behind", "front")}


def test_without_meeting_lower_feet_are_nearer() -> None:
    masks = {
        "near": boxes(4, top=10, bottom=38, start=5, step=0),
        "far": boxes(4, top=2, bottom=20, start=70, step=0),
    }
    assert meetings(masks) == []
    assert set(back_to_front(masks, [])) == {("far", "near")}


def test_who_is_plainly_cut_is_known_to_be_behind_while_they_meet_and_nobody_else_is() -> None:
    front = boxes(20, top=5, bottom=30, start=85, step=-4)
    behind = boxes(20, top=8, bottom=38, start=5, step=4) & ~front
    known = known_behind([behind, front])
    met = meetings({"behind": behind, "front": front})[0]
    assert known[met.start : met.stop, 1, 0].all()
    assert known.sum() == met.stop - met.start
    beside = boxes(20, top=5, bottom=30, start=60, step=0)
    assert not known_behind([beside, boxes(20, top=5, bottom=30, start=70, step=0)]).any()
