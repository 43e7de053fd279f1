"""Every results file that is committed has the shape it states."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest
from machine import commit, machine_facts
from pydantic import ValidationError
from result_schemas import check_file, check_results

BENCH = Path(__file__).resolve().parents[2] / "bench"
RUN = {
    "suite": "render", "frames": 12, "width": 64, "height": 48, "layers": 1, "seconds_median": 0.1, "seconds_iqr": 0.0,
    "seconds_all": [0.1], "seconds_first": 2.0, "frames_per_second": 120.0, "peak_mb": 300.0, "idle_mb": 250.0,
}  # fmt: skip
SPEED = {
    "schema": "polytempo.bench.speed", "version": 1, "commit": "abc", "machine": machine_facts(), "other_load": 0.1,
    "threads": 1,
    "seed": 0, "repeats": 1, "epochs": 3, "runs": [RUN],
    "growth": [{"suite": "render", "axis": "frames", "seconds": 1.0, "memory": 0.0}],
}  # fmt: skip


@pytest.mark.parametrize("path", sorted((BENCH / "results").glob("*.json")), ids=lambda p: p.name)
def test_committed_results_have_their_shape(path: Path) -> None:
    check_file(path)


def test_speed_results_are_taken() -> None:
    check_results(SPEED)


@pytest.mark.parametrize(
    ("place", "value"), [("seed", "none"), ("machine", {"host": "x"}), ("version", 2), ("surprise", 1)]
)
def test_other_shapes_are_refused(place: str, value: object) -> None:
    broken = copy.deepcopy(SPEED)
    broken[place] = value
    with pytest.raises(ValidationError):
        check_results(broken)


def test_unknown_suites_must_still_say_where_they_come_from() -> None:
    check_results({"schema": "x", "version": 1, "commit": "abc", "machine": machine_facts()})
    with pytest.raises(ValueError, match="results must state schema, version and commit"):
        check_results({"schema": "x", "machine": machine_facts()})


def test_a_machine_is_named_by_kind_only() -> None:
    facts = machine_facts()
    assert set(facts) == {"kind", "cores", "memory_gb", "gpu", "python", "torch"}
    assert str(facts["kind"]).startswith(f"{facts['cores']} cores, ")
    assert commit()


@pytest.mark.slow
def test_the_encoding_suite_runs(tmp_path: Path) -> None:
    out = tmp_path / "encoding.json"
    words = ["--tiny", "--repeats", "1", "--json", str(out)]
    done = subprocess.run(
        [sys.executable, str(BENCH / "encoding.py"), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    check_file(out)
    runs = json.loads(out.read_text())["runs"]
    assert {"reference", "numba"} <= {one["implementation"] for one in runs}
    assert all(one["value_error"] < 1e-5 and one["table_gradient_error"] < 1e-4 for one in runs)


@pytest.mark.slow
@pytest.mark.parametrize("suite", ["render", "propagate", "decompose"])
def test_the_speed_suites_run(suite: str, tmp_path: Path) -> None:
    out = tmp_path / "speed.json"
    words = ["--suite", suite, "--tiny", "--repeats", "1", "--json", str(out)]
    done = subprocess.run(
        [sys.executable, str(BENCH / "speed.py"), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    check_file(out)
    assert [one["axis"] for one in json.loads(out.read_text())["growth"]] == ["frames"]
