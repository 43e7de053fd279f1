from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from two_squares import TwoSquares

from polytempo.camera.plate import clean_plate
from polytempo.core.errors import CancelledError, PolytempoError
from polytempo.core.progress import Progress, silent
from polytempo.decompose.bare import grown_bodies
from polytempo.decompose.lnr import ownership as module
from polytempo.decompose.lnr.network import DELTA, OwnershipConfig
from polytempo.decompose.lnr.ownership import (
    Ownership,
    OwnershipTraining,
    change_loss,
    learn_ownership,
    ownership_loss,
)
from polytempo.decompose.lnr.signal import Signal, SignalConfig, unexplained_signal

TRAINING = OwnershipTraining(
    epochs=30, batch_frames=4, scale=1, learning_rate=6e-3, network=OwnershipConfig(channels=8, levels=4, fold=2)
)


@pytest.fixture(scope="module")
def signal(squares: TwoSquares) -> Signal:
    bodies = grown_bodies(squares.cast, grow_px=2)
    plate = clean_plate(squares.pictures, squares.camera, ignore=bodies)
    return unexplained_signal(
        squares.pictures, plate, squares.camera, bodies=bodies, delta=DELTA, config=SignalConfig()
    )


def _learn(
    squares: TwoSquares,
    signal: Signal,
    *,
    training: OwnershipTraining = TRAINING,
    checkpoint: Path | None = None,
    report: object = silent,
) -> Ownership:
    return learn_ownership(
        signal,
        [squares.cast.layer_mask(1, amodal=True), squares.cast.layer_mask(2, amodal=True)],
        bodies=grown_bodies(squares.cast, grow_px=2),
        camera=squares.camera,
        config=training,
        seed=3,
        key="k",
        checkpoint=checkpoint,
        report=report,  # pyright: ignore
    )


def test_ownership_loss_of_one_certain_owner_is_small_and_of_none_is_large() -> None:
    weight = torch.ones(1, 1, 2)
    target = torch.tensor([[[1.0, 0.0]]])
    right = torch.tensor([[[[9.0, -9.0]], [[-9.0, -9.0]]]])
    assert ownership_loss(right, target, weight) < 0.01
    assert ownership_loss(-right.abs(), target, weight) > 3
    half = torch.zeros(1, 1, 1, 1)
    assert ownership_loss(half, torch.ones(1, 1, 1), torch.ones(1, 1, 1)).item() == pytest.approx(np.log(2), abs=1e-4)


def test_ownership_loss_has_finite_gradients_at_the_extremes() -> None:
    logits = torch.tensor([-200.0, -20.0, 0.0, 20.0, 200.0]).reshape(1, 1, 1, 5).requires_grad_()
    ownership_loss(logits, torch.full((1, 1, 5), 0.5), torch.ones(1, 1, 5)).backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_change_loss_moves_colours_but_not_owners() -> None:
    logits = torch.zeros(1, 2, 3, 3, requires_grad=True)
    change = torch.zeros(1, 2, 3, 3, 3, requires_grad=True)
    change_loss(logits, change, torch.ones(1, 3, 3, 3), torch.ones(1, 3, 3)).backward()
    assert logits.grad is None
    assert change.grad is not None
    assert change.grad.abs().sum() > 0


@pytest.mark.slow
def test_each_square_gets_its_own_effect(squares: TwoSquares, signal: Signal) -> None:
    owned = _learn(squares, signal)
    for i, mine in enumerate((1, 2)):
        where = squares.effects[mine]
        assert owned.probability[:, i][where].mean() > 0.75
        assert owned.probability[:, 1 - i][where].mean() < 0.2
    elsewhere = ~(squares.effects[1] | squares.effects[2] | grown_bodies(squares.cast, grow_px=6))
    assert owned.probability.max(1)[elsewhere].mean() < 0.06
    # The shadow darkens, the glow lightens.
    assert owned.change[:, 0][squares.effects[1]].mean() < -0.15
    assert owned.change[:, 1][squares.effects[2]].mean() > 0.1
    assert owned.losses[-1] < owned.losses[0] / 3


def test_same_seed_same_result_also_across_a_stop(squares: TwoSquares, signal: Signal, tmp_path: Path) -> None:
    training = replace(TRAINING, epochs=4)
    whole = _learn(squares, signal, training=training)

    class StopError(Exception):
        pass

    def stop_at_seven(progress: Progress) -> None:
        if progress.done == 7:
            raise StopError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHECKPOINT_SECS", 0.0)
        with pytest.raises(StopError):
            _learn(squares, signal, training=training, checkpoint=tmp_path, report=stop_at_seven)
    steps: list[float] = []
    resumed = _learn(
        squares, signal, training=training, checkpoint=tmp_path, report=lambda progress: steps.append(progress.done)
    )
    assert steps[0] == 8
    assert np.array_equal(whole.probability, resumed.probability)
    assert whole.losses == resumed.losses


def test_a_loss_that_is_not_finite_starts_again_more_slowly(
    squares: TwoSquares, signal: Signal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0
    real = module.ownership_loss

    def sometimes(*args: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return real(*args) * (float("nan") if calls == 3 else 1.0)

    monkeypatch.setattr(module, "ownership_loss", sometimes)
    done: list[float] = []
    owned = _learn(
        squares,
        signal,
        training=replace(TRAINING, epochs=1),
        checkpoint=tmp_path,
        report=lambda progress: done.append(progress.done),
    )
    assert done == [1, 2, 1, 2, 3, 4]
    assert np.isfinite(owned.probability).all()


@pytest.mark.refusal
def test_a_loss_that_never_becomes_finite_is_told(
    squares: TwoSquares, signal: Signal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ownership_loss", lambda *_: torch.tensor(float("nan"), requires_grad=True))
    with pytest.raises(PolytempoError, match=r"training loss must stay finite; got 6 losses that were not"):
        _learn(squares, signal, training=replace(TRAINING, epochs=1))


def test_stopping_when_asked_leaves_a_state_to_go_on_from(squares: TwoSquares, signal: Signal, tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        raise CancelledError("test", "stopped")

    with pytest.raises(CancelledError):
        _learn(squares, signal, checkpoint=tmp_path, report=stop)
    assert (tmp_path / "ownership.safetensors").is_file()
