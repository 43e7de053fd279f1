"""Subjects proposed by their motion, kept in the project so that a number means the same thing on the next command."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from polytempo.core.errors import InputError
from polytempo.core.files import write_json
from polytempo.core.progress import Report
from polytempo.objects.prompts import Prompt, Prompts, SubjectPrompts
from polytempo.objects.propose import Proposal, pick, propose
from polytempo.project.arrays import read_masks, write_masks
from polytempo.project.damaged import or_damaged
from polytempo.project.folder import Project
from polytempo.project.request import SubjectsRequest
from polytempo.project.run import Result, run_stage
from polytempo.project.settings import Settings
from polytempo.project.stages import Footage


def run_proposals(project: Project, footage: Footage, settings: Settings, report: Report) -> Result[list[Proposal]]:
    """Find what moves by itself, the most prominent first."""

    def make(folder: Path, report: Report) -> Sequence[str]:
        found = propose(footage.frames.value, footage.camera.value, config=settings.propose, report=report)
        write_masks(folder / "masks.npz", {str(one.number): one.masks for one in found})
        heads = [
            {"number": one.number, "start": one.start, "stop": one.stop, "frames": one.frames, "best": one.best_frame}
            for one in found
        ]
        write_json(folder / "proposals.json", heads)
        return ()

    return run_stage(
        project,
        "propose",
        inputs={"frames": footage.frames.key, "camera": footage.camera.key},
        config=settings.propose,
        make=make,
        load=lambda folder: or_damaged(folder, lambda: _load(folder)),
        report=report,
    )


def picked_prompts(
    project: Project, footage: Footage, request: SubjectsRequest, settings: Settings, report: Report
) -> Prompts:
    """Turn the picked numbers of a request into prompts; numbers under one name are stretches of one subject.

    Raises:
        InputError: a number is not among the proposals, or is picked twice.
    """
    found = run_proposals(project, footage, settings, report).value
    numbers = [number for _, number in request.picked]
    if twice := [number for number in numbers if numbers.count(number) > 1]:
        raise InputError("project.proposals", "a proposal must be picked once", got=f"{twice[0]} twice")
    return joined_prompts([(name, pick(found, {name: number})) for name, number in request.picked])


def joined_prompts(parts: Sequence[tuple[str, Prompts]]) -> Prompts:
    """Put prompts of one subject each together; of two of one name on one frame, their masks are joined.

    Args:
        parts: Name of a subject with prompts about it, which hold masks; all of one picture size.
    """
    by_name: dict[str, dict[int, Prompt]] = {}
    for name, part in parts:
        mine = by_name.setdefault(name, {})
        for one in part.subjects[0].prompts:
            mask, other = one.mask, mine[one.frame].mask if one.frame in mine else None
            both = mask if mask is None or other is None else mask | other
            mine[one.frame] = dataclasses.replace(one, mask=both)
    subjects = tuple(
        SubjectPrompts(name=name, prompts=tuple(mine[t] for t in sorted(mine))) for name, mine in by_name.items()
    )
    return Prompts(subjects=subjects, size=parts[0][1].size)


def _load(folder: Path) -> list[Proposal]:
    heads: Any = json.loads((folder / "proposals.json").read_text(encoding="utf-8"))
    masks = read_masks(folder / "masks.npz")
    out = [
        Proposal(
            number=int(one["number"]),
            start=int(one["start"]),
            stop=int(one["stop"]),
            frames=tuple(int(t) for t in one["frames"]),
            masks=np.asarray(masks[str(one["number"])]),
            best_frame=int(one["best"]),
        )
        for one in heads
    ]
    if any(len(one.frames) != len(one.masks) or one.best_frame not in one.frames for one in out):
        raise ValueError("masks and frames that do not belong together")
    return out
