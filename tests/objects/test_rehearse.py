"""What a network learns from rehearsed scenes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.objects.two_blocks import H, N, W, two_blocks

from polytempo.objects import rehearse as rehearse_module
from polytempo.objects.rehearse import RehearseConfig, rehearse, told_by_context
from polytempo.objects.scenes import Scene

CONFIG = RehearseConfig(channels=8, n_steps=60, window=(48, 48), batch=4)


def test_nothing_to_cut_out_gives_no_network() -> None:
    backdrop, labels = two_blocks()
    labels[labels == 2] = 0
    assert rehearse(backdrop, labels, 2, config=CONFIG) is None


@pytest.mark.slow
def test_heads_of_one_colour_are_told_apart_by_what_is_below_them() -> None:
    backdrop, labels = two_blocks()
    seen = labels.copy()
    seen[-2:] = np.where(labels[-2:] > 0, np.uint8(1), labels[-2:])  # wrong where they meet, and not believed
    net = rehearse(backdrop, seen, 2, config=CONFIG)
    assert net is not None
    more = rehearse(backdrop, seen, 2, config=replace(CONFIG, n_more=30), net=net)
    assert more is net
    told = told_by_context(net, backdrop)
    assert told.shape == (N, H, W, 3)
    assert np.allclose(np.exp(told.astype(np.float32)).sum(-1), 1, atol=0.02)
    best = told.argmax(-1)
    for t in (1, N - 1):
        for label in (1, 2):
            head = (labels[t] == label) & (np.arange(H) < 18)[:, None]
            assert (best[t][head] == label).mean() > 0.7


def test_the_number_of_threads_changes_nothing() -> None:
    backdrop, labels = two_blocks()
    told: list[np.ndarray] = []
    before = torch.get_num_threads()
    for n in (1, 2):
        torch.set_num_threads(n)
        try:
            net = rehearse(backdrop, labels, 2, config=replace(CONFIG, n_steps=8))
            assert net is not None
            told.append(told_by_context(net, backdrop))
        finally:
            torch.set_num_threads(before)
    assert np.array_equal(told[0], told[1])


def test_both_halves_of_a_batch_are_learned_from(monkeypatch: pytest.MonkeyPatch) -> None:
    backdrop, labels = two_blocks()
    shown: dict[int, int] = {}
    one_scene = rehearse_module.window_of

    def counted(scene: Scene, rng: np.random.Generator, window: tuple[int, int]) -> Scene:
        shown[id(rng)] = shown.get(id(rng), 0) + 1
        return one_scene(scene, rng, window)

    monkeypatch.setattr(rehearse_module, "window_of", counted)
    net = rehearse(backdrop, labels, 2, config=replace(CONFIG, n_steps=2, batch=5))
    assert net is not None
    assert sorted(shown.values()) == [4, 6]
    means = [one for name, one in net.named_buffers() if name.endswith("running_mean")]
    assert means
    assert all(bool(one.abs().sum() > 0) for one in means)
