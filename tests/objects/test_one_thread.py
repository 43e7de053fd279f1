"""Work on one thread of torch, and two pieces of it at a time."""

from __future__ import annotations

import threading
import time

import pytest
import torch

from polytempo.objects.one_thread import one_thread, side_by_side


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
