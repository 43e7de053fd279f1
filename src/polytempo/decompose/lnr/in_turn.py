"""Frames worked on side by side and handed on in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

A = TypeVar("A")
B = TypeVar("B")
R = TypeVar("R")

AT_A_TIME = 2
"""Frames in work, as many as the cores that are counted on; each holds its pictures in memory."""


def in_turn(work: Callable[[A, B], R], pieces: Iterable[tuple[A, B]]) -> Iterator[R]:
    """Results of ``work`` on the pieces, in their order, two being worked on at a time.

    Pieces are drawn in the caller's thread, one more than are worked on. Torch has one thread for each, so that sums
    have the same digits on any number of cores.
    """
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(AT_A_TIME, initializer=torch.set_num_threads, initargs=(1,)) as workers:
        try:
            for piece in pieces:
                waiting.append(workers.submit(work, *piece))
                if len(waiting) > AT_A_TIME:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()
