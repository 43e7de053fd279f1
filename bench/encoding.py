"""The hash grid's implementations side by side: agreement with the reference, time, and how it grows.

A pass is forward and backward, gradients of the table and of the coordinates. Processor time stands beside wall time:
it does not depend on who else is at work, but it says nothing of threads. Example:

    OMP_NUM_THREADS=1 python bench/encoding.py --json bench/results/encoding.json

Triton is measured where there is a CUDA device.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from machine import commit, machine_facts
from result_schemas import check_results
from speed import slope
from torch import Tensor

from polytempo.core.files import write_json
from polytempo.decompose.nvd.encoding.encode import Implementation, encoder
from polytempo.decompose.nvd.encoding.layout import GridConfig, grid_layout

SCHEMA, VERSION = "polytempo.bench.encoding", 1
AXES = ("points", "levels", "threads")


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """What is measured."""

    implementation: Implementation
    n_dims: int = 3
    points: int = 16_384
    levels: int = 16
    threads: int = 1


def cases(*, tiny: bool) -> list[Case]:
    """For each implementation the base case, then each axis alone."""
    names: list[Implementation] = ["reference", "numba", *(["triton"] if torch.cuda.is_available() else [])]
    out: list[Case] = []
    for name in names:
        base = Case(implementation=name, points=256) if tiny else Case(implementation=name)
        out += [base, Case(implementation=name, points=2 * base.points)]
        if not tiny:
            out += [Case(implementation=name, n_dims=2), Case(implementation=name, points=65_536)]
            out += [Case(implementation=name, levels=n) for n in (4, 8)]
            if name == "numba" and (os.cpu_count() or 1) > 1:
                out.append(Case(implementation=name, threads=2))
    return out


def main() -> int:
    """Measure every case, print, write."""
    given = arguments()
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "version": VERSION,
        "commit": commit(),
        "machine": machine_facts(),
        "other_load": round(os.getloadavg()[0], 1),
        "seed": given.seed,
        "repeats": given.repeats,
        "runs": [measure(case, repeats=given.repeats, seed=given.seed) for case in cases(tiny=given.tiny)],
        "growth": [],
    }
    document["growth"] = growth(document["runs"])
    for one in document["growth"]:
        print(f"{one['implementation']:<10} over {one['axis']:<8} seconds ~ n^{one['seconds']:.2f}")
    check_results(document)
    if given.json:
        write_json(given.json, document)
    return 0


def measure(case: Case, *, repeats: int, seed: int) -> dict[str, Any]:
    """Compare with the reference, then take the time."""
    layout = grid_layout(GridConfig(n_levels=case.levels), case.n_dims)
    device = "cuda" if case.implementation == "triton" else "cpu"
    generator = torch.Generator().manual_seed(seed)
    points = torch.rand(case.points, case.n_dims, generator=generator).to(device)
    table = torch.randn(layout.n_entries, layout.n_features, generator=generator).to(device)
    up = torch.randn(case.points, layout.n_outputs, generator=generator).to(device)

    def once(implementation: Implementation) -> tuple[float, float, float, tuple[Tensor, Tensor, Tensor]]:
        leaves = points.clone().requires_grad_(), table.clone().requires_grad_()
        processor, start = time.process_time(), now(device)
        out = encoder(implementation)(*leaves, layout)
        middle = now(device)
        of_points, of_table = torch.autograd.grad((out * up).sum(), leaves)
        end = now(device)
        return middle - start, end - middle, time.process_time() - processor, (out.detach(), of_points, of_table)

    before = torch.get_num_threads()
    torch.set_num_threads(case.threads)
    try:
        *_, expected = once("reference")
        *_, found = once(case.implementation)  # compiles, too
        times = [once(case.implementation)[:3] for _ in range(repeats)]
    finally:
        torch.set_num_threads(before)
    away = [float((a - b).abs().max()) for a, b in zip(found, expected, strict=True)]
    away[1:] = [one / float(b.abs().max()) for one, b in zip(away[1:], expected[1:], strict=True)]
    both = [sum(one[:2]) for one in times]
    quartiles = statistics.quantiles(both, n=4) if repeats > 1 else [both[0]] * 3
    run = {
        **asdict(case),
        "seconds_forward": round(statistics.median(one[0] for one in times), 6),
        "seconds_backward": round(statistics.median(one[1] for one in times), 6),
        "seconds_median": round(statistics.median(both), 6),
        "seconds_iqr": round(quartiles[2] - quartiles[0], 6),
        "cpu_seconds_median": round(statistics.median(one[2] for one in times), 6),
        "value_error": away[0],
        "points_gradient_error": away[1],
        "table_gradient_error": away[2],
    }
    print(
        f"{case.implementation:<10} {case.n_dims}-D {case.points:>6} points {case.levels:>2} levels {case.threads} t: "
        f"{1e3 * run['seconds_forward']:.1f} + {1e3 * run['seconds_backward']:.1f} ms, "
        f"processor {1e3 * run['cpu_seconds_median']:.1f} ms, off by {away[0]:.1e}, "
        f"gradients by {max(away[1:]):.1e}",
        flush=True,
    )
    return run


def now(device: str) -> float:
    """Time, with nothing left to do on the device."""
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def growth(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Exponents along each axis that was varied alone, by implementation; the first run of one is its base.

    Of processor time, but over threads, which are there to save wall time.
    """
    out: list[dict[str, Any]] = []
    for name in dict.fromkeys(one["implementation"] for one in runs):
        of_it = [one for one in runs if one["implementation"] == name]
        for axis in AXES:
            others = {"n_dims", *AXES} - {axis}
            along = [one for one in of_it if all(one[other] == of_it[0][other] for other in others)]
            if len({one[axis] for one in along}) > 1:
                measure = "seconds_median" if axis == "threads" or "triton" in name else "cpu_seconds_median"
                x, y = ([float(torch.tensor(one[key]).log()) for one in along] for key in (axis, measure))
                out.append({"implementation": name, "axis": axis, "seconds": round(slope(x, y), 2)})
    return out


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7, help="passes measured, after one that is not")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--tiny", action="store_true", help="small cases, to see that it works")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
