"""Small networks are trained on one thread of torch."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

A = TypeVar("A")
B = TypeVar("B")


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
def side_by_side() -> Generator[Callable[[Callable[[A], B], Iterable[A]], list[B]]]:
    """A way to do pieces of work two at a time, each on one thread of torch; results come in the order of the pieces.

    Who divides work into the same pieces on every machine, and adds up what comes back in their order, gets the same
    digits on any number of cores. Always two: on one core they take turns.
    """
    with one_thread(), ThreadPoolExecutor(2, initializer=torch.set_num_threads, initargs=(1,)) as workers:
        yield lambda work, pieces: list(workers.map(work, pieces))
