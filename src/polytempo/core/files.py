"""Writing files so that a kill at any moment leaves either the old file or the new one."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from polytempo.core.errors import InputError, PolytempoError, ResourceError

PARTIAL = ".partial"
"""Ending of names that are still being written; anything with it may be deleted."""

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def atomic_path(path: Path) -> Generator[Path]:
    """Give a temporary file or folder path beside ``path`` that takes its place when the block ends well.

    The block creates whatever it likes at the given path. On success it is flushed to disk and put in place in one
    step: a file by renaming; a folder over an existing one by exchanging the two names where the system can (Linux),
    else by moving the old one aside first, so that there a kill between two calls leaves neither. On any error what
    was written is removed and the old one stays.

    Args:
        path: Final place. Its parent is created.

    Raises:
        InputError: the place cannot be written.
        ResourceError: the disk ran full, in the block too.
    """
    partial = path.with_name(f".{path.stem}.{os.getpid()}{PARTIAL}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove(partial)
        yield partial
        _sync(partial)
        _put_in_place(partial, path)
        _sync(path.parent, deep=False)
    except OSError as error:
        # Other trouble of the block, such as an input that cannot be read, is for the block's own words.
        culprit = None if error.filename is None else Path(str(error.filename))
        ours = culprit is None or culprit.is_relative_to(partial) or path.is_relative_to(culprit)
        if not ours and error.errno not in _NO_ROOM:
            raise
        raise write_failure(error, where="core.files", path=path) from error
    finally:
        with suppress(OSError):
            _remove(partial)


def write_failure(error: OSError, *, where: str, path: Path) -> PolytempoError:
    """Turn a system's error that arose while writing into one of ours."""
    got = (error.strerror or str(error) or type(error).__name__).lower()
    if error.errno in _NO_ROOM:
        return ResourceError(where, "the disk must have room for the file", got=got, todo="Free some space", path=path)
    return InputError(where, "the place must be writable", got=got, todo="Choose another folder or name", path=path)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file atomically."""
    with atomic_path(path) as partial:
        partial.write_bytes(data)


def write_json(path: Path, document: Any) -> None:
    """Write a JSON document atomically, UTF-8, indented, keys as given."""
    write_bytes(path, (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode())


def require_disk_space(folder: Path, n_bytes: int, *, where: str) -> None:
    """Refuse before the start when a disk cannot hold what is about to be written.

    Raises:
        ResourceError: fewer than ``n_bytes`` plus a tenth are free.
        InputError: the folder cannot be reached.
    """
    probe = folder
    try:
        while not probe.exists():
            probe = probe.parent
        free = shutil.disk_usage(probe).free
    except OSError as error:
        raise write_failure(error, where=where, path=folder) from error
    if free < n_bytes * 1.1:
        raise ResourceError(
            where,
            "the disk must have room for what is about to be written",
            got=f"{free / 1e9:.2f} GB free, {n_bytes * 1.1 / 1e9:.2f} GB needed",
            todo="Free some space or choose another folder",
            path=folder,
        )


def digest(*parts: bytes | str | int | float | None) -> str:
    """Give a short stable hash of parts, for keys of cached results."""
    h = hashlib.sha256()
    for part in parts:
        data = b"b" + part if isinstance(part, bytes) else repr(part).encode()
        h.update(len(data).to_bytes(8, "little") + data)
    return h.hexdigest()[:32]


def file_digest(path: Path) -> str:
    """Give a short hash of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _put_in_place(partial: Path, path: Path) -> None:
    if not (path.is_dir() and partial.is_dir()):
        partial.replace(path)
    elif not _exchange(partial, path):
        old = path.with_name(f".{path.name}.old{PARTIAL}")
        _remove(old)
        path.rename(old)
        try:
            partial.rename(path)
        except OSError:
            old.rename(path)
            raise
        _remove(old)


def _exchange(a: Path, b: Path) -> bool:
    """Let two names change places in one step; False where the system cannot."""
    at_working_folder, exchange = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux
    rename = getattr(ctypes.CDLL(None), "renameat2", None) if sys.platform == "linux" else None
    if rename is None:
        return False
    return rename(at_working_folder, os.fsencode(a), at_working_folder, os.fsencode(b), exchange) == 0


def _sync(path: Path, *, deep: bool = True) -> None:
    if path.is_dir() and deep:
        for entry in path.rglob("*"):
            _sync(entry, deep=False)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:  # some file systems refuse fsync on folders; the rename is still atomic there
        if not path.is_dir():
            raise
    finally:
        os.close(descriptor)
