"""Make one picture of a clip and its retimed self, some moments side by side.

python examples/picture.py out/demo/input.mp4 out/demo/retimed.mp4 -o docs/images/demo.png --frames 2 14 34
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from polytempo.core.files import write_bytes
from polytempo.project.report import encoded
from polytempo.project.sheet import contact_sheet
from polytempo.video.probe import probe
from polytempo.video.reader import ClipReader


def main() -> int:
    """Write the picture."""
    given = arguments()
    rows = [("input", frames_of(given.before, given.frames)), ("retimed", frames_of(given.after, given.frames))]
    titles = [f"frame {t}" for t in given.frames]
    write_bytes(given.output, encoded(contact_sheet(rows, titles, cell_width=given.width), ".png"))
    print(f"{given.output}: {given.output.stat().st_size / 1000:.0f} kB")
    return 0


def frames_of(path: Path, frames: list[int]) -> list[NDArray[np.uint8]]:
    """Give some frames of a clip, smoothed a little: grain is most of a PNG's bytes."""
    with ClipReader(probe(path)) as reader:
        return [np.asarray(cv2.bilateralFilter(np.array(reader[t]), 5, 18, 3), np.uint8) // 4 * 4 for t in frames]


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--frames", type=int, nargs="+", default=[8, 24, 40])
    parser.add_argument("--width", type=int, default=300, help="of one frame in the picture")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
