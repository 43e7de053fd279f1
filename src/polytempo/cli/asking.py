"""What is said about subjects on a command line, as a request for the project."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from polytempo.cli.options import Said
from polytempo.core.errors import InputError
from polytempo.objects.prompts import Prompts, check_name, merge_prompts, prompts_from_text, read_prompts
from polytempo.project.request import SubjectsRequest
from polytempo.video.clip import Clip


def request_from(said: Said, clip: Clip, *, before: SubjectsRequest | None) -> SubjectsRequest | None:
    """Turn options into a request.

    Args:
        said: The options.
        clip: The clip they are about.
        before: What was said earlier; stays where nothing new is said.

    Returns:
        The request; nothing when nobody was named now or earlier.

    Raises:
        InputError: the options contradict each other, or one of them cannot be understood.
    """
    groups = dict(_group(text) for text in said.group) if said.group else (before.groups if before else {})
    order = _names(said.order) if said.order else (before.order if before else ())
    dynamic = tuple(said.dynamic) if said.dynamic else (before.dynamic_layers if before else ())
    prompts, masks, picked = None, None, ()
    if said.names_somebody:
        if said.pick and (said.subjects or said.box or said.point or said.prompt):
            raise InputError("cli.subjects", "subjects must be either picked or prompted", got="--pick with prompts")
        picked = picks(said.pick) if said.pick else ()
        texts = [*_typed("box", said.box or ()), *_typed("point", said.point or ()), *(said.prompt or ())]
        parts = _typed_prompts(texts, clip)
        if said.subjects is not None and not holds_prompts(said.subjects):
            if parts:
                raise InputError("cli.subjects", "subjects must be either prompted or given as masks", got="both")
            masks = said.subjects.resolve()
        elif said.subjects is not None:
            parts.append(read_prompts(said.subjects, clip_size=(clip.width, clip.height), n_frames=clip.n_frames))
        prompts = merge_prompts(parts) if parts else None
    elif before is not None:
        prompts, masks, picked = before.prompts, before.masks, before.picked
    else:
        return None
    return SubjectsRequest(
        prompts=prompts, masks=masks, picked=picked, groups=groups, dynamic_layers=dynamic, order=order
    )


def holds_prompts(path: Path) -> bool:
    """Tell a prompt file from ready masks: prompts are a JSON object that speaks of subjects."""
    if path.is_dir() or path.suffix.lower() != ".json":
        return False
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return True  # the reader of prompts says what is wrong with it
    return not isinstance(document, dict) or not ({"annotations", "segmentations", "masks"} & set(document))


def picks(text: str) -> tuple[tuple[str, int], ...]:
    """Read ``1,3`` or ``girl=1,boy=3``; without a name a subject is called by its number.

    ``boy=3+5`` makes one subject of two proposals, for somebody who was lost sight of for a while.

    Raises:
        InputError: it does not read so.

    Example:
        >>> picks("1,boy=3")
        (('subject-1', 1), ('boy', 3))
        >>> picks("boy=3+5")
        (('boy', 3), ('boy', 5))
    """
    out: list[tuple[str, int]] = []
    for part in text.split(","):
        name, found, numbers = (one.strip() for one in part.rpartition("="))
        stretches = [one.strip() for one in numbers.split("+")]
        if not all(one.isascii() and one.isdigit() for one in stretches) or (found and not name):
            raise InputError("cli.subjects", "it must read 1,3 or girl=1,boy=3 or boy=3+5", got=repr(text))
        name = name or f"subject-{int(stretches[0])}"
        check_name(name)
        if name in {one for one, _ in out}:
            raise InputError("cli.subjects", "every picked subject must have a name of its own", got=repr(text),
                             todo="Write boy=3+5 where two proposals are one subject")  # fmt: skip
        out += [(name, int(one)) for one in stretches]
    return tuple(out)


def _typed(kind: str, texts: Sequence[str]) -> list[str]:
    """Turn ``girl=1,2,3,4@0`` of --box into the general form ``girl=box:1,2,3,4@0``."""
    return [text.replace("=", f"={kind}:", 1) for text in texts]


def _typed_prompts(texts: Sequence[str], clip: Clip) -> list[Prompts]:
    if not texts:
        return []
    return [prompts_from_text(texts, clip_size=(clip.width, clip.height), n_frames=clip.n_frames)]


def _group(text: str) -> tuple[str, list[str]]:
    name, found, members = text.partition("=")
    if not found or not _names(members):
        raise InputError("cli.subjects", "a group must read LAYER=NAME,NAME", got=repr(text))
    check_name(name.strip())
    return name.strip(), list(_names(members))


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
