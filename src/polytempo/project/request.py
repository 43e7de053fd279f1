"""What the user said about subjects, kept in the project so that the files it came from may go.

``subjects.json`` holds either prompts (boxes, points, scribbles and masks, at clip size), or where ready masks lie, or
which of the proposed subjects were picked; where the user said so, also which subjects share a layer and who is
in front.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool
from pydantic import TypeAdapter, ValidationError

from polytempo.core.errors import VersionError
from polytempo.core.files import digest, file_digest, write_json
from polytempo.objects.prompts import Prompt, Prompts, SubjectPrompts
from polytempo.project.folder import DamagedProjectError

SCHEMA = "polytempo.subjects"
VERSION = 2
"""Since 2 the order may be one a frame; a request without such an order is written as version 1."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SubjectsRequest:
    """Who is to be separated, and how they share layers. Exactly one of prompts, masks and picked is given."""

    prompts: Prompts | None = None
    """At clip size."""
    masks: Path | None = None
    """Folder or file of ready masks."""
    picked: tuple[tuple[str, int], ...] = ()
    """Name and number (from 1) of each proposed subject that was picked."""
    groups: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Layer name to the names of the subjects that share it."""
    dynamic_layers: tuple[str, ...] = ()
    """Names of layers without a subject."""
    order: tuple[str, ...] | tuple[tuple[str, ...], ...] = ()
    """Layer names back to front, for the clip or a row a frame; guessed where empty."""


@dataclass(frozen=True, slots=True)
class _PromptEntry:
    frame: int
    box: tuple[float, float, float, float] | None
    lines: tuple[tuple[tuple[float, float], ...], ...]
    not_lines: tuple[tuple[tuple[float, float], ...], ...]
    mask: tuple[int, int, str] | None
    absent: bool


@dataclass(frozen=True, slots=True)
class _Entry:
    size: tuple[int, int] | None
    subjects: tuple[tuple[str, tuple[_PromptEntry, ...]], ...]
    masks: Path | None
    picked: tuple[tuple[str, int], ...]
    groups: dict[str, list[str]]
    dynamic_layers: tuple[str, ...]
    order: tuple[str, ...] | tuple[tuple[str, ...], ...]


def write_request(path: Path, request: SubjectsRequest) -> None:
    """Write ``subjects.json``."""
    a_row_a_frame = bool(request.order) and not isinstance(request.order[0], str)
    write_json(path, {"schema": SCHEMA, "version": VERSION if a_row_a_frame else 1} | request_document(request))


def request_document(request: SubjectsRequest) -> dict[str, Any]:
    """Give a request as plain JSON values."""
    prompts = request.prompts
    entry = _Entry(
        size=None if prompts is None else prompts.size,
        subjects=()
        if prompts is None
        else tuple((one.name, tuple(_entry_of(prompt) for prompt in one.prompts)) for one in prompts.subjects),
        masks=request.masks,
        picked=request.picked,
        groups=request.groups,
        dynamic_layers=request.dynamic_layers,
        order=request.order,
    )
    return TypeAdapter(_Entry).dump_python(entry, mode="json")


def read_request(path: Path) -> SubjectsRequest | None:
    """Read ``subjects.json``; nothing where the user has said nothing yet.

    Raises:
        DamagedProjectError: the file is damaged.
        VersionError: a newer program wrote it.
    """
    try:
        document = _checked_document(path)
        entry = TypeAdapter(_Entry).validate_python(document)
        subjects = tuple(
            SubjectPrompts(name=name, prompts=tuple(_prompt_of(one) for one in prompts))
            for name, prompts in entry.subjects
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, ValidationError, RecursionError) as error:
        raise DamagedProjectError(
            "project",
            "subjects.json must be what polytempo wrote",
            got=str(error).splitlines()[0][:120],
            todo="Say the subjects again with `polytempo subjects`",
            path=path,
        ) from error
    return SubjectsRequest(
        prompts=Prompts(subjects=subjects, size=entry.size) if entry.size and subjects else None,
        masks=entry.masks,
        picked=entry.picked,
        groups=entry.groups,
        dynamic_layers=entry.dynamic_layers,
        order=entry.order,
    )


def _checked_document(path: Path) -> Any:
    document: Any = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict) or document.pop("schema", None) != SCHEMA:
        raise ValueError("another schema")
    if (version := document.pop("version", None)) not in (1, VERSION):
        raise VersionError(
            "project",
            f"the version of subjects.json must be 1 or {VERSION}",
            got=repr(version),
            todo="Update polytempo, or say the subjects again",
            path=path,
        )
    return document


def prompts_key(prompts: Prompts) -> str:
    """Hash of all that prompts say."""
    document = request_document(SubjectsRequest(prompts=prompts))
    return digest(json.dumps([document["size"], document["subjects"]], sort_keys=True))


def files_key(path: Path) -> str:
    """Hash of a file, or of all files below a folder with their names.

    Raises:
        OSError: the path cannot be read.
    """
    if not path.is_dir():
        return digest(file_digest(path))
    files = sorted(one for one in path.rglob("*") if one.is_file())
    return digest(*(part for one in files for part in (one.relative_to(path).as_posix(), file_digest(one))))


def _entry_of(prompt: Prompt) -> _PromptEntry:
    mask = None
    if prompt.mask is not None:
        packed = base64.b64encode(np.packbits(prompt.mask).tobytes()).decode()
        mask = (prompt.mask.shape[0], prompt.mask.shape[1], packed)
    return _PromptEntry(prompt.frame, prompt.box, prompt.lines, prompt.not_lines, mask, prompt.absent)


def _prompt_of(entry: _PromptEntry) -> Prompt:
    return Prompt(
        frame=entry.frame,
        box=entry.box,
        lines=entry.lines,
        not_lines=entry.not_lines,
        mask=None if entry.mask is None else _mask_of(*entry.mask),
        absent=entry.absent,
    )


def _mask_of(height: int, width: int, packed: str) -> Bool[np.ndarray, "H W"]:
    bits = np.unpackbits(np.frombuffer(base64.b64decode(packed), np.uint8), count=height * width)
    return bits.reshape(height, width).astype(np.bool_)
