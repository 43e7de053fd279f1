"""The measures of TAP-Vid against cases worked by hand, and its data as npz."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytempo.core.errors import InputError, ShapeError
from polytempo.layers.tap_vid import (
    PointTracks,
    first_queries,
    read_tap_vid,
    strided_queries,
    tap_vid_scores,
)


def tracks(seed: int, n: int = 5, t: int = 12) -> PointTracks:
    rng = np.random.default_rng(seed)
    occluded = rng.random((n, t)) < 0.3
    occluded[0, :2] = False
    return PointTracks(points=rng.uniform(0, 100, (n, t, 2)), occluded=occluded, size=(120, 90))


def asked(truth: PointTracks, queries: np.ndarray) -> PointTracks:
    return PointTracks(
        points=truth.points[queries[:, 0]].copy(), occluded=truth.occluded[queries[:, 0]].copy(), size=truth.size
    )


def test_the_raster_begins_at_the_corner_of_the_first_pixel() -> None:
    one = PointTracks(points=np.array([[[0.0, 0.0], [119.0, 89.0]]]), occluded=np.zeros((1, 2), bool), size=(120, 90))
    assert np.allclose(one.on_raster[0], [[256 / 240, 256 / 180], [256 - 256 / 240, 256 - 256 / 180]])


def test_a_case_worked_by_hand() -> None:
    """Errors 0.5, 3 and 30 px after the query, truth hidden in the last frame, always said to be seen."""
    truth = PointTracks(points=np.zeros((1, 4, 2)), occluded=np.array([[0, 0, 0, 1]], bool), size=(256, 256))
    found = replace(truth, points=np.array([[[0, 0], [0.5, 0], [3, 0], [30, 0.0]]]), occluded=np.zeros((1, 4), bool))
    row = tap_vid_scores(found, truth, first_queries(truth))
    assert row.jaccard == pytest.approx((1 / 4, 1 / 4, 2 / 3, 2 / 3, 2 / 3))
    assert row.within == pytest.approx((0.5, 0.5, 1, 1, 1))
    assert (row.average_jaccard, row.delta_average) == (pytest.approx(0.5), pytest.approx(0.8))
    assert row.occlusion_accuracy == pytest.approx(2 / 3)
    touching = replace(found, points=np.array([[[0, 0], [1.0, 0], [2.0, 0], [0, 0.0]]]))
    assert tap_vid_scores(touching, truth, first_queries(truth)).within[:2] == (0.0, 0.5)  # strictly below


@given(seed=st.integers(0, 10**6))
def test_the_truth_is_perfect_and_anything_else_no_better(seed: int) -> None:
    truth = tracks(seed)
    for mode, queries in (("first", first_queries(truth)), ("strided", strided_queries(truth))):
        assert not truth.occluded[queries[:, 0], queries[:, 1]].any()
        if not (~truth.occluded[queries[:, 0]].any()):
            continue
        perfect = asked(truth, queries)
        row = tap_vid_scores(perfect, truth, queries, mode=mode)  # type: ignore[arg-type]
        assert (row.average_jaccard, row.delta_average, row.occlusion_accuracy) == (1, 1, 1)
        off = replace(perfect, points=perfect.points + np.random.default_rng(seed).normal(0, 3, perfect.points.shape))
        worse = tap_vid_scores(off, truth, queries, mode=mode)  # type: ignore[arg-type]
        assert worse.average_jaccard <= worse.delta_average + 1e-12
        assert np.all(np.diff(worse.within) >= 0)
        hidden = replace(perfect, occluded=np.ones_like(perfect.occluded))
        assert tap_vid_scores(hidden, truth, queries, mode=mode).average_jaccard == 0  # type: ignore[arg-type]


def test_queries_are_where_points_are_seen() -> None:
    occluded = np.ones((3, 12), bool)
    occluded[0, 4:], occluded[2, [0, 5, 6]] = False, False
    truth = PointTracks(points=np.zeros((3, 12, 2)), occluded=occluded, size=(9, 9))
    assert first_queries(truth).tolist() == [[0, 4], [2, 0]]
    assert strided_queries(truth).tolist() == [[0, 5], [0, 10], [2, 0], [2, 5]]


def test_tracks_are_read_from_npz(tmp_path: Path) -> None:
    path = tmp_path / "one.npz"
    points = np.array([[[0.0, 0.0], [1.0, 0.5]]], np.float32)
    np.savez(path, video=np.zeros((2, 4, 6, 3), np.uint8), points=points, occluded=np.array([[False, True]]))
    found = read_tap_vid(path, size=(6, 4))
    assert np.allclose(found.points, [[[-0.5, -0.5], [5.5, 1.5]]])
    assert found.occluded.tolist() == [[False, True]]


class Trap:
    """Would leave a trace if anybody unpickled it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


@pytest.mark.refusal
def test_what_is_no_plain_data_is_refused(tmp_path: Path) -> None:
    path, sprung = tmp_path / "one.npz", tmp_path / "sprung"
    with pytest.raises(InputError, match="a npz of plain arrays"):
        read_tap_vid(path, size=(6, 4))
    path.write_bytes(pickle.dumps({"points": Trap(sprung)}))
    with pytest.raises(InputError, match="a npz of plain arrays"):
        read_tap_vid(path, size=(6, 4))
    np.savez(path, points=np.array([Trap(sprung)], object), occluded=np.zeros((1, 2), bool))
    with pytest.raises(InputError, match="a npz of plain arrays"):
        read_tap_vid(path, size=(6, 4))
    assert not sprung.exists()
    np.savez(path, points=np.zeros((1, 2, 2)))
    with pytest.raises(InputError, match="must hold points and occluded"):
        read_tap_vid(path, size=(6, 4))
    np.savez(path, points=np.zeros((1, 2, 2), int), occluded=np.zeros((1, 2), bool))
    with pytest.raises(InputError, match="finite floats and occluded booleans; got int64 and bool"):
        read_tap_vid(path, size=(6, 4))
    np.savez(path, points=np.zeros((1, 3, 2)), occluded=np.zeros((1, 2), bool))
    with pytest.raises(ShapeError, match=r"points \[N, T, 2\]"):
        read_tap_vid(path, size=(6, 4))
    truth = tracks(0)
    with pytest.raises(ShapeError, match="a track for each of 4 queries"):
        tap_vid_scores(truth, truth, first_queries(truth)[:4])
    never = replace(truth, occluded=np.ones_like(truth.occluded))
    with pytest.raises(InputError, match="seen in some frame"):
        tap_vid_scores(
            replace(truth, points=truth.points[:0], occluded=truth.occluded[:0]), never, first_queries(never)
        )
