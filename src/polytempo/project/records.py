"""What each result was made from, with what, how long it took and how much memory."""

from __future__ import annotations

import json
import platform
import resource
import sys
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from polytempo.core.files import write_json

PACKAGES = ("polytempo", "torch", "numpy", "opencv-python-headless", "av", "numba", "numcodecs")


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """The history of one result."""

    stage: str
    key: str
    inputs: dict[str, str]
    """Key of each result, or hash of each file, that went in."""
    config: Any
    """The resolved config, every default written out."""
    seed: int | None
    versions: dict[str, str]
    """Of the packages that matter, and of Python."""
    started: str
    """Local time, ISO 8601."""
    seconds: float
    """Wall time."""
    peak_mb: float
    """Most memory the process held during the stage, in MB (10⁶ bytes)."""
    warnings: tuple[str, ...]


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that the result depends on."""
    out = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            continue
    return out


def write_record(path: Path, record: Record) -> None:
    """Write ``record.json``."""
    write_json(path, TypeAdapter(Record).dump_python(record, mode="json"))


def read_record(path: Path) -> Record | None:
    """Read ``record.json``; nothing where it is missing or damaged (the result is then made again)."""
    try:
        return TypeAdapter(Record).validate_python(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError, RecursionError):
        return None


class Meter:
    """Wall time and peak memory since it was made."""

    def __init__(self) -> None:
        self.started = time.strftime("%Y-%m-%dT%H:%M:%S")
        self._clock = time.perf_counter()
        # Linux can forget the peak, so that each stage shows its own and not the highest of those before it.
        try:
            Path("/proc/self/clear_refs").write_text("5")
            self._own_peak = True
        except OSError:
            self._own_peak = False

    def seconds(self) -> float:
        """Wall time so far."""
        return time.perf_counter() - self._clock

    def peak_mb(self) -> float:
        """Peak memory so far, in MB."""
        if self._own_peak:
            for line in Path("/proc/self/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024 / 1e6
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
