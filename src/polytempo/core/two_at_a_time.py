"""Work done two pieces at a time, each on one thread, with the same digits on any number of cores."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar, TypeVarTuple

import torch

A = TypeVar("A")
R = TypeVar("R")
Given = TypeVarTuple("Given")

AT_A_TIME = 2
"""Pieces in work, as many as the cores that are counted on; each holds its pictures in memory. On one core they take
turns."""


@contextmanager
def one_thread() -> Generator[None]:
    """One thread for torch inside, as many as before afterwards.

    Sums are then taken in one order whatever the number of cores. Labels learn from a network that learned from labels:
    a last digit that differs grows until a half-hidden subject is there on one machine and gone on another. Layers this
    small are hardly faster on several threads, and much slower beside other work.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def side_by_side() -> Generator[Callable[[Callable[[A], R], Iterable[A]], list[R]]]:
    """A way to do pieces of work side by side, again and again; results come in the order of the pieces.

    Who divides work into the same pieces on every machine, and adds up what comes back in their order, gets the same
    digits on any number of cores.
    """
    with one_thread(), _workers() as workers:
        yield lambda work, pieces: list(workers.map(work, pieces))


def in_turn(work: Callable[[*Given], R], pieces: Iterable[tuple[*Given]]) -> Iterator[R]:
    """Results of ``work`` on the pieces of a stream, in their order.

    Pieces are drawn in the caller's thread, one more than are worked on.
    """
    waiting: deque[Future[R]] = deque()
    with _workers() as workers:
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


def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_A_TIME, initializer=torch.set_num_threads, initargs=(1,))
