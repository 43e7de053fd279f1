"""Work on one thread of torch, and two pieces of it at a time."""

from __future__ import annotations

import threading
import time

import pytest
import torch

from polytempo.core.two_at_a_time import AT_A_TIME, in_turn, one_thread, side_by_side


def test_as_many_threads_afterwards_as_before() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_two_pieces_run_together_and_come_back_in_order() -> None:
    met = threading.Barrier(2, timeout=10)

    def work(piece: int) -> tuple[int, int]:
        met.wait()  # never passed unless both run at the same time
        time.sleep(0.02 * (1 - piece))
        return piece, torch.get_num_threads()

    with side_by_side() as both:
        assert both(work, range(2)) == [(0, 1), (1, 1)]


def test_what_goes_wrong_in_a_piece_is_heard() -> None:
    def work(piece: int) -> float:
        return 1 / piece

    with side_by_side() as both, pytest.raises(ZeroDivisionError):
        both(work, [1, 0])


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


def test_two_frames_are_in_work_together_each_on_one_thread_of_torch() -> None:
    both = threading.Barrier(2, timeout=20)  # passes only if two are in work together

    def work(_: int, __: int) -> int:
        both.wait()
        return torch.get_num_threads()

    before = torch.get_num_threads()
    assert list(in_turn(work, [(0, 0), (1, 1)])) == [1, 1]
    assert torch.get_num_threads() == before


def test_what_fails_in_a_stream_is_told_where_its_turn_is() -> None:
    def work(t: int, _: int) -> int:
        if t == 2:
            raise ValueError("frame 2")
        return t

    results = in_turn(work, [(t, 0) for t in range(6)])
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="frame 2"):
        next(results)
