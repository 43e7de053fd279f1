from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import pytest

from polytempo.core.errors import InputError
from polytempo.decompose.lnr.paper_config import StandardConfig
from polytempo.project.config import config_document, config_from
from polytempo.project.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Inner:
    n_epochs: int = 30
    rate: float = 0.001
    kind: Literal["fast", "slow"] = "fast"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outer:
    seed: int = 0
    speed: Fraction = Fraction(1)
    size: tuple[int, int] = (4, 4)
    inner: Inner = field(default_factory=Inner)


def test_defaults_file_and_settings_in_turn(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('seed = 3\nspeed = "30000/1001"\n[inner]\nn_epochs = 5\nkind = "slow"\n')
    config = config_from(
        Outer, config_document({}, file=file, sets=["inner.n_epochs=7", "size=[8, 6]", "inner.kind=fast"])
    )
    assert config == Outer(seed=3, speed=Fraction(30000, 1001), size=(8, 6), inner=Inner(n_epochs=7, kind="fast"))
    assert config_from(Outer, {}) == Outer()


def test_later_settings_win_and_the_base_stays() -> None:
    base = {"seed": 1, "inner": {"n_epochs": 4, "rate": 0.5}}
    document = config_document(base, sets=["inner.n_epochs=9"])
    assert document == {"seed": 1, "inner": {"n_epochs": 9, "rate": 0.5}}
    assert base["inner"] == {"n_epochs": 4, "rate": 0.5}
    assert config_from(Outer, document).inner == Inner(n_epochs=9, rate=0.5)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("inner.n_epoch=3", r"every key must be known; got inner\.n_epoch\. Known here: kind, n_epochs, rate"),
        ("colour=1", r"every key must be known; got colour\. Known here: inner, seed"),
        ("inner=3", "inner must be a table; got 3"),
        ("seed.x=1", "seed"),
        ("seed", "must be written path=value; got 'seed'"),
        ("=3", "must be written path=value"),
        ("inner.n_epochs=many", r"inner\.n_epochs must be right: .*integer.*; got 'many'"),
        ("inner.kind=medium", r"inner\.kind must be right: .*'fast' or 'slow'"),
    ],
)
def test_wrong_settings_are_named(setting: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        config_from(Outer, config_document({}, sets=[setting]))


@pytest.mark.refusal
def test_wrong_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be readable; got No such file"):
        config_document({}, file=tmp_path / "none.toml")
    file = tmp_path / "config.toml"
    for text in (b"seed = ", b"\xff\xfe"):
        file.write_bytes(text)
        with pytest.raises(InputError, match=r"must be TOML.*File: .*config\.toml"):
            config_document({}, file=file)


def test_a_setting_of_one_preset_keeps_the_presets_other_defaults() -> None:
    found = config_from(Settings, {"preset": "standard", "standard": {"batch_size": 4}}).neural()
    assert found == replace(StandardConfig(), batch_size=4)
    short = config_from(Settings, {"preset": "paper", "epochs": 25}).neural()
    assert (short.n_epochs, short.curriculum_epochs) == (25, 10)
