"""Configs from files and from the command line: frozen dataclasses, unknown keys refused by their dotted path."""

from __future__ import annotations

import dataclasses
import tomllib
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from polytempo.core.errors import InputError

C = TypeVar("C")


def config_document(base: Mapping[str, Any], *, file: Path | None = None, sets: Sequence[str] = ()) -> dict[str, Any]:
    """Give a tree of settings with those of a TOML file and of ``path=value`` texts laid over it, the later winning.

    Args:
        base: Settings so far; not changed.
        file: TOML file with a table per nested config.
        sets: Settings like ``"decompose.n_epochs=20"``; the value is read as TOML, or as text where that fails.

    Raises:
        InputError: the file cannot be read, or a setting is not of that form.
    """
    document = _laid_over(base, {} if file is None else _read_toml(file))
    for setting in sets:
        path, found, text = setting.partition("=")
        if not found or not path.strip():
            raise InputError("config", "a setting must be written path=value", got=repr(setting))
        _put(document, path.strip().split("."), _toml_value(text.strip()), setting)
    return document


def config_from(kind: type[C], document: Mapping[str, Any], *, path: Path | None = None) -> C:
    """Build a config dataclass, whose fields may be config dataclasses, from a tree of settings.

    Args:
        kind: The config dataclass.
        document: Settings; what is not in it keeps its default.
        path: The file concerned, for messages.

    Raises:
        InputError: a key is unknown or a value is of a wrong type; the message has the dotted path.
    """
    _refuse_unknown(kind, document, (), path)
    try:
        return TypeAdapter(kind).validate_python(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(
            "config",
            f"{where or 'the settings'} must be right: {first['msg'].removeprefix('Value error, ')}",
            got=repr(first["input"])[:80],
            path=path,
        ) from error


def _laid_over(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name in [*base, *(name for name in top if name not in base)]:
        below, above = base.get(name), top.get(name, base.get(name))
        if isinstance(above, Mapping):
            under = typing.cast("Mapping[str, Any]", below) if isinstance(below, Mapping) else {}
            out[name] = _laid_over(under, typing.cast("Mapping[str, Any]", above))
        else:
            out[name] = above
    return out


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


def _refuse_unknown(kind: Any, document: Mapping[str, Any], path: tuple[str, ...], file: Path | None) -> None:
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
            if not isinstance(value, Mapping):
                raise InputError("config", f"{'.'.join(here)} must be a table", got=repr(value)[:80], path=file)
            _refuse_unknown(hints[name], typing.cast("Mapping[str, Any]", value), here, file)
