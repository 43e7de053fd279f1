from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytempo.camera.path import CameraPath, static_path
from polytempo.core.errors import InputError, ShapeError
from polytempo.objects.hand_trimap import LEAVE, HandTrimap, read_hand_trimap, with_hand_trimaps

SIZE = (32, 24)


def put(path: Path, picture: np.ndarray) -> Path:
    path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    return path


def drawing() -> np.ndarray:
    picture = np.zeros((48, 64, 4), np.uint8)
    picture[..., 3] = 255
    picture[:24, :32, :3] = 255
    picture[:24, 32:, :3] = 128
    picture[24:, :32, 3] = 0
    return picture


def test_white_grey_black_and_transparent_are_told_apart(tmp_path: Path) -> None:
    values = read_hand_trimap(put(tmp_path / "t.png", drawing()), clip_size=(64, 48), size=SIZE)
    assert values.shape == (24, 32)
    assert [int(values[y, x]) for y, x in ((5, 5), (5, 25), (20, 5), (20, 25))] == [2, 1, LEAVE, 0]
    grey = read_hand_trimap(put(tmp_path / "g.png", drawing()[..., 0]), clip_size=(64, 48), size=SIZE)
    assert int(grey[20, 5]) == 0


@given(start=st.integers(0, 5), length=st.integers(1, 6), seed=st.integers(0, 99))
def test_only_the_range_and_the_layer_change(start: int, length: int, seed: int) -> None:
    stop = min(start + length, 6)
    rng = np.random.default_rng(seed)
    trimap = rng.integers(0, 3, (6, 2, SIZE[1], SIZE[0]), np.uint8)
    values = rng.integers(0, 4, (SIZE[1], SIZE[0]), np.uint8)
    one = HandTrimap(layer="b", values=values, start=start, stop=stop)
    out = with_hand_trimaps(trimap, [one], layers=["a", "b"], camera=static_path(6, SIZE))
    assert np.array_equal(out[:, 0], trimap[:, 0])
    outside = [t for t in range(6) if not start <= t < stop]
    assert np.array_equal(out[outside], trimap[outside])
    for t in range(start, stop):
        assert np.array_equal(out[t, 1], np.where(values == LEAVE, trimap[t, 1], values))
    later = HandTrimap(layer="b", values=np.zeros_like(values), start=0, stop=6)
    both = with_hand_trimaps(trimap, [one, later], layers=["a", "b"], camera=static_path(6, SIZE))
    assert not both[:, 1].any()


def test_it_moves_with_the_camera() -> None:
    path = np.tile(np.eye(3), (3, 1, 1))
    path[:, 0, 2] = (0, 4, 8)
    camera = CameraPath(
        canvas_from_frame=path, canvas_size=(40, 24), frame_size=SIZE, kind="panning", residual_px=np.zeros(3)
    )
    values = np.full((24, 32), LEAVE, np.uint8)
    values[10:14, 20:24] = 2
    trimap = np.zeros((3, 1, 24, 32), np.uint8)
    out = with_hand_trimaps(
        trimap, [HandTrimap(layer="a", values=values, start=0, stop=3)], layers=["a"], camera=camera
    )
    for t in range(3):  # the camera moves right, the scene left
        assert (out[t, 0] == 2).sum() == 16
        assert (out[t, 0, 10:14, 20 - 4 * t : 24 - 4 * t] == 2).all()
    sure = with_hand_trimaps(
        trimap, [HandTrimap(layer="a", values=values * 0 + 2, start=0, stop=3)], layers=["a"], camera=camera
    )
    assert (sure[2, 0, :, :24] == 2).all()
    assert not sure[2, 0, :, 24:].any()  # was not to be seen on the frame that it was drawn on


@pytest.mark.refusal
def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    read = {"clip_size": (64, 48), "size": SIZE}
    with pytest.raises(InputError, match="can be read"):
        read_hand_trimap(tmp_path / "none.png", **read)
    (tmp_path / "torn.png").write_bytes(b"torn")
    with pytest.raises(InputError, match="a PNG picture of 8 bits"):
        read_hand_trimap(tmp_path / "torn.png", **read)
    colours = drawing()
    colours[0, 0, 0] = 0
    with pytest.raises(InputError, match="got colours"):
        read_hand_trimap(put(tmp_path / "c.png", colours), **read)
    with pytest.raises(InputError, match="transparent everywhere"):
        read_hand_trimap(put(tmp_path / "e.png", np.zeros((48, 64, 4), np.uint8)), **read)
    with pytest.raises(ShapeError, match="the clip's aspect, 64x48; got 64x40"):
        read_hand_trimap(put(tmp_path / "s.png", drawing()[:40]), **read)
    one = HandTrimap(layer="c", values=np.zeros((24, 32), np.uint8), start=0, stop=9)
    trimap = np.zeros((3, 1, 24, 32), np.uint8)
    with pytest.raises(InputError, match="got 'c'"):
        with_hand_trimaps(trimap, [one], layers=["a"], camera=static_path(3, SIZE))
    with pytest.raises(InputError, match="must lie in the clip, 0 to 3; got 0 to 9"):
        with_hand_trimaps(trimap, [one], layers=["c"], camera=static_path(3, SIZE))
