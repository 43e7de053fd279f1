"""What the user sees: bars on a terminal, plain lines elsewhere, one JSON object a line with ``--json``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, Literal, Protocol, cast, runtime_checkable

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from polytempo.core.progress import Progress

Mode = Literal["bars", "lines", "json"]
LINE_EVERY_SECS = 5.0
"""Plain lines come no faster than this within a stage, so that a log stays readable."""

TITLES = {
    "probe": "Reading the clip's times",
    "frames": "Decoding frames",
    "camera_first": "Following the camera",
    "masks": "Following the subjects",
    "propose": "Looking for subjects",
    "camera": "Following the camera again, subjects left out",
    "cast": "Completing the subjects",
    "keypoints": "Finding keypoints",
    "bodies": "Posing bodies by keypoints",
    "whole_bodies": "Completing hidden bodies",
    "networks": "Training the neural model",
    "atlases": "Learning the atlases",
    "separation": "Finding out who changes what",
    "layers": "Reading layers off the frames",
    "render": "Rendering",
    "report": "Writing the report",
}


@runtime_checkable
class Sink(Protocol):
    """Where text goes."""

    def write(self, text: str, /) -> object:
        """Take a text."""
        ...

    def flush(self) -> object:
        """Pass on what was taken."""
        ...


@dataclass(kw_only=True, slots=True)
class Output:
    """Where messages go, and how."""

    mode: Mode
    results: Sink = field(default_factory=lambda: sys.stdout)
    notes: Sink = field(default_factory=lambda: sys.stderr)
    _bars: Bars | None = None
    _tasks: dict[str, TaskID] = field(default_factory=dict[str, TaskID])
    _last_line: float = 0.0

    def say(self, text: str, **facts: Any) -> None:
        """Tell a result: a sentence for people, the facts for programs."""
        if self.mode == "json":
            self._event("result", text=text, **facts)
        elif self._bars is not None:
            self._bars.console.print(escape(text), highlight=False, soft_wrap=True)
        else:
            print(text, file=self.results, flush=True)

    def warn(self, text: str) -> None:
        """Tell what the user should look at."""
        if self.mode == "json":
            self._event("warning", text=text)
        elif self._bars is not None:
            self._bars.console.print(f"[yellow]warning:[/] {escape(text)}", highlight=False, soft_wrap=True)
        else:
            print(f"warning: {text}", file=self.notes, flush=True)

    def fail(self, text: str, *, code: int) -> None:
        """Tell why the program ends."""
        if self.mode == "json":
            self._event("error", text=text, code=code)
        else:
            print(f"polytempo: {text}", file=self.notes, flush=True)

    def report(self, progress: Progress) -> None:
        """Show how far a stage is; a ``Report``."""
        stage = progress.stage.split(".")[0]
        if self.mode == "json":
            self._progress_event(progress)
        elif self._bars is not None:
            self._move_bar(self._bars, stage, progress)
        else:
            self._line(stage, progress)

    @contextmanager
    def working(self) -> Generator[None, None, None]:
        """Show bars, where bars are shown, while the block runs."""
        if self.mode != "bars":
            yield
            return
        bars = Bars(
            TextColumn("{task.description:<46}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}", style="dim"),
            console=Console(file=cast(IO[str], self.notes)),
        )
        try:
            with bars:
                self._bars = bars
                yield
        finally:
            self._bars = None
            self._tasks.clear()

    def _move_bar(self, bars: Bars, stage: str, progress: Progress) -> None:
        note = _note(progress)
        if stage not in self._tasks:
            self._tasks[stage] = bars.add_task(TITLES.get(stage, stage), total=progress.total, note=note)
        bars.update(self._tasks[stage], completed=progress.done, total=progress.total, note=note)

    def _line(self, stage: str, progress: Progress) -> None:
        now = time.monotonic()
        at_an_end = progress.message in ("started", "kept") or progress.message.startswith("done in")
        if not at_an_end and now - self._last_line < LINE_EVERY_SECS:
            return
        self._last_line = now
        share = "" if at_an_end else f" {100 * progress.done / max(progress.total, 1e-9):3.0f} %"
        note = _note(progress)
        text = f"{TITLES.get(stage, stage)}{share}" + (f": {note}" if note else "")
        print(text, file=self.notes, flush=True)

    def _progress_event(self, progress: Progress) -> None:
        facts: dict[str, Any] = {"stage": progress.stage, "done": progress.done, "total": progress.total}
        if progress.message:
            facts["message"] = progress.message
        if progress.loss is not None:
            facts["loss"] = progress.loss
        if progress.eta_secs is not None:
            facts["eta_secs"] = round(progress.eta_secs, 1)
        if progress.preview is not None:
            facts["preview"] = str(progress.preview)
        self._event("progress", **facts)

    def _event(self, event: str, **facts: Any) -> None:
        print(json.dumps({"event": event} | facts, ensure_ascii=False, default=str), file=self.results, flush=True)


def _note(progress: Progress) -> str:
    parts = [progress.message] if progress.message else []
    if progress.loss is not None:
        parts.append(f"loss {progress.loss:.4f}")
    if progress.eta_secs is not None:
        parts.append(f"{progress.eta_secs:.0f} s left")
    return ", ".join(parts)


def choose_mode(*, as_json: bool) -> Mode:
    """Bars only where a person looks at a terminal that can draw them."""
    if as_json:
        return "json"
    console = Console(stderr=True)
    return "bars" if console.is_terminal and not console.is_dumb_terminal else "lines"
