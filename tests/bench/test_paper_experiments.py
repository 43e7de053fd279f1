"""The experiments' own parts, without training anything for long; what they find is in ``bench/results``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import blocks
import numpy as np
import pytest
from ablations import without
from curriculum import LOOKS, by_steps, claims, course_of, ranked_halves, right, steps_in, steps_until
from double_dip import double_dip
from figure_4 import maps_of, meeting
from figure_11 import flat
from pipeline import RunConfig
from presets import kept
from report import Claim, Findings, experiment, sheet
from result_schemas import check_file
from small_runs import Learned, course, learned, maps_of_blocks, part_of

from polytempo.core.files import write_json
from polytempo.decompose.lnr.maps import layer_maps
from polytempo.decompose.lnr.train import new_model
from polytempo.synth.draw import draw


def found(value: float) -> Findings:
    return Findings(settings={"width": 1}, claims=[Claim(text="more than half", value=value, least=0.5)],
                    table=[{"name": "a", "value": 0.123456}], curves={"a": [0.0, 1.0]})  # fmt: skip


@pytest.mark.parametrize(("value", "code"), [(0.5, 0), (0.49, 1), (float("nan"), 1)])
def test_a_claim_below_its_margin_fails_the_experiment(
    value: float, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["x", "--out", str(tmp_path / "out"), "--epochs", "7"])
    assert experiment("x", "About it.", lambda given: found(value), epochs=3) == code
    if value == value:
        check_file(tmp_path / "out" / "paper-x.json")
    document = json.loads((tmp_path / "out" / "paper-x.json").read_text())
    assert document["settings"] == {"epochs": 7, "width": 1}
    assert document["claims"][0]["met"] is (code == 0)
    assert ("DOES NOT HOLD" in capsys.readouterr().out) is (code == 1)


def test_an_open_claim_is_told_and_fails_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def of(*claims: Claim) -> Findings:
        return Findings(settings={}, claims=list(claims))

    monkeypatch.setattr(sys, "argv", ["x", "--out", str(tmp_path)])
    assert experiment("x", "About it.", lambda _: of(Claim(text="known", value=0.1, least=0.5, open=True))) == 0
    assert "not shown: known" in capsys.readouterr().out
    check_file(tmp_path / "paper-x.json")
    both = of(Claim(text="a", value=0, least=1, open=True), Claim(text="b", value=0, least=1))
    assert experiment("x", "About it.", lambda _: both) == 1


def test_a_sheet_has_rows_of_one_width(tmp_path: Path) -> None:
    import cv2

    picture = np.zeros((8, 10, 3), np.uint8)
    sheet(tmp_path / "sheet.png", [("two", [picture, picture]), ("one", [picture])], zoom=3)
    assert cv2.imread(str(tmp_path / "sheet.png")).shape == (2 * (18 + 24 + 4), 2 * (30 + 4), 3)


def true_layers(scene: blocks.Blocks) -> Learned:
    """The truth in the form that training gives."""
    shape = (len(scene.pictures), 1 + len(scene.alpha), 4, *blocks.SIZE[::-1])
    layers = np.ones(shape, np.float32)
    layers[:, 0, :3] = scene.clean.transpose(2, 0, 1) / 255
    for k in range(len(scene.alpha)):
        layers[:, k + 1, :3] = scene.paint[k].transpose(0, 3, 1, 2) / 255
        layers[:, k + 1, 3] = scene.alpha[k]
    maps = layer_maps(scene.cast, scene.camera, {})
    return Learned(layers=layers, maps=maps, model=new_model(2, seed=0, base_channels=4), bootstrap_epoch=None)


@pytest.mark.parametrize("shown", [(1, 2), (1,), (2,), ()])
def test_true_layers_give_the_true_edits(shown: tuple[int, ...]) -> None:
    scene = blocks.two_people(texture=25)
    picture = true_layers(scene).picture(shown)
    assert np.abs(picture * 255 - scene.truth(shown)).max() < 0.01
    if len(shown) == 1:
        taken = without(scene, true_layers(scene), 3 - shown[0], detail=True)
        assert np.abs(taken * 255 - scene.truth(shown)).max() < 0.01


def test_the_single_map_shows_who_is_in_front_and_without_them_who_is_behind() -> None:
    scene = blocks.two_people()
    maps = layer_maps(scene.cast, scene.camera, {})
    everybody, alone = flat(maps, (1, 2)), flat(maps, (2,))
    assert everybody.tile.shape[1] == 1
    assert everybody.trimap.shape[1] == 0
    both = scene.bodies[0] & scene.bodies[1]
    assert both.any()
    assert (everybody.person[:, 0][both] == 1).all()
    assert (alone.person[:, 0][both] == 2).all()
    assert np.array_equal(alone.uv[:, 0][both.nonzero()[0], :, *both.nonzero()[1:]],
                          maps.uv[:, 2][both.nonzero()[0], :, *both.nonzero()[1:]])  # fmt: skip


def test_whole_bodies_reach_where_visible_ones_do_not() -> None:
    scene = draw(meeting(0))
    hidden = scene.amodal[0] & ~scene.masks[0]
    whole, visible = (maps_of(scene, whole=one).person[:, 1] > 0 for one in (True, False))
    assert whole[hidden].mean() > 0.6
    assert not visible[hidden].any()


def test_the_two_layer_baseline_follows_its_hint() -> None:
    scene = blocks.cart()
    hint = layer_maps(scene.cast, scene.camera, {}).trimap[:, 0].astype(np.float32) / 2
    mask = double_dip(scene.pictures, hint, n_steps=40, seed=0)
    assert mask.shape == hint.shape
    assert mask[hint == 1].mean() > mask[hint == 0].mean() + 0.2


def test_a_short_course_runs_through() -> None:
    scene = blocks.cart()
    looks: list[int] = []
    result = learned(scene, course(2, base_channels=4), seed=0, watch=lambda now: looks.append(1), every=1)
    assert result.layers.shape == (blocks.N_FRAMES, 2, 4, *blocks.SIZE[::-1])
    assert len(looks) == 2


@pytest.mark.parametrize(("steps", "n_frames"), [(800, 24), (600, 12), (250, 13)])
def test_with_and_without_the_curriculum_there_are_equally_many_steps(steps: int, n_frames: int) -> None:
    for easy in (0.0, 0.4):
        config = course_of(steps, n_frames, easy)
        on_half = config.curriculum_epochs * steps_in((n_frames + 1) // 2)
        done = on_half + (config.n_epochs - config.curriculum_epochs) * steps_in(n_frames)
        assert abs(done - steps) <= steps_in(n_frames) / 2
        assert abs(on_half - easy * steps) <= steps_in(n_frames) / 2
        looks = range(1, config.n_epochs + 1, max(1, config.n_epochs // LOOKS))
        shown = by_steps([float(epoch == looks[-1]) for epoch in looks], config, n_frames, steps)
        assert len(shown) == LOOKS + 1
        assert shown[-1] > 0.5


def test_steps_count_from_when_a_share_stays_high() -> None:
    curve = [0.5] * 6 + [0.95] + [0.8] * 6 + [0.95] * (LOOKS - 12)
    assert steps_until(curve, 10 * LOOKS) == 130
    assert steps_until([0.95] * (LOOKS + 1), 240) == 0
    assert steps_until([*curve[:-1], 0.5], 240) is None


def test_true_layers_are_right_wherever_people_are_and_exchanged_ones_nowhere() -> None:
    scene = blocks.apart_and_together()
    true = true_layers(scene)
    layers = true.layers.copy()
    layers[:, 1:] = layers[:, [2, 1]]
    for frames in np.split(np.arange(24), 2):
        assert right(scene, true.layers[frames], frames) > 0.95
        assert right(scene, layers[frames], frames) < 0.05


@pytest.mark.parametrize(("with_it", "without", "harder", "met"), [
    ((0.9, 0.8), (0.7, 0.7), (0.7, 0.6), [True, True, True]),
    ((0.9, 0.8), (0.8, 0.8), (0.7, 0.7), [False, False, True]),
    ((0.9, 0.5), (0.3, 0.3), (0.9, 0.1), [False, True, False]),
])  # fmt: skip
def test_the_withheld_half_must_be_the_ambiguous_one_in_every_seed_and_the_curriculum_gain_in_the_mean(
    with_it: tuple[float, ...], without: tuple[float, ...], harder: tuple[float, ...], met: list[bool]
) -> None:
    rows: list[dict[str, Any]] = [
        {"curriculum": name, "right where they overlap": value}
        for name, values in (("with", with_it), ("without", without))
        for value in values
    ]
    rows += [
        {"right in the easier half alone": easier, "right in the harder half alone": value}
        for easier, value in zip((0.95, 0.85), harder, strict=True)
    ]
    found = claims(Findings(settings={}, table=rows))
    assert [one.met for one in found] == met
    assert [one.open for one in found] == [False, True, True]


def test_the_half_that_the_curriculum_withholds_is_where_people_are_together() -> None:
    maps = maps_of_blocks(blocks.apart_and_together(1))
    easier, harder = ranked_halves(maps)
    assert sorted(easier) == list(range(12))
    assert sorted(harder) == list(range(12, 24))
    hard = part_of(maps, harder)
    assert hard.n_frames == 12
    np.testing.assert_array_equal(hard.trimap, maps.trimap[12:])


def test_a_kept_run_is_taken_where_its_settings_are_the_same_and_made_anew_where_they_are_not(tmp_path: Path) -> None:
    config, given = RunConfig(preset="paper", minutes=1), argparse.Namespace(out=tmp_path, wall_minutes=None)
    write_json(tmp_path / "nowhere.json", {"config": repr(config), "result": {"headline": {"psnr": 30.0}}})
    assert kept(Path("nowhere"), config, Path("score.py"), given) == {"headline": {"psnr": 30.0}}
    with pytest.raises(FileNotFoundError, match=r"scene\.json"):
        kept(Path("nowhere"), RunConfig(preset="paper", minutes=2), Path("score.py"), given)


def test_a_kept_run_that_ended_early_goes_on(tmp_path: Path) -> None:
    config, given = RunConfig(preset="paper", minutes=1), argparse.Namespace(out=tmp_path, wall_minutes=None)
    result = {"headline": {"psnr": 30.0}, "course": {"done": 3, "planned": 3}}
    write_json(tmp_path / "nowhere.json", {"config": repr(config), "result": result})
    assert kept(Path("nowhere"), config, Path("score.py"), given) == result
    result["course"]["done"] = 2
    write_json(tmp_path / "nowhere.json", {"config": repr(config), "result": result})
    with pytest.raises(FileNotFoundError, match=r"scene\.json"):
        kept(Path("nowhere"), config, Path("score.py"), given)
