"""The door for video files: opening one, and FFmpeg's words turned into ours."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError

from polytempo.core import files
from polytempo.core.errors import InputError, PolytempoError, ResourceError

WHERE = "video.probe"


def open_input(path: Path) -> InputContainer:
    """Open a media file for reading.

    Raises:
        InputError: there is no such file, it is a folder, may not be read, is empty, or is no media file.
    """
    todo = "Check the path"
    try:
        if path.is_dir():
            raise InputError(WHERE, "the clip must be a file", got="a folder", todo=todo, path=path)
        if not path.exists():
            raise InputError(WHERE, "the clip must exist", got="no such file", todo=todo, path=path)
        if not path.is_file():
            raise InputError(WHERE, "the clip must be a plain file", got="a device or pipe", todo=todo, path=path)
        with path.open("rb") as file:
            if not file.read(1):
                raise InputError(WHERE, "the clip must hold something", got="an empty file", todo=todo, path=path)
    except OSError as error:
        raise InputError(WHERE, "the clip must be readable", got=reason(error), todo=todo, path=path) from error
    except ValueError as error:
        if isinstance(error, PolytempoError):
            raise
        raise InputError(WHERE, "the path must be a valid one", got=str(error), todo=todo, path=repr(path)) from error
    try:
        # "file:" keeps colons in names from being read as protocols; playlists may not reach the network.
        return av.open(f"file:{path}", metadata_errors="replace", options={"protocol_whitelist": "file"})
    except (FFmpegError, ValueError) as error:
        raise InputError(
            WHERE,
            "the file must be a video that FFmpeg can open",
            got=reason(error),
            todo="It may be cut short or not be a video at all; export it again",
            path=path,
        ) from error


def reason(error: Exception) -> str:
    """Give the short cause of a file system or FFmpeg error, without its path."""
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()


def write_failure(error: FFmpegError | OSError, *, where: str, path: Path) -> PolytempoError:
    """Turn an error that arose while writing into one of ours."""
    if isinstance(error, OSError) or error.errno == errno.ENOSPC:
        return files.write_failure(OSError(error.errno, reason(error)), where=where, path=path)
    return ResourceError(where, "the file must be written wholly", got=reason(error), path=path)


def threads() -> int:
    """Threads worth giving to a codec: the cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
