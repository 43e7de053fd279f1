from __future__ import annotations

import os
import signal
import time

import pytest

from polytempo.cli import stopping
from polytempo.cli.stopping import Stop, StoppedError
from polytempo.core.errors import CancelledError
from polytempo.core.progress import Progress

STEP = Progress(stage="draft", done=0, total=1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stage_is_asked_at_its_next_report(number: int) -> None:
    stop, seen = Stop(), []
    before = signal.getsignal(number)
    with stop.listening():
        report = stop.watching(seen.append)
        report(STEP)
        os.kill(os.getpid(), number)
        with pytest.raises(CancelledError, match="stopped as asked"):
            report(STEP)
    assert seen == [STEP]
    assert signal.getsignal(number) is before


def test_a_silent_stage_is_ended_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "PATIENCE_SECS", 0.05)
    stop = Stop()
    with stop.listening():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(StoppedError):
            time.sleep(5)


def test_a_second_signal_ends_at_once() -> None:
    stop = Stop()
    with stop.listening():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(StoppedError):
            os.kill(os.getpid(), signal.SIGINT)
