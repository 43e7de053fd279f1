"""How long work tells how far it is, and how it is told to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from polytempo.core.errors import CancelledError


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """One report of a running stage."""

    stage: str
    """Dotted name of the stage, e.g. ``"decompose"``."""
    done: float | int
    """Units of work done so far."""
    total: float | int
    """Units of work in all."""
    message: str = ""
    """What is going on, in an editor's words."""
    loss: float | None = None
    """Training loss, where there is one."""
    eta_secs: float | None = None
    """Estimated seconds left, where known."""
    preview: Path | None = None
    """A PNG that shows the state, where one was written."""


Report = Callable[[Progress], None]
"""Receives progress; called often, must return fast. Raising ``CancelledError`` from it stops the stage cleanly."""


def silent(_: Progress) -> None:
    """Ignore progress."""


def cancel_if(stop: bool, *, where: str) -> None:
    """Raise ``CancelledError`` when asked to stop.

    Raises:
        CancelledError: ``stop`` is true.
    """
    if stop:
        raise CancelledError(where, "stopped as asked", todo="Run the same command again to resume")
