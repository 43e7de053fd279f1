"""Configs from files and from the command line: frozen dataclasses, unknown keys refused by their dotted path."""

from __future__ import annotations

import dataclasses
import tomllib
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from polytempo.core.errors import InputError

C = TypeVar("C")


def config_from(kind: type[C], *, file: Path | None = None, sets: Sequence[str] = ()) -> C:
    """Build a config dataclass from its defaults, a TOML file and ``path=value`` settings, the later winning.

    Args:
        kind: The config dataclass; its fields may be config dataclasses.
        file: TOML file with a table per nested config.
        sets: Settings like ``"decompose.n_epochs=20"``; the value is read as TOML, or as text where that fails.

    Raises:
        InputError: the file cannot be read, a key is unknown or a value is of a wrong type.
    """
    document: dict[str, Any] = {} if file is None else _read_toml(file)
    for setting in sets:
        path, found, text = setting.partition("=")
        if not found or not path.strip():
            raise InputError("config", "a setting must be written path=value", got=repr(setting))
        _put(document, path.strip().split("."), _toml_value(text.strip()), setting)
    _refuse_unknown(kind, document, (), file)
    try:
        return TypeAdapter(kind).validate_python(document)
    except ValidationError as error:
        first = error.errors()[0]
        # pydantic names the variants of a union too; the dotted path of fields is what the user wrote
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(
            "config", f"{where} must be right: {first['msg']}", got=repr(first["input"])[:80], path=file
        ) from error
    except InputError:
        raise
    except ValueError as error:
        raise InputError("config", "the values must go together", got=str(error), path=file) from error


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError("config", "the file must be readable", got=error.strerror or "an error", path=file) from error
    except (ValueError, RecursionError) as error:
        raise InputError("config", "the file must be TOML", got=str(error)[:120], path=file) from error


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _put(document: dict[str, Any], path: list[str], value: Any, setting: str) -> None:
    for part in path[:-1]:
        inner = document.setdefault(part, {})
        if not isinstance(inner, dict):
            raise InputError("config", "a setting must not lead through a plain value", got=repr(setting))
        document = typing.cast("dict[str, Any]", inner)
    document[path[-1]] = value


def _refuse_unknown(kind: Any, document: dict[str, Any], path: tuple[str, ...], file: Path | None) -> None:
    known = {field.name for field in dataclasses.fields(kind)}
    hints = typing.get_type_hints(kind)
    for name, value in document.items():
        here = (*path, name)
        if name not in known:
            raise InputError(
                "config",
                "every key must be known",
                got=".".join(here),
                todo=f"Known here: {', '.join(sorted(known))}",
                path=file,
            )
        if dataclasses.is_dataclass(hints[name]):
            if not isinstance(value, dict):
                raise InputError("config", f"{'.'.join(here)} must be a table", got=repr(value)[:80], path=file)
            _refuse_unknown(hints[name], typing.cast("dict[str, Any]", value), here, file)
