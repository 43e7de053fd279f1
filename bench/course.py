"""A course of training that can be stopped and gone on with: what was planned, how far it came, what it has cost."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

from polytempo.core.files import write_json

PLAN = "course.json"


@dataclass(kw_only=True, slots=True)
class Course:
    """How many epochs were planned, and how many of them are done, over all commands that worked at it."""

    config: str
    """What it was planned for; a course of other settings is begun anew."""
    planned: int
    done: int = 0
    cpu_seconds: float = 0.0
    """Of the epochs that are done."""

    @property
    def ended_early(self) -> bool:
        """Whether some of its epochs are still to come."""
        return self.done < self.planned


def read_course(folder: Path | None, config: str, plan: Callable[[], int]) -> Course:
    """The course of an earlier command with the same settings, or a new one of so many epochs as ``plan`` finds."""
    if folder is not None and (folder / PLAN).is_file():
        course = Course(**json.loads((folder / PLAN).read_text(encoding="utf-8")))
        if course.config == config:
            return course
    return Course(config=config, planned=plan())


def followed(course: Course, folder: Path | None, stop: Callable[[], bool]) -> Callable[[int], bool]:
    """Keep a course up to date after every epoch; the answer is whether training ends here."""
    started = time.process_time()
    before = course.cpu_seconds

    def enough(epoch: int) -> bool:
        course.done = epoch + 1
        course.cpu_seconds = before + time.process_time() - started
        if folder is not None:
            write_json(folder / PLAN, asdict(course))
        return stop()

    return enough


@contextmanager
def stopped_politely(*, wall_minutes: float | None = None) -> Generator[Callable[[], bool]]:
    """Whether to end with what there is: after Ctrl-C, after SIGTERM, or when the time is up.

    A second Ctrl-C or SIGTERM ends the program at once.
    """
    asked: list[int] = []
    until = None if wall_minutes is None else time.monotonic() + 60 * wall_minutes

    def ask(number: int, _: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        print("Ending with this epoch, then scoring what there is. Once more: ending at once.", flush=True)

    before = {one: signal.signal(one, ask) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked) or (until is not None and time.monotonic() >= until)
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
