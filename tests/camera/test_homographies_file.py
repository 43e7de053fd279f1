from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polytempo.camera.canvas import canvas_path
from polytempo.camera.homographies_file import read_homographies, write_homographies
from polytempo.camera.path import CameraPath
from polytempo.core.errors import InputError
from support.filmed import shifted


def _camera() -> CameraPath:
    truth = np.stack([shifted(8.0 * t, 0.3 * t, turn=0.002 * t, tilt=1e-5 * t) for t in range(5)])
    return canvas_path(truth, frame_size=(80, 60), kind="panning", residual_px=np.zeros(5))


def _read(path: Path, n_frames: int = 5) -> CameraPath:
    return read_homographies(path, frame_size=(80, 60), n_frames=n_frames)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    write_homographies(tmp_path / "h.txt", _camera())
    camera = _read(tmp_path / "h.txt")
    assert camera.canvas_from_frame == pytest.approx(_camera().canvas_from_frame, abs=1e-6)
    assert camera.canvas_size == _camera().canvas_size
    assert camera.kind == "panning"


def test_the_stored_matrix_takes_the_canvas_to_the_frame_and_is_scaled(tmp_path: Path) -> None:
    path = tmp_path / "h.txt"
    path.write_text("size: 160 120\nbounds: 0 169 0 119\n1 0 0 0 1 0 0 0 1\n1 0 -10 0 1 0 0 0 1\n")
    camera = _read(path, 2)
    # Frame 1 looks ten pixels further right at twice the size: five here.
    assert camera.frame_from_frame(0, 1) == pytest.approx(shifted(5, 0))
    assert camera.canvas_size == (85, 60)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[: len(text) // 2], "one homography a frame|must hold 9 numbers"),
        (lambda text: text.replace("size:", "sise:"), "line 1 must hold 2 numbers after 'size:'"),
        (lambda text: text.replace("bounds: ", "bounds: nan "), "line 2 must hold 4 numbers"),
        (lambda text: text.replace("size: 80 60", "size: 80 80"), "aspect"),
        (lambda text: text.replace("size: 80 60", "size: 0 0"), "size must be that of a picture"),
        (lambda text: "\n".join([*text.splitlines()[:6], "0 0 0 0 0 0 0 0 0"]), "line 7 must be a homography"),
        (lambda text: "\n".join([*text.splitlines()[:6], "1 0 0 0 1 0 0.5 0 1"]), "line 7 must be a homography"),
        (lambda text: "", "a size line, a bounds line"),
        (lambda text: text + "1 0 0 0 1 0 0 0 1\n", "one homography a frame; got 6 for 5 frames"),
    ],
)
def test_damage_is_refused_by_name(tmp_path: Path, change, message: str) -> None:
    path = tmp_path / "h.txt"
    write_homographies(path, _camera())
    path.write_text(change(path.read_text()))
    with pytest.raises(InputError, match=message):
        _read(path)


@pytest.mark.refusal
def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be readable"):
        _read(tmp_path / "none.txt")
    with pytest.raises(InputError, match="must be readable"):
        _read(tmp_path)
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="plain text"):
        _read(tmp_path / "b.txt")


@pytest.mark.refusal
@given(st.integers(0, 10_000), st.integers(0, 255))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_byte_is_refused_or_read(tmp_path: Path, place: int, byte: int) -> None:
    path = tmp_path / "h.txt"
    write_homographies(path, _camera())
    data = bytearray(path.read_bytes())
    data[place % len(data)] = byte
    path.write_bytes(bytes(data))
    try:
        camera = _read(path)
    except InputError:
        return
    assert np.isfinite(camera.canvas_from_frame).all()
