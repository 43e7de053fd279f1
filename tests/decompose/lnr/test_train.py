from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from polytempo.core.errors import CancelledError, InputError
from polytempo.core.progress import Progress
from polytempo.decompose.lnr.augment import JitterConfig
from polytempo.decompose.lnr.maps import LayerMaps, layer_maps, make_batch
from polytempo.decompose.lnr.model import composite_straight
from polytempo.decompose.lnr.objective import paper_loss, warm_loss, weights_at
from polytempo.decompose.lnr.paper import decompose_lnr
from polytempo.decompose.lnr.paper_config import LnrConfig, UpsampleConfig, paper_config, shortened, standard_config
from polytempo.decompose.lnr.schedule import easiest_first
from polytempo.decompose.lnr.train import train, training_key
from polytempo.decompose.lnr.train_upsampler import train_upsampler
from polytempo.decompose.lnr.upsample import doubled
from polytempo.synth import scenes
from polytempo.synth.draw import DrawnScene
from support import draw_small, true_cast

TINY = LnrConfig(n_epochs=3, batch_size=4, curriculum_epochs=1, l1_epochs=1, save_secs=0)


@pytest.fixture(scope="module")
def lone(lone_scene: DrawnScene) -> LayerMaps:
    return layer_maps(true_cast(lone_scene), lone_scene.camera, {})


def weights(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def test_training_lowers_the_loss_and_a_killed_run_goes_on_to_the_same_bits(
    lone: LayerMaps, lone_scene: DrawnScene, tmp_path: Path
) -> None:
    straight = train(lone_scene.pictures, lone, config=TINY, seed=3)
    assert straight.history[-1]["total"] < straight.history[0]["total"]

    def stop(progress: Progress) -> None:
        if progress.done > 1.2:
            raise CancelledError("test", "stopped")

    with pytest.raises(CancelledError):
        train(lone_scene.pictures, lone, config=TINY, seed=3, checkpoint=tmp_path, report=stop)
    resumed = train(lone_scene.pictures, lone, config=TINY, seed=3, checkpoint=tmp_path)
    assert len(resumed.history) < 3
    assert resumed.history[-1] == straight.history[-1]
    for name, value in weights(straight.model).items():
        assert torch.equal(value, weights(resumed.model)[name]), name
    again = train(lone_scene.pictures, lone, config=TINY, seed=3, checkpoint=tmp_path)
    assert again.history == ()
    keys = {training_key(lone_scene.pictures, lone, config, seed) for config, seed in (
        (TINY, 3), (TINY, 4), (replace(TINY, n_epochs=4), 3))}  # fmt: skip
    assert len(keys) == 3  # a state of another seed or course is not used


class Counting:
    """Pictures that count how often each was asked for."""

    def __init__(self, pictures: np.ndarray) -> None:
        self.pictures, self.asked = pictures, [0] * len(pictures)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Any:
        self.asked[index] += 1
        return self.pictures[index]


def test_a_course_that_ends_early_keeps_its_state_and_goes_on_as_if_it_had_not(
    lone: LayerMaps, lone_scene: DrawnScene, tmp_path: Path
) -> None:
    whole = train(lone_scene.pictures, lone, config=TINY, seed=3)
    ended = train(lone_scene.pictures, lone, config=TINY, seed=3, checkpoint=tmp_path, enough=lambda epoch: epoch == 0)
    assert len(ended.history) == 1
    asked: list[int] = []
    resumed = train(
        lone_scene.pictures, lone, config=TINY, seed=3, checkpoint=tmp_path, enough=lambda e: bool(asked.append(e))
    )
    assert len(resumed.history) == TINY.n_epochs - 1
    assert asked == list(range(1, TINY.n_epochs))
    for name, one in weights(whole.model).items():
        assert torch.equal(one, weights(resumed.model)[name]), name


def test_the_curriculum_starts_with_the_easier_half(crossing_scene: DrawnScene) -> None:
    maps = layer_maps(true_cast(crossing_scene), crossing_scene.camera, {})
    pictures = Counting(crossing_scene.pictures)
    config = replace(TINY, n_epochs=1, curriculum_epochs=1, batch_size=12)
    train(pictures, maps, config=config)
    counts = np.array(pictures.asked)
    ranked = easiest_first((maps.trimap == 2).transpose(1, 0, 2, 3))
    seen = np.flatnonzero(counts == counts.max())
    assert set(seen) == set(ranked[:6]) or counts[ranked[:6]].min() > counts[ranked[6:]].min()
    hidden = (crossing_scene.amodal[0] & ~crossing_scene.masks[0]).sum((1, 2))
    assert hidden[ranked[:6]].mean() < hidden[ranked[6:]].mean()


def test_the_objective_is_the_sum_of_its_weighted_parts(lone: LayerMaps, lone_scene: DrawnScene) -> None:
    batch = make_batch(lone, lone_scene.pictures[:2], np.arange(2))
    layers = torch.rand(2, 2, 4, 64, 96)
    layers[:, 1, 3] = (batch.trimap[:, 0] == 1).float()
    config = paper_config()
    weights = weights_at(0, bootstrap_epoch=None, config=config)
    terms = paper_loss(layers, batch, weights=weights, config=config)
    assert terms.mask == 0
    expected = (composite_straight(layers, batch.order) - batch.frames).abs().mean()
    assert torch.allclose(terms.reconstruction, expected)
    assert torch.allclose(terms.total, expected + 0.005 * terms.regulariser)
    off = paper_loss(layers, batch, weights=weights_at(0, bootstrap_epoch=None, config=replace(config, regulariser=False)), config=config)  # fmt: skip # noqa: E501
    assert torch.allclose(off.total, expected)
    patent = replace(config, mask_loss="patent")
    assert weights_at(60, bootstrap_epoch=None, config=patent).mask == 5
    assert weights_at(60, bootstrap_epoch=None, config=config).mask == 50
    assert weights_at(60, bootstrap_epoch=10, config=config).mask == 0


def test_the_warm_start_is_nothing_but_what_is_known(lone: LayerMaps, lone_scene: DrawnScene) -> None:
    batch = make_batch(lone, lone_scene.pictures[:2], np.arange(2))
    plates = torch.rand(2, 3, 64, 96)
    known = torch.zeros(2, 2, 4, 64, 96)
    known[:, 0, :3] = plates
    known[:, 1, :3] = batch.frames
    known[:, 1, 3] = (batch.trimap[:, 0] == 1).float()
    assert warm_loss(known, batch, plates).total == pytest.approx(0, abs=1e-7)
    known[:, 1, :3] = 1 - batch.frames
    assert warm_loss(known, batch, plates).total > 0.05


def test_the_upsampler_learns_and_leaves_the_renderer_alone(
    lone: LayerMaps, lone_scene: DrawnScene, tmp_path: Path
) -> None:
    rows, columns = slice(16, 48), slice(24, 72)
    part = LayerMaps(
        tile=lone.tile[..., rows, columns], uv=lone.uv[..., rows, columns], person=lone.person[..., rows, columns],
        trimap=lone.trimap[..., rows, columns], order=lone.order, n_people=lone.n_people,
    )  # fmt: skip
    small = lone_scene.clean[:, rows, columns]
    model = train(small, part, config=replace(TINY, n_epochs=1)).model
    before = weights(model)
    large = doubled(torch.tensor(small).permute(0, 3, 1, 2).float()).permute(0, 2, 3, 1)
    pictures = large.round().to(torch.uint8).numpy()
    losses: list[float] = []
    config = UpsampleConfig(n_epochs=4, crop_px=96, batch_size=3)  # the whole frame: losses can be compared
    first = train_upsampler(
        pictures, part, model, config=config, key="k", checkpoint=tmp_path,
        report=lambda p: losses.append(p.loss or 0.0),
    )  # fmt: skip
    assert np.mean(losses[-2:]) < np.mean(losses[:2])
    assert all(torch.equal(value, before[name]) for name, value in weights(model).items())
    kept = train_upsampler(pictures, part, model, config=config, key="k", checkpoint=tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), kept.parameters(), strict=True))


@pytest.mark.slow
def test_a_crossing_becomes_the_stack_that_draft_gives_too() -> None:
    scene = draw_small(scenes.crossing(size=(64, 64), n_frames=6, grain=0.0))
    config = replace(shortened(standard_config(), 14), warm_epochs=13, batch_size=2, curriculum_epochs=0)
    config = replace(config, jitter=JitterConfig(brightness=0, crop_share=0))
    stack = decompose_lnr(scene.pictures, scene.camera, true_cast(scene), config=config, seed=1)
    assert [layer.name for layer in stack.layers] == [person.name for person in scene.spec.people]
    assert stack.size == scene.spec.size
    inside, outside = [], []
    for t, order in enumerate(stack.order):
        picture = np.asarray(stack.background.colour).astype(float)
        for one in order:
            rgba = np.asarray(stack.layer(one).pictures[t]).astype(float)
            picture = rgba[..., :3] + (1 - rgba[..., 3:] / 255) * picture
            if scene.masks[one - 1, t].any():
                inside.append(rgba[..., 3][scene.masks[one - 1, t]].mean())
            outside.append(rgba[..., 3][~scene.amodal[one - 1, t]].mean())
        assert np.abs(picture - scene.pictures[t]).mean() < 35
    assert np.mean(inside) > 3 * np.mean(outside)


@pytest.mark.refusal
def test_a_given_background_must_be_given(lone: LayerMaps, lone_scene: DrawnScene) -> None:
    with pytest.raises(InputError, match="needs a clean plate; got none"):
        train(lone_scene.pictures, lone, config=replace(TINY, given_background=True))


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"n_epochs": 0}, "lnr.n_epochs must be 1 or more; got 0"),
        ({"batch_size": 0}, "lnr.batch_size"),
        ({"learning_rate": 2.0}, "between 0 and 1"),
        ({"upsample": UpsampleConfig(crop_px=4)}, "lnr.upsample.crop_px must be 16 or more"),
    ],
)
def test_what_cannot_be_trained_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        replace(paper_config(), **change)


def test_presets_are_the_paper_and_a_faster_one() -> None:
    paper, standard = paper_config(), standard_config()
    assert (paper.n_epochs, paper.curriculum_epochs, paper.upsample.n_epochs, paper.warm_epochs) == (2500, 1000, 500, 0)
    assert (standard.n_epochs, standard.curriculum_epochs) == (250, 100)
    assert (standard.together, standard.given_background) == (True, True)
    scaled = shortened(paper, 250)
    assert (standard.l1_epochs, standard.jitter, standard.upsample) == (
        scaled.l1_epochs, scaled.jitter, scaled.upsample)  # fmt: skip
