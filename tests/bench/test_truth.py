"""Scene folders, their outputs as edits, and the table."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outputs import edl_from_frame_maps, time_map_from_frames, write_output
from pipeline import RunConfig, RunResult, run_scene
from scene_folder import read_scene_folder, scene_folders
from scoring import below_bars, headline, headline_table

from polytempo.render.sequence import render_frames
from polytempo.render.view import source_frame
from polytempo.synth.draw import DrawnScene
from polytempo.video.clip import Clip
from polytempo.video.probe import probe
from polytempo.video.reader import read_pictures
from support import psnr


def test_a_drawn_folder_is_read(crossing_folder: Path, crossing_scene: DrawnScene) -> None:
    scene = read_scene_folder(crossing_folder)
    assert scene_folders(crossing_folder.parent, None) == [crossing_folder]
    assert scene.layer_ids == (1, 2)
    wanted = scene.outputs()
    edits = ["without_1", "without_2", "solo_1", "solo_2", "retime_freeze_1", "retime_delay_2"]
    assert list(wanted) == ["background", *edits, "reconstruction"]
    assert wanted["background"] == {}
    assert wanted["solo_2"] == wanted["without_1"]
    assert np.array_equal(scene.masks("masks")["2"], crossing_scene.masks[1])


def test_edits_of_frame_maps_give_the_drawn_truth(crossing_folder: Path, crossing_scene: DrawnScene) -> None:
    scene, clip = read_scene_folder(crossing_folder), probe(crossing_folder / "input.mp4")
    stack = crossing_scene.stack()
    for name, maps in scene.outputs().items():
        edl = edl_from_frame_maps(maps, stack, clip)
        rendered = np.stack(list(render_frames(stack, edl, clip)))
        truth = crossing_scene.render({k: maps.get(k, (None,) * 12) for k in (1, 2)})
        assert psnr(rendered, truth) > 45, name


def _clip() -> Clip:
    from polytempo.video.colour import default_tags

    return Clip(
        path=Path("x.mp4"), width=64, height=48, n_frames=8, frame_rate=Fraction(24), time_base=Fraction(1, 12288),
        pts=tuple(512 * n for n in range(8)), rotation=0, bit_depth=8, colour=default_tags(64, 48), audio_codecs=(),
    )  # fmt: skip


@given(frames=st.lists(st.integers(0, 7), min_size=8, max_size=8))
@settings(max_examples=50, deadline=None)
def test_a_time_map_shows_the_stated_frames(frames: list[int]) -> None:
    clip = _clip()
    time_map = time_map_from_frames(tuple(frames), clip)
    for t, source in enumerate(frames):
        at = time_map.at(clip.time_of(t))
        assert at is not None
        assert source_frame(clip, at) == source


def test_the_identity_is_one_segment() -> None:
    assert len(time_map_from_frames(tuple(range(8)), _clip()).segments) == 1
    assert len(time_map_from_frames((3,) * 8, _clip()).segments) == 1


def test_outputs_are_written_in_full_colour(tmp_path: Path, crossing_scene: DrawnScene) -> None:
    write_output(tmp_path / "x.mp4", iter(crossing_scene.clean), fps=24)
    read = np.stack(list(read_pictures(probe(tmp_path / "x.mp4"))))
    assert psnr(read, crossing_scene.clean) > 42


def test_the_table_marks_what_is_below_the_bar() -> None:
    row = {"status": "ok", "psnr": 31.0, "ssim": 0.9, "effect": 28.5, "hole": 30.0, "disocc": None}
    scores = {
        "outputs": {"without_1": row, "retime_x": {**row, "psnr": 30.5}, "reconstruction": {**row, "psnr": 34.0}},
        "mean_without_reconstruction": {"psnr": 33.4, "effect": 28.5, "disocc": 19.0},
    }
    figures = headline(scores)
    assert figures == {"effect": 28.5, "psnr": 33.4, "retime": 30.5, "disocc": 19.0, "reconstruction": 34.0}
    assert below_bars("crossing", figures) == ["retime", "disocc"]
    table = headline_table("crossing", {"polytempo": figures, "copy": figures})
    assert "!30.50" in table
    assert "!33.40" not in table
    assert below_bars("unknown scene", figures) == []


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["standard", "paper"])
def test_a_neural_preset_runs_for_as_many_epochs_as_go_into_its_minutes(preset: str, crossing_folder: Path) -> None:
    scene = read_scene_folder(crossing_folder)
    config = RunConfig(preset=preset, inputs="masks+keypoints", minutes=0, batch_size=12, base_channels=4)
    result = run_scene(scene, config, cache=None, report=lambda _: None)
    assert result.course is not None
    assert (result.course.planned, result.course.done) == (1, 1)
    assert [len(layer.pictures) for layer in result.stack.layers] == [12, 12]
    assert set(result.layer_of) == {1, 2}
    assert {"read", "camera", "cast", "bodies", "decompose"} <= set(result.stages)


@pytest.mark.slow
def test_a_course_that_was_stopped_is_scored_as_it_is_and_goes_on(crossing_folder: Path, tmp_path: Path) -> None:
    scene = read_scene_folder(crossing_folder)
    config = RunConfig(preset="standard", inputs="masks+keypoints", epochs=2, batch_size=6, base_channels=4)

    def run(folder: Path | None, *, stop: bool = False) -> RunResult:
        return run_scene(
            scene, config, cache=tmp_path / "cache", report=lambda _: None, course_folder=folder, stop=lambda: stop
        )

    def pictures(result: RunResult) -> np.ndarray:
        return np.asarray(result.stack.layers[0].pictures)

    part = run(tmp_path / "course", stop=True)
    assert part.course is not None
    assert (part.course.done, part.course.planned, part.course.ended_early) == (1, 2, True)
    assert len(part.stack.layers) == 2
    whole, rest = run(None), run(tmp_path / "course")
    assert rest.course is not None
    assert (rest.course.done, rest.course.ended_early) == (2, False)
    assert rest.course.cpu_seconds > part.course.cpu_seconds > 0
    assert np.array_equal(pictures(rest), pictures(whole))
    assert not np.array_equal(pictures(part), pictures(whole))
