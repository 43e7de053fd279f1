"""What the comparison of residuals measures, without its training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nvd_figure_8 import (
    PAINT,
    Given,
    bare_always,
    claims,
    curve,
    fitted,
    given_scene,
    measured,
    painted_truth,
    shading_correlation,
    steps_in,
    variants,
)
from scene_folder import read_scene_folder


@pytest.fixture(scope="module")
def seen(crossing_folder: Path) -> Given:
    scene = read_scene_folder(crossing_folder)
    return given_scene(scene, width=scene.size[0])


def test_a_scene_as_all_variants_see_it(seen: Given) -> None:
    assert seen.frames.shape == seen.wall.shape
    assert 0 <= seen.wall.min() <= seen.wall.max() <= 1
    somebody = seen.footage.masks.numpy().any(0) > 0
    assert np.abs(seen.frames - seen.wall)[somebody].mean() > 3 * np.abs(seen.frames - seen.wall)[~somebody].mean()
    assert not (bare_always(seen) & somebody.any(0)).any()


def test_paint_under_the_truth_s_light_has_its_mean_and_its_changes(seen: Given) -> None:
    painted = painted_truth(seen)
    bare = bare_always(seen)
    assert np.allclose(painted.mean(0)[bare], PAINT, atol=1e-4)
    light = seen.wall / seen.wall.mean(0, keepdims=True).clip(0.02)
    assert shading_correlation(light[:, bare], painted[:, bare]) == pytest.approx(1, abs=1e-4)


def test_gain_and_offset_are_taken_out_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((5, 6, 7, 3)).astype(np.float32)
    where = np.ones((6, 7), bool)
    where[0] = False
    distorted = (truth - 0.2) / np.array([0.5, 2.0, 1.0], np.float32)
    assert np.allclose(fitted(distorted, truth, where=where), truth, atol=1e-4)
    noise = rng.random(truth.shape).astype(np.float32)
    assert np.abs(fitted(noise, truth, where=where) - truth.mean()).mean() < 0.05
    assert abs(shading_correlation(noise, truth)) < 0.2
    assert shading_correlation(-truth, truth) == pytest.approx(-1, abs=1e-5)
    assert shading_correlation(np.ones_like(truth), truth) == 0


def test_variants_differ_in_one_thing(seen: Given) -> None:
    found = variants(seen)
    assert [one.residual_kind for one in found.values()] == [
        "multiplicative", "additive", "additive", "multiplicative", "additive", "none", "multiplicative",
    ]  # fmt: skip
    square = float((seen.frames**2).mean())
    for name in ("residual", "lasting"):
        held, own = (getattr(found[one].weights, name) for one in ("additive, held alike", "additive"))
        assert held * square == pytest.approx(own)
    printed = [found[f"{kind}, Eq. 11 as printed"] for kind in ("multiplicative", "additive")]
    assert printed[0].weights == printed[1].weights
    assert (printed[0].weights.residual, printed[0].weights.lasting) == (0.5, 0)
    assert found["sines"].texture.encoding == "sines"


def test_a_curve_is_of_the_colour_term_and_looks_back_only() -> None:
    found = curve([0.3, 0.03, 0.003, 0.0003])
    assert found == pytest.approx([10, 15, 20, 25])
    assert curve([0.3] * 9)[-1] == pytest.approx(10)


def test_claims_need_their_margins() -> None:
    row = {"psnr": 30.0, "drop": 5.0, "texture": 26.0, "painted": 22.0}
    worse = {"psnr": 30.5, "drop": 8.5, "texture": 22.0, "painted": 21.0}
    of = {"multiplicative": row, "additive": worse, "additive, held alike": worse,
          "multiplicative, Eq. 11 as printed": row, "additive, Eq. 11 as printed": worse,
          "none": {**row, "psnr": 25.0}, "sines": {**row, "psnr": 20.0}}  # fmt: skip
    curves = {"multiplicative": [10.0, 20.0, 30.0, 31.0], "sines": [10.0, 15.0, 20.0]}
    found = claims(of, curves)
    assert all(one.met for one in found)
    assert found[-1].value == pytest.approx(3 / 2)
    missed = claims({**of, "multiplicative": {**worse, "psnr": 27.0}}, curves)
    assert [one.met for one in missed] == [False, True, False, True, False, True, False, True, True]
    missed = claims({**of, "additive, Eq. 11 as printed": row}, curves)
    assert [one.met for one in missed] == [True, False, True, False, True, False, True, True, True]
    assert not claims(of, {**curves, "multiplicative": [10.0, 12.0]})[-1].met


def test_more_time_is_more_steps(seen: Given) -> None:
    config = variants(seen)["none"]
    assert steps_in(seen, config, 0.0) == 24  # the least that is a course
    assert steps_in(seen, config, 1e6) > 10_000


@pytest.mark.slow
def test_a_variant_is_trained_and_measured(seen: Given) -> None:
    found = measured(seen, variants(seen)["multiplicative"], painted_truth(seen), n_steps=30, seed=0, frame=1)
    numbers = found.numbers
    assert numbers["processor_seconds"] > 0  # how near to what was wanted depends on who else computes here
    assert 10 < numbers["unlit"] < numbers["psnr"] < 45
    assert numbers["drop"] == pytest.approx(numbers["psnr"] - numbers["unlit"])
    assert -1 <= numbers["shading"] <= 1
    assert [one.shape for one in found.pictures] == [(96, 128, 3)] * 4
    assert len(found.curve) > 0
