"""Small networks are trained on one thread of torch."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import torch


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
