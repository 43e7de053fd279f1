from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytempo.bodies.iuv_import import read_iuv
from polytempo.core.errors import InputError, ShapeError


def put(file: Path, channels: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(cv2.imencode(".png", channels)[1].tobytes())


def densepose(part: int, u: int, v: int) -> np.ndarray:
    out = np.zeros((6, 8, 3), np.uint8)
    out[1:4, 2:5] = part, u, v
    return out


def test_densepose_is_read_in_its_own_order(tmp_path: Path) -> None:
    put(tmp_path / "0001_IUV.png", densepose(7, 255, 51))
    put(tmp_path / "0003_IUV.png", densepose(24, 0, 0))
    found = read_iuv(tmp_path, n_frames=3, size=(8, 6))
    assert found.part[0, 2, 3] == 7
    assert found.uv[0, 2, 3].tolist() == pytest.approx([1.0, 0.2], abs=1e-3)
    assert not found.part[1].any()  # a missing frame is empty
    assert found.part[2, 2, 3] == 24
    assert (found.uv[found.part == 0] == 0).all()


@given(part=st.integers(1, 24), truncated=st.booleans(), person=st.integers(1, 3))
def test_the_released_layout_survives_truncation(part: int, truncated: bool, person: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        channels = np.zeros((6, 8, 4), np.uint8)
        channels[1:4, 2:5] = 204, 102, 10 * part - int(truncated), 255 - person  # blue V, green U, red part
        put(Path(name) / "0.png", channels)
        found = read_iuv(Path(name), n_frames=1, size=(8, 6), person=person)
        assert found.part[0, 2, 2] == part
        assert found.uv[0, 2, 2].tolist() == pytest.approx([0.4, 0.8], abs=1e-3)
        with pytest.raises(InputError, match="person 9 must be visible"):
            read_iuv(Path(name), n_frames=1, size=(8, 6), person=9)


@pytest.mark.refusal
def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="folder of PNG files"):
        read_iuv(tmp_path / "none", n_frames=1, size=(8, 6))
    put(tmp_path / "a" / "0.png", densepose(25, 1, 1))
    with pytest.raises(InputError, match="parts must be 0 to 24; got 25 in frame 0"):
        read_iuv(tmp_path / "a", n_frames=1, size=(8, 6))
    put(tmp_path / "b" / "5.png", densepose(1, 1, 1))
    with pytest.raises(InputError, match="0 to 1; got frame 5"):
        read_iuv(tmp_path / "b", n_frames=2, size=(8, 6))
    put(tmp_path / "c" / "0.png", densepose(1, 1, 1)[..., 0])
    with pytest.raises(ShapeError, match="three or four channels"):
        read_iuv(tmp_path / "c", n_frames=1, size=(8, 6))
    put(tmp_path / "d" / "0.png", densepose(0, 0, 0))
    with pytest.raises(InputError, match="anybody must be visible"):
        read_iuv(tmp_path / "d", n_frames=1, size=(8, 6))
    with pytest.raises(ShapeError, match="the clip's aspect, 8x8; got 8x6"):
        read_iuv(tmp_path / "d", n_frames=1, size=(8, 8))
    put(tmp_path / "e" / "first.png", densepose(1, 0, 0))
    with pytest.raises(InputError, match="frame number"):
        read_iuv(tmp_path / "e", n_frames=1, size=(8, 6))
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "0.png").write_bytes(b"torn")
    with pytest.raises(InputError, match="can be read"):
        read_iuv(tmp_path / "f", n_frames=1, size=(8, 6))
