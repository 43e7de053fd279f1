"""The shape of the JSON files under ``bench/results/``, held by a test."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter

STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """Kind of machine; never its name."""

    __pydantic_config__ = STRICT
    kind: str
    cores: int
    memory_gb: float
    gpu: str | None
    python: str
    torch: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StageCost:
    """What one stage of one scene took."""

    __pydantic_config__ = STRICT
    seconds: float
    peak_mb: float
    cpu_seconds: float | None = None
    """Of the process, over all its threads; older figures do not have it."""
    cached: float = 0.0
    """1 where the figures are those of an earlier run whose result was kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SceneResult:
    """One scene, decomposed, rendered and scored."""

    __pydantic_config__ = STRICT
    headline: dict[str, float | None]
    below_bars: list[str]
    stages: dict[str, StageCost]
    outputs: dict[str, dict[str, Any]]
    alpha: dict[str, dict[str, Any]]
    baselines: dict[str, dict[str, float | None]]
    warnings: list[str]
    course: dict[str, Any] | None = None
    """Of a neural preset: epochs that were planned and done, and what they cost."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TruthResults:
    """Written by ``truth.py``."""

    __pydantic_config__ = STRICT
    schema: Literal["polytempo.bench.truth"]
    version: Literal[1]
    commit: str
    machine: Machine
    preset: str
    inputs: str
    seed: int
    oracle: bool
    """True when the method was given something it should find itself; such figures are for diagnosis."""
    scenes: dict[str, SceneResult]


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeedRun:
    """One suite at one size."""

    __pydantic_config__ = STRICT
    suite: Literal["decompose", "render", "propagate"]
    frames: int
    width: int
    height: int
    layers: int
    seconds_median: float
    seconds_iqr: float
    """Distance of the quartiles."""
    seconds_all: list[float]
    seconds_first: float
    """The first pass, before anything is compiled or in memory; in none of the other figures."""
    frames_per_second: float
    peak_mb: float
    """Highest resident memory of the whole process, imports and the drawn clip included."""
    idle_mb: float
    """Memory before the first pass, imports and the drawn clip included."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Growth:
    """How a figure grows along an axis: exponent of a power fitted to the runs, 1 is in proportion, 0 is flat."""

    __pydantic_config__ = STRICT
    suite: str
    axis: Literal["frames", "pixels", "layers"]
    seconds: float
    memory: float
    """Of what is held beyond ``idle_mb``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeedResults:
    """Written by ``speed.py``."""

    __pydantic_config__ = STRICT
    schema: Literal["polytempo.bench.speed"]
    version: Literal[1]
    commit: str
    machine: Machine
    threads: int | None
    """Threads that OpenMP was held to; None where it was left to choose."""
    other_load: float
    """Processes that wanted a core when the suite began; figures of a busy machine are marked by it."""
    seed: int
    repeats: int
    epochs: int
    """Epochs of the ownership network in the decompose suite (the preset has more)."""
    runs: list[SpeedRun]
    growth: list[Growth]


@dataclass(frozen=True, kw_only=True, slots=True)
class Kill:
    """One killed run."""

    __pydantic_config__ = STRICT
    stage: str
    """In which it was to fall."""
    after_secs: float
    """After that stage had begun."""
    exit: int
    """-9 when the kill came in time."""
    fell_in: str
    """Stage that was last heard of."""
    share_done: float
    begun: list[str]
    """Stages that this run had to work on."""
    opens: bool
    """The project opened, with nothing half-written left in it."""
    done: list[str]
    """Stages whose results were there afterwards."""
    checkpoint: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class KillResults:
    """Written by ``kill_resume.py``."""

    __pydantic_config__ = STRICT
    schema: Literal["polytempo.bench.kill_resume"]
    version: Literal[1]
    commit: str
    machine: Machine
    seed: int
    checkpoint_secs: float
    """Time between checkpoints in these runs; the program's own is longer."""
    stage_seconds: dict[str, float]
    """Of the run that was left alone."""
    kills: list[Kill]
    fell_in: dict[str, int]
    all_open: bool
    same: bool
    """The clip written in the end equals that of the run that was left alone, byte by byte."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DamageAnswer:
    """What was done to one file, and what the program answered."""

    __pydantic_config__ = STRICT
    number: int
    kind: Literal["clip", "prompts", "masks", "project", "homographies"]
    what: str
    exit: int
    text: str
    bad: str
    """What is wrong with the answer; empty when nothing is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DamageResults:
    """Written by ``damage.py``."""

    __pydantic_config__ = STRICT
    schema: Literal["polytempo.bench.damage"]
    version: Literal[1]
    commit: str
    machine: Machine
    seed: int
    bad: int
    results: list[DamageAnswer]


@dataclass(frozen=True, kw_only=True, slots=True)
class PaperClaim:
    """Something that the paper says, as a figure with the margin that it must reach."""

    __pydantic_config__ = STRICT
    text: str
    value: float
    least: float
    met: bool
    open: bool = False
    """Known not to be shown at the size of the experiment; what is not met then fails no command."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PaperResults:
    """Written by the experiments under ``paper/``."""

    __pydantic_config__ = STRICT
    schema: Literal["polytempo.bench.paper"]
    version: Literal[1]
    commit: str
    machine: Machine
    threads: int | None
    """Threads that OpenMP was held to; None where it was left to choose."""
    experiment: str
    seeds: list[int]
    settings: dict[str, Any]
    """All else that the figures depend on."""
    cpu_seconds: float
    wall_seconds: float
    peak_mb: float
    claims: list[PaperClaim]
    table: list[dict[str, Any]]
    curves: dict[str, list[float]]


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodingRun:
    """One implementation of the hash grid at one size."""

    __pydantic_config__ = STRICT
    implementation: Literal["reference", "numba", "triton"]
    n_dims: int
    points: int
    levels: int
    threads: int
    seconds_forward: float
    seconds_backward: float
    seconds_median: float
    """Forward and backward."""
    seconds_iqr: float
    """Distance of the quartiles."""
    value_error: float
    """Largest difference from the reference; values of the table are normally distributed."""
    points_gradient_error: float
    """Relative to the largest gradient."""
    table_gradient_error: float
    """Relative to the largest gradient."""
    cpu_seconds_median: float | None = None
    """Of the process, over all its threads; older figures do not have it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodingGrowth:
    """How time grows along an axis, wall time over threads, else processor time: exponent of a power fitted."""

    __pydantic_config__ = STRICT
    implementation: str
    axis: Literal["points", "levels", "threads"]
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodingResults:
    """Written by ``encoding.py``."""

    __pydantic_config__ = STRICT
    schema: Literal["polytempo.bench.encoding"]
    version: Literal[1]
    commit: str
    machine: Machine
    other_load: float
    """Processes that wanted a core when the suite ended."""
    seed: int
    repeats: int
    runs: list[EncodingRun]
    growth: list[EncodingGrowth]


@dataclass(frozen=True, kw_only=True, slots=True)
class AtlasClip:
    """A clip by method ``nvd``; PSNR in dB, means over frames."""

    __pydantic_config__ = STRICT
    frames: int
    width: int
    height: int
    """Of the working size, at which the model is held against the frames."""
    layers: int
    """The background among them."""
    psnr: float
    """Of the model's picture, neither clamped nor rounded."""
    ssim: float
    psnr_unlit: float
    """Of the textures without their residuals."""
    stages: dict[str, StageCost]
    """Wall time."""
    cpu_seconds: dict[str, float]
    """Of each command, its start included; 0 or little where an earlier run's results were kept."""
    outputs: dict[str, dict[str, float | None]]
    """Retimed clips against rendered truth, where there is some."""
    below_bars: list[str]
    psnr_subjects: float | None = None
    psnr_rest: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AtlasResults:
    """Written by ``nvd.py``."""

    __pydantic_config__ = STRICT
    schema: Literal["polytempo.bench.nvd"]
    version: Literal[1]
    commit: str
    machine: Machine
    threads: int | None
    """Threads that OpenMP was held to; None where it was left to choose."""
    other_load: float
    """Processes that wanted a core when the suite began."""
    preset: str
    changed: list[str]
    """Settings that differ from the preset's."""
    clips: dict[str, AtlasClip]


KNOWN: dict[str, TypeAdapter[Any]] = {
    "polytempo.bench.encoding": TypeAdapter(EncodingResults),
    "polytempo.bench.nvd": TypeAdapter(AtlasResults),
    "polytempo.bench.truth": TypeAdapter(TruthResults),
    "polytempo.bench.speed": TypeAdapter(SpeedResults),
    "polytempo.bench.kill_resume": TypeAdapter(KillResults),
    "polytempo.bench.damage": TypeAdapter(DamageResults),
    "polytempo.bench.paper": TypeAdapter(PaperResults),
}


def check_results(document: dict[str, Any]) -> None:
    """Refuse a document that does not have its schema's shape; pydantic's error names the place."""
    schema = document.get("schema")
    if schema in KNOWN:
        KNOWN[schema].validate_python(json.loads(json.dumps(document)))
        return
    if not isinstance(schema, str) or not isinstance(document.get("version"), int) or "commit" not in document:
        raise ValueError("results must state schema, version and commit")
    TypeAdapter(Machine).validate_python(document.get("machine"))


def check_file(path: Path) -> None:
    """Refuse a results file that does not have its schema's shape."""
    check_results(json.loads(path.read_text(encoding="utf-8")))
