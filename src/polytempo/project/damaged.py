"""Results of stages that cannot be read any more: they must be made again."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from zipfile import BadZipFile

from polytempo.core.errors import PolytempoError
from polytempo.project.folder import DamagedProjectError

T = TypeVar("T")


def or_damaged(folder: Path, load: Callable[[], T]) -> T:
    """Read a result that has a reader of its own; whatever is wrong with it means that it must be made again.

    Raises:
        DamagedProjectError: it cannot be read.
    """
    try:
        return load()
    except (PolytempoError, OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile, zlib.error) as error:
        raise damaged_result(folder, type(error).__name__) from error


def damaged_result(folder: Path, got: str) -> DamagedProjectError:
    """Give the error for a result that cannot be read."""
    return DamagedProjectError(
        "project",
        "a result must be what polytempo wrote",
        got=got,
        todo="Delete the folder and run the same command again",
        path=folder,
    )
