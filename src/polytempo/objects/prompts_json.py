"""JSON from the user: read with a bound, and a name given twice is refused instead of the last one winning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from polytempo.core.errors import InputError


def load_json(path: Path, *, where: str, max_bytes: int) -> Any:
    """Parse a JSON file.

    Args:
        path: The file.
        where: Dotted place for messages.
        max_bytes: Larger files are refused unread.

    Raises:
        InputError: the file is not there, too large, no JSON, or names a key twice in one object.
    """
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except (OSError, ValueError) as error:  # a NUL in the path is a ValueError
        raise InputError(where, "the file must be readable", got=str(error), path=path) from error
    if len(data) > max_bytes:
        raise InputError(where, f"the file must not be larger than {max_bytes / 2**20:g} MB", path=path)

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key, value in pairs:
            if key in out:
                raise InputError(where, "every name must stand once", got=f"{key!r} twice", path=path)
            out[key] = value
        return out

    try:
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=once)
    except InputError:
        raise
    except UnicodeDecodeError as error:
        raise InputError(where, "the file must be UTF-8 text", got=error.reason, path=path) from error
    except RecursionError as error:
        raise InputError(where, "the file must not nest so deeply", path=path) from error
    except ValueError as error:  # JSONDecodeError, and whole numbers of too many digits
        raise InputError(where, "the file must be valid JSON", got=str(error), path=path) from error


def short(value: Any) -> str:
    """Show a value in a message without flooding it."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
