from __future__ import annotations

import errno

import pytest

from polytempo.cli.exits import as_resource_error, exit_code
from polytempo.core.errors import CancelledError, InputError, ResourceError, ShapeError, VersionError
from polytempo.project.folder import DamagedProjectError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("a", "b"), 2),
        (ShapeError("a", "b"), 2),
        (ResourceError("a", "b"), 3),
        (VersionError("a", "b"), 4),
        (DamagedProjectError("a", "b"), 4),
        (CancelledError("a", "b"), 130),
        (KeyboardInterrupt(), 130),
        (MemoryError(), 3),
        (OSError(errno.ENOSPC, "No space left on device", "/somewhere"), 3),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"), 3),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate 1 bytes."), 3),
        (OSError(errno.EIO, "Input/output error"), 1),
        (RuntimeError("something else"), 1),
    ],
)
def test_each_error_has_its_code(error: BaseException, code: int) -> None:
    assert exit_code(error) == code


def test_full_disk_is_said_in_our_words() -> None:
    error = as_resource_error(OSError(errno.ENOSPC, "No space left on device", "/somewhere"))
    assert str(error) == (
        "disk: there must be room for what is written; got No space left on device. "
        "Free some space and run the same command again. File: /somewhere"
    )
