"""What the comparison of residuals measures, without its training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nvd_figure_8 import (
    PAINT,
    Given,
    bare_always,
    fitted,
    given_scene,
    measured,
    painted_truth,
    shading_correlation,
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
        "multiplicative", "additive", "additive", "none", "multiplicative",
    ]  # fmt: skip
    held = found["additive, held alike"].weights.residual
    assert held * float((seen.frames**2).mean()) == pytest.approx(found["additive"].weights.residual)
    assert found["sines"].texture.encoding == "sines"


@pytest.mark.slow
def test_a_variant_is_trained_and_measured(seen: Given) -> None:
    row, pictures = measured(
        seen, variants(seen)["multiplicative"], painted_truth(seen), seconds=1.0, seed=0, keep=(1, 5)
    )
    assert row["processor_seconds"] > 0  # how near to what was wanted depends on who else computes here
    assert 10 < row["psnr"] < 45
    assert -1 <= row["shading"] <= 1
    assert [one.shape for one in pictures] == [(96, 128, 3)] * 4
