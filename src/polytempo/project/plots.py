"""Small line plots as inline SVG, so that a report needs no other file."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 720, 150, 48, 24, 12, 12


def line_plot(
    xs: Sequence[float], ys: Sequence[float], *, label: str, unit: str, from_zero: bool = True, bar: float | None = None
) -> str:
    """Draw values over frames as an SVG element.

    Args:
        xs: Frame numbers, ascending.
        ys: A value each.
        label: What is drawn, for those who cannot see it.
        unit: Unit of the values.
        from_zero: Let the scale begin at 0.
        bar: A value to mark by a dashed line.
    """
    low, high = (0.0, max([*ys, bar or 0.0])) if from_zero else (min(ys), max(ys))
    if from_zero and high < 1e-9:
        high = 1.0
    elif not from_zero and high - low < 2.0:  # noise must not fill the picture
        low, high = (low + high) / 2 - 1, (low + high) / 2 + 1
    span = max(xs[-1] - xs[0], 1)

    def x_of(x: float) -> float:
        return LEFT + (x - xs[0]) / span * (WIDTH - LEFT - RIGHT)

    def y_of(y: float) -> float:
        return HEIGHT - BOTTOM - (y - low) / (high - low) * (HEIGHT - BOTTOM - TOP)

    points = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in zip(xs, ys, strict=True))
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label, quote=True)}">',
        f'<line class="axis" x1="{LEFT}" y1="{y_of(low):.1f}" x2="{WIDTH - RIGHT}" y2="{y_of(low):.1f}"/>',
        f'<line class="grid" x1="{LEFT}" y1="{y_of(high):.1f}" x2="{WIDTH - RIGHT}" y2="{y_of(high):.1f}"/>',
    ]
    for value in (low, high):
        parts.append(f'<text x="{LEFT - 6}" y="{y_of(value) + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 6}">frame {xs[0]:g}</text>')
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" text-anchor="end">frame {xs[-1]:g}</text>')
    parts.append(f'<text x="{LEFT + 6}" y="{TOP + 10}">{escape(unit)}</text>')
    if bar is not None:
        parts.append(f'<line class="bar" x1="{LEFT}" y1="{y_of(bar):.1f}" x2="{WIDTH - RIGHT}" y2="{y_of(bar):.1f}"/>')
    if len(xs) == 1:
        parts.append(f'<circle class="line" cx="{x_of(xs[0]):.1f}" cy="{y_of(ys[0]):.1f}" r="3"/>')
    else:
        parts.append(f'<polyline class="line" points="{points}"/>')
    parts.append("</svg>")
    return "".join(parts)
