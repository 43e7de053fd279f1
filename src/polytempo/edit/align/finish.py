"""Photo-finish: when does each subject cross a line, and how do all come to cross it together?"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.camera.warp import moved_points
from polytempo.core.errors import InputError
from polytempo.edit.align.warp import map_of_pairs
from polytempo.edit.timemap import TimeMap

WHERE = "edit.align.finish"


def crossing_frame(
    name: str,
    masks: Bool[np.ndarray, "T H W"],
    camera: CameraPath,
    *,
    line: tuple[tuple[float, float], tuple[float, float]],
    seen_in: int,
) -> float:
    """Frame at which a subject's front first crosses a line, between two frames in proportion.

    The front is the pixel of the body that lies farthest in the direction in which the body moves across the line.

    Args:
        name: Whose crossing it is, for messages.
        masks: Amodal masks at the camera's frame size.
        camera: The line stays on the canvas, so the camera may move.
        line: Two points ``(x, y)`` in pixels of frame ``seen_in``; it goes on beyond them.
        seen_in: Frame in which the line was drawn.

    Raises:
        InputError: the two points are one, or the subject never crosses.

    Source: paper A, Section 6.2 (its running children cross a faint finish line together).
    """
    ends = np.array(line, np.float64)
    if np.hypot(*(ends[1] - ends[0])) < 1:
        raise InputError(
            WHERE, "a finish line must have two different points", got=f"{line[0][0]:g}, {line[0][1]:g} twice"
        )
    (x0, y0), (x1, y1) = moved_points(ends, camera.canvas_from_frame[seen_in])
    normal = np.array([y0 - y1, x1 - x0]) / np.hypot(x1 - x0, y1 - y0)
    reach = np.full((len(masks), 3), np.nan)
    for t, mask in enumerate(masks):
        rows, columns = np.nonzero(mask)
        if len(rows):
            points = np.stack([columns, rows], axis=1).astype(np.float64)
            beyond = (moved_points(points, camera.canvas_from_frame[t]) - (x0, y0)) @ normal
            reach[t] = beyond.min(), beyond.mean(), beyond.max()
    seen = np.flatnonzero(np.isfinite(reach[:, 1]))
    if len(seen) >= 2:
        forward = reach[seen[-1], 1] >= reach[seen[0], 1]
        front: NDArray[np.float64] = reach[seen, 2] if forward else -reach[seen, 0]
        for k in range(1, len(seen)):
            if front[k - 1] < 0 <= front[k]:
                share = front[k - 1] / (front[k - 1] - front[k])
                return float(seen[k - 1] + share * (seen[k] - seen[k - 1]))
    raise InputError(
        WHERE,
        f"{name} must cross the line",
        got="a subject that stays on one side",
        todo="Draw the line elsewhere, or leave the subject out",
    )


def finish_map(
    crossing: Fraction, *, together: Fraction, duration: Fraction, source_duration: Fraction, fastest: Fraction
) -> TimeMap:
    """The map that shows a crossing at a given moment of the output, at bounded speed; normal speed from there on.

    Somebody who would have to run slower than ``1 / fastest`` first stands still; somebody who would have to run faster
    than ``fastest`` begins later in the clip.

    Args:
        crossing: Source time of the crossing.
        together: Output time at which all cross.
        duration: Length of the output.
        source_duration: Length of the clip.
        fastest: Highest speed; its inverse is the slowest.

    Raises:
        InputError: a time lies outside, or the limit is below 1.
    """
    if not (0 < together < duration and 0 < crossing <= source_duration):
        raise InputError(
            WHERE,
            f"crossings must lie within the clip, 0 to {float(source_duration):g} s, and the edit",
            got=f"{float(crossing):g} s to be shown at {float(together):g} s",
        )
    if fastest < 1:
        raise InputError(WHERE, "the limit on speed must be 1 or more", got=f"{float(fastest):g}")
    zero = Fraction(0)
    speed = crossing / together
    pairs = [(zero, max(crossing - fastest * together, zero))]
    if speed < 1 / fastest:
        pairs.append((together - crossing * fastest, zero))
    pairs.append((together, crossing))
    left = min(duration - together, source_duration - crossing)
    if left > 0:
        pairs.append((together + left, crossing + left))
    if together + left < duration:
        pairs.append((duration, crossing + left))
    return map_of_pairs(pairs)
