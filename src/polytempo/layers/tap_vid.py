"""How well points are followed through a clip: the measures of TAP-Vid, and its data saved as npz."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from polytempo.core.errors import InputError, ShapeError

WHERE = "layers.tap_vid"
RASTER = 256
"""Pixels of the square raster on which distances are measured."""
THRESHOLDS = (1, 2, 4, 8, 16)
"""Pixels of the raster; a point is near enough strictly below."""
STRIDE = 5
"""Frames between queries of mode ``strided``."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PointTracks:
    """Points through all frames of a clip."""

    points: Float[np.ndarray, "N T 2"]
    """``(x, y)`` in pixels of the clip, centres at whole numbers."""
    occluded: Bool[np.ndarray, "N T"]
    """True where a point cannot be seen; its place is then a guess."""
    size: tuple[int, int]
    """``(width, height)`` of the clip."""

    def __post_init__(self) -> None:
        """Refuse what does not belong together.

        Raises:
            ShapeError: points and occlusion have different shapes.
        """
        if self.points.ndim != 3 or self.points.shape[2] != 2 or self.points.shape[:2] != self.occluded.shape:
            raise ShapeError(
                WHERE, "tracks must be points [N, T, 2] and occlusion [N, T]",
                got=f"{self.points.shape} and {self.occluded.shape}",
            )  # fmt: skip

    @property
    def on_raster(self) -> NDArray[np.float64]:
        """Points on a raster of 256 x 256, whose outer corner is (0, 0).

        Source: Doersch et al., TAP-Vid, NeurIPS 2022, and its evaluation's conventions.
        """
        return (self.points + 0.5) * (RASTER / np.array(self.size, float))


@dataclass(frozen=True, kw_only=True, slots=True)
class TapVidScores:
    """All 0…1; larger is better."""

    average_jaccard: float
    delta_average: float
    """Share of visible points that are near enough, mean over the thresholds; what was said of occlusion is ignored."""
    occlusion_accuracy: float
    jaccard: tuple[float, ...]
    """By threshold."""
    within: tuple[float, ...]
    """By threshold."""


def first_queries(truth: PointTracks) -> Int[np.ndarray, "Q 2"]:
    """Track and frame of every query in mode ``first``: where a track is first seen; tracks never seen have none."""
    seen = ~truth.occluded
    tracks = np.flatnonzero(seen.any(1))
    return np.stack([tracks, seen[tracks].argmax(1)], 1)


def strided_queries(truth: PointTracks) -> Int[np.ndarray, "Q 2"]:
    """Track and frame of every query in mode ``strided``: on every fifth frame, wherever a track is seen."""
    frames = np.arange(0, truth.occluded.shape[1], STRIDE)
    tracks, places = np.nonzero(~truth.occluded[:, frames])
    return np.stack([tracks, frames[places]], 1)


def tap_vid_scores(
    predicted: PointTracks,
    truth: PointTracks,
    queries: Int[np.ndarray, "Q 2"],
    *,
    mode: Literal["first", "strided"] = "first",
) -> TapVidScores:
    """Average Jaccard, delta average and occlusion accuracy over the queries of a clip.

    Args:
        predicted: A track for each query, in their order.
        truth: The true tracks.
        queries: Track and frame of each; see ``first_queries``.
        mode: ``first`` looks at frames after the query's alone, ``strided`` at all but the query's.

    Raises:
        ShapeError: there is not one predicted track a query, or the clips differ.
        InputError: no frame is left to look at, or no point is ever seen in those.

    Source: Doersch et al., TAP-Vid, NeurIPS 2022; paper B, Section 4.4.

    Example:
        >>> still = np.zeros((1, 4, 2))
        >>> off = still + np.array([0, 0.5, 3, 30])[None, :, None] * [[[1, 0]]]
        >>> hidden = np.array([[False, False, False, True]])
        >>> truth = PointTracks(points=still, occluded=hidden, size=(256, 256))
        >>> guess = PointTracks(points=off, occluded=np.zeros_like(hidden), size=(256, 256))
        >>> found = tap_vid_scores(guess, truth, first_queries(truth))
        >>> round(found.average_jaccard, 6), round(found.delta_average, 6), round(found.occlusion_accuracy, 6)
        (0.5, 0.8, 0.666667)
    """
    n_frames = truth.occluded.shape[1]
    if predicted.occluded.shape != (len(queries), n_frames) or predicted.size != truth.size:
        raise ShapeError(
            WHERE, f"there must be a track for each of {len(queries)} queries, over {n_frames} frames of {truth.size}",
            got=f"{predicted.occluded.shape} of {predicted.size}",
        )  # fmt: skip
    frames, asked = np.arange(n_frames)[None], queries[:, 1:]
    looked = frames > asked if mode == "first" else frames != asked
    hidden, said_hidden = truth.occluded[queries[:, 0]], predicted.occluded
    if not (looked & ~hidden).any():
        raise InputError(WHERE, "a point must be seen in some frame beside its query's", got="none that is")
    error = np.linalg.norm(predicted.on_raster - truth.on_raster[queries[:, 0]], axis=-1)
    seen = looked & ~hidden
    jaccard: list[float] = []
    within: list[float] = []
    for threshold in THRESHOLDS:
        near = error < threshold
        within.append(float((near & seen).sum() / seen.sum()))
        hits = (near & seen & ~said_hidden).sum()
        false = (looked & ~said_hidden & (hidden | ~near)).sum()
        jaccard.append(float(hits / (seen.sum() + false)))
    return TapVidScores(
        average_jaccard=float(np.mean(jaccard)),
        delta_average=float(np.mean(within)),
        occlusion_accuracy=float((hidden == said_hidden)[looked].mean()),
        jaccard=tuple(jaccard),
        within=tuple(within),
    )


def read_tap_vid(path: Path, *, size: tuple[int, int]) -> PointTracks:
    """Read the tracks of one clip of TAP-Vid, saved as npz: ``points`` ``[N, T, 2]`` of 0…1, ``occluded`` ``[N, T]``.

    The benchmark itself comes as pickles, which run whatever is in them when they are opened; they are not read.

    Args:
        path: The file; a ``video`` in it is left alone.
        size: ``(width, height)`` of the clip.

    Raises:
        InputError: it cannot be read, holds objects, lacks an array, or one is not what it must be.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            points, occluded = (np.asarray(file[name]) for name in ("points", "occluded"))
    except KeyError as error:
        raise InputError(WHERE, "the file must hold points and occluded", got=str(error.args[0]), path=path) from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            WHERE, "tracks must be a npz of plain arrays", got=str(error).splitlines()[0],
            todo="Save them with numpy.savez(path, points=points, occluded=occluded)", path=path,
        ) from error  # fmt: skip
    if points.dtype.kind != "f" or occluded.dtype != np.bool_ or not np.isfinite(points).all():
        raise InputError(
            WHERE, "points must be finite floats and occluded booleans", got=f"{points.dtype} and {occluded.dtype}",
            path=path,
        )  # fmt: skip
    scaled = points.astype(np.float64) * size - 0.5
    return PointTracks(points=scaled, occluded=occluded, size=size)
