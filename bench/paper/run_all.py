"""Every experiment after the other, each as its own command; what fails does not stop the rest.

Example, with ``--keep`` to put tables and figures where they are kept:

    OMP_NUM_THREADS=1 python bench/paper/run_all.py --out out/paper --keep
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
EXPERIMENTS = (
    "figure_4",
    "figure_6",
    "figure_7",
    "figure_10",
    "figure_11",
    "figure_12",
    "curriculum",
    "ablations",
    "cost",
)


def main() -> int:
    """Run them, tell which claims do not hold; 1 where there is one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--only", nargs="+", choices=EXPERIMENTS, default=list(EXPERIMENTS))
    parser.add_argument("--keep", action="store_true", help="copy to bench/results and docs/images")
    given = parser.parse_args()
    codes: dict[str, int] = {}
    for name in given.only:
        print(f"== {name}", flush=True)
        command = [sys.executable, str(HERE / f"{name}.py"), "--out", str(given.out)]
        codes[name] = subprocess.run(command, check=False).returncode
    if given.keep:
        for file in given.out.glob("paper-*.json"):
            shutil.copy(file, ROOT / "bench" / "results" / file.name)
        for file in given.out.glob("*.png"):
            shutil.copy(file, ROOT / "docs" / "images" / f"paper-{file.name}")
    failed = [name for name, code in codes.items() if code != 0]
    print(f"not met or not run: {', '.join(failed) or 'nothing'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
