"""Cameras that the clip never had."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytempo.camera.warp import frame_corners, moved_points
from polytempo.core.errors import InputError
from polytempo.edit.camera import CameraKey, key_at, read_camera_path, shown_from_base
from polytempo.edit.edl import Edl, edl_from_text, text_from_edl
from polytempo.edit.operations.freeze import freeze
from polytempo.edit.operations.picture import free_camera, lock_camera, move_camera, widen_camera
from polytempo.edit.operations.solo import solo
from polytempo.layers.shading import Shading
from polytempo.layers.stack import Background, LayerStack
from polytempo.render.findings import edit_findings
from polytempo.render.sequence import render_frames
from support.squares import HEIGHT, N_FRAMES, WIDTH, drawn_clip, drawn_stack, edit_of, panning_path

F = Fraction
SIZE = (WIDTH, HEIGHT)
keys = st.builds(
    CameraKey,
    x=st.floats(-50, 50), y=st.floats(-50, 50), scale=st.floats(0.2, 5), rotate=st.floats(-90, 90),
)  # fmt: skip


def frames_of(stack: LayerStack, edl: Edl) -> list[np.ndarray]:
    return list(render_frames(stack, edl, drawn_clip()))


def middle_of_red(frame: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero((frame[..., 0] > 150) & (frame[..., 1] < 60) & (frame[..., 2] < 60))
    return np.array([columns.mean(), rows.mean()])


@given(key=keys)
def test_a_key_moves_the_middle_and_keeps_shapes(key: CameraKey) -> None:
    matrix = shown_from_base(key, SIZE)
    middle = (np.array(SIZE) - 1) / 2
    assert np.allclose(moved_points(middle[None] + [[key.x, key.y]], matrix), middle, atol=1e-6)
    corners = moved_points(frame_corners(SIZE), matrix)
    sides = np.linalg.norm(np.roll(corners, -1, 0) - corners, axis=1)
    assert np.allclose(sides, key.scale * np.array([WIDTH - 1, HEIGHT - 1] * 2), rtol=1e-6)
    # Turned clockwise, the camera sees a thing at its right rise.
    right = moved_points(middle[None] + [[key.x + 1, key.y]], matrix)[0] - middle
    assert np.sign(round(right[1], 9)) == -np.sign(round(np.sin(np.radians(key.rotate)), 9)) or abs(right[1]) < 1e-6


@given(a=keys, b=keys, share=st.fractions(0, 1))
def test_a_path_passes_between_its_keys(a: CameraKey, b: CameraKey, share: Fraction) -> None:
    path = (replace(a, at=F(1)), replace(b, at=F(3)))
    assert key_at(path, F(0)) == path[0]
    assert key_at(path, F(3)) == key_at(path, F(9)) == path[1]
    now = key_at(path, 1 + 2 * share)
    for name in ("x", "y", "scale", "rotate"):
        low, high = sorted((getattr(a, name), getattr(b, name)))
        assert low - 1e-6 <= getattr(now, name) <= high + 1e-6


@pytest.mark.parametrize("camera", [None, panning_path()], ids=["static", "panning"])
def test_a_camera_that_is_moved_by_nothing_sees_what_it_saw(camera: object) -> None:
    stack = drawn_stack(camera)  # type: ignore[arg-type]
    plain, moved = frames_of(stack, edit_of(stack)), frames_of(stack, move_camera(edit_of(stack), CameraKey()))
    assert all(np.array_equal(a, b) for a, b in zip(plain, moved, strict=True))


def test_a_shift_goes_the_other_way_on_screen() -> None:
    stack = drawn_stack()
    plain = frames_of(stack, edit_of(stack))
    moved = frames_of(stack, move_camera(edit_of(stack), CameraKey(x=6, y=-4)))
    for a, b in zip(plain, moved, strict=True):
        assert np.array_equal(b[4:, :-6], a[:-4, 6:])
    back = frames_of(stack, free_camera(move_camera(edit_of(stack), CameraKey(x=6, y=-4))))
    assert np.array_equal(back[0], plain[0])


def test_things_are_enlarged_and_turned_about_the_middle() -> None:
    stack = drawn_stack()
    edl = solo(freeze(edit_of(stack), "red", at=F(1, 30)), "red")
    middle = (np.array(SIZE) - 1) / 2
    before = middle_of_red(frames_of(stack, edl)[0]) - middle
    near = middle_of_red(frames_of(stack, move_camera(edl, CameraKey(scale=1.2)))[0]) - middle
    assert np.allclose(near, 1.2 * before, atol=0.6)
    far = frames_of(stack, move_camera(edl, CameraKey(scale=0.5)))[0]
    assert np.allclose(middle_of_red(far) - middle, 0.5 * before, atol=0.6)
    turned = middle_of_red(frames_of(stack, move_camera(edl, CameraKey(rotate=180)))[0]) - middle
    assert np.allclose(turned, -before, atol=0.6)


def test_a_camera_on_the_whole_scene_stands_still_while_people_go_on() -> None:
    stack = drawn_stack(panning_path())
    frames = frames_of(stack, widen_camera(solo(edit_of(stack), "red")))
    assert all(np.abs(frame[-3:].astype(int) - frames[0][-3:]).max() <= 1 for frame in frames)
    scale = WIDTH / (WIDTH + 3 * N_FRAMES)
    places = np.array([middle_of_red(frame) for frame in frames])
    assert np.allclose(np.diff(places[:, 0]), (5 + 3) * scale, atol=0.8)  # its own walk and the pan
    assert np.ptp(places[:, 1]) < 0.5
    frozen = frames_of(stack, widen_camera(freeze(solo(edit_of(stack), "red"), "red", at=F(2, 30))))
    assert all(np.array_equal(frame, frozen[0]) for frame in frozen)


def test_the_plate_of_an_atlas_scene_is_lit_as_its_moment_is() -> None:
    """A grey wall under a light that differs from left to right and from frame to frame; the camera pans over it."""
    camera = panning_path()
    width = camera.canvas_size[0]
    x, y = np.meshgrid(np.linspace(-0.5, WIDTH - 0.5, 9), np.linspace(-0.5, HEIGHT - 0.5, 7))
    uv = np.stack([np.stack([(x + 3 * t) * 2 / width - 1, (y - HEIGHT / 2) / width * 2], -1) for t in range(N_FRAMES)])
    side = 64
    light = np.ones((N_FRAMES, side, side, 3), np.float32)
    light *= np.linspace(0.4, 1.6, N_FRAMES)[:, None, None, None]
    light[:, :, side // 2 :, 0] *= 0.5
    live = np.full((N_FRAMES, HEIGHT, WIDTH, 4), 255, np.uint8)
    for t in range(N_FRAMES):
        columns = (np.arange(WIDTH) + 3 * t) >= (width - 1) / 2
        live[t, ..., :3] = (100 * light[t, 0, 0]).astype(np.uint8)
        live[t, :, columns, 0] = round(float(50 * light[t, 0, 0, 0]))
    plate = np.full((HEIGHT, width, 3), 100, np.uint8)
    plate[:, width // 2 :, 0] = 50
    stack = drawn_stack(camera)
    background = Background(
        colour=plate, coverage=np.ones((HEIGHT, width), np.uint16), live=live,
        shading=Shading(uv=uv.astype(np.float32), light=light),
    )  # fmt: skip
    stack = replace(stack, layers=(), order=((),) * N_FRAMES, background=background)
    for t, frame in enumerate(frames_of(stack, widen_camera(edit_of(stack)))):
        level = 100 * light[t, 0, 0, 1]
        middle = frame[HEIGHT // 2]
        assert np.abs(middle[3:-3, 1] - level).max() < 4  # also where this frame never was
        assert np.abs(middle[3:20, 0] - level).max() < 4
        assert np.abs(middle[-20:-3, 0] - level / 2).max() < 4


def test_a_path_is_followed_over_any_camera() -> None:
    stack = drawn_stack(panning_path())
    edl = solo(freeze(edit_of(stack), "red", at=F(0)), "red")
    edl = move_camera(lock_camera(edl, at=F(0)), CameraKey(x=-10), CameraKey(at=F(5, 30), x=0))
    places = [middle_of_red(frame)[0] for frame in frames_of(stack, edl)]
    assert np.allclose(np.diff(places), -2, atol=0.3)


def test_what_the_clip_never_shows_is_told() -> None:
    stack = drawn_stack()
    edl = move_camera(edit_of(stack), CameraKey(x=WIDTH / 2))
    (told,) = (one for one in edit_findings(stack, edl, drawn_clip()) if "never shows" in one)
    assert "up to 47.9% of the frame" in told
    marked = next(iter(render_frames(stack, edl, drawn_clip(), mark_unseen=True)))
    assert (marked[:, WIDTH // 2 + 1 :] == (224, 66, 160)).all(-1).mean() == pytest.approx(0.5, abs=0.1)
    assert not edit_findings(stack, move_camera(edit_of(stack), CameraKey(scale=2)), drawn_clip())


def test_cameras_are_kept(tmp_path: Path) -> None:
    edl = move_camera(widen_camera(edit_of(drawn_stack())), CameraKey(at=F(1, 3), x=2), CameraKey(rotate=4, scale=2))
    assert edl.camera_path[0].at == 0
    assert edl_from_text(text_from_edl(edl)) == edl
    path = tmp_path / "path.json"
    path.write_text('[{"at": "0", "x": 3}, {"at": "1/2", "scale": 1.5}]')
    assert read_camera_path(path) == (CameraKey(x=3), CameraKey(at=F(1, 2), scale=1.5))


@pytest.mark.refusal
def test_cameras_that_cannot_be_are_refused(tmp_path: Path) -> None:
    stack = drawn_stack()
    with pytest.raises(InputError, match=r"some of the scene in view; got none of it at 0\.0333 s\. Move it less"):
        frames_of(stack, move_camera(edit_of(stack), CameraKey(), CameraKey(at=F(1, 10), x=500)))
    with pytest.raises(InputError, match=r"scale by 0\.05 to 20; got x 0, y 0, scale 0"):
        move_camera(edit_of(stack), CameraKey(scale=0))
    with pytest.raises(InputError, match="must follow each other in time"):
        move_camera(edit_of(stack), CameraKey(x=1), CameraKey(x=2))
    path = tmp_path / "path.json"
    with pytest.raises(InputError, match="the path must be a readable file"):
        read_camera_path(path)
    path.write_text('[{"at": 0.5}]')
    with pytest.raises(InputError, match=r"a JSON list of keys.*got 0\.at"):
        read_camera_path(path)
