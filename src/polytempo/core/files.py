"""Writing files so that a kill at any moment leaves either the old file or the new one."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from polytempo.core.errors import ResourceError

PARTIAL = ".partial"
"""Ending of names that are still being written; anything with it may be deleted."""


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary file or folder path beside ``path`` that takes its place when the block ends well.

    The block creates whatever it likes at the given path. On success files are flushed to disk and the name is
    changed in one step (an existing folder is moved away first); on any error what was written is removed.

    Args:
        path: Final place. Its parent is created.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{os.getpid()}{PARTIAL}{path.suffix}")
    _remove(partial)
    try:
        yield partial
        _sync(partial)
        if path.is_dir():
            old = path.with_name(f".{path.name}.old{PARTIAL}")
            _remove(old)
            path.rename(old)
            partial.rename(path)
            _remove(old)
        else:
            partial.replace(path)
        _sync(path.parent, deep=False)
    finally:
        _remove(partial)


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
    """
    probe = folder
    while not probe.exists():
        probe = probe.parent
    free = shutil.disk_usage(probe).free
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
        data = part if isinstance(part, bytes) else repr(part).encode()
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


def _sync(path: Path, *, deep: bool = True) -> None:
    if path.is_dir() and deep:
        for entry in path.rglob("*"):
            if entry.is_file():
                _sync(entry)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:  # some file systems refuse fsync on folders; the rename is still atomic there
        if not path.is_dir():
            raise
    finally:
        os.close(descriptor)


