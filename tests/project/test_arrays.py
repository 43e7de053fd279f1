from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytempo.camera.path import CameraPath, static_path
from polytempo.objects.cast import Cast, LayerPlan, Subject
from polytempo.project.arrays import read_camera, read_cast, read_masks, write_camera, write_cast, write_masks
from polytempo.project.folder import DamagedProjectError


def small_cast(n_frames: int = 3) -> Cast:
    rng = np.random.default_rng(1)
    mask = rng.random((n_frames, 5, 7)) < 0.5
    subject = Subject(
        subject_id=1,
        name="girl",
        mask=mask,
        amodal=mask | (rng.random(mask.shape) < 0.2),
        visibility=np.linspace(0, 1, n_frames, dtype=np.float32),
    )
    return Cast(
        subjects=(subject,),
        layers=(
            LayerPlan(layer_id=1, name="girl", subject_ids=(1,)),
            LayerPlan(layer_id=2, name="lights", subject_ids=()),
        ),
        order=((2, 1),) * n_frames,
        warnings=("subject girl hardly moves",),
    )


def test_camera_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    camera = CameraPath(
        canvas_from_frame=np.eye(3) + rng.normal(0, 1e-3, (4, 3, 3)),
        canvas_size=(90, 70),
        frame_size=(64, 48),
        kind="panning",
        residual_px=rng.random(4),
        warnings=("parallax in frames 2 to 3",),
    )
    write_camera(tmp_path / "camera.json", camera)
    again = read_camera(tmp_path / "camera.json")
    assert np.array_equal(again.canvas_from_frame, camera.canvas_from_frame)
    assert np.array_equal(again.residual_px, camera.residual_px)
    assert (again.kind, again.canvas_size, again.frame_size, again.warnings) == (
        "panning",
        (90, 70),
        (64, 48),
        camera.warnings,
    )


@given(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9), st.integers(0, 3))
@settings(max_examples=20, deadline=None)
def test_masks_come_back(tmp_path_factory: pytest.TempPathFactory, t: int, h: int, w: int, n: int) -> None:
    path = tmp_path_factory.mktemp("masks") / "masks.npz"
    rng = np.random.default_rng(t * 100 + h * 10 + w)
    masks = {f"person {k}": rng.random((t, h, w)) < 0.5 for k in range(n)}
    write_masks(path, masks)
    again = read_masks(path)
    assert list(again) == list(masks)
    assert all(np.array_equal(again[name], masks[name]) for name in masks)


def test_cast_comes_back(tmp_path: Path) -> None:
    cast = small_cast()
    write_cast(tmp_path / "cast.npz", cast)
    again = read_cast(tmp_path / "cast.npz")
    assert np.array_equal(again.subjects[0].mask, cast.subjects[0].mask)
    assert np.array_equal(again.subjects[0].amodal, cast.subjects[0].amodal)
    assert np.array_equal(again.subjects[0].visibility, cast.subjects[0].visibility)
    assert again.subjects[0].name == "girl"
    assert (again.layers, again.order, again.warnings) == (cast.layers, cast.order, cast.warnings)


@pytest.mark.refusal
def test_damaged_files_are_named(tmp_path: Path) -> None:
    """Every truncation and a flip of every byte of a small file is either refused by our error or read."""
    path = tmp_path / "cast.npz"
    write_cast(path, small_cast())
    whole = path.read_bytes()
    refused = 0
    for n in range(0, len(whole), 7):
        for damaged in (whole[:n], whole[:n] + bytes([whole[n] ^ 0x41]) + whole[n + 1 :]):
            path.write_bytes(damaged)
            try:
                read_cast(path)
            except DamagedProjectError:
                refused += 1
    assert refused > len(whole) // 7
    camera = tmp_path / "camera.json"
    write_camera(camera, static_path(2, (8, 8)))
    camera.write_text(camera.read_text().replace("1.0", "NaN", 1))
    with pytest.raises(DamagedProjectError, match="wrong shape"):
        read_camera(camera)
    camera.unlink()
    with pytest.raises(DamagedProjectError, match="No such file"):
        read_camera(camera)
