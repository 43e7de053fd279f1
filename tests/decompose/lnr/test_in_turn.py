"""Work side by side, handed on in order."""

from __future__ import annotations

import threading
import time

import pytest
import torch

from polytempo.decompose.lnr.in_turn import AT_A_TIME, in_turn


def test_results_come_in_order_whatever_takes_longest() -> None:
    def work(t: int, wait: float) -> int:
        time.sleep(wait)
        return t

    pieces = [(t, 0.02 if t % 3 == 0 else 0.0) for t in range(9)]
    assert list(in_turn(work, pieces)) == list(range(9))
    assert list(in_turn(work, [])) == []


def test_pieces_are_drawn_here_and_few_ahead() -> None:
    drawn: list[int] = []
    here = threading.get_ident()

    def pieces():
        for t in range(20):
            assert threading.get_ident() == here
            drawn.append(t)
            yield t, t

    for t, result in enumerate(in_turn(lambda a, b: a + b, pieces())):
        assert result == 2 * t
        assert len(drawn) <= t + AT_A_TIME + 1


def test_two_work_at_once_each_on_one_thread_of_torch() -> None:
    both = threading.Barrier(2, timeout=20)  # passes only if two are in work together

    def work(_: int, __: int) -> int:
        both.wait()
        return torch.get_num_threads()

    before = torch.get_num_threads()
    assert list(in_turn(work, [(0, 0), (1, 1)])) == [1, 1]
    assert torch.get_num_threads() == before


def test_what_fails_is_told_where_its_turn_is() -> None:
    def work(t: int, _: int) -> int:
        if t == 2:
            raise ValueError("frame 2")
        return t

    results = in_turn(work, [(t, 0) for t in range(6)])
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="frame 2"):
        next(results)
