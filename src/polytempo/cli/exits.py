"""Exit codes: what a script may rely on."""

from __future__ import annotations

import errno

from polytempo.core.errors import (
    CancelledError,
    InputError,
    PolytempoError,
    ResourceError,
    VersionError,
    memory_ran_out,
)
from polytempo.project.folder import DamagedProjectError

OK = 0
BUG = 1
"""Something we did not foresee; please report it."""
INPUT = 2
"""Something given that the user can mend: a clip, a prompt, an option."""
RESOURCES = 3
"""Disk, memory, device, or another process at work in the project."""
PROJECT = 4
"""A project in a version not known here, or damaged."""
STOPPED = 130
"""Stopped by Ctrl-C or by a termination signal; the same command goes on where it stopped."""


def exit_code(error: BaseException) -> int:
    """Give the exit code that an error stands for."""
    match error:
        case CancelledError() | KeyboardInterrupt():
            return STOPPED
        case VersionError() | DamagedProjectError():
            return PROJECT
        case ResourceError():
            return RESOURCES
        case InputError() | PolytempoError():
            return INPUT
        case _:
            return RESOURCES if as_resource_error(error) else BUG


def as_resource_error(error: BaseException) -> ResourceError | None:
    """Give our words for what Python, torch and the system raise when memory or disk run out."""
    if memory_ran_out(error):
        return ResourceError(
            "memory",
            "there must be enough for the clip",
            got="a refused allocation",
            todo="Close other programs or choose a smaller working size with --set work_side_px=320",
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ResourceError(
            "disk",
            "there must be room for what is written",
            got=error.strerror or "no space left",
            todo="Free some space and run the same command again",
            path=error.filename,
        )
    return None
