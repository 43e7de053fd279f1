"""One writer a project. The operating system lets go of the lock when its holder dies, however it dies."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from polytempo.core.errors import ResourceError

if sys.platform != "win32":
    import fcntl


@contextmanager
def folder_lock(folder: Path) -> Generator[None, None, None]:
    """Hold a folder for writing.

    What is locked is an open file, not a file's existence, so no lock outlives its process.

    Raises:
        ResourceError: another process holds it, or the lock file cannot be opened.
    """
    path = folder / "lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise ResourceError(
            "project",
            "the project folder must be writable",
            got=error.strerror or type(error).__name__,
            todo="Choose another place with --project",
            path=folder,
        ) from error
    try:
        if not _try_lock(descriptor):
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            raise ResourceError(
                "project",
                "only one process at a time may write in a project",
                got=f"process {holder} at work in it",
                todo="Wait until it has finished, or stop it",
                path=folder,
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    if sys.platform == "win32":
        return True  # no advisory lock there; results stay whole all the same, each appears in one step
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks; as above
    return True
