"""Motions before and after they were aligned, and the warp between them, as a picture anybody can open.

Source: the form is that of paper A, Fig. 5 (a).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import cv2
import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

WIDTH, ROW, LEFT, RIGHT, TOP, BOTTOM = 900, 190, 62, 18, 30, 26
LEADER = "#202124"
COLOURS = ("#d6452f", "#2b6c8f", "#3c8a3f", "#a06a00", "#7a4bb0", "#0f8b82")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PlottedMotion:
    """One motion, before and after."""

    name: str
    before: Float[np.ndarray, " T"]
    """Normalised, by output frame, as the clip has it."""
    after: Float[np.ndarray, " T"]
    """The same as the edit shows it; NaN where hidden."""
    sources: Float[np.ndarray, " T"]
    """Source frame shown in each output frame; NaN where hidden."""


@dataclass(frozen=True, slots=True)
class _Line:
    ys: NDArray[np.float64]
    colour: str
    name: str


def alignment_svg(leader: PlottedMotion, followers: Sequence[PlottedMotion], *, title: str) -> str:
    """Three plots one above the other as an SVG document: motions before, after, and source over output frame."""
    rows = _rows(leader, followers)
    height = len(rows) * ROW + 34
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(title, quote=True)}" font-family="system-ui, sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fafaf8"/>',
        f'<text x="{LEFT}" y="22" font-size="15" fill="#202124">{escape(title)}</text>',
    ]
    for number, (label, lines) in enumerate(rows):
        top = 34 + number * ROW
        x_of, y_of, (low, high) = _scales(lines, top)
        parts.append(f'<text x="{LEFT}" y="{top + 16}" fill="#6b6f76">{escape(label)}</text>')
        for value in (low, high):
            y = y_of(value)
            parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dcdcd6"/>')
            parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#6b6f76">{value:.3g}</text>')
        for place, line in enumerate(lines):
            for run in _runs(line.ys):
                points = " ".join(f"{x_of(x):.1f},{y_of(float(line.ys[x])):.1f}" for x in run)
                parts.append(f'<polyline points="{points}" fill="none" stroke="{line.colour}" stroke-width="1.8"/>')
            x = WIDTH - RIGHT - 110 * (len(lines) - place)
            parts.append(f'<text x="{x}" y="{top + 16}" fill="{line.colour}">{escape(line.name)}</text>')
        last = len(lines[0].ys) - 1
        parts.append(f'<text x="{LEFT}" y="{top + ROW - 8}" fill="#6b6f76">output frame 0</text>')
        parts.append(f'<text x="{WIDTH - RIGHT}" y="{top + ROW - 8}" text-anchor="end" fill="#6b6f76">{last}</text>')
    return "".join([*parts, "</svg>\n"])


def alignment_picture(leader: PlottedMotion, followers: Sequence[PlottedMotion], *, title: str) -> NDArray[np.uint8]:
    """The same as a picture ``uint8 [H, W, 3]``."""
    rows = _rows(leader, followers)
    picture = np.full((len(rows) * ROW + 34, WIDTH, 3), (250, 250, 248), np.uint8)
    _write(picture, title, (LEFT, 22), LEADER, size=0.5)
    for number, (label, lines) in enumerate(rows):
        top = 34 + number * ROW
        x_of, y_of, (low, high) = _scales(lines, top)
        _write(picture, label, (LEFT, top + 16), "#6b6f76")
        for value in (low, high):
            y = round(y_of(value))
            cv2.line(picture, (LEFT, y), (WIDTH - RIGHT, y), (220, 220, 214), 1)
            _write(picture, f"{value:.3g}", (6, y + 4), "#6b6f76")
        for place, line in enumerate(lines):
            for run in _runs(line.ys):
                points = np.array([[x_of(x) * 16, y_of(float(line.ys[x])) * 16] for x in run])
                cv2.polylines(
                    picture, [np.rint(points).astype(np.int32)], False, _rgb(line.colour), 2, cv2.LINE_AA, shift=4
                )
            _write(picture, line.name, (WIDTH - RIGHT - 110 * (len(lines) - place), top + 16), line.colour)
        _write(picture, f"output frame 0 to {len(lines[0].ys) - 1}", (LEFT, top + ROW - 8), "#6b6f76")
    return picture


def _rows(leader: PlottedMotion, followers: Sequence[PlottedMotion]) -> list[tuple[str, list[_Line]]]:
    everybody = [(leader, LEADER), *((one, COLOURS[k % len(COLOURS)]) for k, one in enumerate(followers))]
    return [
        (
            "motion in the clip, in standard deviations, as the picture runs downwards",
            [_Line(one.before, colour, one.name) for one, colour in everybody],
        ),
        ("motion in the edit", [_Line(one.after, colour, one.name) for one, colour in everybody]),
        ("source frame shown", [_Line(one.sources, colour, one.name) for one, colour in everybody]),
    ]


class _Scale:
    def __init__(self, low: float, high: float, start: float, stop: float) -> None:
        self._low, self._span, self._start, self._length = low, max(high - low, 1e-9), start, stop - start

    def __call__(self, value: float) -> float:
        return self._start + (float(value) - self._low) / self._span * self._length


def _scales(lines: Sequence[_Line], top: int) -> tuple[_Scale, _Scale, tuple[float, float]]:
    values = np.concatenate([line.ys[np.isfinite(line.ys)] for line in lines] or [np.zeros(1)])
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    across = _Scale(0, max(len(lines[0].ys) - 1, 1), LEFT, WIDTH - RIGHT)
    return across, _Scale(low, high, top + ROW - BOTTOM, top + TOP), (low, high)


def _runs(ys: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """Stretches of frames in which there is something to draw."""
    there = np.flatnonzero(np.isfinite(ys))
    return [run for run in np.split(there, np.flatnonzero(np.diff(there) > 1) + 1) if len(run)]


def _write(picture: NDArray[np.uint8], text: str, place: tuple[int, int], colour: str, *, size: float = 0.4) -> None:
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, _rgb(colour), 1, cv2.LINE_AA)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
