"""One way to run any stage: take the result that is there, or make it, write down how, and read it back."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from polytempo.core.files import digest
from polytempo.core.progress import Progress, Report
from polytempo.project.folder import RECORD, DamagedProjectError, Project
from polytempo.project.records import Meter, Record, read_record, versions, write_record

log = logging.getLogger(__name__)
T = TypeVar("T")

STAGE_VERSIONS: Mapping[str, int] = {"separation": 2}
"""Raised for a stage whose results changed meaning, so that older ones are made again; 1 where not named."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Result(Generic[T]):
    """A finished stage."""

    stage: str
    key: str
    folder: Path
    value: T
    record: Record
    reused: bool
    """True when nothing had to be computed."""


def config_document(config: object) -> Any:
    """Give a config as plain JSON values, every default written out."""
    if config is None:
        return None
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        return TypeAdapter(type(config)).dump_python(config, mode="json")
    return json.loads(json.dumps(config))


def result_key(stage: str, inputs: Mapping[str, str], config: object, *, seed: int | None = None) -> str:
    """Hash what a stage's result depends on: its inputs, its config, its seed and the meaning of the stage."""
    document = json.dumps(config_document(config), sort_keys=True, ensure_ascii=False)
    pairs = [part for name in sorted(inputs) for part in (name, inputs[name])]
    return digest(stage, STAGE_VERSIONS.get(stage, 1), document, seed, *pairs)


def named_report(report: Report, stage: str) -> Report:
    """Give a report that shows whatever a stage reports under the stage's own name."""
    return lambda progress: report(dataclasses.replace(progress, stage=stage))


def run_stage(
    project: Project,
    stage: str,
    *,
    inputs: Mapping[str, str],
    make: Callable[[Path, Report], Sequence[str]],
    load: Callable[[Path], T],
    config: object = None,
    seed: int | None = None,
    report: Report,
    key: str | None = None,
) -> Result[T]:
    """Give a stage's result, computed only when no result of the same inputs, config and seed is there.

    What is returned was read back from disk in either case, so that a fresh and a resumed run go on with the same bits.

    Args:
        project: Open for writing.
        stage: Name of the stage, which is the name of its folder.
        inputs: Keys or hashes of all that goes in, by name.
        make: Writes the result into the folder it is given, reports progress, and returns warnings for the user.
        load: Reads the result from its folder.
        config: Config dataclass, or plain JSON values.
        seed: Seed, for a stage that draws random numbers.
        report: Told when the stage begins and ends, in fractions of one.
        key: The result's key, where the caller needed it before.
    """
    key = key or result_key(stage, inputs, config, seed=seed)
    folder = project.result(stage, key)
    record = read_record(folder / RECORD) if folder else None
    if folder and record:
        try:
            value = load(folder)
        except DamagedProjectError as error:
            log.warning("%s Making it again.", error)
        else:
            project.use_result(stage, key)
            report(Progress(stage=stage, done=1, total=1, message="kept"))
            return Result(stage=stage, key=key, folder=folder, value=value, record=record, reused=True)
    if folder:
        project.discard_result(stage, key)
    report(Progress(stage=stage, done=0, total=1, message="started"))
    meter = Meter()
    with project.new_result(stage, key) as partial:
        warnings = make(partial, named_report(report, stage))
        record = Record(
            stage=stage,
            key=key,
            inputs=dict(inputs),
            config=config_document(config),
            seed=seed,
            versions=versions(),
            started=meter.started,
            seconds=meter.seconds(),
            peak_mb=meter.peak_mb(),
            warnings=tuple(warnings),
        )
        write_record(partial / RECORD, record)
    folder = project.root / "stages" / stage / key
    report(Progress(stage=stage, done=1, total=1, message=f"done in {record.seconds:.1f} s"))
    return Result(stage=stage, key=key, folder=folder, value=load(folder), record=record, reused=False)
