"""Rendered edits against what they must show."""

from __future__ import annotations

import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from polytempo.camera.path import CameraPath
from polytempo.core.errors import CancelledError, InputError, ShapeError
from polytempo.core.progress import Progress
from polytempo.edit.edl import Edl, clip_duration, identity_edl, with_instance
from polytempo.edit.operations.delay import delay
from polytempo.edit.operations.duplicate import duplicate
from polytempo.edit.operations.freeze import freeze
from polytempo.edit.operations.remove import remove
from polytempo.edit.operations.solo import solo
from polytempo.layers.stack import Layer, LayerStack
from polytempo.layers.store import read_stack, write_stack
from polytempo.render.sequence import output_times, render_clip, render_frames
from polytempo.render.view import source_frame
from polytempo.video.clip import Clip
from polytempo.video.probe import probe
from support.squares import HEIGHT, N_FRAMES, WIDTH, drawn_clip, drawn_stack, edit_of, panning_path, plain_frame


def frames_of(stack: LayerStack, edl: Edl, clip: Clip | None = None) -> list[np.ndarray]:
    return list(render_frames(stack, edl, clip or drawn_clip()))


def require_near(frame: np.ndarray, expected: np.ndarray, *, n_soft: int = 1) -> None:
    """Equal to within the roundings of so many half-transparent layers."""
    assert np.abs(frame - expected).max() <= 0.5 * n_soft + 0.01


@pytest.mark.parametrize("camera", [None, panning_path()], ids=["static", "panning"])
def test_the_edit_that_changes_nothing_is_the_composite(camera: CameraPath | None) -> None:
    stack = drawn_stack(camera)
    frames = frames_of(stack, edit_of(stack))
    assert len(frames) == N_FRAMES
    for t, frame in enumerate(frames):
        require_near(frame, plain_frame(stack, t, dict.fromkeys(stack.order[t], t)))


def test_rounded_frame_times_hide_nobody_a_frame_too_long() -> None:
    """At 30 frames a second in milliseconds frame 1 is at 33 ms, which is before a thirtieth of a second."""
    clip, stack = drawn_clip(time_base=Fraction(1, 1000)), drawn_stack()
    for by, first in ((Fraction(1, 30), 1), (clip.time_of(2), 2)):
        late = list(render_frames(stack, delay(solo(edit_of(stack), "red"), "red", by=by, outside="hide"), clip))
        there = [bool((one[..., 0] == 200).sum() > 50) for one in late]
        assert there == [n >= first for n in range(N_FRAMES)]


def test_every_frame_is_a_picture_of_its_own() -> None:
    stack = drawn_stack()
    frames = frames_of(stack, solo(edit_of(stack)))
    frames[0][:] = 0
    assert np.array_equal(frames[1], stack.background.colour)


def test_removed_layers_leave_the_plate() -> None:
    stack = drawn_stack(panning_path())
    for t, frame in enumerate(frames_of(stack, remove(edit_of(stack), "red"))):
        require_near(frame, plain_frame(stack, t, {2: t}))


def test_a_frozen_layer_stays_in_its_place_of_the_world_under_a_pan() -> None:
    stack = drawn_stack(panning_path())
    frames = frames_of(stack, solo(freeze(edit_of(stack), "red", at=Fraction(3, 30)), "red"))
    for t, frame in enumerate(frames):
        red = np.argwhere((frame == (200, 20, 20)).all(axis=2))
        assert red[:, 1].min() == 4 + 5 * 3 + 3 * (3 - t)
        require_near(frame, plain_frame(stack, t, {1: 3}))


def test_a_delay_shows_earlier_frames_and_holds_the_first() -> None:
    stack = drawn_stack()
    frames = frames_of(stack, solo(delay(edit_of(stack), "green", by=Fraction(2, 30)), "green"))
    for t, frame in enumerate(frames):
        require_near(frame, plain_frame(stack, t, {2: max(t - 2, 0)}))


def test_a_hidden_copy_appears_when_its_time_comes() -> None:
    stack = drawn_stack()
    edl = duplicate(edit_of(stack), "green", delay=Fraction(2, 30), offset=(0.0, 7.0), outside="hide")
    frames = frames_of(stack, solo(edl, "green-2"))
    assert np.array_equal(frames[1], stack.background.colour)
    shifted = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    shifted[7:] = stack.layers[1].pictures[1][:-7]
    rgba = shifted.astype(float)
    require_near(frames[3], rgba[..., :3] + (1 - rgba[..., 3:] / 255) * stack.background.colour)


def test_half_pixel_offsets_are_interpolated() -> None:
    stack = drawn_stack()
    edl = solo(edit_of(stack), "red")
    edl = with_instance(edl, replace(edl.instance("red"), offset=(0.5, 0.0)))
    edge = frames_of(stack, edl)[0][15, 4].astype(int)
    expected = np.mean([stack.background.colour[15, 4], (200, 20, 20)], axis=0)
    assert np.abs(edge - expected).max() <= 2


def test_opacity_and_level_are_kept() -> None:
    stack = drawn_stack()
    edl = edit_of(stack)
    edl = with_instance(edl, replace(edl.instance("green"), level=1))
    require_near(frames_of(stack, edl)[0], plain_frame(stack, 0, {1: 0, 2: 0}))
    edl = with_instance(solo(edl, "red"), replace(edl.instance("red"), opacity=0.0))
    assert np.array_equal(frames_of(stack, solo(edl, "red"))[0], stack.background.colour)


def test_effects_lie_beneath_every_body() -> None:
    stack = drawn_stack(panning_path())
    shadow = np.zeros((N_FRAMES, HEIGHT, WIDTH, 4), np.uint8)
    shadow[:, 8:28, 5:45] = (0, 0, 10, 100)
    red, green = stack.layers
    stack = replace(stack, layers=(replace(red, effects=shadow), replace(green, effects=shadow[::-1] // 2)))
    flat = replace(
        stack,
        layers=(
            Layer(layer_id=1, name="a", subject_ids=(), pictures=shadow),
            Layer(layer_id=2, name="b", subject_ids=(), pictures=shadow // 2),
            Layer(layer_id=3, name="red", subject_ids=(), pictures=red.pictures),
            Layer(layer_id=4, name="green", subject_ids=(), pictures=green.pictures),
        ),
    )
    frames = frames_of(stack, delay(edit_of(stack), "red", by=Fraction(1, 30)))
    require_near(frames[1], plain_frame(flat, 1, {2: 1, 1: 0, 4: 1, 3: 0}), n_soft=3)
    require_near(frames[5], plain_frame(flat, 5, {1: 4, 2: 5, 3: 4, 4: 5}), n_soft=3)


def test_a_live_background_shows_the_output_frame_itself() -> None:
    stack = drawn_stack(panning_path())
    live = np.zeros((N_FRAMES, HEIGHT, WIDTH, 4), np.uint8)
    for t in range(N_FRAMES):
        live[t, 2:30, 3:40] = (10 * t, 0, 60, 200)
    lit = replace(stack, background=replace(stack.background, live=live))
    flat = replace(stack, layers=(*stack.layers, Layer(layer_id=3, name="live", subject_ids=(), pictures=live)))
    for t, frame in enumerate(frames_of(lit, solo(freeze(edit_of(stack), "red", at=Fraction(0)), "red"))):
        require_near(frame, plain_frame(flat, t, {3: t, 1: 0}), n_soft=2)


def test_exposure_multiplies_the_plate_where_there_is_one() -> None:
    stack = drawn_stack()
    gain = np.linspace(0.5, 1.5, N_FRAMES * 3, dtype=np.float32).reshape(N_FRAMES, 3)
    lit = replace(stack, background=replace(stack.background, exposure=gain))
    for t, frame in enumerate(frames_of(lit, solo(edit_of(stack)))):
        expected = (stack.background.colour * gain[t]).clip(0, 255)
        assert np.abs(frame - expected).max() <= 0.51


def test_layers_on_disk_give_the_same_frames(tmp_path: Path) -> None:
    stack = drawn_stack(panning_path())
    write_stack(tmp_path / "layers", stack)
    edl = delay(edit_of(stack), "red", by=Fraction(-1, 30))
    for one, other in zip(frames_of(stack, edl), frames_of(read_stack(tmp_path / "layers"), edl), strict=True):
        assert np.array_equal(one, other)


def test_a_part_of_the_frames_is_the_same_part() -> None:
    stack = drawn_stack(panning_path())
    edl = delay(edit_of(stack), "red", by=Fraction(1, 30))
    part = list(render_frames(stack, edl, drawn_clip(), start=2, stop=4))
    for one, other in zip(part, frames_of(stack, edl)[2:4], strict=True):
        assert np.array_equal(one, other)


def test_source_frames_forgive_rounded_ticks() -> None:
    clip = drawn_clip(40, time_base=Fraction(1, 1000))
    assert [source_frame(clip, clip.time_of(t) - Fraction(10, 30)) for t in range(10, 40)] == list(range(30))
    exact = drawn_clip(40)
    assert source_frame(exact, Fraction(7, 60)) == 3


def test_output_times_are_the_clips_own_and_go_on_at_its_rate() -> None:
    clip = drawn_clip()
    edl = identity_edl([], clip_duration(clip))
    assert output_times(edl, clip) == [Fraction(n, 30) for n in range(N_FRAMES)]
    assert len(output_times(replace(edl, duration=Fraction(3, 30)), clip)) == 3
    assert output_times(replace(edl, duration=Fraction(8, 30)), clip)[-1] == Fraction(7, 30)


def test_an_edit_longer_than_the_clip_keeps_the_last_camera() -> None:
    stack = drawn_stack(panning_path())
    edl = replace(edit_of(stack), duration=Fraction(8, 30))
    frames = frames_of(stack, edl)
    assert len(frames) == 8
    assert np.array_equal(frames[7], frames[5])


def test_a_rendered_file_holds_the_frames(tmp_path: Path) -> None:
    stack = drawn_stack(panning_path())
    edl = freeze(edit_of(stack), "red", at=Fraction(2, 30))
    seen: list[Progress] = []
    render_clip(stack, edl, drawn_clip(), tmp_path / "out.mp4", report=seen.append)
    assert [one.done for one in seen] == [1, 2, 3, 4, 5, 6]
    with av.open(str(tmp_path / "out.mp4")) as container:
        decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(decoded) == N_FRAMES
    for one, other in zip(decoded, frames_of(stack, edl), strict=True):
        assert np.abs(one.astype(int) - other).mean() < 6  # 4:2:0 on hard edges


@pytest.mark.refusal
def test_edits_that_do_not_fit_are_refused() -> None:
    stack = drawn_stack()
    edl = edit_of(stack)
    with pytest.raises(InputError, match="the layers that the edit names; got 'girl'"):
        render_frames(stack, with_instance(edl, replace(edl.instance("red"), layer="girl")), drawn_clip())
    with pytest.raises(ShapeError, match="6 in the layers, 5 in the clip"):
        render_frames(stack, edl, drawn_clip(5))


@pytest.mark.refusal
def test_errors_and_stops_reach_the_caller_and_leave_no_file(tmp_path: Path) -> None:
    stack, threads = drawn_stack(), set(threading.enumerate())
    write_stack(tmp_path / "layers", stack)
    (tmp_path / "layers" / "layer-02.bin").write_bytes(b"")
    with pytest.raises(InputError, match="layer green, frame 0 is cut short or changed"):
        render_clip(read_stack(tmp_path / "layers"), edit_of(stack), drawn_clip(), tmp_path / "out.mp4")

    def stop(_: Progress) -> None:
        raise CancelledError("render", "stopped as asked")

    with pytest.raises(CancelledError):
        render_clip(stack, edit_of(stack), drawn_clip(), tmp_path / "out.mp4", report=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["layers"]
    assert set(threading.enumerate()) <= threads


def clip_with_sound(path: Path) -> None:
    """Six frames at uneven times and a tone."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=1000, options={"crf": "30"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000)
        sound = container.add_stream("aac", rate=48000)
        for pts in (0, 33, 67, 133, 167, 200):
            frame = av.VideoFrame.from_ndarray(np.full((HEIGHT, WIDTH, 3), pts, np.uint8), format="rgb24")
            frame.pts, frame.time_base = pts, Fraction(1, 1000)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for n in range(10):
            tone = np.sin(np.arange(n * 1024, (n + 1) * 1024) / 20).astype(np.float32)[None]
            frame = av.AudioFrame.from_ndarray(np.concatenate([tone, tone]), format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = 48000, n * 1024, Fraction(1, 48000)
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))


def test_uneven_times_and_sound_are_kept(tmp_path: Path) -> None:
    clip_with_sound(tmp_path / "in.mp4")
    clip = probe(tmp_path / "in.mp4")
    stack = drawn_stack()
    edl = remove(identity_edl(["red", "green"], clip_duration(clip)), "red")
    render_clip(stack, edl, clip, tmp_path / "out.mp4")
    written = probe(tmp_path / "out.mp4")
    assert [written.time_of(n) for n in range(6)] == [clip.time_of(n) for n in range(6)]
    assert written.audio_codecs == ("aac",)
    with av.open(str(tmp_path / "in.mp4")) as one, av.open(str(tmp_path / "out.mp4")) as other:
        packets = [[bytes(p) for p in container.demux(audio=0) if p.size] for container in (one, other)]
    assert packets[1] == packets[0][: len(packets[1])]
    assert len(packets[1]) >= len(packets[0]) - 1
