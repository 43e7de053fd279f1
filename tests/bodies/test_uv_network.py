from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st

from polytempo.bodies.keypoints import KeypointTrack
from polytempo.bodies.keypoints_to_uv import keypoints_to_uv, network_uv
from polytempo.bodies.limbs import poses
from polytempo.bodies.rasterise import body_map
from polytempo.bodies.skeleton import COLOURS, body_crop, skeleton_picture
from polytempo.bodies.train_uv import UvTraining, train_uv_network, uv_from_keypoints, uv_scores
from polytempo.bodies.uv_network import (
    SHIPPED,
    UvNetwork,
    UvNetworkConfig,
    decoded,
    read_uv_network,
    uv_loss,
    write_uv_network,
)
from polytempo.bodies.uv_pairs import DamageConfig, damaged, draw_pair
from polytempo.core.errors import InputError


def somebody(seed: int = 0, side: int = 160):
    return draw_pair(np.random.default_rng(seed), side=side)


def test_the_released_size_has_its_weights() -> None:
    total = sum(one.numel() for one in UvNetwork(UvNetworkConfig()).parameters())
    assert round(total / 1e6, 2) == 9.62


def test_shapes_and_ranges() -> None:
    network = UvNetwork(UvNetworkConfig(width=8, side=64)).eval()
    logits, uv = network(torch.rand(2, 3, 64, 64) * 2 - 1)
    assert logits.shape == (2, 25, 64, 64)
    assert uv.shape == (2, 48, 64, 64)
    assert uv.abs().max() <= 1
    part, places = decoded(logits[0], uv[0])
    assert part.max() <= 24
    assert (places[part == 0] == 0).all()
    assert places.min() >= 0


def test_only_the_true_parts_channels_are_taught_their_places() -> None:
    logits, uv = torch.zeros(1, 25, 4, 4), torch.zeros(1, 48, 4, 4, requires_grad=True)
    part = torch.zeros(1, 4, 4, dtype=torch.long)
    part[0, 1, 2] = 5
    loss = uv_loss(logits, uv, part, torch.full((1, 2, 4, 4), 0.75))
    loss.backward()
    assert loss.item() == pytest.approx(np.log(25) + 0.5 + 0.5, rel=1e-5)
    assert uv.grad is not None
    assert uv.grad.nonzero().tolist() == [[0, 8, 1, 2], [0, 9, 1, 2]]
    empty = uv_loss(logits, uv, torch.zeros_like(part), torch.zeros(1, 2, 4, 4))
    assert empty.item() == pytest.approx(np.log(25), rel=1e-5)


@given(seed=st.integers(0, 40), scale=st.floats(0.5, 3), x=st.floats(-50, 50), y=st.floats(-50, 50))
def test_the_skeleton_does_not_depend_on_where_and_how_large_a_body_is(
    seed: int, scale: float, x: float, y: float
) -> None:
    points = somebody(seed).points
    moved = points.copy()
    moved[:, :2] = points[:, :2] * scale + (x, y)
    a, b = (skeleton_picture(one, body_crop(one, side=128)) for one in (points, moved))
    assert (np.abs(a - b).max(0) > 0.02).mean() < 0.01


def test_a_keypoint_has_its_colour_and_a_weak_one_is_darker() -> None:
    points = np.zeros((17, 3), np.float32)
    points[[9, 10]] = [[10, 10, 1.0], [50, 40, 0.2]]
    picture = (skeleton_picture(points, body_crop(points, side=256)) + 1) * 127.5
    assert picture[:, 56, 32].tolist() == pytest.approx(COLOURS[9].tolist(), abs=0.5)
    assert picture[:, 200, 224].tolist() == pytest.approx((COLOURS[10] * 0.4).tolist(), abs=0.5)


def test_drawn_pairs_agree_with_the_geometric_body_where_keypoints_are_true() -> None:
    same, away = [], []
    for seed in range(12):
        pair = somebody(seed)
        points = pair.points.copy()
        points[:, 2] = 1
        part, uv = uv_from_keypoints(points, side=160)
        both = (part > 0) & (pair.part > 0)
        same.append((part == pair.part)[both].mean())
        away.append(np.abs(uv - pair.uv)[both & (part == pair.part)].mean())
    assert np.mean(same) > 0.78
    assert np.mean(away) < 0.06


def test_damage_leaves_a_trunk_and_hides_limbs() -> None:
    points = somebody(1).points
    worse = [damaged(points, np.random.default_rng(i), config=DamageConfig(missing=0.5)) for i in range(20)]
    assert all((one[[5, 6, 11, 12], 2] > 0).all() for one in worse)
    assert np.mean([(one[:, 2] == 0).mean() for one in worse]) > 0.25
    none = damaged(points, np.random.default_rng(0), config=DamageConfig(jitter=0, missing=0, hidden_limb=0))
    assert np.array_equal(none[:, :2], points[:, :2])


def test_training_lowers_the_loss_is_repeatable_and_survives_the_disk(tmp_path: Path) -> None:
    config = UvTraining(network=UvNetworkConfig(width=8, side=64), n_steps=25, batch_size=2)
    network, losses = train_uv_network(config, seed=1)
    again, same = train_uv_network(config, seed=1)
    assert losses == same
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), again.parameters(), strict=True))
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])
    file = tmp_path / "uv.safetensors"
    write_uv_network(file, network)
    back = read_uv_network(file)
    assert back.config == config.network
    assert torch.allclose(back.part_head.weight, network.part_head.weight, atol=1e-3)
    part, uv = network_uv(back, somebody(3).points, size=(160, 120))
    assert part.shape == (120, 160)
    assert uv.shape == (120, 160, 2)
    scores = uv_scores(lambda points: uv_from_keypoints(points, side=96), n_people=5, side=96)
    assert 0.3 < scores.part_accuracy <= 1


def test_shipped_weights_are_small_and_better_than_the_geometric_body_on_hidden_limbs() -> None:
    assert SHIPPED.stat().st_size <= 8e6
    network = read_uv_network(SHIPPED)
    by_hand = uv_scores(lambda points: uv_from_keypoints(points, side=160), n_people=40, side=160, seed=7)
    learned = uv_scores(lambda points: network_uv(network, points, size=(160, 160)), n_people=40, side=160, seed=7)
    assert learned.hidden_uv_error < by_hand.hidden_uv_error
    assert learned.uv_error < by_hand.uv_error
    assert learned.hidden_part_accuracy > by_hand.hidden_part_accuracy - 0.03
    assert learned.part_accuracy > by_hand.part_accuracy - 0.03
    log = json.loads(SHIPPED.with_suffix(".json").read_text(encoding="utf-8"))
    assert log["held_out"]["network"]["hidden_uv_error"] < log["held_out"]["geometric body"]["hidden_uv_error"]


def test_both_ways_fill_the_same_frames() -> None:
    points = np.stack([somebody(seed).points for seed in (4, 5)])
    points[..., 2] = 1
    points = np.concatenate([points, np.zeros((1, 17, 3), np.float32)])
    track = KeypointTrack(points=points)
    drawn = keypoints_to_uv(track, size=(160, 160), build=1.2)
    assert np.array_equal(drawn.part, body_map(poses(track), n_frames=3, size=(160, 160), build=1.2).part)
    network = UvNetwork(UvNetworkConfig(width=8, side=64)).eval()
    torch.nn.init.zeros_(network.part_head.weight)
    with torch.no_grad():
        network.part_head.bias.copy_(torch.nn.functional.one_hot(torch.tensor(9), 25).float())
    found = keypoints_to_uv(track, size=(160, 160), network=network)
    assert (found.part[0] == 9).sum() > 0.3 * 160 * 160
    assert not found.part[2].any()
    assert not drawn.part[2].any()


@pytest.mark.refusal
def test_other_weights_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    with pytest.raises(InputError, match="can be read"):
        read_uv_network(file)
    file.write_bytes(b"torn")
    with pytest.raises(InputError, match="can be read"):
        read_uv_network(file)
    file.write_bytes(safetensors.torch.save({"a": torch.zeros(2)}))
    with pytest.raises(InputError, match="of a network from keypoints to UV; got another model"):
        read_uv_network(file)
    about = {"kind": "polytempo.keypoints-to-uv", "version": "1", "width": "8", "side": "64"}
    file.write_bytes(safetensors.torch.save({"a": torch.zeros(2)}, metadata=about))
    with pytest.raises(InputError, match="must fit the network"):
        read_uv_network(file)
    with pytest.raises(InputError, match="at least two keypoints"):
        body_crop(np.zeros((17, 3), np.float32), side=64)
