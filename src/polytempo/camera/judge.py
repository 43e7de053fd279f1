"""How well the homographies explain the camera, and what they do not explain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray

from polytempo.camera.bundle import transfer_errors
from polytempo.camera.features import Pairing
from polytempo.camera.rough import RoughPath

BAD_PX = 1.5
"""Median error, at working size, from which a part of the frame moves otherwise than the homography says."""


def median_errors(pairings: Sequence[Pairing], path: Float64[np.ndarray, "T 3 3"]) -> Float64[np.ndarray, " T"]:
    """Median transfer error of the agreeing points per frame, in pixels; 0 for a frame without any."""
    errors: list[list[NDArray[np.float64]]] = [[] for _ in path]
    for pairing in pairings:
        error = transfer_errors(pairing, path)[pairing.inlier]
        errors[pairing.source].append(error)
        errors[pairing.target].append(error)
    return np.array([float(np.median(np.concatenate(e))) if e else 0.0 for e in errors])


def camera_warnings(
    rough: RoughPath,
    pairings: Sequence[Pairing],
    path: Float64[np.ndarray, "T 3 3"],
    *,
    size: tuple[int, int],
    spreads: Float64[np.ndarray, " T"],
    has_masks: bool,
) -> tuple[str, ...]:
    """Say in sentences what the fit does not explain.

    Args:
        rough: How the frames were chained.
        pairings: All matched pairs.
        path: The final homographies.
        size: ``(width, height)`` of the frames matched.
        spreads: Difference of each frame from the plate, in grey levels.
        has_masks: Whether moving subjects were left out; if not, more disagreement is taken for people.
    """
    found: list[str] = []
    if len(rough.unplaced) >= len(path) - 1 and len(path) > 1:
        found.append("No frame shows enough texture to follow the camera; it is taken to stand still.")
    elif rough.unplaced:
        found.append(f"Too blurred or too plain to match, laid between their neighbours: {_frames(rough.unplaced)}.")
    if rough.cuts:
        found.append(f"Nothing connects these frames to those before them (a cut?): {_frames(rough.cuts)}.")
    share = _disagreeing_share(pairings, path, size)
    apart = np.nonzero(share > (0.3 if has_masks else 0.45))[0]
    if len(apart):
        found.append(
            f"Parts of the picture move otherwise than one plane does (parallax: the camera moves, not only turns): "
            f"{_frames(apart)}."
        )
    finite = spreads[np.isfinite(spreads)]
    if len(finite):
        odd = np.nonzero(np.isfinite(spreads) & (spreads > 3 * np.median(finite) + 6))[0]
        if len(odd):
            found.append(f"Much unlike the other frames once aligned (flash, blur or a wrong fit): {_frames(odd)}.")
    return tuple(found)


def _disagreeing_share(
    pairings: Sequence[Pairing], path: Float64[np.ndarray, "T 3 3"], size: tuple[int, int]
) -> Float64[np.ndarray, " T"]:
    """Share of the frame's parts whose points mostly miss, per frame; points that miss by far are false matches."""
    columns, rows = 6, 4
    errors: list[list[NDArray[np.float64]]] = [[] for _ in path]
    cells: list[list[NDArray[np.int_]]] = [[] for _ in path]
    for pairing in pairings:
        error = transfer_errors(pairing, path)
        believed = error < 0.08 * size[0]
        cell = (pairing.source_points / (np.array(size) / (columns, rows))).astype(int)
        index = np.clip(cell[:, 0], 0, columns - 1) + columns * np.clip(cell[:, 1], 0, rows - 1)
        errors[pairing.source].append(error[believed])
        cells[pairing.source].append(index[believed])
    share = np.zeros(len(path))
    for t in range(len(path)):
        if not errors[t]:
            continue
        error, cell = np.concatenate(errors[t]), np.concatenate(cells[t])
        medians = [np.median(error[cell == n]) for n in range(columns * rows) if (cell == n).sum() >= 4]
        if len(medians) >= 4:
            share[t] = float(np.mean(np.array(medians) > BAD_PX))
    return share


def _frames(frames: Sequence[int] | NDArray[np.int_]) -> str:
    """Frame numbers as ranges, e.g. ``frames 3 to 7, 12``."""
    runs: list[list[int]] = []
    for frame in (int(f) for f in frames):
        if runs and frame == runs[-1][1] + 1:
            runs[-1][1] = frame
        else:
            runs.append([frame, frame])
    words = [str(a) if a == b else f"{a} to {b}" for a, b in runs]
    listed = ", ".join(words[:8]) + (f" and {len(words) - 8} more" if len(words) > 8 else "")
    return f"frame{'s' if len(frames) > 1 else ''} {listed}"
