"""What a measurement must say of where it was made, and how memory and time are taken."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def machine_facts() -> dict[str, object]:
    """Kind of machine: cores, memory, accelerator; never its name."""
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
    return {
        "kind": f"{cores} cores, {gpu or 'no GPU'}",
        "cores": cores,
        "memory_gb": round(memory / 1e9, 1),
        "gpu": gpu,
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def commit() -> str:
    """Short hash of the checked-out commit, with ``+`` when source files differ from it; ``unknown`` outside git."""
    root = Path(__file__).resolve().parents[1]

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        return git("rev-parse", "--short=12", "HEAD") + ("+" if git("status", "--porcelain", "--", "src") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def reset_peak() -> None:
    """Forget the highest memory so far, where the system can (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_mb() -> float:
    """Highest resident memory since the last reset, in MB (10⁶ bytes)."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1.024e-3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1.024e-3


@contextmanager
def measured(stage: str, into: dict[str, dict[str, float]]) -> Iterator[None]:
    """Write wall seconds, CPU seconds of this process and peak memory of a block under its stage's name."""
    reset_peak()
    start, cpu = time.perf_counter(), time.process_time()
    try:
        yield
    finally:
        into[stage] = {
            "seconds": round(time.perf_counter() - start, 3),
            "cpu_seconds": round(time.process_time() - cpu, 3),
            "peak_mb": round(peak_mb(), 1),
        }
