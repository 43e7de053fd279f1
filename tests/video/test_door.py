import errno
from pathlib import Path

import pytest
from av.error import FFmpegError, InvalidDataError

from polytempo.core.errors import InputError, ResourceError
from polytempo.video.door import reason, threads, write_failure

KEPT = "the disk must have room for the file"


def test_reason_has_no_path() -> None:
    assert reason(PermissionError(13, "Permission denied", "secret.mp4")) == "permission denied"
    assert reason(InvalidDataError(1, "Invalid data found", "secret.mp4")) == "invalid data found"
    assert reason(ValueError()) == "valueerror"


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), ResourceError, KEPT),
        (FFmpegError(errno.ENOSPC, "No space left on device"), ResourceError, KEPT),
        (PermissionError(errno.EACCES, "Permission denied"), InputError, "the place must be writable; got permission"),
        (FFmpegError(errno.EINVAL, "Invalid argument"), ResourceError, "the file must be written wholly; got invalid"),
    ],
)
def test_write_failure(error: OSError | FFmpegError, kind: type[Exception], words: str) -> None:
    named = write_failure(error, where="t", path=Path("a.mp4"))
    assert type(named) is kind
    assert str(named).startswith(f"t: {words}")
    assert str(named).endswith("File: a.mp4")


def test_threads() -> None:
    assert threads() >= 1
