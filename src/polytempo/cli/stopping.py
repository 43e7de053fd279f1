"""Ctrl-C and termination: first asked nicely, so that a stage can keep what it has, then at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

from polytempo.core.errors import CancelledError
from polytempo.core.progress import Progress, Report, cancel_if

PATIENCE_SECS = 4.0
"""A stage that does not report for so long after a stop was asked is left where it stands; what is on disk is whole."""


class StoppedError(CancelledError):
    """Raised from wherever the program is, when a stage did not stop by itself in time."""


class Stop:
    """Whether the user has asked to stop."""

    def __init__(self) -> None:
        self.asked = False

    def watching(self, report: Report) -> Report:
        """Give a report that passes progress on and stops the stage when asked."""

        def watched(progress: Progress) -> None:
            cancel_if(self.asked, where=progress.stage)
            report(progress)

        return watched

    @contextmanager
    def listening(self) -> Generator[None, None, None]:
        """Listen to SIGINT and SIGTERM while the block runs; nothing outside the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        watched = [signal.SIGINT, signal.SIGTERM]
        before = {number: signal.signal(number, self._on_signal) for number in watched}
        alarm = signal.signal(signal.SIGALRM, self._on_alarm) if hasattr(signal, "SIGALRM") else None
        try:
            yield
        finally:
            if hasattr(signal, "SIGALRM"):
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, alarm)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            self._on_alarm(number, frame)
        self.asked = True
        if hasattr(signal, "SIGALRM"):
            signal.setitimer(signal.ITIMER_REAL, PATIENCE_SECS)

    def _on_alarm(self, number: int, frame: FrameType | None) -> None:
        raise StoppedError("cli", "stopped as asked", todo="Run the same command again to resume")
