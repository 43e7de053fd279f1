"""Work in a process of its own: what one clip does to memory, or to the process, the next does not feel."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Event = dict[str, Any]
"""One line of ``--json``: an object with the key ``event``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One command of polytempo."""

    name: str
    words: tuple[str, ...]
    """What follows the program's name, e.g. ``("retime", "a.mp4", …)``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobResult:
    """How a job ended."""

    job: Job
    exit_code: int
    """As documented for the command line; negative when a signal ended it."""
    events: tuple[Event, ...]
    """Results, warnings and the error, progress left out."""

    @property
    def message(self) -> str:
        """The last thing it said."""
        return str(self.events[-1].get("text", "")) if self.events else ""


def run_job(job: Job, *, on_event: Callable[[Event], None] = lambda _: None) -> JobResult:
    """Run a job in a process of its own and wait for it.

    Args:
        job: What to run.
        on_event: Told every event as it comes, progress too.
    """
    command = [sys.executable, "-m", "polytempo", *job.words, "--json"]
    kept: list[Event] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8"
    ) as process:
        assert process.stdout is not None  # asked for above
        try:
            for line in process.stdout:
                event = _event(line)
                on_event(event)
                if event["event"] != "progress":
                    kept.append(event)
        except BaseException:
            process.terminate()
            raise
    return JobResult(job=job, exit_code=process.returncode, events=tuple(kept))


def run_jobs(jobs: Sequence[Job], *, on_event: Callable[[Event], None] = lambda _: None) -> list[JobResult]:
    """Run jobs one after another; one that fails does not keep the next from running."""
    return [run_job(job, on_event=on_event) for job in jobs]


def _event(line: str) -> Event:
    try:
        event: Any = json.loads(line)
    except ValueError:
        event = None
    return event if isinstance(event, dict) and "event" in event else {"event": "text", "text": line.rstrip()}
